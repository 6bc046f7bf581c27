"""The database: one engine, one metadata for every domain's tables, and the migrations that make them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
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


class Database:
    """One process's connections to the one database."""

    def __init__(self, url: str, pool_size: int = 10) -> None:
        self.url = with_driver(url)
        self.engine: AsyncEngine = create_async_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=True,
            json_serializer=_to_json,
            json_deserializer=msgspec.json.decode,
        )
        self._snapshots = self.engine.execution_options(isolation_level="REPEATABLE READ")

    @asynccontextmanager
    async def begin(self, *, snapshot: bool = False) -> AsyncGenerator[AsyncConnection]:
        """One transaction: committed when the block ends, rolled back when it raises.

        With `snapshot`, all its reads see one moment: for answers put together from several queries.
        """
        async with (self._snapshots if snapshot else self.engine).begin() as connection:
            yield connection

    async def close(self) -> None:
        await self.engine.dispose()


def with_driver(url: str) -> str:
    """A PostgreSQL URL of any common spelling, for asyncpg through SQLAlchemy."""
    _, _, rest = url.partition("://")
    return f"postgresql+asyncpg://{rest}"


def plain(url: str) -> str:
    """The same URL as a bare driver reads it."""
    _, _, rest = url.partition("://")
    return f"postgresql://{rest}"
