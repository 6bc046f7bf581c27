"""The database: one engine, one metadata for every domain's tables, and the migrations that make them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

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


def _to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


APP_ROLE = "hubbub_app"
"""Whom requests and jobs act as where the user of DATABASE_URL would pass by row security."""

SEES_EVERYBODY = "SET LOCAL hubbub.everybody = 'on'"
SEES_ONE = "SET LOCAL hubbub.everybody = 'off'"

_STEP_DOWN = f"""
    SELECT set_config('role', rolname, false) FROM pg_roles
    WHERE rolname = '{APP_ROLE}'
      AND (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = session_user)
"""  # noqa: S608 - the role is a constant


class Database:
    """One process's connections to the one database, behind row security (docs/decisions/0004).

    A connection on which nobody has said whose rows it may see sees none.
    """

    def __init__(self, url: str, pool_size: int = 10) -> None:
        self.url = with_driver(url)
        # AUTOCOMMIT: `begin` says BEGIN itself, in one message with whose rows are to be seen.
        self.engine: AsyncEngine = create_async_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=True,
            isolation_level="AUTOCOMMIT",
            json_serializer=_to_json,
            json_deserializer=msgspec.json.decode,
        )
        event.listen(self.engine.sync_engine, "connect", _step_down)

    @asynccontextmanager
    async def begin(
        self, workspace_id: UUID | None = None, *, snapshot: bool = False
    ) -> AsyncGenerator[AsyncConnection]:
        """One transaction that sees the rows of one workspace, or everybody's where none is named.

        Committed when the block ends, rolled back when it raises. With `snapshot`, all its reads see one
        moment: for answers put together from several queries.
        """
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ" if snapshot else "BEGIN"
        seen = SEES_EVERYBODY if workspace_id is None else f"SET LOCAL hubbub.workspace_id = '{workspace_id}'"
        async with self.engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            try:
                await _tell(driver, f"{begin}; {seen}")
                yield connection
                await _tell(driver, "COMMIT")
            except BaseException:
                await _undo(connection, driver)
                raise

    async def close(self) -> None:
        await self.engine.dispose()


@asynccontextmanager
async def as_owner(url: str) -> AsyncGenerator[AsyncConnection]:
    """One transaction as the very user of DATABASE_URL, for what alters tables; row security may not apply."""
    engine = create_async_engine(with_driver(url), poolclass=sa.NullPool)
    try:
        async with engine.begin() as connection:
            yield connection
    finally:
        await engine.dispose()


def _step_down(connection: Any, _: Any) -> None:
    """A superuser passes by every policy, so a new connection of one becomes somebody who does not."""
    connection.run_async(lambda driver: driver.execute(_STEP_DOWN))


async def _tell(driver: Any, statement: str) -> None:
    """Failures look as those of every other statement do."""
    try:
        await driver.execute(statement)
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as failure:
        raise DBAPIError(statement, None, failure) from failure


async def _undo(connection: AsyncConnection, driver: Any) -> None:
    """Roll back; a connection that cannot is thrown away, lest the next one finds an open transaction."""
    try:
        await driver.execute("ROLLBACK")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        await connection.invalidate()
    except BaseException:
        await connection.invalidate()
        raise


def with_driver(url: str) -> str:
    """A PostgreSQL URL of any common spelling, for asyncpg through SQLAlchemy."""
    _, _, rest = url.partition("://")
    return f"postgresql+asyncpg://{rest}"


def plain(url: str) -> str:
    """The same URL as a bare driver reads it."""
    _, _, rest = url.partition("://")
    return f"postgresql://{rest}"
