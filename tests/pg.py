"""A PostgreSQL server for tests: one per test process, one fresh database per test that asks.

Fixtures: `postgres` (the server), `database_url` (an empty or migrated database, dropped afterwards).
A suite that wants its tables overrides the session fixture `migrate` with one that returns a function
taking a URL; it is run once, on a template that every later database is copied from.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from hubbub.runtime import postgres as embedded

TEMPLATE = "migrated"
_numbers = itertools.count(1)


class Server:
    """A running server without durability, and the databases on it."""

    def __init__(self, running: embedded.Running) -> None:
        self.running = running
        self._migrated: Callable[[str], None] | None = None

    def url(self, database: str) -> str:
        return self.running.url.replace("/postgres?", f"/{database}?")

    def create_database(self, template: str | None = None) -> str:
        """The URL of a new database, empty or a copy of `template` (which nobody may be using)."""
        name = f"test_{os.getpid()}_{next(_numbers)}"
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template or "template0"}" STRATEGY FILE_COPY')
        return self.url(name)

    def drop_database(self, url: str) -> None:
        name = url.split("?")[0].rsplit("/", 1)[1]
        self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def template(self, migrate: Callable[[str], None]) -> str:
        """The name of a database that `migrate(url)` has prepared; prepared once per function."""
        if self._migrated is not migrate:
            self.run(f'DROP DATABASE IF EXISTS "{TEMPLATE}" WITH (FORCE)')
            self.run(f'CREATE DATABASE "{TEMPLATE}" TEMPLATE template0 STRATEGY FILE_COPY')
            _aside(migrate, self.url(TEMPLATE))
            self._migrated = migrate
        return TEMPLATE

    def run(self, statement: str, database: str = "postgres") -> list[asyncpg.Record]:
        """Run one statement, outside a transaction, from code that may or may not be in a loop."""

        async def go() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(self.url(database).replace("+asyncpg", ""))
            try:
                return await connection.fetch(statement)
            finally:
                await connection.close()

        return _aside(lambda _: asyncio.run(go()), "")


_shared: list[tuple[Server, Path]] = []
_users: list[None] = []


def _aside(work: Callable[[str], Any], url: str) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work, url).result()


@pytest.fixture(scope="session")
def migrate() -> Callable[[str], None] | None:
    """Override to give every test database its tables."""
    return None


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The server of this process, also when several conftests import this fixture."""
    if not _shared:
        place = Path(tempfile.mkdtemp(prefix="hubbub-test-"))
        running = embedded.start(place / "data", place / "postgres.log", durable=False)
        _shared.append((Server(running), place))
    _users.append(None)
    server, place = _shared[0]
    try:
        yield server
    finally:
        _users.pop()
        if not _users:
            _shared.clear()
            server.running.stop()
            shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def database_url(postgres: Server, migrate: Callable[[str], None] | None) -> Iterator[str]:
    """A database of this test's own."""
    url = postgres.create_database(postgres.template(migrate) if migrate else None)
    yield url
    postgres.drop_database(url)
