"""One lane with a worker in this process: posts go out while the test looks on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest

from api import database_url, migrate, postgres  # noqa: F401 - fixtures
from faults.lane import Lane, open_lane
from hubbub.emulation.testing import running_sandbox
from hubbub.runtime.durable import Worker
from pg import Server


@pytest.fixture
async def idle(postgres: Server, migrate: Callable[[str], None], tmp_path: Path) -> AsyncGenerator[Lane]:
    """Without a worker: nothing begins by itself."""
    url = postgres.create_database(postgres.template(migrate))
    try:
        with running_sandbox() as sandbox:
            async with open_lane(url, sandbox, tmp_path) as opened:
                yield opened
    finally:
        postgres.drop_database(url)


@pytest.fixture
async def lane(idle: Lane) -> AsyncGenerator[Lane]:
    worker = Worker(idle.runtime)
    working = asyncio.create_task(worker.run())
    try:
        yield idle
    finally:
        worker.stop()
        await working
