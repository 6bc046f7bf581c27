"""One account, one post at a time: what becomes of a job that waits for its turn in vain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from faults.lane import Lane
from hubbub.domains.posts import jobs
from hubbub.domains.posts.tables import targets
from hubbub.kit import clock
from hubbub.runtime.durable import Busy, Holds

pytestmark = pytest.mark.anyio


class Impatient(Holds):
    """Waits for a twentieth of a second."""

    def __init__(self, url: str, meanwhile: asyncio.Event) -> None:
        super().__init__(url)
        self.meanwhile = meanwhile

    @asynccontextmanager
    async def hold(self, key: str, wait: float = 20) -> AsyncGenerator[None]:
        try:
            async with super().hold(key, 0.05):
                yield
        except Busy:
            await self.meanwhile.wait()
            raise


@pytest.mark.parametrize("due_in", [None, timedelta(minutes=5)])
async def test_a_job_without_a_turn_leaves_alone_what_somebody_else_got_on_with(
    idle: Lane, due_in: timedelta | None
) -> None:
    post_id = await idle.post("bluesky", "once is enough")
    settled = asyncio.Event()
    idle.runtime.holds = Impatient(idle.runtime.database.url, settled)
    other = Holds(idle.runtime.database.url)
    at = clock.now() + due_in if due_in else None
    async with idle.runtime.database.begin() as db:
        mine = sa.select(targets.c.id, targets.c.account_id).where(targets.c.post_id == UUID(post_id))
        target = (await db.execute(mine)).one()

    async with other.hold(f"account:{target.account_id}"):
        waiting = asyncio.ensure_future(jobs.publish_target.run(idle.runtime, str(target.id)))
        await asyncio.sleep(0.3)
        async with idle.runtime.database.begin() as db:
            await db.execute(sa.update(targets).where(targets.c.id == target.id).values(due_at=at))
        settled.set()
        await waiting
    await other.close()
    await idle.runtime.holds.close()

    async with idle.runtime.database.begin() as db:
        due = sa.select(targets.c.due_at).where(targets.c.id == target.id)
        assert (await db.execute(due)).scalar_one() == at
