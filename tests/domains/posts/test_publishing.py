"""A post's way out: what it may wait for, how it can end, and what everybody is told."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from faults.lane import Lane
from hubbub.domains.events.tables import events
from hubbub.domains.posts.tables import posts, targets
from hubbub.kit import clock
from hubbub.kit.clock import to_wire

pytestmark = pytest.mark.anyio

BOTH = ("bluesky", "facebook")
VISIBLE_CALL = {"bluesky": "POST /xrpc/com.atproto.repo.createRecord", "facebook": "POST /1"}


async def actions(lane: Lane, post_id: str) -> list[str]:
    async with lane.runtime.database.begin() as db:
        found = await db.execute(
            sa.select(events.c.action).where(events.c.resource_id == post_id).order_by(events.c.seq)
        )
        return list(found.scalars())


async def until(lane: Lane, post_id: str, wanted: Any, within: float = 20) -> dict[str, Any]:
    """The post's one target, once `wanted(target)` is true."""
    target: dict[str, Any] = {}
    for _ in range(int(within * 20)):
        target = (await lane.call("GET", f"/v1/posts/{post_id}"))["targets"][0]
        if wanted(target):
            return target
        await asyncio.sleep(0.05)
    raise AssertionError(target)


@pytest.mark.parametrize("platform", BOTH)
async def test_a_post_goes_out_once_and_everybody_is_told_once(lane: Lane, platform: str) -> None:
    post_id = await lane.post(platform, "hello")

    post = await lane.ended(post_id)

    target = post["targets"][0]
    assert post["status"] == "published"
    assert target["permalink"].startswith("http")
    assert target["platform_post_id"]
    assert target["lag_ms"] < 5000
    assert (await lane.copies(platform, "hello"))[0] == 1
    assert await actions(lane, post_id) == ["post.created", "publish", "post.published"]


async def test_a_scheduled_post_waits_for_its_time(lane: Lane) -> None:
    at = clock.now() + timedelta(seconds=2)
    post_id = await lane.post("bluesky", "later", publish_now=False, scheduled_at=at.isoformat())

    before = await lane.call("GET", f"/v1/posts/{post_id}")
    post = await lane.ended(post_id)

    assert before["status"] == "scheduled"
    assert before["targets"][0]["status"] == "pending"
    assert post["targets"][0]["started_at"] >= to_wire(at - timedelta(seconds=1))
    assert post["targets"][0]["lag_ms"] < 3000


@pytest.mark.parametrize("platform", BOTH)
@pytest.mark.parametrize("fault", ["accept_then_drop", "accept_then_500", "garbage", "drop"])
async def test_a_lost_answer_never_posts_twice(lane: Lane, platform: str, fault: str) -> None:
    page = (await lane.call("GET", f"/v1/accounts/{lane.accounts['facebook']}/pages"))["data"][0]
    on = f"POST /{page['platform_page_id']}/feed" if platform == "facebook" else VISIBLE_CALL[platform]
    await lane.next(platform, on, fault)

    post_id = await lane.post(platform, f"{fault} here")
    post = await lane.ended(post_id)

    assert post["status"] == "published"
    assert (await lane.copies(platform, f"{fault} here"))[0] == 1


async def test_a_refusal_ends_the_target_and_keeps_what_the_platform_said(lane: Lane) -> None:
    await lane.next("facebook", "POST /", "refuse", error="content_rejected")

    post_id = await lane.post("facebook", "not like this")
    post = await lane.ended(post_id)

    error = post["targets"][0]["error"]
    assert post["status"] == "failed"
    assert error["code"] == "platform.facebook.content_rejected"
    assert error["category"] == "validation"
    assert error["upstream"]["subcode"] in (1346003, 1404102)
    assert error["upstream"]["trace_id"]
    assert (await lane.copies("facebook", "not like this"))[0] == 0
    assert await actions(lane, post_id) == ["post.created", "publish", "post.failed"]


async def test_a_throttled_platform_is_left_alone_for_as_long_as_it_says(lane: Lane) -> None:
    await lane.next("bluesky", VISIBLE_CALL["bluesky"], "throttle", retry_after=2)

    post_id = await lane.post("bluesky", "slowly")
    waiting = await until(lane, post_id, lambda target: target["error"])
    post = await lane.ended(post_id)

    assert waiting["error"]["code"] == "platform.bluesky.rate_limit"
    assert post["status"] == "published"
    assert post["targets"][0]["error"] is None


async def test_an_expired_token_is_renewed_and_the_post_goes_out(lane: Lane) -> None:
    await lane.next("bluesky", VISIBLE_CALL["bluesky"], "expire_token")

    post = await lane.ended(await lane.post("bluesky", "fresh again"))

    assert post["status"] == "published"
    assert (await lane.copies("bluesky", "fresh again"))[0] == 1


@pytest.mark.parametrize("platform", BOTH)
async def test_a_revoked_account_parks_the_post_until_it_is_back(lane: Lane, platform: str) -> None:
    from faults.lane import connect

    await lane.next(platform, "POST /", "revoke")
    post_id = await lane.post(platform, "patience")

    parked = await until(lane, post_id, lambda target: target["error"] is not None)
    account = next(a for a in (await lane.call("GET", "/v1/accounts"))["data"] if a["platform"] == platform)
    await connect(lane)
    post = await lane.ended(post_id)

    assert parked["status"] == "pending"
    assert parked["error"]["code"] == "account.reconnection_required"
    assert account["status"] == "reconnect_required"
    assert post["status"] == "published"
    assert (await lane.copies(platform, "patience"))[0] == 1


