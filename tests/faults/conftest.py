"""Lanes: runs with their own database and sandbox beside each other, as many as two cores bear."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable

import pytest

from api import database_url, migrate, postgres
from faults.lane import Lane, open_lane
from hubbub.emulation.testing import running_sandbox
from pg import Server

__all__ = ["database_url", "lanes", "migrate", "postgres"]

LANES = 6


@pytest.fixture(scope="module")
async def lanes(
    postgres: Server, migrate: Callable[[str], None], tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[list[Lane]]:
    async with contextlib.AsyncExitStack() as stack:
        opened: list[Lane] = []
        for _ in range(LANES):
            url = postgres.create_database(postgres.template(migrate))
            stack.callback(postgres.drop_database, url)
            folder = tmp_path_factory.mktemp("lane")
            sandbox = stack.enter_context(running_sandbox())
            opened.append(await stack.enter_async_context(open_lane(url, sandbox, folder)))
        yield opened
