"""Where the long form runs: a few database servers, and lanes spread over them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Generator, Sequence
from pathlib import Path
from typing import Any

from faults.lane import Lane, open_lane
from hubbub.emulation.testing import running_sandbox
from hubbub.runtime import migrate as migrations
from hubbub.runtime import postgres as embedded
from pg import Server

LANES_OF_A_SERVER = 4
"""As many as its connections are enough for."""
STARTING = 3
"""How many workers start at a time."""


def migrate(url: str) -> None:
    asyncio.run(migrations.migrate(url))


@contextlib.contextmanager
def server(place: Path) -> Generator[Server]:
    place.mkdir()
    running = embedded.start(place / "data", place / "postgres.log", durable=False)
    try:
        yield Server(running)
    finally:
        running.stop()


@contextlib.asynccontextmanager
async def lanes(place: Path, count: int, **settings: Any) -> AsyncGenerator[Sequence[Lane]]:
    """So many lanes, each with a database and a sandbox of its own; `settings` are those that differ from the default."""
    starting, servers = asyncio.Semaphore(STARTING), list[Server]()
    async with contextlib.AsyncExitStack() as stack:
        opened: list[Lane] = []
        for number in range(count):
            if number % LANES_OF_A_SERVER == 0:
                servers.append(stack.enter_context(server(place / f"server{number}")))
            url = servers[-1].create_database(servers[-1].template(migrate))
            folder = place / f"lane{number}"
            folder.mkdir()
            sandbox = stack.enter_context(running_sandbox())
            lane = open_lane(url, sandbox, folder, starting=starting, hurried=False, **settings)
            opened.append(await stack.enter_async_context(lane))
        yield opened
