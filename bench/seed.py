"""Workspaces, accounts and posts to measure with: valid rows, in hubbub's own tables."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from pydantic import SecretStr

from bench.stage import ENCRYPTION_KEY
from hubbub import main
from hubbub.domains.keys import service as keys
from hubbub.domains.workspaces import service as workspaces
from hubbub.kit import clock
from hubbub.runtime import db
from hubbub.runtime.process import Runtime
from hubbub.runtime.settings import Settings
from hubbub.runtime.work import Caller, Work

LATER = timedelta(days=30)
PLATFORM, OTHER = "bluesky", "facebook"


@dataclass(frozen=True)
class Seeded:
    """One workspace with a key, and accounts to post to."""

    url: str
    workspace_id: UUID
    key: str
    accounts: list[tuple[str, str]]
    """Each account's id and platform."""


@asynccontextmanager
async def runtime_of(url: str) -> AsyncGenerator[Runtime]:
    """A runtime of our own on this database."""
    main.load_domains()
    settings = Settings(database_url=url, data_dir=Path("."), encryption_key=SecretStr(ENCRYPTION_KEY))
    built = Runtime.build(settings)
    try:
        yield built
    finally:
        await built.close()


async def workspace(url: str) -> Seeded:
    """A workspace with a key and three accounts, one of which has a page."""
    async with runtime_of(url) as runtime:
        async with runtime.database.begin() as connection:
            made = await workspaces.create_workspace(connection, "Bench", "owner@example.com")
            work = Work(connection, runtime, Caller(workspace_id=made.id))
            key = (await keys.create(work, "bench")).raw_key.reveal()
            accounts = [("acc_1", PLATFORM), ("acc_2", PLATFORM), ("acc_3", OTHER)]
            for id, platform in accounts:
                await connection.execute(
                    _ACCOUNT, {"id": id, "platform": platform, "workspace": made.id, "now": clock.now()}
                )
            await connection.execute(_PAGE, {"now": clock.now()})
        return Seeded(url, made.id, key, accounts)


_ACCOUNT = sa.text("""
    INSERT INTO accounts (id, workspace_id, platform, remote_id, name, username, status, metadata, mode, created_at, updated_at)
    VALUES (:id, :workspace, :platform, :id, :id, :id, 'active', '{}', 'sandbox', :now, :now)
""")
_PAGE = sa.text("""
    INSERT INTO account_pages (id, account_id, remote_id, name, is_default, is_active, created_at, updated_at)
    VALUES ('page_1', 'acc_3', 'page_1', 'A page', true, true, :now, :now)
""")


async def posts(seeded: Seeded, count: int, *, targets: int, first: int = 0) -> None:
    """So many scheduled posts, a second apart and all in the future, each with so many targets."""
    connection = await asyncpg.connect(db.plain(seeded.url))
    try:
        async with connection.transaction():
            await connection.execute(_POSTS, first, count, seeded.workspace_id, clock.now() + LATER)
            for position, (account_id, platform) in enumerate(seeded.accounts[:targets]):
                await connection.execute(
                    _TARGETS, first, count, seeded.workspace_id, position, account_id, platform
                )
        await connection.execute("VACUUM ANALYZE posts, targets")
    finally:
        await connection.close()


_POSTS = """
    INSERT INTO posts (id, workspace_id, status, mode, text, media, platform_data, fingerprint, scheduled_at,
                       created_at, updated_at)
    SELECT md5('post' || n)::uuid, $3, 'scheduled', 'sandbox', 'Post number ' || n || ' of a very long plan', '[]', '{}',
           encode(sha256(n::text::bytea), 'hex'), $4::timestamptz + n * interval '1 second',
           now() - interval '2 days', now() - interval '2 days'
    FROM generate_series($1::int, $1::int + $2::int - 1) n
"""
_TARGETS = """
    INSERT INTO targets (id, post_id, workspace_id, position, account_id, platform, status, platform_data, stage,
                         due_at, planned_at, warnings, updated_at)
    SELECT md5('target' || $4::int || ':' || n)::uuid, md5('post' || n)::uuid, $3, $4::int, $5, $6, 'pending', '{}', 'waiting',
           scheduled_at, scheduled_at, '[]', created_at
    FROM generate_series($1::int, $1::int + $2::int - 1) n JOIN posts ON posts.id = md5('post' || n)::uuid
"""
