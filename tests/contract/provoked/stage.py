"""What is attacked: servers on sockets (as usual, with little room, with other settings, without a database), and a worker."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import errno
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import uvicorn

from api import Answer
from hubbub import main
from hubbub.runtime.blobs import DiskBlobs
from hubbub.runtime.db import metadata
from hubbub.runtime.durable import Worker
from hubbub.runtime.process import Runtime
from hubbub.runtime.settings import Settings
from hubbub.surfaces.api import routers
from hubbub.surfaces.api.app import create_app
from pg import Server
from provoked.envelope import check_refusal
from surfaces.declared import Declared

PASSWORD = "sandbox"
ENCRYPTION_KEY = base64.b64encode(b"a key that nobody may ever read!").decode()
DEADLINE_SECONDS = 3.0
"""How long posts wait for their account here."""
LITTLE_BYTES = 500
"""What the server with little room stores, and takes as a body."""


@dataclass
class Stage:
    """The servers, and the sandbox they talk to. Every refusal that passes through `call` is examined."""

    runtime: Runtime
    sandbox: str
    usual_url: str
    others: dict[str, Settings]
    """Servers that few ask for; each is started when somebody does."""
    stack: contextlib.AsyncExitStack
    client: httpx2.AsyncClient
    declared: Declared
    secrets: set[str] = field(default_factory=set[str])
    """What may never be in an answer."""
    _urls: dict[str, str] = field(default_factory=dict[str, str])

    async def other(self, name: str) -> str:
        """The URL of another server: a name in `others`."""
        if name not in self._urls:
            runtime, url = await self.stack.enter_async_context(running(self.others[name]))
            if name == "full":
                runtime.blobs = FullDisk(runtime.settings.data_dir / "full")
            self._urls[name] = url
        return self._urls[name]

    async def call(
        self, method: str, path: str, *, at: str | None = None, undeclared: bool = False, **how: Any
    ) -> Answer:
        """Call a server (`at` is its URL) and examine what it answers.

        `undeclared`: the sandbox was told to answer what it never would there, so the description may not know it.
        """
        base = at or self.usual_url
        heard = await self.client.request(method, base + path, **how)
        is_json = heard.headers.get("content-type") == "application/json" and heard.content
        answer = Answer(heard.status_code, heard.json() if is_json else None, heard.headers, heard.content)
        if answer.status >= 400 and method != "HEAD" and "text/html" not in heard.headers["content-type"]:
            check_refusal(answer, base, self.secrets)
        if not undeclared and method not in ("HEAD", "OPTIONS") and answer.status != 500:
            self.declared.check(method, httpx2.URL(base + path).path, answer.status, answer.json)
        return answer

    async def control(self, path: str, body: Any = None) -> Any:
        """The sandbox's own interface: a POST with a body, a GET without."""
        heard = await self.client.request(
            "GET" if body is None else "POST", f"{self.sandbox}/_sandbox{path}", json=body
        )
        assert heard.status_code == 200, heard.text
        return heard.json()

    async def fault(self, platform: str, on: str, then: str, **params: Any) -> None:
        await self.control(f"/{platform}/next", {"on": on, "then": then, "params": params})

    async def rows(self) -> dict[str, int]:
        """How many rows every table of the product has."""
        counts = " UNION ALL ".join(
            f"SELECT '{name}' AS name, count(*) AS number FROM \"{name}\"" for name in sorted(metadata.tables)
        )
        return {row.name: row.number for row in await self.sql(counts)}

    async def sql(self, statement: str, *values: Any) -> list[Any]:
        """For states that take days to come about by themselves."""
        async with self.runtime.database.begin() as db:
            result: Any = await db.exec_driver_sql(statement, values)
            return list(result.all()) if getattr(result, "returns_rows", True) else []


@functools.cache
def declared() -> Declared:
    return Declared(None, routers.found())


class FullDisk(DiskBlobs):
    """A disk without room for anything more."""

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> int:
        async def cut_short() -> AsyncIterator[bytes]:
            async for _ in chunks:
                raise OSError(errno.ENOSPC, "No space left on device")
            yield b""

        return await super().put(key, cut_short())


class _Uvicorn(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


@contextlib.asynccontextmanager
async def serving(app: Any) -> AsyncGenerator[str]:
    """The URL of an application on a free port, for the length of the block."""
    server = _Uvicorn(uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off"))
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncGenerator[tuple[Runtime, str]]:
    """A runtime of these settings, and the URL its API listens at."""
    runtime = Runtime.build(settings)
    try:
        async with serving(create_app(runtime, routers.found())) as url:
            yield runtime, url
    finally:
        await runtime.close()


@contextlib.asynccontextmanager
async def working(runtime: Runtime) -> AsyncGenerator[None]:
    worker = Worker(runtime)
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await task


@contextlib.asynccontextmanager
async def open_stage(
    postgres: Server, migrate: Callable[[str], None], sandbox: str, folder: Path
) -> AsyncGenerator[Stage]:
    main.load_domains()
    url = postgres.create_database(postgres.template(migrate))
    empty = postgres.create_database()
    usual = Settings(
        database_url=url,
        data_dir=folder,
        encryption_key=ENCRYPTION_KEY,  # pyright: ignore[reportArgumentType]
        sandbox_url=sandbox,
        db_pool_size=4,
        takeover_seconds=1,
        worker_concurrency=8,
        account_deadline_hours=DEADLINE_SECONDS / 3600,
    )
    little = {"sandbox_url": None, "storage_limit_bytes": LITTLE_BYTES, "max_body_bytes": LITTLE_BYTES}
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(postgres.drop_database, url)
        stack.callback(postgres.drop_database, empty)
        client = await stack.enter_async_context(httpx2.AsyncClient(trust_env=False, timeout=30))
        runtime, usual_url = await stack.enter_async_context(running(usual))
        # Where platforms fetch media; known only now.
        runtime.settings = usual.model_copy(update={"public_url": usual_url})
        others = {
            "tight": usual.model_copy(update=little),
            "free": usual.model_copy(update={"plan": "free"}),
            "hurried": usual.model_copy(update={"requests_per_minute": 2}),
            "open": usual.model_copy(update={"sign_up": "open"}),
            "full": usual,
            "broken": usual.model_copy(update={"database_url": empty}),
            "dead": usual.model_copy(update={"database_url": empty.replace("/test_", "/no_test_")}),
        }
        await stack.enter_async_context(working(runtime))
        secrets = {ENCRYPTION_KEY, runtime.settings.key_bytes().decode(), url}
        yield Stage(runtime, sandbox, usual_url, others, stack, client, declared(), secrets)
