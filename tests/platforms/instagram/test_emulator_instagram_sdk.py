"""Meta's own Python client against the stand-in: what it does on the platform it does here."""

from __future__ import annotations

import http.server
import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from facebook_business.adobjects.igmedia import IGMedia
from facebook_business.adobjects.iguser import IGUser
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession
from PIL import Image

from hubbub.emulation.testing import running_sandbox

REDIRECT = "http://127.0.0.1:1/callback"
SCOPES = (
    "instagram_business_basic,instagram_business_content_publish,instagram_business_manage_comments,"
    "instagram_business_manage_insights"
)


@dataclass
class Stand:
    """The stand-in as a script sees it, and an address where it finds a picture."""

    root: str
    http: httpx2.Client
    picture: str

    def control(self, name: str, /, **body: Any) -> Any:
        return self.http.post(f"{self.root}/_sandbox/{name}", json=body).raise_for_status().json()

    def sign_in(self, username: str) -> str:
        """The long-lived token of a person."""
        base, app = f"{self.root}/instagram", {"client_id": "app", "client_secret": "secret"}
        asked = {"client_id": "app", "redirect_uri": REDIRECT, "response_type": "code", "scope": SCOPES}
        answer = self.http.get(f"{base}/oauth/authorize", params={**asked, "sandbox_person": username})
        [code] = parse_qs(urlsplit(answer.headers["location"]).query)["code"]
        assert answer.headers["location"].endswith("#_")
        form = {**app, "grant_type": "authorization_code", "redirect_uri": REDIRECT, "code": code}
        short = self.http.post(f"{base}/oauth/access_token", data=form).json()["access_token"]
        query = {"grant_type": "ig_exchange_token", "client_secret": "secret", "access_token": short}
        return self.http.get(f"{base}/access_token", params=query).json()["access_token"]


@pytest.fixture(scope="module")
def picture() -> Iterator[str]:
    made = io.BytesIO()
    Image.new("RGB", (320, 320), "red").save(made, "JPEG")

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(made.getvalue())

        def log_message(self, format: str, *args: Any) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        running = threading.Thread(target=server.serve_forever, daemon=True)
        running.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/picture.jpg"
        server.shutdown()
        running.join()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with running_sandbox(only={"instagram"}) as root:
        yield root


@pytest.fixture
def stand(sandbox: str, picture: str) -> Iterator[Stand]:
    with httpx2.Client(timeout=10) as client:
        made = Stand(sandbox, client, picture)
        made.control("reset")
        yield made


@pytest.fixture
def user(stand: Stand) -> Iterator[IGUser]:
    """The client's address and default connection are global; both are put back."""
    address, default = FacebookSession.GRAPH, FacebookAdsApi.get_default_api()
    FacebookSession.GRAPH = f"{stand.root}/instagram"
    person = stand.control("instagram/people", username="ada", name="Ada Baker")
    api = FacebookAdsApi.init("app", "secret", stand.sign_in("ada"), api_version="v26.0", crash_log=False)
    yield IGUser(person["id"], api=api)
    api._session.requests.close()
    FacebookSession.GRAPH = address
    FacebookAdsApi.set_default_api(default)


def made(user: IGUser, **params: Any) -> str:
    return user.create_media(params=params)["id"]


def status(user: IGUser, container: str) -> str:
    fields = {"fields": "status_code,status"}
    return user.get_api_assured().call("GET", (container,), params=fields).json()["status_code"]


def code_of(error: FacebookRequestError) -> tuple[int, int]:
    return error.api_error_code(), error.api_error_subcode()


def test_a_picture_is_prepared_published_and_read_back(stand: Stand, user: IGUser) -> None:
    container = made(user, image_url=stand.picture, caption="Bread", alt_text="A loaf")
    assert status(user, container) == "FINISHED"
    media = user.create_media_publish(params={"creation_id": container})
    assert status(user, container) == "PUBLISHED"
    fields = ["caption", "media_type", "media_product_type", "permalink", "timestamp", "username", "alt_text"]
    shown = IGMedia(media["id"], api=user.get_api_assured()).api_get(fields=fields)
    assert (shown["caption"], shown["media_type"], shown["media_product_type"]) == ("Bread", "IMAGE", "FEED")
    assert (shown["username"], shown["alt_text"]) == ("ada", "A loaf")
    assert [row["id"] for row in user.get_media(fields=["id"])] == [media["id"]]


def test_a_carousel_shows_its_children(stand: Stand, user: IGUser) -> None:
    children = [made(user, image_url=stand.picture, is_carousel_item=True) for _ in range(3)]
    container = made(user, media_type="CAROUSEL", children=children, caption="Three")
    media = user.create_media_publish(params={"creation_id": container})
    shown = IGMedia(media["id"], api=user.get_api_assured())
    assert shown.api_get(fields=["media_type"])["media_type"] == "CAROUSEL_ALBUM"
    assert len(list(shown.get_children(fields=["id", "media_type"]))) == 3


