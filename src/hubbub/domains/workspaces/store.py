"""Every query about workspaces, users and brands."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hubbub.domains.workspaces.tables import brands, users, workspaces
from hubbub.runtime.statements import Connection, Ready
from hubbub.runtime.work import Work

Row = sa.RowMapping
_OWNER = Ready(sa.select(users).where(users.c.workspace_id == sa.bindparam("workspace")))
_FIRST_WORKSPACE_LOCK = 4_820_267_113_905_502


async def oldest(connection: Connection) -> UUID | None:
    """The first workspace of this installation."""
    found = await connection.execute(
        sa.select(workspaces.c.id).order_by(workspaces.c.created_at, workspaces.c.id).limit(1)
    )
    return found.scalar_one_or_none()


async def take_turns(connection: Connection) -> None:
    """Until the transaction ends, nobody else who calls this makes the first workspace."""
    await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_FIRST_WORKSPACE_LOCK)))


async def add_workspace(connection: Connection, id: UUID, name: str, now: datetime) -> None:
    await connection.execute(sa.insert(workspaces).values(id=id, name=name, created_at=now))


async def add_user(connection: Connection, values: dict[str, Any]) -> None:
    await connection.execute(sa.insert(users).values(**values))


async def workspace_of(connection: Connection, user_id: UUID) -> UUID | None:
    found = await connection.execute(sa.select(users.c.workspace_id).where(users.c.id == user_id))
    return found.scalar_one_or_none()


async def owner_of(connection: Connection, workspace_id: UUID) -> UUID:
    """Locked until the transaction ends."""
    wanted = sa.select(users.c.id).where(users.c.workspace_id == workspace_id).with_for_update()
    return (await connection.execute(wanted)).scalar_one()


async def change_email(connection: Connection, user_id: UUID, email: str, now: datetime) -> None:
    await connection.execute(
        sa.update(users).where(users.c.id == user_id).values(email=email, updated_at=now)
    )


class WorkspaceStore:
    """What one workspace may see. A key restricted to brands sees no others."""

    def __init__(self, work: Work) -> None:
        self.work = work

    async def user(self) -> Row:
        return (await self.work.db.execute(_OWNER, {"workspace": self.work.workspace_id})).mappings().one()

    async def brand(self, id: UUID) -> Row | None:
        found = await self.work.db.execute(self._brands().where(brands.c.id == id))
        return found.mappings().one_or_none()

    async def oldest_brand(self) -> Row | None:
        wanted = self._brands().order_by(brands.c.created_at, brands.c.id).limit(1)
        return (await self.work.db.execute(wanted)).mappings().one_or_none()

    async def own_brands(self, ids: Iterable[UUID]) -> set[UUID]:
        """Which of these are brands of this workspace."""
        wanted = sa.select(brands.c.id).where(
            brands.c.workspace_id == self.work.workspace_id, brands.c.id.in_(list(ids))
        )
        return set((await self.work.db.execute(wanted)).scalars())

    async def count_brands(self) -> int:
        own = sa.select(sa.func.count()).where(brands.c.workspace_id == self.work.workspace_id)
        return (await self.work.db.execute(own)).scalar_one()

    async def add_brand(self, id: UUID, name: str) -> None:
        now = self.work.now
        await self.work.db.execute(
            sa.insert(brands).values(
                id=id, workspace_id=self.work.workspace_id, name=name, created_at=now, updated_at=now
            )
        )

    def _brands(self) -> sa.Select[Any]:
        visible = sa.select(brands).where(brands.c.workspace_id == self.work.workspace_id)
        allowed = self.work.caller.brand_ids
        return visible.where(brands.c.id.in_([UUID(id) for id in allowed])) if allowed else visible
