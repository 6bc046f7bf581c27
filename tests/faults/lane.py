"""A lane: one database, one sandbox, connected accounts, and workers that come and go."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import multiprocessing
import signal
import socket
import time
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import httpx2
import sqlalchemy as sa
import uvicorn

import samples
from api import make_workspace
from faults import victim
from faults.connecting import connect, upload
from faults.hurry import hurry
from faults.victim import Fate
from hubbub import main
from hubbub.runtime.process import Runtime
from hubbub.runtime.settings import Settings
from hubbub.runtime.work import Mode
from hubbub.surfaces.api import routers
from hubbub.surfaces.api.app import create_app

RECOVERS_WITHIN = 90.0
STARTS_WITHIN = 30.0
CONTROL_SECONDS = 60.0
UNHARMED = Fate()

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["pytest", "hubbub.main", "hubbub.domains.posts.jobs", "faults.victim"])


class Stuck(AssertionError):
    """Something did not end in time."""


@dataclass
class Lane:
    settings: dict[str, Any]
    sandbox: str
    runtime: Runtime
    client: httpx2.AsyncClient
    """To the API, in this process, with a key."""
    controls: httpx2.AsyncClient
    """To the sandbox's controls."""
    accounts: dict[str, str] = field(default_factory=dict[str, str])
    media_id: str = ""
    remote: dict[str, str] = field(default_factory=dict[str, str])
    """Remote ids by what they are: the `page` and the `ig` account that posts go to."""
    workers: list[Any] = field(default_factory=list[Any])
    starting: asyncio.Semaphore | None = None
    """Limits how many workers start at a time, where many lanes share few cores."""
    hurried: bool = True
    """Whether the sandbox is given less time than the facts of the platforms say."""

    # The sandbox

    async def control(self, path: str, body: dict[str, Any] | None = None) -> Any:
        client = self.controls
        answer = await client.post(path, json=body) if body is not None else await client.get(path)
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

    async def is_over(self, post_id: str) -> bool:
        """Whether every target has ended and nothing is left to be done for one; cheaper than asking the API."""
        query = sa.text(
            "SELECT count(*) FROM targets WHERE post_id = :id"
            " AND (due_at IS NOT NULL OR status NOT IN ('published', 'failed', 'unconfirmed'))"
        )
        async with self.runtime.database.begin() as db:
            return (await db.execute(query, {"id": UUID(post_id)})).scalar_one() == 0

    async def once_over(self, post_id: str, within: float, look_every: float = 0.1) -> dict[str, Any]:
        """The post, when it is over."""
        deadline = time.monotonic() + within
        while not await self.is_over(post_id):
            if time.monotonic() > deadline:
                post = await self.call("GET", f"/v1/posts/{post_id}")
                raise Stuck(f"still {post['targets']}")
            await asyncio.sleep(look_every)
        return await self.call("GET", f"/v1/posts/{post_id}")

    # Workers

    async def start_worker(self, fate: Fate = UNHARMED, seen: Connection | None = None) -> Any:
        """A worker process, once it works."""
        ours, theirs = new_pipe()
        arguments = (self.settings, fate, seen, theirs, self.hurried)
        async with self.starting or contextlib.nullcontext():
            worker = _processes.Process(target=victim.work, args=arguments, daemon=True)
            worker.start()
            self.workers.append(worker)
            theirs.close()
            await readable(ours.fileno(), STARTS_WITHIN)
        ours.close()
        return worker

    async def stop_workers(self) -> None:
        for worker in self.workers:
            if worker.is_alive():
                worker.kill()
        for worker in self.workers:
            await readable(worker.sentinel, 10)
            worker.join(1)
        self.workers.clear()

    def call_of(self, on: str) -> str:
        """A call as the sandbox's `next` names it, with ids of ours in the place of `{page}` and `{ig}`."""
        return on.format(**self.remote)


def new_pipe() -> tuple[Connection, Connection]:
    """Ours to read from, and one for a worker to send into."""
    return _processes.Pipe(duplex=False)


async def readable(descriptor: int, within: float) -> bool:
    """Wait until there is something to read; of a process's sentinel, that it has ended. False after `within` seconds."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        async with asyncio.timeout(within):
            await ready.wait()
        return True
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(descriptor)


async def dies(worker: Any, within: float) -> bool:
    """Whether a worker is killed in this time. Raises Stuck when it ended in another way."""
    if not await readable(worker.sentinel, within):
        return False
    worker.join(5)
    if worker.exitcode != -signal.SIGKILL:
        raise Stuck(f"a worker ended by itself: {worker.exitcode}")
    return True


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
    database_url: str,
    sandbox: str,
    data_dir: Path,
    mode: Mode = "sandbox",
    starting: asyncio.Semaphore | None = None,
    hurried: bool = True,
    **more: Any,
) -> AsyncGenerator[Lane]:
    """A lane with a picture, and in the sandbox with an account on every platform; `more` are settings.

    Platforms fetch the picture over a socket.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    settings: dict[str, Any] = {
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
    if hurried:
        hurry(runtime.platforms)
    app = create_app(runtime, routers.found())
    try:
        _, key = await make_workspace(runtime, mode)
        transport = httpx2.ASGITransport(app=cast("Any", app))
        headers = {"Authorization": f"Bearer {key}"}
        async with (
            serving(app, listening),
            httpx2.AsyncClient(transport=transport, base_url="http://hubbub.test", headers=headers) as client,
            httpx2.AsyncClient(base_url=sandbox, timeout=CONTROL_SECONDS) as controls,
        ):
            lane = Lane(settings, sandbox, runtime, client, controls, starting=starting, hurried=hurried)
            if mode == "sandbox":
                await connect(lane)
            lane.media_id = await upload(lane, samples.jpeg(data_dir / "picture.jpg").read_bytes())
            try:
                yield lane
            finally:
                await lane.stop_workers()
    finally:
        await runtime.close()
        listening.close()
