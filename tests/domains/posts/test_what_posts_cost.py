"""What counts as a post of the plan's allowance, and what is taken off the count again."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest

from faults.lane import Lane
from hubbub.kit import clock

pytestmark = pytest.mark.anyio

FEED = "POST /"


def on_the_free_plan(lane: Lane) -> None:
    lane.runtime.settings = lane.runtime.settings.model_copy(update={"plan": "free"})


async def used(lane: Lane) -> int:
    return (await lane.call("GET", "/v1/usage"))["posts_used"]


async def sent(lane: Lane, method: str, path: str, body: Any = None) -> tuple[Any, str]:
    """The answer's body, and how many posts it says are left."""
    answer = await lane.client.request(method, path, json=body)
    assert answer.status_code < 300, answer.text
    assert answer.headers["x-posts-limit"] == "10"
    return answer.json(), answer.headers["x-posts-remaining"]


def later() -> str:
    return (clock.now() + timedelta(hours=1)).isoformat()


def body(lane: Lane, text: str, *platforms: str, **more: Any) -> dict[str, Any]:
    return {"text": text, "targets": [{"account_id": lane.accounts[one]} for one in platforms], **more}


async def over(lane: Lane, post_id: str) -> str:
    deadline = time.monotonic() + 30
    while True:
        post = await lane.call("GET", f"/v1/posts/{post_id}")
        if post["status"] not in ("scheduled", "publishing"):
            return post["status"]
        assert time.monotonic() < deadline, post
        await asyncio.sleep(0.05)


async def test_a_draft_costs_nothing_until_it_is_scheduled_and_nothing_again_once_it_is_not(
    idle: Lane,
) -> None:
    on_the_free_plan(idle)
    made, left = await sent(idle, "POST", "/v1/posts", body(idle, "a", "bluesky"))
    path = f"/v1/posts/{made['id']}"
    told = [left]
    for change in (
        {"scheduled_at": later()},
        {"text": "b"},
        {"scheduled_at": None},
        {"scheduled_at": later()},
    ):
        told.append((await sent(idle, "PATCH", path, change))[1])
    told.append((await sent(idle, "DELETE", path))[1])

    assert told == ["10", "9", "9", "10", "9", "10"]
    assert await used(idle) == 0


async def test_a_post_is_paid_for_once_however_it_goes_out(lane: Lane) -> None:
    at_once = await lane.call("POST", "/v1/posts", body(lane, "now", "bluesky", publish_now=True))
    planned = await lane.call("POST", "/v1/posts", body(lane, "later", "bluesky", scheduled_at=later()))
    draft = await lane.call("POST", "/v1/posts", body(lane, "draft", "bluesky"))
    for post in (planned, draft):
        await lane.call("POST", f"/v1/posts/{post['id']}/publish")

    assert [await over(lane, post["id"]) for post in (at_once, planned, draft)] == ["published"] * 3
    assert await used(lane) == 3


async def test_a_refused_post_costs_nothing(idle: Lane) -> None:
    refused = await idle.client.post("/v1/posts", json=body(idle, "x" * 301, "bluesky", publish_now=True))

    assert refused.status_code == 400
    assert await used(idle) == 0


async def test_what_failed_everywhere_is_given_back_and_a_retry_that_succeeds_counts(lane: Lane) -> None:
    await lane.next("facebook", FEED, "refuse", error="content_rejected")
    post = await lane.call("POST", "/v1/posts", body(lane, "no", "facebook", publish_now=True))
    status, cost = await over(lane, post["id"]), await used(lane)
    await lane.call("POST", f"/v1/posts/{post['id']}/retry")

    assert (status, cost) == ("failed", 0)
    assert await over(lane, post["id"]) == "published"
    assert await used(lane) == 1


async def test_what_is_up_somewhere_counts_and_a_retry_in_vain_does_not(lane: Lane) -> None:
    await lane.next("facebook", FEED, "refuse", error="content_rejected")
    post = await lane.call("POST", "/v1/posts", body(lane, "half", "bluesky", "facebook", publish_now=True))
    first = (await over(lane, post["id"]), await used(lane))
    await lane.next("facebook", FEED, "refuse", error="content_rejected")
    await lane.call("POST", f"/v1/posts/{post['id']}/retry")
    second = (await over(lane, post["id"]), await used(lane))
    await lane.call("POST", f"/v1/posts/{post['id']}/retry")

    assert (first, second) == (("partial", 1), ("partial", 1))
    assert await over(lane, post["id"]) == "published"
    assert await used(lane) == 2


async def test_a_table_tells_what_is_left_and_one_that_is_too_large_for_the_plan_keeps_nothing(
    idle: Lane,
) -> None:
    on_the_free_plan(idle)
    rows = "".join(f"row {number},{idle.accounts['bluesky']},{later()}\n" for number in range(11))

    async def imported(table: str) -> Any:
        files = {"file": ("posts.csv", f"text,account_ids,scheduled_at\n{table}", "text/csv")}
        return await idle.client.post("/v1/posts/import", files=files)

    refused = await imported(rows)
    after = await used(idle)
    told = await imported("".join(rows.splitlines(keepends=True)[:4]))

    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "billing.post_limit")
    assert refused.headers["x-posts-remaining"] == "0"
    assert after == 0
    assert (told.json()["created"], told.headers["x-posts-remaining"]) == (4, "6")
