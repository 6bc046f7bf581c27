"""The whole way: a picture goes through the API to a real Bluesky server, now and on a schedule."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from faults.lane import Lane, open_lane
from hubbub.kit import clock
from hubbub.runtime.durable import Worker
from pg import Server
from real.pds.fixtures import pds  # noqa: F401 - a fixture
from real.pds.pds import Account, Pds

pytestmark = [pytest.mark.anyio, pytest.mark.real]


@pytest.fixture
async def lane(
    postgres: Server, migrate: Callable[[str], None], tmp_path: Path, pds: Pds
) -> AsyncGenerator[Lane]:
    url = postgres.create_database(postgres.template(migrate))
    try:
        allowed = {"allow_private_networks": ["127.0.0.0/8", "::1/128"]}
        async with open_lane(url, "http://127.0.0.1:9", tmp_path, "live", **allowed) as opened:
            worker = Worker(opened.runtime)
            working = asyncio.create_task(worker.run())
            yield opened
            worker.stop()
            await working
    finally:
        postgres.drop_database(url)


async def connected(lane: Lane, pds: Pds) -> Account:
    account = await asyncio.to_thread(pds.create_account)
    password = await asyncio.to_thread(pds.create_app_password, account)
    fields = {"identifier": account.handle, "app_password": password, "service": pds.url}
    made = await lane.call("POST", "/v1/accounts/connect", {"platform": "bluesky", "metadata": fields})
    lane.accounts["bluesky"] = made["account_id"]
    return account


def records(pds: Pds, account: Account) -> list[dict[str, Any]]:
    listed = pds.query("com.atproto.repo.listRecords", repo=account.did, collection="app.bsky.feed.post")
    return listed.json()["records"]


async def test_a_picture_is_published_once_and_can_be_deleted(lane: Lane, pds: Pds) -> None:
    account = await connected(lane, pds)

    post = await lane.ended(await lane.post("bluesky", "Grüße 👋 #hubbub https://example.com"))
    there = await asyncio.to_thread(records, pds, account)
    await lane.call("DELETE", f"/v1/posts/{post['id']}")

    target = post["targets"][0]
    assert post["status"] == "published"
    assert [record["uri"] for record in there] == [target["platform_post_id"]]
    assert there[0]["value"]["embed"]["images"][0]["image"]["mimeType"] == "image/jpeg"
    assert len(there[0]["value"]["facets"]) == 2
    assert await asyncio.to_thread(records, pds, account) == []


async def test_a_scheduled_post_goes_out_at_its_time(lane: Lane, pds: Pds) -> None:
    account = await connected(lane, pds)
    at = clock.now() + timedelta(seconds=2)

    post_id = await lane.post("bluesky", "later", publish_now=False, scheduled_at=at.isoformat())
    before = await asyncio.to_thread(records, pds, account)
    post = await lane.ended(post_id)

    assert before == []
    assert post["status"] == "published"
    assert len(await asyncio.to_thread(records, pds, account)) == 1


async def test_an_account_that_was_taken_down_fails_with_what_the_server_said(lane: Lane, pds: Pds) -> None:
    account = await connected(lane, pds)
    await asyncio.to_thread(pds.take_down, account.did)

    post = await lane.ended(await lane.post("bluesky", "not any more"))

    error = post["targets"][0]["error"]
    assert post["status"] == "failed"
    assert error["code"] == "platform.bluesky.account_unavailable"
    assert error["upstream"]["code"] == "AccountTakedown"