async def test_a_post_whose_account_never_comes_back_is_missed(lane: Lane) -> None:
    await lane.next("bluesky", "POST /", "revoke")
    post_id = await lane.post("bluesky", "too late")
    await until(lane, post_id, lambda target: target["error"] is not None)

    async with lane.runtime.database.begin() as db:
        long_ago = clock.now() - timedelta(hours=25)
        await db.execute(sa.update(targets).values(waiting_since=long_ago, due_at=clock.now()))
    post = await lane.ended(post_id)

    assert post["status"] == "failed"
    assert post["targets"][0]["error"]["code"] == "post.missed"


async def test_a_target_that_nobody_works_on_is_started_again(lane: Lane) -> None:
    """The watchdog: a claim whose job was lost is claimed again when its lease is over."""
    at = (clock.now() + timedelta(hours=1)).isoformat()
    post_id = await lane.post("bluesky", "stranded", publish_now=False, scheduled_at=at)
    async with lane.runtime.database.begin() as db:
        await db.execute(sa.update(posts).values(status="publishing"))
        await db.execute(
            sa.update(targets).values(status="publishing", stage="preparing", claims=7, due_at=clock.now())
        )

    post = await lane.ended(post_id)

    assert post["status"] == "published"


async def test_only_failed_targets_are_retried(lane: Lane) -> None:
    await lane.next("facebook", "POST /", "refuse", error="content_rejected")
    body = {
        "text": "half",
        "publish_now": True,
        "targets": [{"account_id": lane.accounts[platform]} for platform in BOTH],
    }
    post_id = (await lane.call("POST", "/v1/posts", body))["id"]
    for _ in range(400):
        post = await lane.call("GET", f"/v1/posts/{post_id}")
        if post["status"] == "partial":
            break
        await asyncio.sleep(0.05)
    await lane.call("POST", f"/v1/posts/{post_id}/retry")
    for _ in range(400):
        post = await lane.call("GET", f"/v1/posts/{post_id}")
        if post["status"] == "published":
            break
        await asyncio.sleep(0.05)

    assert post["status"] == "published"
    assert post["retry_count"] == 1
    assert (await lane.copies("bluesky", "half"))[0] == 1
    assert (await lane.copies("facebook", "half"))[0] == 1
    assert await actions(lane, post_id) == [
        "post.created", "publish", "publish", "post.partial", "post.retried", "publish", "post.published",
    ]  # fmt: skip


async def test_a_published_post_is_deleted_where_it_is_live(lane: Lane) -> None:
    post_id = await lane.post("facebook", "soon gone")
    await lane.ended(post_id)

    answer = await lane.call("DELETE", f"/v1/posts/{post_id}")

    assert answer["deleted"] is True
    assert answer["results"][0]["outcome"] == "deleted"
    assert (await lane.copies("facebook", "soon gone"))[0] == 0
    assert (await lane.client.get(f"/v1/posts/{post_id}")).status_code == 404


async def test_a_first_comment_is_written_once_even_when_its_answer_is_lost(lane: Lane) -> None:
    page = (await lane.call("GET", f"/v1/accounts/{lane.accounts['facebook']}/pages"))["data"][0]
    await lane.next("facebook", f"POST /{page['platform_page_id']}_", "accept_then_drop")

    post = await lane.ended(await lane.post("facebook", "talk"))

    assert post["status"] == "published"
    assert await lane.copies("facebook", "talk") == (1, 1)


async def test_a_first_comment_that_is_refused_leaves_the_post_published_with_a_warning(lane: Lane) -> None:
    page = (await lane.call("GET", f"/v1/accounts/{lane.accounts['facebook']}/pages"))["data"][0]
    await lane.next("facebook", f"POST /{page['platform_page_id']}_", "refuse", error="blocked")

    post = await lane.ended(await lane.post("facebook", "quiet"))

    assert post["status"] == "published"
    assert "first comment was not written" in post["targets"][0]["warnings"][0]


async def test_posts_to_one_account_keep_their_order(lane: Lane) -> None:
    ids = [await lane.post("bluesky", f"number {number}") for number in range(4)]
    for post_id in ids:
        await lane.ended(post_id)

    world = await lane.control("/_sandbox/bluesky/world")

    assert len(world["posts"]) == 4


async def test_what_a_platform_cannot_keep_private_is_refused(lane: Lane) -> None:
    body = {
        "text": "for friends",
        "visibility": "private",
        "skip_validation": True,
        "targets": [{"account_id": lane.accounts["bluesky"]}],
    }

    answer = await lane.client.post("/v1/posts", json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["meta"]["field"] == "visibility"


async def test_what_a_format_has_no_place_for_is_said(lane: Lane) -> None:
    body = {
        "text": "hello",
        "title": "A title",
        "first_comment": "first",
        "targets": [{"account_id": lane.accounts["bluesky"]}],
    }

    made = await lane.call("POST", "/v1/posts", body)

    assert [warning.split(";")[0] for warning in made["targets"][0]["warnings"]] == [
        "Bluesky has no place for a title in this format",
        "Bluesky has no place for a first comment in this format",
    ]
