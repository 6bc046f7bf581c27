"""Every query about kept answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from hubbub.domains.answers.tables import kept_answers
from hubbub.runtime.statements import Connection
from hubbub.runtime.work import Work

Row = sa.RowMapping
_answer = kept_answers.c
_NOW = sa.func.clock_timestamp()
"""The database's time: a claim is between processes, and their clocks need not agree."""


def after(wait: timedelta) -> Any:
    """That much later than the moment the statement runs."""
    return _NOW + wait


class AnswerStore:
    """The kept answer with one id."""

    def __init__(self, work: Work, id: bytes) -> None:
        self.db = work.db
        self.workspace_id = work.workspace_id
        self.id = id
        self._here = (_answer.id == id) & (_answer.workspace_id == work.workspace_id)

    async def try_turn(self) -> bool:
        """Until we commit or die nobody else has this id; False when somebody has it now."""
        return bool(
            (await self.db.execute(sa.select(sa.func.pg_try_advisory_xact_lock(self._lock())))).scalar()
        )

    async def take_turn(self) -> None:
        """The same, waiting for whoever has it."""
        await self.db.execute(sa.select(sa.func.pg_advisory_xact_lock(self._lock())))

    def _lock(self) -> int:
        return int.from_bytes(self.id[:8], "big", signed=True)

    async def get(self) -> Row | None:
        """What is kept under the id, unless it is time to forget it; `is_claimed` while somebody may answer."""
        is_claimed = (_answer.claimed_until > _NOW).label("is_claimed")
        wanted = sa.select(kept_answers, is_claimed).where(self._here, _answer.expires_at > _NOW)
        return (await self.db.execute(wanted)).mappings().one_or_none()

    async def put(self, values: dict[str, Any]) -> None:
        """Keep this and nothing else under the id."""
        whole = {column.name: None for column in kept_answers.c} | values
        whole |= {"id": self.id, "workspace_id": self.workspace_id}
        await self.db.execute(
            insert(kept_answers).values(**whole).on_conflict_do_update(index_elements=["id"], set_=whole)
        )

    async def settle(self, claim: UUID, values: dict[str, Any]) -> bool:
        """Keep the answer of a claim; False when the claim is somebody else's by now."""
        settled = await self.db.execute(
            sa.update(kept_answers)
            .where(self._here, _answer.claim == claim)
            .values(claim=None, claimed_until=None, **values)
        )
        return settled.rowcount == 1

    async def renew(self, claim: UUID, lasts: timedelta) -> None:
        mine = sa.update(kept_answers).where(self._here, _answer.claim == claim)
        await self.db.execute(mine.values(claimed_until=after(lasts)))

    async def release(self, claim: UUID) -> None:
        await self.db.execute(sa.delete(kept_answers).where(self._here, _answer.claim == claim))


async def mark(connection: Connection) -> None:
    """Where `back_to_mark` goes back to."""
    await connection.exec_driver_sql("SAVEPOINT unanswered")


async def back_to_mark(connection: Connection) -> None:
    await connection.exec_driver_sql("ROLLBACK TO SAVEPOINT unanswered")


async def forget(connection: Connection, at_most: int) -> int:
    """Delete what nobody may be given any more; returns how many there were."""
    old = (
        sa.select(_answer.id)
        .where(_answer.expires_at < _NOW)
        .limit(at_most)
        .with_for_update(skip_locked=True)
    )
    return (await connection.execute(sa.delete(kept_answers).where(_answer.id.in_(old)))).rowcount
