"""The database: one pool of connections, and one metadata for every domain's tables."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection as OwnerConnection
from sqlalchemy.ext.asyncio import create_async_engine

from hubbub.runtime.statements import Connection, Row

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def uuid(name: str, *args: Any, **kwargs: Any) -> sa.Column[UUID]:
    return sa.Column(name, PG_UUID(as_uuid=True), *args, **kwargs)


def text(name: str, *args: Any, **kwargs: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, *args, **kwargs)


def moment(name: str, *args: Any, **kwargs: Any) -> sa.Column[datetime]:
    return sa.Column(name, TIMESTAMP(timezone=True), *args, **kwargs)


def json(name: str, *args: Any, **kwargs: Any) -> sa.Column[Any]:
    return sa.Column(name, JSONB(none_as_null=True), *args, **kwargs)


APP_ROLE = "hubbub_app"
"""Whom requests and jobs act as where the user of DATABASE_URL would pass by row security."""

SEES_EVERYBODY = "SET LOCAL hubbub.everybody = 'on'"
SEES_ONE = "SET LOCAL hubbub.everybody = 'off'"

_STEP_DOWN = f"""
    SELECT set_config('role', rolname, false) FROM pg_roles
    WHERE rolname = '{APP_ROLE}'
      AND (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = session_user)
"""  # noqa: S608 - the role is a constant

POOL_PATIENCE_SECONDS = 30.0
CLOSE_SECONDS = 5.0
STATEMENTS_KEPT = 400
"""Prepared statements that one connection keeps."""


class Database:
    """One process's connections to the one database, behind row security (docs/decisions/0004).

    A connection on which nobody has said whose rows it may see sees none. The statements are SQLAlchemy's, the
    connections the driver's own (docs/decisions/0007).
    """

    def __init__(self, url: str, pool_size: int = 10) -> None:
        self.url = with_driver(url)
        self._most = 2 * pool_size
        self._made: asyncpg.Pool | None = None
        self._making = asyncio.Lock()

    @asynccontextmanager
    async def begin(
        self, workspace_id: UUID | None = None, *, snapshot: bool = False
    ) -> AsyncGenerator[Connection]:
        """One transaction that sees the rows of one workspace, or everybody's where none is named.

        Committed when the block ends, rolled back when it raises. With `snapshot`, all its reads see one
        moment: for answers put together from several queries.
        """
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ" if snapshot else "BEGIN"
        seen = SEES_EVERYBODY if workspace_id is None else f"SET LOCAL hubbub.workspace_id = '{workspace_id}'"
        async with self.connect() as connection:
            driver = connection.driver
            try:
                await _tell(driver, f"{begin}; {seen}")
                yield connection
                await _tell(driver, "COMMIT")
            except BaseException:
                await _undo(driver)
                raise

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[Connection]:
        """A connection outside any transaction: it sees nobody's rows."""
        pool = self._made or await self._pool()
        driver: Any = await pool.acquire(timeout=POOL_PATIENCE_SECONDS)
        try:
            yield Connection(driver)
        finally:
            await pool.release(driver)

    async def _pool(self) -> asyncpg.Pool:
        async with self._making:
            made: Any = self._made
            if made is None:
                made = asyncpg.create_pool(
                    plain(self.url), min_size=0, max_size=self._most, init=_introduce, reset=_leave_as_it_is,
                    record_class=Row, statement_cache_size=STATEMENTS_KEPT,
                )  # fmt: skip
                self._made = await made
            return made

    async def close(self) -> None:
        made, self._made = self._made, None
        if made is None:
            return
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await made.close()
        except TimeoutError:
            made.terminate()


@asynccontextmanager
async def as_owner(url: str) -> AsyncGenerator[OwnerConnection]:
    """One transaction as the very user of DATABASE_URL, for what alters tables; row security may not apply."""
    engine = create_async_engine(with_driver(url), poolclass=sa.NullPool)
    try:
        async with engine.begin() as connection:
            yield connection
    finally:
        await engine.dispose()


async def _introduce(driver: Any) -> None:
    """A superuser passes by every policy, so a new connection of one becomes somebody who does not."""
    await driver.execute(_STEP_DOWN)
    # Statements bring JSON as text; see `statements`.
    await driver.set_type_codec("jsonb", schema="pg_catalog", encoder=str, decoder=msgspec.json.decode)


async def _leave_as_it_is(_: Any) -> None:
    """Nothing outlives a transaction: its settings and locks are all local, so nothing has to be reset."""


async def _tell(driver: Any, statement: str) -> None:
    """Failures look as those of every other statement do."""
    try:
        await driver.execute(statement)
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as failure:
        raise DBAPIError(statement, None, failure) from failure


async def _undo(driver: Any) -> None:
    """Roll back; a connection that cannot is thrown away, lest the next one finds an open transaction."""
    try:
        await driver.execute("ROLLBACK")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        driver.terminate()
    except BaseException:
        driver.terminate()
        raise


def with_driver(url: str) -> str:
    """A PostgreSQL URL of any common spelling, for asyncpg through SQLAlchemy."""
    _, _, rest = url.partition("://")
    return f"postgresql+asyncpg://{rest}"


def plain(url: str) -> str:
    """The same URL as a bare driver reads it."""
    _, _, rest = url.partition("://")
    return f"postgresql://{rest}"