@pytest.mark.filterwarnings("ignore:.*does not allow field.*:UserWarning")
def test_comments_are_written_answered_hidden_and_removed(stand: Stand, user: IGUser) -> None:
    container = made(user, image_url=stand.picture)
    media = IGMedia(
        user.create_media_publish(params={"creation_id": container})["id"], api=user.get_api_assured()
    )
    written = media.create_comment(params={"message": "First"})
    stand.control("instagram/emit", happening="comment", on=media["id"], text="Nice", **{"from": "bob"})
    newest = list(media.get_comments(fields=["id", "text", "username", "hidden"]))
    assert [(row["username"], row["text"]) for row in newest] == [("bob", "Nice"), ("ada", "First")]
    newest[0].api_update(params={"hide": True})
    newest[0].create_reply(params={"message": "Thank you"})
    [hidden, _] = list(media.get_comments(fields=["hidden", "replies{text}"]))
    assert hidden["hidden"] is True
    assert hidden["replies"]["data"][0]["text"] == "Thank you"
    assert written["id"]
    newest[1].api_delete()
    assert len(list(media.get_comments())) == 1


def test_the_list_of_media_is_paged_to_its_end(stand: Stand, user: IGUser) -> None:
    for number in range(7):
        container = made(user, image_url=stand.picture, caption=str(number))
        user.create_media_publish(params={"creation_id": container})
    captions = [row["caption"] for row in user.get_media(fields=["caption"], params={"limit": 3})]
    assert captions == ["6", "5", "4", "3", "2", "1", "0"]


def test_quota_and_insights_are_read(stand: Stand, user: IGUser) -> None:
    [limit] = user.get_content_publishing_limit(fields=["config", "quota_usage"])
    assert (limit["config"]["quota_total"], limit["quota_usage"]) == (50, 0)
    params = {"metric": ["reach", "views"], "period": ["day"], "metric_type": "total_value"}
    rows = list(user.get_insights(params=params))
    assert [(row["name"], row["total_value"]["value"]) for row in rows] == [("reach", 0), ("views", 0)]


@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        ({"image_url": "http://127.0.0.1:1/nothing.jpg"}, (9004, 2207052)),
        ({"image_url": "{picture}", "media_type": "VIDEO"}, (100, 2207023)),
        ({"image_url": "{picture}", "caption": "e" * 2201}, (36004, 2207010)),
        ({"image_url": "{picture}", "caption": " ".join(f"#t{n}" for n in range(31))}, (36004, 2207010)),
        ({"media_type": "CAROUSEL", "children": ["1"]}, (100, 2207028)),
        ({"media_type": "CAROUSEL", "children": ["1", "2"]}, (24, 2207008)),
    ],
)
def test_what_cannot_be_prepared_is_refused(
    stand: Stand, user: IGUser, params: dict[str, Any], wanted: tuple[int, int]
) -> None:
    given = {name: stand.picture if value == "{picture}" else value for name, value in params.items()}
    with pytest.raises(FacebookRequestError) as said:
        user.create_media(params=given)
    assert code_of(said.value) == wanted


def test_what_is_not_ready_cannot_be_published(stand: Stand, user: IGUser) -> None:
    stand.control("instagram/pace", thing="image", then="held")
    container = made(user, image_url=stand.picture)
    assert status(user, container) == "IN_PROGRESS"
    with pytest.raises(FacebookRequestError) as said:
        user.create_media_publish(params={"creation_id": container})
    assert code_of(said.value) == (9007, 2207027)
    stand.control("instagram/advance")
    user.create_media_publish(params={"creation_id": container})


def test_a_child_has_no_caption_and_is_not_published_alone(stand: Stand, user: IGUser) -> None:
    with pytest.raises(FacebookRequestError):
        made(user, image_url=stand.picture, is_carousel_item=True, caption="No")
    child = made(user, image_url=stand.picture, is_carousel_item=True)
    with pytest.raises(FacebookRequestError) as said:
        user.create_media_publish(params={"creation_id": child})
    assert said.value.api_error_code() == 100


def test_an_unknown_metric_and_an_unknown_field_fail_the_whole_call(stand: Stand, user: IGUser) -> None:
    container = made(user, image_url=stand.picture)
    media = IGMedia(
        user.create_media_publish(params={"creation_id": container})["id"], api=user.get_api_assured()
    )
    with pytest.raises(FacebookRequestError) as said:
        media.get_insights(params={"metric": ["reach", "impressions"]})
    assert said.value.api_error_code() == 100
    with pytest.raises(FacebookRequestError) as said:
        user.get_api_assured().call("GET", (media["id"],), params={"fields": "id,nothing"})
    assert "nonexisting field (nothing)" in said.value.api_error_message()


def test_media_cannot_be_deleted(stand: Stand, user: IGUser) -> None:
    container = made(user, image_url=stand.picture)
    media = user.create_media_publish(params={"creation_id": container})
    with pytest.raises(FacebookRequestError) as said:
        user.get_api_assured().call("DELETE", (media["id"],))
    assert code_of(said.value) == (-1, 2207073)
