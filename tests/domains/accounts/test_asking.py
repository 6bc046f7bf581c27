"""What a platform tells about an account while the caller waits."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest

from faults.lane import Lane, open_lane
from hubbub.connector.registry import Found, Registry
from hubbub.emulation.testing import running_sandbox
from hubbub.social.creator import Creator
from pg import Server

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lane(postgres: Server, migrate: Callable[[str], None], tmp_path: Path) -> AsyncGenerator[Lane]:
    """An account on every platform."""
    url = postgres.create_database(postgres.template(migrate))
    try:
        with running_sandbox() as sandbox:
            async with open_lane(url, sandbox, tmp_path) as opened:
                yield opened
    finally:
        postgres.drop_database(url)


async def test_limits_are_told_where_there_are_any(lane: Lane) -> None:
    told = {
        platform: await lane.call("GET", f"/v1/accounts/{account_id}/limits")
        for platform, account_id in lane.accounts.items()
    }
    assert told == {"bluesky": {}, "facebook": {}, "instagram": {"posts_remaining": 10_000}}


async def test_a_sign_in_that_is_over_is_found_out_by_asking(lane: Lane) -> None:
    path = f"/v1/accounts/{lane.accounts['instagram']}/limits"
    await lane.next("instagram", "GET /", "refuse", error="app_removed")

    refused = await lane.client.get(path)
    later = await lane.client.get(path)

    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "platform.instagram.auth")
    assert (later.status_code, later.json()["error"]["code"]) == (403, "account.reconnection_required")


async def test_a_platform_that_is_away_does_not_cost_the_account(lane: Lane) -> None:
    path = f"/v1/accounts/{lane.accounts['instagram']}/limits"
    await lane.next("instagram", "GET /", "drop")

    refused = await lane.client.get(path)

    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "platform.instagram.unavailable")
    assert await lane.call("GET", path) == {"posts_remaining": 10_000}


@pytest.mark.parametrize("what", ["creator-info", "boards"])
async def test_what_no_platform_here_has_is_said_to_be_lacking(lane: Lane, what: str) -> None:
    for platform, account_id in lane.accounts.items():
        refused = await lane.client.get(f"/v1/accounts/{account_id}/{what}")
        error = refused.json()["error"]
        assert (refused.status_code, error["code"]) == (501, "resource.not_supported")
        assert error["meta"]["platform"] == platform


@pytest.mark.parametrize("what", ["creator-info", "boards", "limits"])
async def test_an_account_of_nobody_tells_nothing(lane: Lane, what: str) -> None:
    refused = await lane.client.get(f"/v1/accounts/acc_nobody/{what}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "account.not_found")


async def test_a_platform_that_knows_its_creators_is_asked(lane: Lane) -> None:
    lane.runtime.platforms = Registry({**lane.runtime.platforms, "bluesky": _knowing("bluesky", lane)})

    told = await lane.call("GET", f"/v1/accounts/{lane.accounts['bluesky']}/creator-info")

    assert told == {
        "platform": "bluesky",
        "nickname": "Ada",
        "avatar_url": None,
        "can_post": True,
        "max_video_duration_sec": 60,
        "privacy_level_options": ["SELF_ONLY"],
        "interaction_settings": {
            "comment_disabled": False,
            "duet_disabled": True,
            "stitch_disabled": False,
        },
    }


def _knowing(name: str, lane: Lane) -> Found:
    """The platform, if it knew its creators."""
    known = lane.runtime.platforms[name]
    parent: Any = known.connector

    class Knowing(parent):
        async def creator(self) -> Creator:
            return Creator("Ada", max_video_seconds=60, privacy_levels=("SELF_ONLY",), duets_off=True)

    found = Found(known.module, known.folder)
    found.facts = known.facts.model_copy(update={"can": {**known.facts.can, "creator_info": []}})
    found.__dict__["connector"] = Knowing
    return found
