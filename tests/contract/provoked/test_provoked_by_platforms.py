"""Every sentence that a platform is known to refuse with, through the stand-in: the entries of every `errors.toml`."""

from __future__ import annotations

from typing import Any

import pytest

from hubbub.connector.refusals import Entry
from hubbub.connector.registry import Registry
from hubbub.emulation import refusal as stand_in
from hubbub.errors import Action, class_of
from hubbub.errors.platform import PlatformNumber
from provoked.by_media import photograph, picture
from provoked.guest import Guest
from provoked.table import status_of
from provoked.test_provoked_codes import check_target_error

pytestmark = pytest.mark.anyio

UPSTREAM = {"platform", "status", "call", "code", "subcode", "message", "trace_id"}


def entries(platform: str) -> list[Any]:
    """Only the first entry of a name or code can be asked for; the rest would be the same question again."""
    found: list[Any] = []
    for entry in Registry()[platform].refusals.entries:
        name = entry.name or entry.means
        found.append(pytest.param(entry, id=name))
    return found


def lasting(platform: str) -> list[Any]:
    """Those that end a post, or that it waits for; a new sign-in is tried first after the others."""
    return [one for one in entries(platform) if action_of(one.values[0]) is not Action.RECONNECT]


def action_of(entry: Entry) -> Action:
    refusal = class_of(entry.means)
    assert refusal is not None
    return refusal.action


def promised(entry: Entry) -> int:
    """The code's status; of a platform's own number its platform's, where that is the caller's fault."""
    said = stand_in.status_of(entry.model_dump(exclude_none=True))
    is_number = entry.means.rpartition(".")[2].isdecimal() and class_of(entry.means) is PlatformNumber
    return said if is_number and 400 <= said < 500 else status_of(entry.means)


def check_upstream(error: Any, platform: str, entry: Entry) -> None:
    said = error["upstream"]
    assert set(said) <= UPSTREAM
    assert said["platform"] == platform
    assert " /" in said["call"]
    assert "?" not in said["call"]
    body = stand_in.body_of({"when": entry.when, "say": entry.say})
    if body and said.get("message"):
        assert isinstance(said["message"], str)


async def signed_in_meanwhile(guest: Guest, platform: str, entry: Entry) -> Any:
    """What connecting answers when the platform refuses so."""
    fault = {"error": entry.name or entry.means}
    if platform == "bluesky":
        person = await guest.person("bluesky")
        path = "POST /xrpc/com.atproto.server.createSession"
        await guest.stage.fault("bluesky", path, "refuse", **fault)
        return await guest.sign_in(person, undeclared=True)
    places = {"places": ["A page"]} if platform == "facebook" else {}
    back = await guest.consent(await guest.person(platform, **places), platform=platform)
    await guest.stage.fault(platform, "GET /me", "refuse", **fault)
    return await guest.exchange(back, platform, undeclared=True)


@pytest.mark.parametrize("entry", entries("bluesky"))
async def test_bluesky_refuses_a_sign_in(guest: Guest, entry: Entry) -> None:
    await check_sign_in(guest, "bluesky", entry)


@pytest.mark.parametrize("entry", entries("facebook"))
async def test_facebook_refuses_a_sign_in(guest: Guest, entry: Entry) -> None:
    await check_sign_in(guest, "facebook", entry)


@pytest.mark.parametrize("entry", entries("instagram"))
async def test_instagram_refuses_a_sign_in(guest: Guest, entry: Entry) -> None:
    await check_sign_in(guest, "instagram", entry)


async def check_sign_in(guest: Guest, platform: str, entry: Entry) -> None:
    answer = await signed_in_meanwhile(guest, platform, entry)

    error = answer.json["error"]
    assert (error["code"], answer.status) == (entry.means, promised(entry))
    check_upstream(error, platform, entry)
    assert (await guest.get("/v1/accounts")).json["count"] == 0
    told = "SELECT action FROM events WHERE workspace_id = $1"
    assert await guest.stage.sql(told, guest.workspace_id) == []


@pytest.mark.parametrize("entry", lasting("bluesky"))
async def test_bluesky_refuses_a_post(guest: Guest, entry: Entry) -> None:
    account_id = await guest.bluesky()
    media_id = await guest.media(picture())
    path = "POST /xrpc/com.atproto.repo.uploadBlob"
    await guest.stage.fault("bluesky", path, "refuse", error=entry.name or entry.means)
    await check_post(guest, "bluesky", entry, await guest.publish(account_id, media_ids=[media_id]))


@pytest.mark.parametrize("entry", lasting("facebook"))
async def test_facebook_refuses_a_post(guest: Guest, entry: Entry) -> None:
    account_id = await guest.facebook()
    media_id = await guest.media(picture())
    page = (await guest.pages(account_id))[0]["platform_page_id"]
    path = f"POST /{page}/photos"
    await guest.stage.fault("facebook", path, "refuse", error=entry.name or entry.means)
    await check_post(guest, "facebook", entry, await guest.publish(account_id, media_ids=[media_id]))


@pytest.mark.parametrize("entry", lasting("instagram"))
async def test_instagram_refuses_a_post(guest: Guest, entry: Entry) -> None:
    account_id, media_id = await guest.instagram(), await guest.media(photograph())
    await guest.stage.fault("instagram", "POST /", "refuse", error=entry.name or entry.means)
    await check_post(guest, "instagram", entry, await guest.publish(account_id, media_ids=[media_id]))


async def check_post(guest: Guest, platform: str, entry: Entry, post_id: str) -> None:
    error = await guest.error_of(post_id)

    assert error["code"] == entry.means
    check_target_error(error)
    check_upstream(error, platform, entry)
    certain = (
        entry.certain
        if entry.certain is not None
        else stand_in.status_of(entry.model_dump(exclude_none=True)) < 500
    )
    if certain and action_of(entry) is not Action.WAIT:
        assert (await guest.ended(post_id))["status"] == "failed"
    else:
        await leave(guest)


async def leave(guest: Guest) -> None:
    """Without its account a post that waits will not meet what the sandbox was told to do next."""
    for account in (await guest.get("/v1/accounts")).json["data"]:
        await guest.call("DELETE", f"/v1/accounts/{account['id']}")
