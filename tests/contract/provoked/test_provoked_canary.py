"""Secrets with marks on them go through a whole round in a real process; nobody may find them afterwards."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import httpx2
import pytest

from hubbub.domains.accounts import service as accounts
from hubbub.domains.accounts import vault
from hubbub.runtime.process import Runtime
from hubbub.runtime.settings import Settings
from hubbub.runtime.work import Caller, open_work
from pg import Server
from provoked.by_media import picture

pytestmark = pytest.mark.anyio

HUBBUB = str(Path(sys.executable).with_name("hubbub"))
PASSWORD = "canary-in-the-password"
KEY_BYTES = b"canary in the key that encrypts!"
APP_SECRET = "canary-in-the-app-secret"
PATIENCE_SECONDS = 60.0


@dataclass
class Round:
    """A running `hubbub up`, what it said, and what must not be in it."""

    said: dict[str, Any]
    client: httpx2.AsyncClient
    answers: list[str] = field(default_factory=list[str])

    async def call(self, method: str, path: str, body: Any = None, **how: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.said['key']}"}
        heard = await self.client.request(method, self.said["api"] + path, json=body, headers=headers, **how)
        self.answers.append(f"{heard.status_code} {dict(heard.headers)} {heard.text}")
        return heard.json() if heard.content and "json" in heard.headers["content-type"] else None

    async def sandbox(self, path: str, body: Any) -> None:
        heard = await self.client.post(f"{self.said['sandbox']}/_sandbox{path}", json=body)
        assert heard.status_code == 200, heard.text

    async def fault(self, platform: str, on: str, then: str, **params: Any) -> None:
        await self.sandbox(f"/{platform}/next", {"on": on, "then": then, "params": params})

    async def ended(self, post_id: str) -> Any:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (post := await self.call("GET", f"/v1/posts/{post_id}"))["status"] == "publishing":
            target = post["targets"][0]
            if (target["error"] or {}).get("action") == "reconnect_account":
                break
            assert time.monotonic() < deadline, post
            await asyncio.sleep(0.1)
        return post


@contextlib.contextmanager
def started(folder: Path, database_url: str) -> Iterator[dict[str, Any]]:
    """`hubbub up` with everything logged; what it writes is in `out` and `err`."""
    ready = folder / "ready.json"
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "DATABASE_URL": database_url,
        "HUBBUB_ENCRYPTION_KEY": base64.b64encode(KEY_BYTES).decode(),
        "HUBBUB_OTHER_CLIENT_SECRET": APP_SECRET,
        "HUBBUB_LOG_FORMAT": "json",
        "HUBBUB_LOG_LEVEL": "debug",
    }
    asked = [
        "--data-dir",
        str(folder / "data"),
        "--port",
        "0",
        "--sandbox-port",
        "0",
        "--ready-file",
        str(ready),
    ]
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        process = subprocess.Popen([HUBBUB, "up", *asked], cwd=folder, env=variables, stdout=out, stderr=err)
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not ready.exists():
                assert process.poll() is None, (folder / "err").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield json.loads(ready.read_text())
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
async def place(
    postgres: Server, migrate: Callable[[str], None], tmp_path: Path
) -> AsyncGenerator[tuple[Path, str]]:
    url = postgres.create_database(postgres.template(migrate))
    yield tmp_path, url
    postgres.drop_database(url)


async def test_no_secret_is_ever_written_down(place: tuple[Path, str]) -> None:
    folder, url = place
    with started(folder, url) as said:
        async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
            round = Round(said, client)
            tokens = await live_through(round, url, folder)
    logged = (folder / "err").read_text()
    assert '"event": "request"' in logged, "the log of the round is there"
    told = {
        "log": logged,
        "answers": "\n".join(round.answers),
        "tables": await dump(url, folder),
    }
    encryption_key = base64.b64encode(KEY_BYTES).decode()
    secrets = {PASSWORD, KEY_BYTES.decode(), encryption_key, APP_SECRET, said["key"], *tokens}
    assert len(tokens) >= 6
    found = [(where, secret) for where, text in told.items() for secret in secrets if secret in text]
    assert found == []
    printed = (folder / "out").read_text()
    assert [secret for secret in secrets - {said["key"]} if secret in printed] == []


async def live_through(round: Round, url: str, folder: Path) -> set[str]:
    """Connect, publish, fail in every way, retry, delete, disconnect; the tokens that were used."""
    await round.sandbox("/bluesky/people", {"username": "rosa", "name": "Rosa", "password": PASSWORD})
    await round.sandbox("/facebook/people", {"username": "tom", "name": "Tom", "places": ["Tom's"]})
    tokens: set[str] = set()
    bluesky, facebook = await connect(round)
    tokens |= await tokens_of(round, url, folder, bluesky, facebook)
    upload = await round.call("POST", "/v1/media/upload", files={"file": ("a.png", picture(), "image/png")})
    page = (await round.call("GET", f"/v1/accounts/{facebook}/pages"))["data"][0]["platform_page_id"]
    record, feed = "POST /xrpc/com.atproto.repo.createRecord", f"POST /{page}/feed"
    faults: list[tuple[str, str, str, dict[str, Any]]] = [
        ("bluesky", record, "refuse", {"error": "record_invalid"}),
        ("bluesky", record, "expire_token", {}),
        ("bluesky", record, "garbage", {}),
        ("bluesky", record, "accept_then_500", {}),
        ("facebook", feed, "refuse", {"error": "content_rejected"}),
        ("facebook", feed, "drop", {}),
        ("facebook", feed, "revoke", {}),
    ]
    posts: list[str] = []
    for number, (platform, on, then, params) in enumerate(faults):
        await round.fault(platform, on, then, **params)
        account_id = bluesky if platform == "bluesky" else facebook
        body = {"text": f"round {number}", "publish_now": True, "targets": [{"account_id": account_id}]}
        made = await round.call("POST", "/v1/posts", {**body, "media_ids": [upload["media_id"]]})
        posts.append(made["id"])
    for post_id in posts:
        await round.ended(post_id)
    tokens |= await tokens_of(round, url, folder, bluesky)
    await round.call("POST", f"/v1/posts/{posts[0]}/retry")
    await round.ended(posts[0])
    spare = await round.call("POST", "/v1/keys", {"name": "spare"})
    round.answers.pop()  # The one answer that shows a key, on purpose.
    tokens.add(spare["raw_key"])
    await round.call("GET", "/v1/keys")
    await round.call("GET", "/v1/accounts")
    await round.call("GET", "/v1/posts")
    for post_id in posts[:5]:
        await round.call("DELETE", f"/v1/posts/{post_id}")
    for account_id in (bluesky, facebook):
        await round.call("DELETE", f"/v1/accounts/{account_id}")
    return tokens


async def connect(round: Round) -> tuple[str, str]:
    fields = {"identifier": "rosa", "app_password": PASSWORD, "sandbox": True}
    body: dict[str, Any] = {"platform": "bluesky", "metadata": fields}
    for wrong in ({"state": 7}, {"brand_id": "x"}, {"metadata": {**fields, "identifier": "nobody"}}):
        await round.call("POST", "/v1/accounts/connect", {**body, **wrong})
    await round.fault("bluesky", "POST /xrpc/com.atproto.server.createSession", "garbage")
    await round.call("POST", "/v1/accounts/connect", body)
    bluesky = (await round.call("POST", "/v1/accounts/connect", body))["account_id"]
    asked = await round.call("POST", "/v1/accounts/connect", {"platform": "facebook"})
    heard = await round.client.get(asked["auth_url"] + "&sandbox_person=tom")
    back = dict(parse_qsl(urlsplit(heard.headers["location"]).query))
    exchange = {"platform": "facebook", "code": back["code"], "state": back["state"]}
    facebook = (await round.call("POST", "/v1/oauth/exchange", exchange))["account_id"]
    await round.call("POST", "/v1/oauth/exchange", exchange)
    return bluesky, facebook


def runtime_of(url: str, folder: Path) -> Runtime:
    return Runtime.build(
        Settings(
            database_url=url,
            data_dir=folder / "data",
            encryption_key=base64.b64encode(KEY_BYTES).decode(),  # pyright: ignore[reportArgumentType]
            sandbox_url="http://127.0.0.1:1",
            db_pool_size=1,
        )
    )


async def tokens_of(round: Round, url: str, folder: Path, *account_ids: str) -> set[str]:
    """What is in the vault for these accounts now, in the clear."""
    runtime, tokens = runtime_of(url, folder), set[str]()
    try:
        for account_id in account_ids:
            async with open_work(runtime, Caller(UUID(int=0))) as work:
                held = await vault.held(work, account_id)
            assert held is not None
            both = (held.grant.access_token, held.grant.refresh_token)
            tokens |= {token.reveal() for token in both if token is not None}
            for page in (await round.call("GET", f"/v1/accounts/{account_id}/pages")).get("data", []):
                connector = await accounts.connector_for(runtime, account_id, page["id"])
                assert connector.place_token is not None
                tokens.add(connector.place_token.reveal())
    finally:
        await runtime.close()
    return tokens


async def dump(url: str, folder: Path) -> str:
    """Every row of every table, and every binary value also as the text it might hide."""
    runtime = runtime_of(url, folder)
    try:
        async with runtime.database.begin() as db:
            names = await db.exec_driver_sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            rows = [
                str(row)
                for table in list(names.scalars())
                for row in (await db.exec_driver_sql(f'SELECT t::text FROM "{table}" t')).scalars()
            ]
    finally:
        await runtime.close()
    assert any("post.published" in row for row in rows), "the events of the round are there"
    hidden = [part.split('"')[0] for row in rows for part in row.split("\\\\x")[1:]]
    clear = [bytes.fromhex(part).decode("latin-1") for part in hidden if len(part) % 2 == 0]
    return "\n".join([*rows, *clear])
