"""Every query about what has been used."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from hubbub.domains.usage.rules import Counted
from hubbub.domains.usage.tables import request_counts, usage_counts
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
        spent: dict[str, Any] = {"posts": 0, "interactions": 0, counted: amount}
        adding = insert(usage_counts).values(
            workspace_id=self.work.workspace_id,
            period_start=self.period_start,
            slot=sa.func.pg_backend_pid() % SLOTS,
            **spent,
        )
        column = usage_counts.c[counted]
        await self.work.db.execute(
            adding.on_conflict_do_update(
                index_elements=list(usage_counts.primary_key), set_={counted: column + amount}
            )
        )


async def count_request(
    connection: AsyncConnection, workspace_id: UUID, windows: Mapping[str, datetime]
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
