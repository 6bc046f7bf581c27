"""Every query about API keys."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hubbub.domains.keys.tables import api_keys
from hubbub.runtime.statements import Connection, Ready
from hubbub.runtime.work import Work

Row = sa.RowMapping

_ACTIVE = Ready(
    sa.select(api_keys).where(
        api_keys.c.secret_sha256 == sa.bindparam("secret"), api_keys.c.revoked_at.is_(None)
    )
)


async def active(connection: Connection, secret_sha256: bytes) -> Row | None:
    """The key with this secret, of whatever workspace, unless it was revoked."""
    return (await connection.execute(_ACTIVE, {"secret": secret_sha256})).mappings().one_or_none()


async def mark_used(connection: Connection, id: UUID, now: datetime, unless_since: timedelta) -> None:
    """Remember when the key was used. Of many at once, one writes and the others do not wait for it."""
    stale = (
        sa.select(api_keys.c.id)
        .where(
            api_keys.c.id == id,
            sa.or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at < now - unless_since),
        )
        .with_for_update(skip_locked=True)
    )
    await connection.execute(sa.update(api_keys).where(api_keys.c.id.in_(stale)).values(last_used_at=now))


class KeyStore:
    """The keys of one workspace."""

    def __init__(self, work: Work) -> None:
        self.work = work

    async def all(self) -> list[Row]:
        """Newest first, the revoked ones too."""
        wanted = self._own().order_by(api_keys.c.created_at.desc(), api_keys.c.id)
        return list((await self.work.db.execute(wanted)).mappings())

    async def get(self, id: UUID) -> Row | None:
        """Locked until the transaction ends."""
        wanted = self._own().where(api_keys.c.id == id).with_for_update()
        return (await self.work.db.execute(wanted)).mappings().one_or_none()

    async def add(self, values: dict[str, Any]) -> None:
        await self.work.db.execute(sa.insert(api_keys).values(workspace_id=self.work.workspace_id, **values))

    async def change(self, id: UUID, values: dict[str, Any]) -> Row:
        changed = await self.work.db.execute(
            sa.update(api_keys)
            .where(api_keys.c.workspace_id == self.work.workspace_id, api_keys.c.id == id)
            .values(updated_at=self.work.now, **values)
            .returning(api_keys)
        )
        return changed.mappings().one()

    def _own(self) -> sa.Select[Any]:
        return sa.select(api_keys).where(api_keys.c.workspace_id == self.work.workspace_id)
