"""Accounts of a lane: connected, and connected again; and a file to post."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx2

if TYPE_CHECKING:
    from faults.lane import Lane


async def connect(lane: Lane) -> None:
    fields = {"identifier": "demo", "app_password": "sandbox"}
    made = await lane.call("POST", "/v1/accounts/connect", {"platform": "bluesky", "metadata": fields})
    lane.accounts["bluesky"] = made["account_id"]
    offered = await lane.call("POST", "/v1/accounts/connect", {"platform": "facebook"})
    async with httpx2.AsyncClient() as browser:
        back = await browser.get(offered["auth_url"] + "&sandbox_person=demo")
    answer = await lane.client.get(back.headers["location"])
    pending = answer.headers.get("location", "") or str(answer.text)
    lane.accounts["facebook"] = await choose_page(lane, pending)
    lane.accounts["instagram"] = await connect_instagram(lane)


async def connect_instagram(lane: Lane) -> str:
    """Somebody who may publish all day, on a sandbox where each picture takes two looks."""
    person = {"username": "baker", "name": "Ada Baker", "quota_total": 10_000}
    if "ig" not in lane.remote:
        lane.remote["ig"] = (await lane.control("/_sandbox/instagram/people", person))["id"]
    await lane.control("/_sandbox/instagram/pace", {"thing": "image", "then": "after_looks", "n": 1})
    offered = await lane.call("POST", "/v1/accounts/connect", {"platform": "instagram"})
    async with httpx2.AsyncClient() as browser:
        back = await browser.get(offered["auth_url"] + "&sandbox_person=baker")
    answer = await lane.client.get(back.headers["location"])
    assert answer.status_code < 400, answer.text
    accounts = (await lane.call("GET", "/v1/accounts"))["data"]
    return next(account["id"] for account in accounts if account["platform"] == "instagram")


async def choose_page(lane: Lane, said: str) -> str:
    found = re.search(r"pc_[0-9a-f]{32}", said)
    assert found, said
    pending = await lane.call("GET", f"/v1/accounts/pending/{found.group()}")
    lane.remote["page"] = page = pending["pages"][0]["platform_page_id"]
    made = await lane.call("POST", f"/v1/accounts/pending/{found.group()}/select", {"page_ids": [page]})
    return made["account_id"]


async def upload(lane: Lane, content: bytes) -> str:
    answer = await lane.client.post(
        "/v1/media/upload", files={"file": ("picture.jpg", content, "image/jpeg")}
    )
    assert answer.status_code == 201, answer.text
    return answer.json()["media_id"]
