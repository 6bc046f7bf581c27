"""Bring a database to the tables this version needs."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

import hubbub
from hubbub.runtime import db, durable

ROOT = Path(hubbub.__file__).parent
_LOCK = 4_820_267_113_905_501
"""Any number that no other program uses as an advisory lock."""


def load_tables() -> None:
    """Import every domain's tables into `db.metadata`. A domain counts because its folder has a tables.py."""
    for found in sorted(ROOT.glob("domains/*/tables.py")):
        import_module(f"hubbub.domains.{found.parent.name}.tables")


def config() -> Config:
    settings = Config()
    settings.set_main_option("script_location", str(ROOT / "migrations"))
    return settings


def newest() -> str:
    """The revision this version of the code needs."""
    head = ScriptDirectory.from_config(config()).get_current_head()
    if head is None:
        raise RuntimeError("the package has no migrations")
    return head


async def migrate(database_url: str) -> None:
    """Create or upgrade every table, ours and the durable engine's. Harmless to repeat.

    Processes that start together take turns. Raises asyncpg.PostgresError or OSError when the database cannot
    be reached or altered.
    """
    turn = await asyncpg.connect(db.plain(database_url))
    try:
        await turn.execute("SELECT pg_advisory_lock($1)", _LOCK)
        if await _revision(turn) != newest():
            await _upgrade(database_url)
        await durable.install(database_url)
    finally:
        await turn.close()


async def _revision(connection: asyncpg.Connection) -> str | None:
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    return await connection.fetchval("SELECT version_num FROM alembic_version")


async def _upgrade(database_url: str) -> None:
    async with db.as_owner(database_url) as connection:
        await connection.run_sync(_run, "head")


def _run(connection: Connection, revision: str) -> None:
    settings = config()
    settings.attributes["connection"] = connection
    command.upgrade(settings, revision)


async def draft(database_url: str, message: str) -> None:
    """Write a new revision file from what the tables have and a migrated database lacks; to be read and tidied."""
    load_tables()
    async with db.as_owner(database_url) as connection:
        await connection.run_sync(_draft, message)


def _draft(connection: Connection, message: str) -> None:
    settings = config()
    settings.attributes["connection"] = connection
    number = len(list((ROOT / "migrations" / "versions").glob("*.py"))) + 1
    command.revision(settings, message, autogenerate=True, rev_id=f"{number:04}")
