"""A lane: one database, one sandbox, connected accounts, and workers that come and go."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import multiprocessing
import os
import re
import socket
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx2
import sqlalchemy as sa
import uvicorn

import samples
from api import make_workspace
from faults import victim
from faults.victim import Point
from hubbub import main
from hubbub.runtime.process import Runtime
from hubbub.runtime.settings import Settings
from hubbub.runtime.work import Mode
from hubbub.surfaces.api import routers
from hubbub.surfaces.api.app import create_app

RECOVERS_WITHIN = 90.0

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["faults.victim", "hubbub.domains.posts.jobs"])
_numbers = itertools.count(1)


@dataclass
class Ended:
    """What one run left behind."""

    status: str
    copies: int
    comments: int
    error: dict[str, Any] | None
    was_killed: bool
    seconds: float
    """From the kill (or the start) to the end."""
    post: dict[str, Any]


@dataclass
class Lane:
    settings: dict[str, Any]
    sandbox: str
    runtime: Runtime
    client: httpx2.AsyncClient
    """To the API, in this process, with a key."""
    accounts: dict[str, str] = field(default_factory=dict[str, str])
    media_id: str = ""
    remote: dict[str, str] = field(default_factory=dict[str, str])
    """Remote ids by what they are: the `page` and the `ig` account that posts go to."""
    workers: list[Any] = field(default_factory=list[Any])

    # The sandbox

    async def control(self, path: str, body: dict[str, Any] | None = None) -> Any:
        async with httpx2.AsyncClient(base_url=self.sandbox) as client:
            answer = await client.post(path, json=body or {}) if body is not None else await client.get(path)
            answer.raise_for_status()
            return answer.json()

    async def next(self, platform: str, on: str, then: str, **params: Any) -> None:
        await self.control(f"/_sandbox/{platform}/next", {"on": on, "then": then, "params": params})

    async def copies(self, platform: str, text: str) -> tuple[int, int]:
        """How often a text stands in the sandbox, and how often it was commented on by us."""
        world = await self.control(f"/_sandbox/{platform}/world")
        posts = [post for post in world["posts"] if post["text"] == text]
        comments = [comment for comment in world["comments"] if comment["text"] == f"first: {text}"]
        return len(posts), len(comments)

    # Posts

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.client.request(method, path, json=body)
        assert answer.status_code < 300, (answer.status_code, answer.text)
        return answer.json()

    async def post(self, platform: str, text: str, **more: Any) -> str:
        body = {
            "text": text,
            "media_ids": [self.media_id],
            "first_comment": f"first: {text}",
            "publish_now": True,
            "targets": [{"account_id": self.accounts[platform]}],
            **more,
        }
        return (await self.call("POST", "/v1/posts", body))["id"]

    async def ended(self, post_id: str, within: float = RECOVERS_WITHIN) -> dict[str, Any]:
        """The post, once its target has ended and nothing of it is under way any more."""
        deadline = time.monotonic() + within
        while True:
            post = await self.call("GET", f"/v1/posts/{post_id}")
            if (
                post["targets"][0]["status"] in ("published", "failed", "unconfirmed")
                and await self.is_quiet()
            ):
                # Read again: between the two looks the first comment may have ended.
                return await self.call("GET", f"/v1/posts/{post_id}")
            assert time.monotonic() < deadline, f"still {post['targets'][0]}"
            await asyncio.sleep(0.1)

    async def is_quiet(self) -> bool:
        async with self.runtime.database.begin() as db:
            due = sa.text("SELECT count(*) FROM targets WHERE due_at IS NOT NULL")
            return (await db.execute(due)).scalar_one() == 0

    # Workers

    def start_worker(self, die_at: Point | None = None, seen: Connection | None = None) -> Any:
        worker = _processes.Process(target=victim.work, args=(self.settings, die_at, seen), daemon=True)
        worker.start()
        self.workers.append(worker)
        return worker

    async def stop_workers(self) -> None:
        for worker in self.workers:
            if worker.is_alive():
                worker.kill()
        for worker in self.workers:
            await asyncio.to_thread(worker.join, 10)
        self.workers.clear()

    async def run(
        self,
        platform: str,
        die_at: Point | None,
        *,
        fault: str | None = None,
        on: str = "",
        racing: bool = False,
    ) -> Ended:
        """Publish once with a worker that dies at a point (and perhaps an answer that is lost), then recover."""
        text = f"run {next(_numbers)} on {platform}"
        if fault:
            await self.next(platform, self.call_of(on), fault)
        post_id = await self.post(platform, text)
        doomed = self.start_worker(die_at)
        began = time.monotonic()
        if racing:
            self.start_worker()
        killed = await self._until_dead_or_done(doomed, post_id)
        if killed:
            began = time.monotonic()
            self.start_worker()
        try:
            post = await self.ended(post_id)
        finally:
            await self.stop_workers()
        copies, comments = await self.copies(platform, text)
        target = post["targets"][0]
        return Ended(
            target["status"], copies, comments, target["error"], killed, time.monotonic() - began, target
        )

    async def _until_dead_or_done(self, doomed: Any, post_id: str) -> bool:
        deadline = time.monotonic() + RECOVERS_WITHIN
        while doomed.is_alive() and time.monotonic() < deadline:
            post = await self.call("GET", f"/v1/posts/{post_id}")
            if (
                post["targets"][0]["status"] in ("published", "failed", "unconfirmed")
                and await self.is_quiet()
            ):
                return False
            await asyncio.sleep(0.05)
        return not doomed.is_alive()

    async def survey(self, platform: str, fault: str | None = None, on: str = "") -> list[Point]:
        """Every point a run passes that nobody kills, in order."""
        text = f"survey {next(_numbers)} on {platform}"
        if fault:
            await self.next(platform, self.call_of(on), fault)
        ours, theirs = _processes.Pipe(duplex=False)
        post_id = await self.post(platform, text)
        self.start_worker(seen=theirs)
        points: list[Point] = []
        reading = asyncio.create_task(_read_all(ours, points))
        try:
            await self.ended(post_id)
            await asyncio.sleep(0.2)
        finally:
            await self.stop_workers()
            theirs.close()
            reading.cancel()
        return points

    def call_of(self, on: str) -> str:
        """A call as the sandbox's `next` names it, with ids of ours in the place of `{page}` and `{ig}`."""
        return on.format(**self.remote)


