"""Look at a database from outside, for whoever asks what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from hubbub.runtime import db

CONNECT_SECONDS = 5
WAITING = """
    SELECT count(*) FROM pgqueuer WHERE status = 'queued' AND execute_after < now() - interval '1 minute'
"""
UNLOCKED = """
    SELECT c.relname::text FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'workspace_id' AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
      AND (NOT (c.relrowsecurity AND c.relforcerowsecurity)
           OR NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))
    ORDER BY c.relname
"""
PASSES_BY = """
    SELECT (rolsuper OR rolbypassrls) AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)
    FROM pg_roles WHERE rolname = session_user
"""


@dataclass(frozen=True)
class DatabaseFacts:
    version: int
    """As `server_version_num` has it: 180006 is 18.6."""
    now: datetime
    revision: str | None
    """The migration it is at; None when it has never been set up."""
    waiting: int
    """Jobs that have been due for more than a minute."""
    connections_max: int
    unlocked: list[str]
    """Tables with a workspace_id that row security does not protect."""
    passes_by: bool
    """Whether the user of the URL is above row security, with nobody to step down to."""


async def look(url: str) -> DatabaseFacts:
    """Raises OSError, TimeoutError or asyncpg.PostgresError when the database cannot be reached."""
    connection = await asyncpg.connect(db.plain(url), timeout=CONNECT_SECONDS)
    try:
        migrated = await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL")
        queued = await connection.fetchval("SELECT to_regclass('pgqueuer') IS NOT NULL")
        return DatabaseFacts(
            version=int(await connection.fetchval("SHOW server_version_num")),
            now=await connection.fetchval("SELECT clock_timestamp()"),
            revision=await connection.fetchval("SELECT version_num FROM alembic_version")
            if migrated
            else None,
            waiting=await connection.fetchval(WAITING) if queued else 0,
            connections_max=int(await connection.fetchval("SHOW max_connections")),
            unlocked=[row[0] for row in await connection.fetch(UNLOCKED)],
            passes_by=await connection.fetchval(PASSES_BY, db.APP_ROLE),
        )
    finally:
        await connection.close()
