"""A sign-in that is over is found out by whatever asks the platform first."""

from __future__ import annotations

from typing import Any

import pytest

from faults.lane import Lane

pytestmark = pytest.mark.anyio


async def published(lane: Lane, platform: str) -> str:
    post_id = await lane.post(platform, "about a sign-in")
    await lane.ended(post_id)
    return post_id


async def status_of(lane: Lane, platform: str) -> str:
    accounts = (await lane.call("GET", "/v1/accounts"))["data"]
    return next(account["status"] for account in accounts if account["id"] == lane.accounts[platform])


async def refusals(lane: Lane, post_id: str, how: str) -> list[Any]:
    """The codes that the post's targets are refused with when they are counted, changed or deleted."""
    if how == "metrics":
        told = (await lane.call("GET", f"/v1/posts/{post_id}/metrics"))["data"]["targets"]
        return [target["error"]["code"] for target in told]
    body = {"text": "other words"} if how == "edit" else None
    answer = await lane.client.request("PATCH" if how == "edit" else "POST", path(post_id, how), json=body)
    return [answer.json()["error"]["code"]]


def path(post_id: str, how: str) -> str:
    return f"/v1/posts/{post_id}" + ("/unpublish" if how == "unpublish" else "")


@pytest.mark.parametrize(
    ("how", "call"), [("metrics", "GET /"), ("edit", "POST /"), ("unpublish", "DELETE /")]
)
async def test_the_account_is_marked(lane: Lane, how: str, call: str) -> None:
    post_id = await published(lane, "facebook")
    await lane.next("facebook", call, "refuse", error="app_removed")

    said = await refusals(lane, post_id, how)

    assert said == ["platform.facebook.auth"]
    assert await status_of(lane, "facebook") == "reconnect_required"


async def test_one_that_can_be_renewed_is_renewed_and_nobody_notices(lane: Lane) -> None:
    post_id = await published(lane, "bluesky")
    await lane.next("bluesky", "GET /xrpc/", "refuse", error="token_expired")

    counted = (await lane.call("GET", f"/v1/posts/{post_id}/metrics"))["data"]["targets"]

    assert [target["error"] for target in counted] == [None]
    assert await status_of(lane, "bluesky") == "active"