async def _read_all(ours: Connection, points: list[Point]) -> None:
    while True:
        while ours.poll():
            try:
                points.append(ours.recv())
            except EOFError:
                return
        await asyncio.sleep(0.02)


def distinct(points: Sequence[Point]) -> set[tuple[str, str]]:
    """The places, each before and after its wait."""
    return {(point.place, point.phase) for point in points}


def chosen(points: Sequence[Point]) -> list[Point]:
    """Where to kill: every place once before and once after its wait; everywhere with HUBBUB_TEST_EVERY_POINT=1."""
    if os.environ.get("HUBBUB_TEST_EVERY_POINT"):
        return list(points)
    first = {(point.place, point.phase): point for point in reversed(points)}
    return list(first.values())[::-1]


class Quiet(uvicorn.Server):
    """Leaves signals to the tests."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@contextlib.asynccontextmanager
async def serving(app: Any, listening: socket.socket) -> AsyncGenerator[None]:
    server = Quiet(uvicorn.Config(app, log_config=None, lifespan="off"))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await running


@contextlib.asynccontextmanager
async def open_lane(
    database_url: str, sandbox: str, data_dir: Path, mode: Mode = "sandbox", **more: Any
) -> AsyncGenerator[Lane]:
    """A lane with a picture, and in the sandbox with an account on every platform; `more` are settings.

    Platforms fetch the picture over a socket.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    settings = {
        "database_url": database_url,
        "sandbox_url": sandbox,
        "data_dir": data_dir,
        "encryption_key": base64.b64encode(b"k" * 32).decode(),
        "public_url": f"http://127.0.0.1:{listening.getsockname()[1]}",
        "worker_concurrency": 16,
        "db_pool_size": 3,
        "takeover_seconds": 1,
        **more,
    }
    main.load_domains()
    runtime = Runtime.build(Settings(**settings))
    app = create_app(runtime, routers.found())
    try:
        _, key = await make_workspace(runtime, mode)
        transport = httpx2.ASGITransport(app=app)
        headers = {"Authorization": f"Bearer {key}"}
        async with (
            serving(app, listening),
            httpx2.AsyncClient(transport=transport, base_url="http://hubbub.test", headers=headers) as client,
        ):
            lane = Lane(settings, sandbox, runtime, client)
            if mode == "sandbox":
                await connect(lane)
            lane.media_id = await upload(lane, samples.jpeg(data_dir / "picture.jpg").read_bytes())
            yield lane
            await lane.stop_workers()
    finally:
        await runtime.close()


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
