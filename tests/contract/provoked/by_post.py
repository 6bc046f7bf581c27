"""Refusals of posts, and what a target says that did not go out."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from typing import Any

from provoked.by_media import photograph, picture
from provoked.guest import Guest, post_body
from provoked.table import Seen, provokes

LATER = "2099-01-01T12:00:00Z"
UPLOAD = "POST /xrpc/com.atproto.repo.uploadBlob"


@provokes("post.not_found", "id")
async def a_post_nobody_has(guest: Guest) -> Seen:
    return await guest.get(f"/v1/posts/{uuid.uuid4()}")


@provokes("post.state_invalid", "status")
async def a_draft_cannot_be_retried(guest: Guest) -> Seen:
    return await guest.post(f"/v1/posts/{await guest.draft()}/retry")


@provokes("validation.field_required", "field")
async def publishing_to_nobody(guest: Guest) -> Seen:
    return await guest.post("/v1/posts", {"text": "x", "publish_now": True})


@provokes("validation.field_invalid", "field", "reason", "max", "platform", "account_id")
async def more_than_the_platform_takes(guest: Guest) -> Seen:
    body = post_body(await guest.bluesky()) | {"text": "x" * 301}
    return await guest.post("/v1/posts", body)


@provokes("validation.field_invalid", "field", "reason", "media_id")
async def a_file_that_is_not_there(guest: Guest) -> Seen:
    return await guest.post("/v1/posts", post_body(media_ids=[str(uuid.uuid4())]))


@provokes("account.not_found", "resource", "id")
async def an_account_of_another_workspace(guest: Guest) -> Seen:
    theirs = await (await Guest.arrive(guest.stage)).bluesky()
    return await guest.post("/v1/posts", post_body(theirs))


@provokes("publishing.duplicate_target", "platform", "account_id")
async def the_same_account_twice(guest: Guest) -> Seen:
    account_id = await guest.bluesky()
    return await guest.post("/v1/posts", post_body(account_id, account_id))


@provokes("publishing.media.unsupported_source", "platform")
async def a_file_that_only_the_platform_has(guest: Guest) -> Seen:
    media = [{"source_type": "platform_attachment_id", "source": "17"}]
    return await guest.post("/v1/posts", post_body(await guest.bluesky(), media=media))


@provokes("resource.conflict", "resource", "reason", "post_id")
async def the_same_post_twice(guest: Guest) -> Seen:
    body = post_body(await guest.bluesky(), scheduled_at=LATER)
    assert (await guest.post("/v1/posts", body)).status == 201
    return await guest.post("/v1/posts", body)


@provokes("billing.post_limit", "plan", "max", "used", "retry_after_seconds")
async def the_eleventh_post_of_the_free_plan(guest: Guest) -> Seen:
    account_id = await guest.bluesky()
    free = guest.on(await guest.stage.other("free"))
    for _ in range(10):
        await free.draft(account_id, scheduled_at=LATER)
    return await free.post("/v1/posts", post_body(account_id, scheduled_at=LATER))


@provokes("account.no_active_page")
async def every_page_is_switched_off(guest: Guest) -> Seen:
    account_id = await guest.facebook()
    await guest.switch_off(account_id)
    return await guest.post("/v1/posts", post_body(account_id, publish_now=True))


@provokes("account.page_inactive", "page_id")
async def a_target_that_is_switched_off(guest: Guest) -> Seen:
    account_id = await guest.facebook(["One", "Two"])
    page = await guest.switch_off(account_id)
    return await guest.post(
        "/v1/posts", post_body() | {"targets": [{"account_id": account_id, "page_id": page}]}
    )


@provokes("account.pages_not_supported")
async def a_page_of_an_account_without(guest: Guest) -> Seen:
    targets = [{"account_id": await guest.bluesky(), "page_id": "sapi_page_x"}]
    return await guest.post("/v1/posts", post_body() | {"targets": targets})


@provokes("resource.not_found", "resource", "id")
async def a_page_that_is_not_there(guest: Guest) -> Seen:
    targets = [{"account_id": await guest.facebook(), "page_id": "sapi_page_x"}]
    return await guest.post("/v1/posts", post_body() | {"targets": targets})


@provokes("ambiguous_post_id", "post_ids")
async def an_id_that_two_posts_have(guest: Guest) -> Seen:
    account_id = await guest.bluesky()
    for _ in range(2):
        post_id = await guest.draft(account_id)
        await guest.stage.sql(
            "UPDATE targets SET remote_id = 'theirs' WHERE post_id = $1", uuid.UUID(post_id)
        )
    return await guest.get("/v1/posts/theirs")


# On the way out


@provokes("publishing.delivery.account_load_failed", "platform", "account_id")
async def the_account_has_left_meanwhile(guest: Guest) -> Seen:
    account_id = await guest.bluesky()
    post_id = await guest.draft(account_id, scheduled_at=LATER)
    await guest.call("DELETE", f"/v1/accounts/{account_id}")
    await guest.post(f"/v1/posts/{post_id}/publish")
    return (await guest.ended(post_id))["error"]


@provokes("publishing.delivery.page_resolve_failed", "platform", "account_id")
async def the_page_was_switched_off_meanwhile(guest: Guest) -> Seen:
    account_id = await guest.facebook()
    post_id = await guest.draft(account_id, scheduled_at=LATER)
    await guest.switch_off(account_id)
    await guest.post(f"/v1/posts/{post_id}/publish")
    return (await guest.ended(post_id))["error"]


@provokes("publishing.media_unavailable", "media_id")
async def the_file_is_gone_meanwhile(guest: Guest) -> Seen:
    account_id = await guest.bluesky()
    media_id = await guest.media(picture())
    post_id = await guest.draft(account_id, media_ids=[media_id])
    folder = guest.stage.runtime.settings.data_dir / "media" / str(guest.workspace_id)
    shutil.rmtree(folder)
    await guest.post(f"/v1/posts/{post_id}/publish")
    return (await guest.ended(post_id))["error"]


@provokes("platform.bluesky.unavailable")
async def a_platform_that_is_away(guest: Guest) -> Seen:
    account_id = await guest.bluesky()
    media_id = await guest.media(picture())
    await guest.stage.fault("bluesky", UPLOAD, "drop")
    post_id = await guest.publish(account_id, media_ids=[media_id])
    error = await guest.error_of(post_id)
    assert (await guest.ended(post_id))["status"] == "published"
    return error


@provokes("platform.instagram.container_failed", "account_id", "reason")
async def media_that_the_platform_cannot_prepare(guest: Guest) -> Seen:
    account_id, media_id = await guest.instagram(), await guest.media(photograph())
    spoiled = {"thing": "image", "then": "at_once", "to": "error"}
    await guest.stage.control("/instagram/pace", spoiled)
    try:
        return (await guest.ended(await guest.publish(account_id, media_ids=[media_id])))["error"]
    finally:
        await guest.stage.control("/instagram/pace", {**spoiled, "to": "ready"})


async def _revoked(guest: Guest) -> tuple[str, Any]:
    """A post whose account is gone from the platform, and what it waits for."""
    account_id = await guest.facebook()
    page = (await guest.pages(account_id))[0]["platform_page_id"]
    await guest.stage.fault("facebook", f"POST /{page}", "revoke")
    post_id = await guest.publish(account_id)
    return post_id, await guest.until(post_id, lambda target: target["error"])


@provokes("account.reconnection_required", "platform", "account_id", "reason")
async def a_sign_in_that_was_taken_back(guest: Guest) -> Seen:
    _, waiting = await _revoked(guest)
    assert waiting["status"] == "pending"
    return waiting["error"]


@provokes("post.missed", "platform", "account_id", "deadline")
async def nobody_reconnects_in_time(guest: Guest) -> Seen:
    post_id, _ = await _revoked(guest)
    return (await guest.ended(post_id))["error"]


async def _unconfirmed(guest: Guest) -> str:
    """A post whose answer was lost, whose page could not be read, and whose account then left."""
    account_id = await guest.facebook()
    page = (await guest.pages(account_id))[0]["platform_page_id"]
    unreadable = {"on": f"GET /{page}/published_posts", "then": "drop", "times": 20}
    await guest.stage.control("/facebook/next", unreadable)
    await guest.stage.fault("facebook", f"POST /{page}/feed", "accept_then_drop")
    post_id = await guest.publish(account_id)
    for _ in range(400):
        heard = await guest.stage.control("/facebook/requests?limit=50")
        if any(one["path"].endswith(f"/{page}/feed") for one in heard["requests"]):
            break
        await asyncio.sleep(0.03)
    assert (await guest.call("DELETE", f"/v1/accounts/{account_id}")).status == 204
    return post_id


@provokes("publishing.unconfirmed", "platform", "account_id", "evidence")
async def an_answer_that_nobody_heard(guest: Guest) -> Seen:
    target = await guest.ended(await _unconfirmed(guest))
    assert target["status"] == "unconfirmed"
    return target["error"]


@provokes("publishing.delivery.timeout", "platform", "account_id")
async def a_person_has_looked_and_it_is_not_there(guest: Guest) -> Seen:
    post_id = await _unconfirmed(guest)
    account_id = (await guest.ended(post_id))["account_id"]
    path = f"/v1/posts/{post_id}/targets/{account_id}/resolve"
    settled = await guest.post(path, {"outcome": "absent"})
    assert settled.status == 200, settled.json
    return settled.json["targets"][0]["error"]


@provokes("post.no_retryable_deliveries")
async def what_may_be_up_is_not_sent_again(guest: Guest) -> Seen:
    post_id = await _unconfirmed(guest)
    await guest.ended(post_id)
    return await guest.post(f"/v1/posts/{post_id}/retry")
