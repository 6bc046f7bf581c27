"""A started API on a database of its own, with a key: fixtures `api`, `runtime`, `api_server`.

A suite's conftest imports what it uses: `from api import *`.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
import uvicorn

from hubbub.domains.keys import service as keys
from hubbub.domains.workspaces import service as workspaces
from hubbub.runtime import migrate as migrations
from hubbub.runtime.process import Runtime
from hubbub.runtime.settings import Settings
from hubbub.runtime.work import Caller, Mode, Work, open_work
from hubbub.surfaces.api import routers
from hubbub.surfaces.api.app import create_app
from pg import database_url, postgres
from surfaces.declared import Declared

__all__ = [
    "Answer",
    "Api",
    "api",
    "api_server",
    "database_url",
    "make_workspace",
    "migrate",
    "postgres",
    "runtime",
    "settings",
]


@dataclass(frozen=True)
class Answer:
    status: int
    json: Any
    headers: httpx2.Headers
    content: bytes

    @property
    def code(self) -> str | None:
        """The error's code; None on success."""
        return self.json["error"]["code"] if isinstance(self.json, dict) and "error" in self.json else None


@dataclass
class Api:
    """A client with a key. `api.get("/v1/…", query={…})`, `api.post("/v1/…", {…})`, `api.as_(key)`."""

    client: httpx2.AsyncClient
    runtime: Runtime
    workspace_id: UUID
    key: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    async def call(self, method: str, path: str, **how: Any) -> Answer:
        own = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        headers = {**own, **self.headers, **how.pop("headers", {})}
        answer = await self.client.request(
            method, path, headers={name: value for name, value in headers.items() if value is not None}, **how
        )
        is_json = answer.headers.get("content-type") == "application/json" and answer.content
        return Answer(answer.status_code, answer.json() if is_json else None, answer.headers, answer.content)

    async def get(self, path: str, query: Mapping[str, Any] | None = None, **how: Any) -> Answer:
        return await self.call("GET", path, params=query, **how)

    async def post(self, path: str, body: Any = None, **how: Any) -> Answer:
        return await self.call("POST", path, **({"json": body} if body is not None else {}), **how)

    async def patch(self, path: str, body: Any = None, **how: Any) -> Answer:
        return await self.call("PATCH", path, **({"json": body} if body is not None else {}), **how)

    async def put(self, path: str, content: bytes = b"", **how: Any) -> Answer:
        return await self.call("PUT", path, content=content, **how)

    async def delete(self, path: str, **how: Any) -> Answer:
        return await self.call("DELETE", path, **how)

    def as_(self, key: str) -> Api:
        """The same API for another key; an empty one sends no header."""
        return replace(self, key=key)

    @contextlib.asynccontextmanager
    async def work(self, mode: Mode = "live") -> AsyncGenerator[Work]:
        """One transaction on behalf of the workspace."""
        async with open_work(self.runtime, Caller(workspace_id=self.workspace_id, mode=mode)) as work:
            yield work

    async def new_key(self, **how: Any) -> str:
        """Another key of the workspace: `scopes`, `brand_ids`, `mode`."""
        async with self.work() as work:
            return (await keys.create(work, "another", **how)).raw_key.reveal()

    async def elsewhere(self) -> Api:
        """The same API for another workspace."""
        workspace_id, key = await make_workspace(self.runtime)
        return replace(self, workspace_id=workspace_id, key=key)


async def make_workspace(runtime: Runtime, mode: Mode = "live") -> tuple[UUID, str]:
    """A workspace and a key without restrictions."""
    async with runtime.database.begin() as connection:
        made = await workspaces.create_workspace(connection, "Test", "owner@example.com")
        work = Work(connection, runtime, Caller(workspace_id=made.id, mode=mode))
        return made.id, (await keys.create(work, "test")).raw_key.reveal()


def _migrate(url: str) -> None:
    asyncio.run(migrations.migrate(url))


@pytest.fixture(scope="session")
def migrate() -> Callable[[str], None]:
    return _migrate


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Override for other settings."""
    return Settings(
        database_url=database_url,
        data_dir=tmp_path,
        encryption_key=base64.b64encode(b"k" * 32).decode(),  # pyright: ignore[reportArgumentType]
        db_pool_size=3,
    )


@pytest.fixture
async def runtime(settings: Settings) -> AsyncGenerator[Runtime]:
    """The process's runtime, in the test's own event loop."""
    built = Runtime.build(settings)
    try:
        yield built
    finally:
        await built.close()


@pytest.fixture
async def api(runtime: Runtime) -> AsyncGenerator[Api]:
    """The whole API, called in process; every answer is held against the description."""
    found = routers.found()
    app = Declared(create_app(runtime, found), found)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=True)
    workspace_id, key = await make_workspace(runtime)
    async with httpx2.AsyncClient(transport=transport, base_url="http://api.test") as client:
        yield Api(client, runtime, workspace_id, key)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


@pytest.fixture
async def api_server(runtime: Runtime) -> AsyncGenerator[Api]:
    """The same over a real socket: uvicorn in the test's own event loop, on a free port."""
    found = routers.found()
    app = Declared(create_app(runtime, found), found)
    server = _Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    workspace_id, key = await make_workspace(runtime)
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        yield Api(client, runtime, workspace_id, key)
    server.should_exit = True
    await serving
    assert not app.wrong
