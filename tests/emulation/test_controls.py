"""The controls a script has: people, world, emit, clock, reset, and what they refuse."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest


def test_the_index_lists_the_platforms(client: httpx2.Client) -> None:
    assert client.get("/_sandbox").json()["platforms"] == ["finch"]
    assert client.get("/_sandbox/health").json() == {"status": "ok"}


def test_a_demo_person_exists_before_and_after_a_reset(client: httpx2.Client) -> None:
    for _ in range(2):
        people = client.get("/_sandbox/finch/world").json()["people"]
        assert [(p["username"], p["nest"]) for p in people] == [("demo", "demo.nest")]
        client.post("/_sandbox/reset", json={})


def test_reset_forgets_people_posts_faults_and_the_clock(client: httpx2.Client) -> None:
    client.post("/_sandbox/finch/people", json={"username": "ann", "name": "Ann"})
    client.post("/finch/posts", json={"text": "x"})
    client.post("/_sandbox/finch/next", json={"then": "drop"})
    later = client.post("/_sandbox/clock", json={"advance_seconds": 86_400}).json()["now"]
    client.post("/_sandbox/reset")
    world = client.get("/_sandbox/finch/world").json()
    assert ([p["username"] for p in world["people"]], world["posts"]) == (["demo"], [])
    assert client.get("/finch/posts/1").status_code == 404
    assert client.get("/_sandbox").json()["now"] < later


def test_a_person_gets_what_the_platform_adds_and_keeps_what_was_said(client: httpx2.Client) -> None:
    said = {"username": "ann", "name": "Ann B.", "places": ["Shop"], "hold": True}
    person = client.post("/_sandbox/finch/people", json=said).json()
    assert person["id"]
    assert {**said, "nest": "ann.nest"}.items() <= person.items()


def test_the_world_always_has_its_five_lists(client: httpx2.Client) -> None:
    world = client.get("/_sandbox/finch/world").json()
    assert {"people", "posts", "comments", "messages", "reviews"} <= world.keys()


def test_emit_makes_a_comment_by_a_new_follower(client: httpx2.Client) -> None:
    post = client.post("/finch/posts", json={"text": "x"}).json()["id"]
    said = {"happening": "comment", "on": post, "from": "bob_b", "text": "nice"}
    id = client.post("/_sandbox/finch/emit", json=said).json()["id"]
    world = client.get("/_sandbox/finch/world").json()
    author = next(p for p in world["people"] if p["username"] == "bob_b")
    (comment,) = world["comments"]
    assert (comment["id"], comment["on"], comment["author"], comment["text"]) == (
        id,
        post,
        author["id"],
        "nice",
    )


@pytest.mark.parametrize(
    ("happening", "kind"), [("message", "messages"), ("review", "reviews"), ("mention", "mentions")]
)
def test_emit_keeps_every_kind_of_happening(client: httpx2.Client, happening: str, kind: str) -> None:
    id = client.post("/_sandbox/finch/emit", json={"happening": happening, "text": "hi"}).json()["id"]
    assert [x["id"] for x in client.get("/_sandbox/finch/world").json()[kind]] == [id]


def test_the_clock_moves_the_platforms_time(client: httpx2.Client) -> None:
    client.post("/_sandbox/clock", json={"advance_seconds": 10 * 365 * 86_400})
    created = client.post("/finch/posts", json={"text": "x"}).json()["created_at"]
    assert created[:4] > client.get("/_sandbox/health").headers.get("date", "")[12:16]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("finch/next", {"then": "explode"}, "then"),
        ("finch/next", {}, "then"),
        ("finch/next", {"then": "drop", "on": "/posts"}, "on"),
        ("finch/next", {"then": "drop", "on": 4}, "on"),
        ("finch/next", {"then": "drop", "times": 0}, "times"),
        ("finch/next", {"then": "drop", "times": True}, "times"),
        ("finch/next", {"then": "drop", "params": []}, "params"),
        ("finch/next", {"then": "slow"}, "params.seconds"),
        ("finch/next", {"then": "throttle", "params": {"retry_after": "soon"}}, "params.retry_after"),
        ("finch/next", {"then": "refuse"}, "params.error"),
        ("finch/next", {"then": "refuse", "params": {"error": "nope"}}, "params.error"),
        ("finch/people", {}, "username"),
        ("finch/people", {"username": "demo"}, "username"),
        ("finch/people", {"username": "x", "places": "y"}, "places"),
        ("finch/people", {"username": "x", "name": 3}, "name"),
        ("finch/emit", {"happening": "poke", "text": "x"}, "happening"),
        ("finch/emit", {"happening": "comment"}, "text"),
        ("finch/emit", {"happening": "comment", "text": "x", "on": "none"}, "on"),
        ("finch/advance", {"to": "sideways"}, "to"),
        ("finch/advance", {"thing": 3}, "thing"),
        ("finch/pace", {"thing": "video", "then": "later"}, "then"),
        ("finch/pace", {"thing": "video", "then": "after_looks"}, "n"),
        ("clock", {"advance_seconds": -1}, "advance_seconds"),
        ("clock", {}, "advance_seconds"),
        ("clock", [], "body"),
    ],
)
def test_bad_input_is_a_400_that_names_the_field(
    client: httpx2.Client, path: str, body: Any, field: str
) -> None:
    answer = client.post(f"/_sandbox/{path}", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(f"{field}: ")


def test_a_bad_limit_and_bad_json_are_400_too(client: httpx2.Client) -> None:
    assert client.get("/_sandbox/finch/requests?limit=none").json()["error"].startswith("limit: ")
    assert client.post("/_sandbox/reset", content=b"{").json() == {"error": "body: is not JSON"}


@pytest.mark.parametrize(
    "path", ["/_sandbox/none/world", "/_sandbox/finch/nothing", "/_sandbox/x/y/z", "/none", "/"]
)
def test_what_does_not_exist_is_a_404_in_json(client: httpx2.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]
