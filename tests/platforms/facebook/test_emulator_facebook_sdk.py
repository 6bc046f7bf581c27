"""Meta's own Python client against the stand-in: what it does on the platform it does here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from facebook_business.adobjects.advideo import AdVideo
from facebook_business.adobjects.comment import Comment
from facebook_business.adobjects.page import Page
from facebook_business.adobjects.pagepost import PagePost
from facebook_business.adobjects.photo import Photo
from facebook_business.adobjects.user import User
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession


@pytest.fixture(autouse=True)
def graph_address(stand: Any) -> Iterator[None]:
    """The client's address and default connection are global; both are put back."""
    address, default = FacebookSession.GRAPH, FacebookAdsApi.get_default_api()
    FacebookSession.GRAPH = stand.base
    yield
    FacebookSession.GRAPH = address
    FacebookAdsApi.set_default_api(default)


def connect(token: str, secret: str = "secret") -> FacebookAdsApi:
    """The client sends token and proof in the query of every call."""
    return FacebookAdsApi.init("app", secret, token, api_version="v26.0", crash_log=False)


@pytest.fixture
def api(graph: Any) -> Iterator[FacebookAdsApi]:
    made = connect(graph.token)
    yield made
    made._session.requests.close()


@pytest.fixture
def picture(tmp_path: Path, stand: Any) -> str:
    file = tmp_path / "a.png"
    file.write_bytes(stand.png)
    return str(file)


def upload(api: FacebookAdsApi, path: tuple[str, str], file: str, **params: Any) -> dict[str, Any]:
    with open(file, "rb") as opened:
        return api.call("POST", path, params=params, files={"source": opened}).json()


def read(kind: type, node_id: str, *fields: str) -> dict[str, Any]:
    return kind(node_id).api_get(fields=list(fields)).export_all_data()


@pytest.mark.filterwarnings("ignore:.*does not allow field.*:UserWarning")
def test_a_page_and_its_token_come_from_me_accounts(graph: Any) -> None:
    api = connect(graph.user_token)
    pages = list(User("me").get_accounts(fields=["id", "name", "access_token", "category", "tasks"]))
    api._session.requests.close()
    assert [(page["id"], page["access_token"]) for page in pages] == [(graph.page_id, graph.token)]
    assert "CREATE_CONTENT" in pages[0]["tasks"]


@pytest.mark.filterwarnings("ignore:.*does not allow field.*:UserWarning")
def test_a_post_is_made_read_edited_and_deleted(graph: Any, api: Any) -> None:
    made = Page(graph.page_id).create_feed(params={"message": "Fresh bread", "link": "https://example.com/b"})
    fields = ("message", "created_time", "permalink_url", "is_published", "from", "attachments")
    post = read(PagePost, made["id"], *fields)
    assert post["message"] == "Fresh bread"
    assert post["is_published"] is True
    assert post["from"]["id"] == graph.page_id
    assert post["attachments"]["data"][0]["url"] == "https://example.com/b"
    PagePost(made["id"]).api_update(params={"message": "Sold out"})
    assert [post["text"] for post in graph.seen()] == ["Sold out"]
    PagePost(made["id"]).api_delete()
    assert graph.seen() == []
    with pytest.raises(FacebookRequestError) as gone:
        read(PagePost, made["id"], "message")
    assert (gone.value.api_error_code(), gone.value.api_error_subcode()) == (100, 33)


def test_a_photo_is_uploaded_and_is_a_post(graph: Any, api: Any, picture: str) -> None:
    made = upload(api, (graph.page_id, "photos"), picture, caption="Bread")
    assert made["post_id"].startswith(graph.page_id + "_")
    photo = read(Photo, made["id"], "name", "width", "height", "images", "page_story_id")
    assert (photo["name"], photo["width"], photo["height"]) == ("Bread", 8, 6)
    assert photo["page_story_id"] == made["post_id"]
    [post] = graph.seen()
    assert [item["type"] for item in post["media"]] == ["photo"]


@pytest.mark.filterwarnings("ignore:.*does not allow field.*:UserWarning")
def test_photos_kept_back_make_one_post_in_their_order(graph: Any, api: Any, picture: str) -> None:
    page, edge = Page(graph.page_id), (graph.page_id, "photos")
    photos = [upload(api, edge, picture, published=False) for _ in range(3)]
    assert all("post_id" not in photo for photo in photos)
    assert graph.seen() == []
    attached = [{"media_fbid": photo["id"]} for photo in photos]
    made = page.create_feed(params={"message": "Three", "attached_media": attached})
    post = read(PagePost, made["id"], "attachments")
    [album] = post["attachments"]["data"]
    assert [part["target"]["id"] for part in album["subattachments"]["data"]] == [p["id"] for p in photos]


