"""A video that is ready at once, later, after some looks, or when somebody says so."""

from __future__ import annotations

from typing import Any

import httpx2


def start(client: httpx2.Client, **pace: Any) -> str:
    if pace:
        answer = client.post("/_sandbox/finch/pace", json={"thing": "video", **pace})
        assert answer.status_code == 200, answer.text
    return client.post("/finch/videos").text


def look(client: httpx2.Client, id: str) -> str:
    said = client.get(f"/finch/videos/{id}").json()
    assert said["kept"]["state"] == said["looked"]
    return said["looked"]


def test_a_video_is_ready_at_once_unless_told_otherwise(client: httpx2.Client) -> None:
    assert look(client, start(client)) == "ready"


def test_a_held_video_waits_for_advance(client: httpx2.Client) -> None:
    id = start(client, then="held")
    assert [look(client, id) for _ in range(3)] == ["working"] * 3
    assert client.post("/_sandbox/finch/advance", json={"thing": "photo"}).json() == {"moved": 0}
    assert client.post("/_sandbox/finch/advance", json={}).json() == {"moved": 1}
    assert look(client, id) == "ready"


def test_advance_can_end_in_an_error(client: httpx2.Client) -> None:
    id = start(client, then="held")
    client.post("/_sandbox/finch/advance", json={"thing": "video", "to": "error"})
    assert look(client, id) == "error"


def test_a_video_can_need_two_looks(client: httpx2.Client) -> None:
    id = start(client, then="after_looks", n=2, to="error")
    assert [look(client, id) for _ in range(4)] == ["working", "working", "error", "error"]


def test_a_video_can_take_some_seconds_of_the_sandboxes_clock(client: httpx2.Client) -> None:
    id = start(client, then="after_seconds", n=3600)
    assert look(client, id) == "working"
    client.post("/_sandbox/clock", json={"advance_seconds": 3601})
    assert look(client, id) == "ready"
