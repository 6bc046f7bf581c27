"""Posts and comments of a page at the stand-in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hubbub.emulation.testing import running_sandbox
from hubbub.kit.clock import from_wire

MINUTE, DAY = 60, 24 * 60 * 60


def now(stand: Any) -> int:
    told = stand.http.get(f"{stand.root}/_sandbox").json()["now"]
    return int(from_wire(told).timestamp())


def test_a_post_shows_in_the_world(graph: Any) -> None:
    post = graph.write("Hello", link="https://example.com")
    [seen] = graph.seen()
    assert (seen["id"], seen["author"], seen["text"]) == (post, graph.page_id, "Hello")
    assert seen["page_id"] == graph.page_id
    assert seen["media"] == []
    assert seen["idempotency_key"] is None
    assert seen["created_at"].endswith("Z")


def test_without_fields_a_post_has_its_small_set(graph: Any) -> None:
    read = graph.get(graph.write("Hello"))
    assert set(read) == {"created_time", "message", "id"}
    assert read["created_time"].endswith("+0000")


def test_the_number_of_a_post_is_enough_for_its_page(graph: Any) -> None:
    post = graph.write("Hello")
    assert graph.get(post.partition("_")[2])["id"] == post


def test_the_same_text_twice_is_two_posts(graph: Any) -> None:
    assert graph.write("Hello") != graph.write("Hello")
    assert len(graph.seen()) == 2


@pytest.mark.parametrize(
    ("form", "code", "subcode"),
    [
        ({}, 100, None),
        ({"message": "x" * 63_207}, 100, None),
        ({"message": "x", "published": "maybe"}, 100, None),
        ({"message": "x", "link": "not a link"}, 1500, None),
        ({"link": "https://www.facebook.com/somebody"}, 100, 1609008),
        ({"attached_media": '[{"media_fbid":"1"}]'}, 100, None),
        ({"attached_media": "[{"}, 100, None),
        ({"message": "x", "scheduled_publish_time": "4000000000"}, 100, None),
        ({"message": "x", "published": "false", "scheduled_publish_time": "soon"}, 100, None),
        ({"message": "x", "published": "false", "unpublished_content_type": "SECRET"}, 100, None),
    ],
)
def test_a_post_that_breaks_a_rule_is_refused(
    graph: Any, form: dict[str, str], code: int, subcode: int | None
) -> None:
    refused = graph.refused("POST", f"{graph.page_id}/feed", data=form)
    assert (refused["code"], refused.get("error_subcode")) == (code, subcode)
    assert graph.seen() == []


def test_the_longest_text_is_taken(graph: Any) -> None:
    graph.write("x" * 63_206)
    assert len(graph.seen()[0]["text"]) == 63_206


@pytest.mark.parametrize("edge", ["feed", "posts", "published_posts"])
def test_the_feed_is_newest_first_in_pages(graph: Any, edge: str) -> None:
    posts = [graph.write(f"post {n}") for n in range(5)]
    read = graph.get(f"{graph.page_id}/{edge}", limit=2, fields="id")
    seen = [row["id"] for row in read["data"]]
    while "next" in read["paging"]:
        read = graph.stand.http.get(read["paging"]["next"]).json()
        seen += [row["id"] for row in read["data"]]
    assert seen == posts[::-1]


def test_the_feed_can_be_cut_by_time(stand: Any, graph: Any) -> None:
    graph.write("old")
    stand.control("clock", advance_seconds=3600)
    cut = now(stand) - 10
    graph.write("new")
    feed = f"{graph.page_id}/feed"
    assert [row["message"] for row in graph.get(feed, since=cut)["data"]] == ["new"]
    assert [row["message"] for row in graph.get(feed, until=cut)["data"]] == ["old"]


@pytest.mark.parametrize("nonsense", ["soon", "9" * 40])
def test_a_time_that_is_none_is_refused(graph: Any, nonsense: str) -> None:
    assert graph.refused("GET", f"{graph.page_id}/feed", params={"since": nonsense})["code"] == 100


def test_a_row_that_goes_while_paging_skips_nobody(graph: Any) -> None:
    posts = [graph.write(f"post {n}") for n in range(4)]
    first = graph.get(f"{graph.page_id}/feed", limit=2, fields="id")
    graph.delete(posts[2])
    rest = graph.stand.http.get(first["paging"]["next"]).json()
    assert [row["id"] for row in rest["data"]] == [posts[1], posts[0]]


def test_a_scheduled_post_goes_out_when_its_time_comes(stand: Any, graph: Any) -> None:
    at = now(stand) + 20 * MINUTE
    post = graph.write("Later", published="false", scheduled_publish_time=at)
    assert graph.seen() == []
    assert graph.get(f"{graph.page_id}/feed") == {"data": []}
    read = graph.get(post, fields="is_published,scheduled_publish_time")
    assert read == {"is_published": False, "scheduled_publish_time": at, "id": post}
    assert [row["id"] for row in graph.get(f"{graph.page_id}/scheduled_posts")["data"]] == [post]
    stand.control("clock", advance_seconds=20 * MINUTE + 1)
    assert [seen["id"] for seen in graph.seen()] == [post]
    assert graph.get(f"{graph.page_id}/scheduled_posts") == {"data": []}


@pytest.mark.parametrize("ahead", [9 * MINUTE, 31 * DAY])
def test_a_schedule_too_near_or_too_far_is_refused(stand: Any, graph: Any, ahead: int) -> None:
    form = {"message": "x", "published": "false", "scheduled_publish_time": str(now(stand) + ahead)}
    assert graph.refused("POST", f"{graph.page_id}/feed", data=form)["code"] == 100


def test_a_draft_goes_out_when_it_is_told_to(graph: Any) -> None:
    draft = graph.write("Draft", published="false")
    assert graph.seen() == []
    assert graph.post(draft, is_published="true", message="Done") == {"success": True}
    assert [post["text"] for post in graph.seen()] == ["Done"]


def test_a_hidden_post_is_in_the_world_and_not_in_the_feed(graph: Any) -> None:
    post = graph.write()
    graph.post(post, is_hidden="true")
    assert graph.get(f"{graph.page_id}/feed") == {"data": []}
    assert graph.get(f"{graph.page_id}/feed", include_hidden="true")["data"][0]["id"] == post
    assert graph.get(post, fields="is_hidden")["is_hidden"] is True
    assert len(graph.seen()) == 1


def test_comments_go_with_their_post(graph: Any) -> None:
    post = graph.write()
    comment = graph.comment(post, "first")
    graph.comment(comment, "answer")
    graph.delete(post)
    assert [row for row in graph.stand.world()["comments"] if row["page_id"] == graph.page_id] == []
    assert graph.refused("GET", comment)["error_subcode"] == 33


def test_a_comment_from_somebody_has_a_name_and_belongs_to_the_post(graph: Any) -> None:
    post = graph.write()
    comment = graph.comment(post, "Nice", **{"from": "lea"})
    assert comment.startswith(post.partition("_")[2] + "_")
    [row] = graph.get(f"{post}/comments", summary="true", filter="stream")["data"]
    assert (row["message"], row["from"]["name"], row["id"]) == ("Nice", "Lea", comment)
    [seen] = [row for row in graph.stand.world()["comments"] if row["id"] == comment]
    assert (seen["on"], seen["text"]) == (post, "Nice")


def test_replies_show_below_their_comment_and_in_the_stream(graph: Any) -> None:
    post = graph.write()
    comment = graph.comment(post, "question")
    reply = graph.post(f"{comment}/comments", message="answer")["id"]
    deeper = graph.post(f"{reply}/comments", message="more")["id"]
    top = graph.get(f"{post}/comments")["data"]
    assert [row["id"] for row in top] == [comment]
    below = graph.get(f"{comment}/comments")["data"]
    assert [row["id"] for row in below] == [reply, deeper]
    stream = graph.get(f"{post}/comments", filter="stream", order="reverse_chronological")["data"]
    assert [row["id"] for row in stream] == [deeper, reply, comment]


def test_a_comment_on_the_comments_edge_can_be_edited_by_its_page(graph: Any) -> None:
    post = graph.write()
    own = graph.post(f"{post}/comments", message="Welcome", fields="id,message")
    assert own["message"] == "Welcome"
    graph.post(own["id"], message="Welcome!")
    assert graph.get(own["id"])["message"] == "Welcome!"
    theirs = graph.comment(post, "hm")
    assert graph.refused("POST", theirs, data={"message": "words in a mouth"})["code"] == 200
    assert graph.refused("POST", own["id"], data={"is_hidden": "true"})["code"] == 200
    flags = graph.get(theirs, fields="can_hide,can_remove,can_reply_privately")
    assert (flags["can_hide"], flags["can_remove"]) == (True, True)
    assert graph.get(own["id"], fields="can_hide")["can_hide"] is False


def test_a_post_can_be_liked_by_its_page(graph: Any) -> None:
    post = graph.write()
    assert graph.post(f"{post}/likes") == {"success": True}
    likes = graph.get(f"{post}/likes", summary="true")
    assert (likes["data"][0]["id"], likes["summary"]["has_liked"]) == (graph.page_id, True)
    reactions = graph.get(post, fields="reactions.type(LOVE).limit(0).summary(total_count)")["reactions"]
    assert reactions["summary"]["total_count"] == 0
    graph.delete(f"{post}/likes")
    assert graph.get(f"{post}/likes", summary="true")["summary"]["total_count"] == 0


def test_nobody_comments_on_what_is_not_there(graph: Any) -> None:
    body = {"happening": "comment", "on": "1_2", "text": "x"}
    answer = graph.stand.http.post(f"{graph.stand.root}/_sandbox/facebook/emit", json=body)
    assert (answer.status_code, answer.json()["error"].partition(":")[0]) == (400, "on")


def test_an_application_subscribes_to_a_page(graph: Any) -> None:
    edge = f"{graph.page_id}/subscribed_apps"
    assert graph.post(edge, subscribed_fields="feed,mention") == {"success": True}
    [app] = graph.get(edge)["data"]
    assert (app["id"], app["subscribed_fields"]) == ("app", ["feed", "mention"])
    assert graph.delete(edge) == {"success": True}
    assert graph.get(edge) == {"data": []}


def test_tokens_posts_and_comments_survive_a_restart(tmp_path: Path, graph: Any) -> None:
    make = type(graph.stand)
    with running_sandbox(tmp_path, only=["facebook"]) as root:
        stand = make(root)
        token = stand.sign_in("demo")
        page = stand.http.get(f"{stand.base}/me/accounts", params={"access_token": token}).json()["data"][0]
        before = type(graph)(stand, page["id"], page["access_token"], token, "demo")
        post = before.write("Still here")
        comment = before.comment(post, "me too")
        stand.http.close()
    with running_sandbox(tmp_path, only=["facebook"]) as root:
        stand = make(root)
        after = type(graph)(stand, before.page_id, before.token, token, "demo")
        assert after.get(post)["message"] == "Still here"
        assert after.get(f"{post}/comments")["data"][0]["id"] == comment
        assert after.write("more") > post
        stand.http.close()