def test_a_video_is_uploaded_and_becomes_a_post(graph: Any, api: Any, tmp_path: Path, stand: Any) -> None:
    file = tmp_path / "a.mp4"
    file.write_bytes(stand.mp4)
    made = upload(api, (graph.page_id, "videos"), str(file), description="Kneading")
    video = read(AdVideo, made["id"], "status", "post_id", "permalink_url", "published")
    assert video["status"]["video_status"] == "ready"
    assert [post["id"] for post in graph.seen()] == [f"{graph.page_id}_{video['post_id']}"]


def test_more_comments_than_fit_on_a_page_are_all_read_once(graph: Any, api: Any) -> None:
    post_id = graph.write()
    for number in range(105):
        graph.comment(post_id, f"comment {number}")
    cursor = PagePost(post_id).get_comments(fields=["id", "message", "from"], params={"limit": 100})
    read_all = [comment["message"] for comment in cursor]
    assert read_all == [f"comment {number}" for number in range(105)]
    assert cursor.total() == 105


def test_a_comment_is_answered_liked_hidden_and_deleted(graph: Any, api: Any) -> None:
    post_id = graph.write()
    comment = Comment(graph.comment(post_id, "Is it warm?", **{"from": "lea"}))
    reply = comment.create_comment(params={"message": "Yes!"})
    fields = ("message", "parent", "from")
    assert read(Comment, reply["id"], *fields)["parent"]["id"] == comment["id"]
    assert read(Comment, reply["id"], *fields)["from"]["id"] == graph.page_id
    comment.create_like()
    comment.api_update(params={"is_hidden": True})
    state = read(Comment, comment["id"], "user_likes", "like_count", "is_hidden", "comment_count", "from")
    assert (state["user_likes"], state["like_count"], state["is_hidden"], state["comment_count"]) == (
        True, 1, True, 1,
    )  # fmt: skip
    assert state["from"]["name"] == "Lea"
    comment.delete_likes()
    comment.api_update(params={"is_hidden": False})
    state = read(Comment, comment["id"], "user_likes", "is_hidden")
    assert (state["user_likes"], state["is_hidden"]) == (False, False)
    comment.api_delete()
    assert list(PagePost(post_id).get_comments()) == []


def test_a_batch_of_three_answers_each_in_its_place(graph: Any, api: Any) -> None:
    batch, good, bad = api.new_batch(), [], []
    calls = {"success": lambda answer: good.append(answer.json()), "failure": bad.append}
    page = Page(graph.page_id)
    page.create_feed(params={"message": "one & two"}, batch=batch, **calls)
    page.api_get(fields=["name"], batch=batch, **calls)
    PagePost(f"{graph.page_id}_1").api_get(fields=["message"], batch=batch, **calls)
    assert batch.execute() is None
    assert [post["text"] for post in graph.seen()] == ["one & two"]
    assert good[1]["name"] == "Ada Baker's Page"
    assert bad[0].error().api_error_subcode() == 33


def test_an_expired_token_is_190_463(graph: Any, api: Any) -> None:
    graph.fault("expire_token")
    for _ in range(2):
        with pytest.raises(FacebookRequestError) as expired:
            read(Page, graph.page_id, "name")
        assert expired.value.http_status() == 400
        assert (expired.value.api_error_code(), expired.value.api_error_subcode()) == (190, 463)


def test_a_wrong_proof_is_refused(graph: Any) -> None:
    api = connect(graph.token, secret="somebody else's")
    with pytest.raises(FacebookRequestError, match="appsecret_proof") as refused:
        read(Page, graph.page_id, "name")
    api._session.requests.close()
    assert refused.value.api_error_code() == 100


def test_usage_headers_name_the_page(graph: Any, api: Any) -> None:
    answer = api.call("GET", (graph.page_id,), {"fields": "name"})
    assert json.loads(answer.headers()["X-App-Usage"])["call_count"] == 1
    usage = json.loads(answer.headers()["X-Business-Use-Case-Usage"])
    assert usage[graph.page_id][0]["type"] == "pages"
    assert answer.headers()["facebook-api-version"] == "v26.0"
