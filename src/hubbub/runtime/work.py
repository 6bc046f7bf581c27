"""Work: one unit of work. One transaction, one caller, one clock."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import sqlalchemy as sa

from hubbub.connector.registry import Registry
from hubbub.kit import clock
from hubbub.runtime.db import SEES_EVERYBODY, SEES_ONE
from hubbub.runtime.statements import Connection, Ready

if TYPE_CHECKING:
    from hubbub.runtime.process import Runtime

Mode = Literal["live", "sandbox"]
Kind = Literal["key", "dashboard", "oauth"]

_NOW = Ready(sa.select(sa.func.clock_timestamp()))

EVERYBODY = UUID(int=0)
"""The workspace of a caller who acts for all: sweeps, and jobs that have yet to find out for whom they run."""


@dataclass(frozen=True)
class Identity:
    """A person as a sign-in service knows them."""

    issuer: str
    subject: str
    email: str | None = None


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
    error_format: str = "native"
    """How this caller wants refusals, unless the request itself says."""
    kind: Kind = "key"
    user_id: UUID | None = None
    """The person who signed in, where it is not a key that calls."""
    identity: Identity | None = None
    """Who presented a dashboard token."""
    told: dict[str, str] = field(default_factory=dict[str, str], compare=False)
    """What the answer to this caller's request is to carry as headers, a refusal too."""


@dataclass
class Work:
    """Nothing here is global, so nothing is patched in tests. Application code never commits."""

    db: Connection
    runtime: Runtime
    caller: Caller
    now: datetime = field(default_factory=clock.now)

    @property
    def workspace_id(self) -> UUID:
        return self.caller.workspace_id

    @property
    def headers(self) -> dict[str, str]:
        """What the answer is to carry beside its body, a refusal too."""
        return self.caller.told

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
    async def seeing_everybody(self) -> AsyncGenerator[None]:
        """See the rows of all workspaces for a moment, inside the same transaction. Two round trips."""
        await self.db.exec_driver_sql(SEES_EVERYBODY)
        yield
        # Not after a failure: the transaction is over then, and with it the setting.
        if self.workspace_id != EVERYBODY:
            await self.db.exec_driver_sql(SEES_ONE)


@asynccontextmanager
async def open_work(runtime: Runtime, caller: Caller, *, snapshot: bool = False) -> AsyncGenerator[Work]:
    """One transaction for one caller: commits when the block ends, rolls back when it raises.

    It sees the rows of the caller's workspace, whatever a query asks for; everybody's for EVERYBODY. With
    `snapshot`, all its reads see one moment. Its time is the database's, because the machines of one
    installation need not agree.
    """
    one = None if caller.workspace_id == EVERYBODY else caller.workspace_id
    async with runtime.database.begin(one, snapshot=snapshot) as connection:
        now = await connection.scalar(_NOW)
        yield Work(connection, runtime, caller, now)
