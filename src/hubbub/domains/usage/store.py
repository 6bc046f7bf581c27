"""Every query about what has been used, of allowances and of platforms' budgets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from hubbub.connector.rate import Granted
from hubbub.domains.usage.rules import Counted
from hubbub.domains.usage.tables import budget_shares, request_counts, usage_counts
from hubbub.runtime.db import Database
from hubbub.runtime.statements import Connection, Ready
from hubbub.runtime.work import Work

SLOTS = 64
"""Rows a period is spread over; each connection of PostgreSQL writes to one of them."""


class UsageStore:
    """What one workspace has used in one period."""

    def __init__(self, work: Work, period_start: datetime) -> None:
        self.work = work
        self.period_start = period_start

    async def take_turns(self) -> None:
        """Nobody else spends of this workspace's allowance until we commit."""
        key = sa.func.hashtextextended(f"usage:{self.work.workspace_id}", 0)
        await self.work.db.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))

    async def used(self) -> Mapping[Counted, int]:
        counted = sa.select(
            sa.func.coalesce(sa.func.sum(usage_counts.c.posts), 0).label("posts"),
            sa.func.coalesce(sa.func.sum(usage_counts.c.interactions), 0).label("interactions"),
        ).where(
            usage_counts.c.workspace_id == self.work.workspace_id,
            usage_counts.c.period_start == self.period_start,
        )
        row = (await self.work.db.execute(counted)).one()
        return {"posts": int(row.posts), "interactions": int(row.interactions)}

    async def add(self, counted: Counted, amount: int) -> None:
        where = {"workspace": self.work.workspace_id, "period": self.period_start}
        await self.work.db.execute(_ADDING[counted], {**where, "amount": amount})


def _adding(counted: Counted) -> Ready:
    amount = sa.bindparam("amount", type_=sa.Integer)
    spent: dict[str, Any] = {"posts": 0, "interactions": 0, counted: amount}
    adding = insert(usage_counts).values(
        workspace_id=sa.bindparam("workspace"),
        period_start=sa.bindparam("period"),
        slot=sa.func.pg_backend_pid() % SLOTS,
        **spent,
    )
    return Ready(
        adding.on_conflict_do_update(
            index_elements=list(usage_counts.primary_key), set_={counted: usage_counts.c[counted] + amount}
        )
    )


_ADDING: Mapping[Counted, Ready] = {"posts": _adding("posts"), "interactions": _adding("interactions")}


async def count_request(
    connection: Connection, workspace_id: UUID, windows: Mapping[str, datetime]
) -> Mapping[str, int]:
    """One more request in each window, given by when it began; returns how many it has by now.

    A count that a crash of the database takes back is no harm, so nobody waits for the disk.
    """
    await connection.execute(sa.select(sa.func.set_config("synchronous_commit", "off", True)))
    arrived = insert(request_counts).values(
        [
            {"workspace_id": workspace_id, "name": name, "started_at": started_at, "requests": 1}
            for name, started_at in sorted(windows.items())
        ]
    )
    old, new = request_counts.c, arrived.excluded
    counted = await connection.execute(
        arrived.on_conflict_do_update(
            index_elements=list(request_counts.primary_key),
            set_={
                "started_at": sa.func.greatest(old.started_at, new.started_at),
                "requests": sa.case((old.started_at < new.started_at, 1), else_=old.requests + 1),
            },
        ).returning(old.name, old.requests)
    )
    return {row.name: row.requests for row in counted}


_NOW = sa.func.clock_timestamp()


class SharedLedger:
    """Who took how many calls of the platforms' budgets, for all processes together.

    A sliding window in one table; whoever takes of a budget holds its lock until it is written down.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, name: str, calls: int, most: int, seconds: float) -> Granted:
        row = budget_shares.c
        window = sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds)
        async with self._database.begin() as db:
            key = sa.func.hashtextextended(f"budget:{name}", 0)
            await db.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
            await db.execute(sa.delete(budget_shares).where(row.name == name, row.taken_at <= _NOW - window))
            taken = sa.select(
                sa.func.coalesce(sa.func.sum(row.calls), 0).label("calls"),
                sa.func.extract("epoch", sa.func.min(row.taken_at) + window - _NOW).label("frees_in"),
            ).where(row.name == name)
            so_far = (await db.execute(taken)).one()
            granted = min(calls, most - int(so_far.calls))
            if granted < 1:
                return Granted(0, float(so_far.frees_in))
            await db.execute(
                sa.insert(budget_shares).values(name=name, calls=granted, taken_at=_NOW, seconds=seconds)
            )
            return Granted(granted)

    async def forget(self) -> None:
        """Delete every share whose window is over."""
        row = budget_shares.c
        over = row.taken_at + sa.func.make_interval(0, 0, 0, 0, 0, 0, row.seconds) <= _NOW
        async with self._database.begin() as db:
            await db.execute(sa.delete(budget_shares).where(over))
