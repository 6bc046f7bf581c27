"""Changing, taking down, measuring and settling posts, with a worker at work."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from faults.lane import Lane
from hubbub.domains.events.tables import events
from hubbub.domains.posts import timekeeping
from hubbub.domains.posts.tables import posts, targets
from hubbub.kit import clock
from hubbub.runtime.work import EVERYBODY, Caller, open_work

pytestmark = pytest.mark.anyio


async def happened(lane: Lane, post_id: str) -> list[tuple[str, Any]]:
    query = (
        sa.select(events.c.action, events.c.payload)
        .where(events.c.resource_id == post_id)
        .order_by(events.c.seq)
    )
    async with lane.runtime.database.begin() as db:
        return [(row.action, row.payload) for row in await db.execute(query)]


async def draft(lane: Lane, text: str, **more: Any) -> str:
    body = {"text": text, "targets": [{"account_id": lane.accounts["bluesky"]}], **more}
    return (await lane.call("POST", "/v1/posts", body))["id"]


async def all_ended(lane: Lane, post_id: str) -> dict[str, Any]:
    for _ in range(400):
        post = await lane.call("GET", f"/v1/posts/{post_id}")
        if post["status"] not in ("scheduled", "publishing") and await lane.is_quiet():
            return post
        await asyncio.sleep(0.05)
    raise AssertionError(post)


def in_an_hour() -> str:
    return (clock.now() + timedelta(hours=1)).isoformat()


# Changing


async def test_a_draft_with_a_time_becomes_scheduled_and_goes_out_as_changed(lane: Lane) -> None:
    post_id = await draft(lane, "first thought")

    soon = (clock.now() + timedelta(seconds=2)).isoformat()
    changed = await lane.call("PATCH", f"/v1/posts/{post_id}", {"text": "second", "scheduled_at": soon})
    post = await lane.ended(post_id)

    assert changed["status"] == "scheduled"
    assert post["status"] == "published"
    assert (await lane.copies("bluesky", "second"))[0] == 1
    assert (await lane.copies("bluesky", "first thought"))[0] == 0
    told = await happened(lane, post_id)
    assert [action for action, _ in told][:3] == ["post.created", "post.updated", "post.scheduled"]
    assert told[1][1]["changed_fields"] == ["scheduled_at", "text"]


async def test_targets_are_replaced_as_a_whole_and_what_is_left_out_stays(lane: Lane) -> None:
    post_id = await draft(lane, "here", title="kept", scheduled_at=in_an_hour())

    there = [{"account_id": lane.accounts["facebook"], "text": "there"}]
    changed = await lane.call("PATCH", f"/v1/posts/{post_id}", {"targets": there})

    assert [target["platform"] for target in changed["targets"]] == ["facebook"]
    assert changed["targets"][0]["text"] == "there"
    assert changed["targets"][0]["due_at"] == changed["scheduled_at"]
    assert (changed["status"], changed["text"], changed["title"]) == ("scheduled", "here", "kept")


async def test_hidden_is_allowed_in_every_state_and_nothing_else_is(lane: Lane) -> None:
    post_id = await lane.post("bluesky", "out")
    await lane.ended(post_id)

    hidden = await lane.call("PATCH", f"/v1/posts/{post_id}", {"hidden": True})
    refused = await lane.client.patch(f"/v1/posts/{post_id}", json={"text": "other"})
    listed = await lane.call("GET", "/v1/posts")
    shown = await lane.call("GET", "/v1/posts?hidden=true")

    assert hidden["hidden"] is True
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "post.state_invalid"
    assert (listed["count"], shown["count"]) == (0, 1)


async def test_an_empty_change_changes_nothing(lane: Lane) -> None:
    post_id = await draft(lane, "as it is")
    before = await lane.call("GET", f"/v1/posts/{post_id}")

    after = await lane.call("PATCH", f"/v1/posts/{post_id}", {})
    same = await lane.call("PATCH", f"/v1/posts/{post_id}", {"text": "as it is"})

    assert before == after
    assert same["updated_at"] == before["updated_at"]
    assert [action for action, _ in await happened(lane, post_id)] == ["post.created"]


async def test_a_change_is_checked_as_a_new_post_is(lane: Lane) -> None:
    post_id = await draft(lane, "short", scheduled_at=in_an_hour())

    refused = await lane.client.patch(f"/v1/posts/{post_id}", json={"text": "x" * 301})

    assert refused.status_code == 400
    assert refused.json()["error"]["meta"]["reason"] == "too_long"
    assert (await lane.call("GET", f"/v1/posts/{post_id}"))["text"] == "short"


async def test_a_failed_post_stays_failed_until_it_is_retried(lane: Lane) -> None:
    await lane.next("facebook", "POST /", "refuse", error="content_rejected")
    post_id = await lane.post("facebook", "bad", media_ids=[], first_comment=None)
    await lane.ended(post_id)

    changed = await lane.call("PATCH", f"/v1/posts/{post_id}", {"text": "better"})
    await lane.call("POST", f"/v1/posts/{post_id}/retry")
    post = await all_ended(lane, post_id)

    assert changed["status"] == "failed"
    assert changed["targets"][0]["error"]["code"] == "platform.facebook.content_rejected"
    assert post["status"] == "published"
    assert (await lane.copies("facebook", "better"))[0] == 1


async def test_the_text_of_a_published_post_changes_where_its_platform_takes_that(lane: Lane) -> None:
    post_id = await lane.post("facebook", "with a tpyo")
    await lane.ended(post_id)

    changed = await lane.call("PATCH", f"/v1/posts/{post_id}", {"text": "with a typo"})

    assert (changed["status"], changed["text"]) == ("published", "with a typo")
    assert (await lane.copies("facebook", "with a tpyo"))[0] == 0
    world = await lane.control("/_sandbox/facebook/world")
    assert [post["text"] for post in world["posts"]] == ["with a typo"]
    assert (await happened(lane, post_id))[-1][1]["changed_fields"] == ["text"]


async def test_a_published_post_stays_as_it_is_when_one_platform_takes_no_change(lane: Lane) -> None:
    both = [{"account_id": lane.accounts[platform]} for platform in ("bluesky", "facebook")]
    post_id = await lane.post("bluesky", "on both", targets=both)
    await all_ended(lane, post_id)

    refused = await lane.client.patch(f"/v1/posts/{post_id}", json={"text": "else"})

    assert refused.status_code == 501
    assert "bluesky" in refused.json()["error"]["message"]
    assert (await lane.copies("facebook", "on both"))[0] == 1


# Taking down


async def test_a_post_is_taken_down_from_one_account_and_then_from_all(lane: Lane) -> None:
    both = [{"account_id": lane.accounts[platform]} for platform in ("bluesky", "facebook")]
    post_id = await lane.post("bluesky", "down with it", targets=both)
    await all_ended(lane, post_id)

    one = {"account_id": lane.accounts["facebook"]}
    assert await lane.call("POST", f"/v1/posts/{post_id}/unpublish", one) == {"success": True}
    left = await lane.call("GET", f"/v1/posts/{post_id}")
    assert await lane.call("POST", f"/v1/posts/{post_id}/unpublish") == {"success": True}
    gone = await lane.client.get(f"/v1/posts/{post_id}")

    assert [target["platform"] for target in left["targets"]] == ["bluesky"]
    assert left["status"] == "published"
    assert gone.status_code == 404
    assert (await lane.copies("bluesky", "down with it"))[0] == 0
    told = [payload for action, payload in await happened(lane, post_id) if action == "post.unpublished"]
    assert [(one["account_id"], one["unpublished_count"]) for one in told] == [
        (lane.accounts["facebook"], 1),
        (None, 1),
    ]


async def test_only_what_is_live_can_be_taken_down(lane: Lane) -> None:
    post_id = await draft(lane, "not yet")

    refused = await lane.client.post(f"/v1/posts/{post_id}/unpublish", json={"account_ids": []})

    assert refused.status_code == 409


async def test_an_account_the_post_does_not_go_to_is_not_found(lane: Lane) -> None:
    post_id = await lane.post("bluesky", "stays")
    await lane.ended(post_id)

    named = {"account_ids": [lane.accounts["facebook"]]}
    refused = await lane.client.post(f"/v1/posts/{post_id}/unpublish", json=named)

    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "account.not_found")
    assert (await lane.copies("bluesky", "stays"))[0] == 1


# Measuring


async def test_numbers_are_read_live_and_what_cannot_be_read_says_why(lane: Lane) -> None:
    both = [{"account_id": lane.accounts[platform]} for platform in ("bluesky", "facebook")]
    post_id = await lane.post("bluesky", "count me", targets=both)
    await all_ended(lane, post_id)

    counted = (await lane.call("GET", f"/v1/posts/{post_id}/metrics"))["data"]
    facebook = next(target for target in counted["targets"] if target["platform"] == "facebook")
    async with lane.runtime.database.begin() as db:
        await db.execute(
            sa.update(targets).where(targets.c.platform == "facebook").values(remote_id="1_999999")
        )
    later = (await lane.call("GET", f"/v1/posts/{post_id}/metrics"))["data"]

    assert counted["post_id"] == post_id
    assert all(target["error"] is None for target in counted["targets"])
    assert all(target["metrics"]["saves"] == 0 for target in counted["targets"])
    assert facebook["metrics"]["comments"] == 1  # the first comment
    assert facebook["metrics_synced_at"]
    errors = {target["platform"]: target["error"] for target in later["targets"]}
    assert errors["bluesky"] is None
    assert errors["facebook"]["code"] == "resource.not_found"


async def test_what_was_never_published_has_no_numbers(lane: Lane) -> None:
    post_id = await draft(lane, "nothing to count")

    assert (await lane.call("GET", f"/v1/posts/{post_id}/metrics"))["data"]["targets"] == []


# Threads


async def test_segments_follow_as_a_thread_and_go_with_the_post(lane: Lane) -> None:
    segments = [{"text": "two"}, {"text": "three"}]
    post_id = await lane.post("bluesky", "one", media_ids=[], segments=segments)

    post = await lane.ended(post_id)
    following = post["targets"][0]["metadata"]["thread_post_ids"]
    world = await lane.control("/_sandbox/bluesky/world")
    await lane.call("POST", f"/v1/posts/{post_id}/unpublish")
    after = await lane.control("/_sandbox/bluesky/world")

    assert post["status"] == "published"
    assert [segment["text"] for segment in post["segments"]] == ["two", "three"]
    assert [comment["text"] for comment in world["comments"]] == ["two", "three"]
    assert [comment["id"] for comment in world["comments"]] == following
    assert after["posts"] == after["comments"] == []


@pytest.mark.parametrize("fault", ["accept_then_drop", "accept_then_500", "drop"])
async def test_a_segment_whose_answer_is_lost_is_written_once(lane: Lane, fault: str) -> None:
    post_id = await lane.post(
        "bluesky", "one", media_ids=[], publish_now=False, scheduled_at=in_an_hour(),
        segments=[{"text": "two"}, {"text": "three"}],
    )  # fmt: skip
    call = "POST /xrpc/com.atproto.repo.createRecord"
    await lane.control("/_sandbox/bluesky/next", {"on": call, "then": fault, "params": {}})
    await lane.control("/_sandbox/bluesky/next", {"on": call, "then": fault, "params": {}})
    await lane.call("POST", f"/v1/posts/{post_id}/publish")

    post = await lane.ended(post_id)
    world = await lane.control("/_sandbox/bluesky/world")

    assert post["status"] == "published"
    assert sorted(each["text"] for each in world["posts"] + world["comments"]) == ["one", "three", "two"]


async def test_a_platform_without_threads_refuses_segments(lane: Lane) -> None:
    body = {
        "text": "one",
        "segments": [{"text": "two"}],
        "targets": [{"account_id": lane.accounts["facebook"]}],
    }

    refused = await lane.client.post("/v1/posts", json=body)

    error = refused.json()["error"]
    assert (refused.status_code, error["meta"]["field"], error["meta"]["reason"]) == (
        400,
        "segments",
        "unsupported",
    )


# Settling what nobody can tell


async def unconfirmed(lane: Lane, text: str) -> str:
    post_id = await lane.post("facebook", text)
    await lane.ended(post_id)
    async with lane.runtime.database.begin() as db:
        await db.execute(
            sa.update(targets).values(status="unconfirmed", remote_id=None, permalink=None, published_at=None)
        )
        await db.execute(sa.update(posts).values(status="unconfirmed", published_at=None))
    return post_id


async def test_a_post_that_is_there_is_adopted(lane: Lane) -> None:
    post_id = await unconfirmed(lane, "found it")
    address = f"/v1/posts/{post_id}/targets/{lane.accounts['facebook']}/resolve"
    found = {"outcome": "published", "permalink": "https://www.facebook.com/1_2", "platform_post_id": "1_2"}

    refused = await lane.client.post(address, json={"outcome": "published"})
    post = await lane.call("POST", address, found)
    again = await lane.client.post(address, json=found)

    assert refused.json()["error"]["code"] == "validation.field_required"
    assert post["status"] == "published"
    assert post["targets"][0]["platform_post_id"] == "1_2"
    assert post["targets"][0]["published_at"]
    assert again.status_code == 409
    assert [action for action, _ in await happened(lane, post_id)][-3:] == [
        "post.resolved",
        "publish",
        "post.published",
    ]


async def test_a_post_that_is_absent_has_failed_and_can_be_retried(lane: Lane) -> None:
    post_id = await unconfirmed(lane, "never came")
    address = f"/v1/posts/{post_id}/targets/{lane.accounts['facebook']}/resolve"

    post = await lane.call("POST", address, {"outcome": "absent"})
    await lane.call("POST", f"/v1/posts/{post_id}/retry")
    after = await all_ended(lane, post_id)

    assert post["status"] == "failed"
    assert post["targets"][0]["error"]["code"] == "publishing.delivery.timeout"
    assert after["status"] == "published"


# Time


async def test_what_was_due_too_long_ago_is_missed_and_not_published_late(lane: Lane) -> None:
    post_id = await draft(lane, "old news", scheduled_at=in_an_hour())
    long_ago = clock.now() - timedelta(hours=25)

    async with lane.runtime.database.begin() as db:
        await db.execute(sa.update(targets).values(planned_at=long_ago, due_at=long_ago))
    post = await all_ended(lane, post_id)

    error = post["targets"][0]["error"]
    assert post["status"] == "failed"
    assert (error["code"], error["meta"]["reason"]) == ("post.missed", "downtime")
    assert (await lane.copies("bluesky", "old news"))[0] == 0


async def test_what_was_due_a_while_ago_is_published_late(lane: Lane) -> None:
    post_id = await draft(lane, "better late", scheduled_at=in_an_hour())
    a_while_ago = clock.now() - timedelta(hours=23)

    async with lane.runtime.database.begin() as db:
        await db.execute(sa.update(targets).values(planned_at=a_while_ago, due_at=a_while_ago))
    post = await all_ended(lane, post_id)

    assert post["status"] == "published"
    assert post["targets"][0]["lag_ms"] > 22 * 3600 * 1000


async def test_a_wall_time_is_read_again_when_the_zone_rules_change(lane: Lane) -> None:
    at = {"local": "2090-07-01T09:30", "timezone": "Europe/Berlin"}
    post_id = await draft(lane, "at half past nine", scheduled_at=at)
    before = await lane.call("GET", f"/v1/posts/{post_id}")
    async with lane.runtime.database.begin() as db:
        wrong = clock.now() + timedelta(days=99)
        await db.execute(sa.update(posts).values(zone_rules="1999a", scheduled_at=wrong))
        await db.execute(sa.update(targets).values(due_at=wrong, planned_at=wrong))

    async with open_work(lane.runtime, Caller(EVERYBODY)) as work:
        looked_at = [await timekeeping.read_again(work), await timekeeping.read_again(work)]
    after = await lane.call("GET", f"/v1/posts/{post_id}")

    assert before["scheduled_at"] == "2090-07-01T07:30:00Z"
    assert before["wall_time"] == {"local": "2090-07-01T09:30:00", "timezone": "Europe/Berlin"}
    assert looked_at == [1, 0]
    assert after["scheduled_at"] == before["scheduled_at"]
    assert after["targets"][0]["due_at"] == "2090-07-01T07:30:00Z"


async def test_a_change_while_a_target_begins_is_not_overtaken(lane: Lane) -> None:
    """A run that was claimed before the change must not publish what was there before it."""
    from hubbub.domains.posts import publish

    post_id = await draft(lane, "before", scheduled_at=in_an_hour())
    async with lane.runtime.database.begin() as db:
        target_id = (await db.execute(sa.select(targets.c.id))).scalar_one()
        loaded = await publish.load(db, target_id)
    assert loaded is not None
    await lane.call("PATCH", f"/v1/posts/{post_id}", {"text": "after"})

    await publish.Publication(lane.runtime, *loaded).run()

    post = await lane.call("GET", f"/v1/posts/{post_id}")
    assert (post["status"], post["text"]) == ("scheduled", "after")
    assert (await lane.copies("bluesky", "before"))[0] == 0
