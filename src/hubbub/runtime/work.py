"""Work: one unit of work. One transaction, one caller, one clock."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hubbub.connector.registry import Registry
from hubbub.kit import clock

if TYPE_CHECKING:
    from hubbub.runtime.process import Runtime

Mode = Literal["live", "sandbox"]


@dataclass(frozen=True)
class Caller:
    """On whose behalf work is done."""

    workspace_id: UUID
    key_id: UUID | None = None
    mode: Mode = "live"
    scopes: tuple[str, ...] = ()
    """Empty means unrestricted."""
    brand_ids: tuple[str, ...] = ()
    request_id: str | None = None


@dataclass
class Work:
    """Nothing here is global, so nothing is patched in tests. Application code never commits."""

    db: AsyncConnection
    runtime: Runtime
    caller: Caller
    now: datetime = field(default_factory=clock.now)

    @property
    def workspace_id(self) -> UUID:
        return self.caller.workspace_id

    @property
    def mode(self) -> Mode:
        return self.caller.mode

    @property
    def platforms(self) -> Registry:
        return self.runtime.platforms

    async def nudge(self, channel: str) -> None:
        """Wake whoever listens on this channel, when the transaction commits."""
        await self.db.execute(sa.select(sa.func.pg_notify(channel, "")))


@asynccontextmanager
async def open_work(runtime: Runtime, caller: Caller, *, snapshot: bool = False) -> AsyncGenerator[Work]:
    """One transaction for one caller: commits when the block ends, rolls back when it raises.

    With `snapshot`, all its reads see one moment. Its time is the database's, because the machines of one
    installation need not agree.
    """
    async with runtime.database.begin(snapshot=snapshot) as connection:
        now = (await connection.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
        yield Work(connection, runtime, caller, now)
