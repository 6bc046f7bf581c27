"""Somebody who uses the API: a workspace, its key, and shortcuts to what most provocations begin with."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

from api import Answer, make_workspace
from hubbub.domains.keys import service as keys
from hubbub.domains.workspaces import service as workspaces
from hubbub.runtime.work import Caller, Mode, open_work
from provoked.stage import PASSWORD, Stage

ENDED = ("published", "failed", "unconfirmed")
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Guest:
    stage: Stage
    workspace_id: UUID
    key: str
    at: str | None = None
    """Another server than the usual one."""

    @classmethod
    async def arrive(cls, stage: Stage, mode: Mode = "sandbox") -> Guest:
        workspace_id, key = await make_workspace(stage.runtime, mode)
        stage.secrets.add(key)
        return cls(stage, workspace_id, key)

    def on(self, url: str) -> Guest:
        return replace(self, at=url)

    def as_(self, key: str) -> Guest:
        return replace(self, key=key)

    async def with_key(self, *scopes: str, brands: Sequence[str] = (), mode: Mode = "sandbox") -> Guest:
        """The same workspace through a restricted key."""
        async with open_work(self.stage.runtime, Caller(self.workspace_id, mode=mode)) as work:
            made = await keys.create(work, "restricted", scopes, brands)
        self.stage.secrets.add(made.raw_key.reveal())
        return self.as_(made.raw_key.reveal())

    async def brand(self) -> str:
        async with open_work(self.stage.runtime, Caller(self.workspace_id)) as work:
            return str((await workspaces.new_brand(work, f"Brand {next(_numbers)}")).id)

    # Calls

    async def call(self, method: str, path: str, body: Any = None, **how: Any) -> Answer:
        headers = {"Authorization": f"Bearer {self.key}", **how.pop("headers", {})}
        given = {name: value for name, value in headers.items() if value is not None}
        if body is not None:
            how["json"] = body
        return await self.stage.call(method, path, at=self.at, headers=given, **how)

    async def get(self, path: str, **how: Any) -> Answer:
        return await self.call("GET", path, **how)

    async def post(self, path: str, body: Any = None, **how: Any) -> Answer:
        return await self.call("POST", path, body, **how)

    # Accounts

    async def person(self, platform: str, **how: Any) -> str:
        """Somebody new in the sandbox; the username."""
        username = f"person{next(_numbers)}"
        await self.stage.control(f"/{platform}/people", {"username": username, "name": username, **how})
        return username

    async def sign_in(self, username: str, password: str = PASSWORD, **how: Any) -> Answer:
        """Connect with a password, as the one platform has it that knows no consent page."""
        metadata = {"identifier": username, "app_password": password}
        undeclared = how.pop("undeclared", False)
        body = {"platform": "bluesky", "metadata": metadata, **how}
        return await self.post("/v1/accounts/connect", body, undeclared=undeclared)

    async def bluesky(self, **how: Any) -> str:
        """A connected account."""
        made = await self.sign_in(await self.person("bluesky"), **how)
        assert made.status == 201, made.json
        return made.json["account_id"]

    async def consent(
        self, username: str, change: Callable[[str], str] = str, **query: Any
    ) -> dict[str, str]:
        """What the platform sends back once the person has pressed the button."""
        asked = await self.get(f"/v1/oauth/url?{urlencode({'platform': 'facebook', **query})}")
        assert asked.status == 200, asked.json
        return await self.approve(change(asked.json["auth_url"]), username)

    async def approve(self, auth_url: str, username: str) -> dict[str, str]:
        heard = await self.stage.client.get(f"{auth_url}&sandbox_person={username}")
        assert heard.status_code == 302, heard.text
        return dict(parse_qsl(urlsplit(heard.headers["location"]).query))

    async def exchange(self, back: Mapping[str, str], platform: str = "facebook", **how: Any) -> Answer:
        body = {"platform": platform, "code": back["code"], "metadata": {"state": back["state"]}}
        return await self.post("/v1/oauth/exchange", body, **how)

    async def facebook(self, places: Sequence[str] = ("A page",), **query: Any) -> str:
        """A connected account with all these pages (at most five)."""
        username = await self.person("facebook", places=list(places))
        made = await self.exchange(await self.consent(username, **query))
        if made.status == 200:
            chosen = [page["platform_page_id"] for page in made.json["pages"]]
            path = f"/v1/accounts/pending/{made.json['connection_id']}/select"
            made = await self.post(path, {"page_ids": chosen})
        assert made.status == 201, made.json
        return made.json["account_id"]

    async def instagram(self) -> str:
        """A connected account. Its platform fetches what it is to show from the usual server."""
        back = await self.consent(await self.person("instagram"), platform="instagram")
        made = await self.exchange(back, "instagram")
        assert made.status == 201, made.json
        return made.json["account_id"]

    async def pages(self, account_id: str) -> list[Any]:
        return (await self.get(f"/v1/accounts/{account_id}/pages")).json["data"]

    async def switch_off(self, account_id: str) -> str:
        """Switch the account's first page off; its id."""
        page = (await self.pages(account_id))[0]["id"]
        path = f"/v1/accounts/{account_id}/pages/{page}"
        assert (await self.call("PATCH", path, {"is_active": False})).status == 200
        return page

    # Media and posts

    async def upload(self, content: bytes) -> Answer:
        return await self.call(
            "POST", "/v1/media/upload", files={"file": ("picture.jpg", content, "image/jpeg")}
        )

    async def media(self, content: bytes) -> str:
        made = await self.upload(content)
        assert made.status == 201, made.json
        return made.json["media_id"]

    async def draft(self, *account_ids: str, **more: Any) -> str:
        made = await self.post("/v1/posts", post_body(*account_ids, **more))
        assert made.status == 201, made.json
        return made.json["id"]

    async def publish(self, *account_ids: str, **more: Any) -> str:
        return await self.draft(*account_ids, publish_now=True, **more)

    async def read(self, post_id: str) -> Any:
        found = await self.get(f"/v1/posts/{post_id}")
        assert found.status == 200, found.json
        return found.json

    async def until(self, post_id: str, wanted: Callable[[Any], Any], within: float = 20) -> Any:
        """The post's first target once it is as wanted."""
        deadline = time.monotonic() + within
        while not wanted(target := (await self.read(post_id))["targets"][0]):
            assert time.monotonic() < deadline, target
            await asyncio.sleep(0.03)
        return target

    async def error_of(self, post_id: str) -> Any:
        """What the post's first target says is wrong, as soon as it does."""
        return (await self.until(post_id, lambda target: target["error"]))["error"]

    async def ended(self, post_id: str) -> Any:
        """The post's first target once it has ended."""
        return await self.until(post_id, lambda target: target["status"] in ENDED)


def post_body(*account_ids: str, **more: Any) -> dict[str, Any]:
    """No two say the same."""
    text = f"number {next(_numbers)}"
    return {"text": text, "targets": [{"account_id": account_id} for account_id in account_ids], **more}
