from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from hubbub.runtime import db, migrate
from pg import Server

pytestmark = pytest.mark.anyio


@pytest.fixture
def empty(postgres: Server) -> Iterator[str]:
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)


async def run(url: str, work: Any, *arguments: Any) -> Any:
    async with db.as_owner(url) as connection:
        return await connection.run_sync(work, *arguments)


def ours(_: Any, name: str | None, kind: str, *__: Any) -> bool:
    return kind != "table" or not (name or "").startswith("pgqueuer")


def differences(connection: sa.Connection) -> Any:
    options = {"include_object": ours, "compare_server_default": True, "compare_type": True}
    return compare_metadata(MigrationContext.configure(connection, opts=options), db.metadata)


def tables(connection: sa.Connection) -> set[str]:
    return {name for name in sa.inspect(connection).get_table_names() if not name.startswith("pgqueuer")}


def downgrade(connection: sa.Connection) -> None:
    settings = migrate.config()
    settings.attributes["connection"] = connection
    command.downgrade(settings, "base")


async def test_migrations_and_tables_agree(empty: str) -> None:
    await migrate.migrate(empty)
    migrate.load_tables()
    assert await run(empty, differences) == []
    assert await run(empty, tables) == {*db.metadata.tables, "alembic_version"}


async def test_processes_that_start_together_take_turns(empty: str) -> None:
    await asyncio.gather(*(migrate.migrate(empty) for _ in range(4)))
    assert "api_keys" in await run(empty, tables)


async def test_nothing_to_do_takes_no_time(empty: str) -> None:
    await migrate.migrate(empty)
    began = time.monotonic()
    await migrate.migrate(empty)
    assert time.monotonic() - began < 0.5


async def test_everything_can_be_undone(empty: str) -> None:
    await migrate.migrate(empty)
    await run(empty, downgrade)
    assert await run(empty, tables) == {"alembic_version"}
    await migrate.migrate(empty)
    assert "api_keys" in await run(empty, tables)
