"""Every query about the library."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from hubbub.domains.media.rules import Media, Usage
from hubbub.domains.media.tables import media
from hubbub.kit.media import Probe
from hubbub.runtime.statements import Connection
from hubbub.runtime.work import Work

_LISTED = (media.c.status == "ready") & media.c.source_id.is_(None)
_COLUMNS = [c for c in media.c if c.name != "updated_at"]


def _media(row: sa.RowMapping) -> Media:
    found: dict[str, Any] = {**row}
    found["stray_keys"] = tuple(found["stray_keys"])
    return Media(**found)


def _found(probe: Probe) -> dict[str, Any]:
    """The columns that say what a file is."""
    names = ("kind", "size_bytes", "width", "height", "seconds", "sha256")
    return {name: getattr(probe, name) for name in names}


class MediaStore:
    """The files of one workspace."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.db = work.db
        self._ours = (media.c.workspace_id == work.workspace_id) & media.c.deleted_at.is_(None)

    async def add(
        self, media_id: UUID, *, filename: str, declared_type: str, incoming_key: str | None = None
    ) -> None:
        """A new pending file."""
        await self.db.execute(
            sa.insert(media).values(
                id=media_id,
                workspace_id=self.work.workspace_id,
                filename=filename,
                declared_type=declared_type,
                content_type=declared_type,
                status="pending",
                created_at=self.work.now,
                updated_at=self.work.now,
                incoming_key=incoming_key,
            )
        )

    async def same_content(self, sha256: str) -> UUID | None:
        """The oldest ready file with this content."""
        same = _LISTED & (media.c.sha256 == sha256)
        oldest = (
            sa.select(media.c.id).where(same, self._ours).order_by(media.c.created_at, media.c.id).limit(1)
        )
        return (await self.db.execute(oldest)).scalar_one_or_none()

    async def find(self, media_id: UUID, *, lock: bool = False) -> Media | None:
        """One file that is not deleted; locked, nobody else may attach or change it until we commit."""
        wanted = sa.select(*_COLUMNS).where(media.c.id == media_id, self._ours)
        row = (await self.db.execute(wanted.with_for_update() if lock else wanted)).mappings().one_or_none()
        return _media(row) if row else None

    async def keep(self, wanted: Collection[UUID]) -> dict[UUID, Media]:
        """Those of them that are ready, and no copies. None of these can be deleted before we commit."""
        if not wanted:
            return {}
        found = await self.db.execute(
            sa.select(*_COLUMNS)
            .where(media.c.id.in_(wanted), _LISTED, self._ours)
            .with_for_update(read=True, key_share=True)
        )
        return {row["id"]: _media(row) for row in found.mappings()}

    async def page(self, limit: int, after: UUID | None) -> list[Media] | None:
        """Ready files, newest first, one more than `limit` when there are more; None: no such place."""
        wanted = sa.select(*_COLUMNS).where(_LISTED, self._ours)
        if after is not None:
            place = (media.c.id == after) & (media.c.workspace_id == self.work.workspace_id)
            since = (await self.db.execute(sa.select(media.c.created_at).where(place))).scalar_one_or_none()
            if since is None:
                return None
            wanted = wanted.where(sa.tuple_(media.c.created_at, media.c.id) < sa.tuple_(since, after))
        newest_first = wanted.order_by(media.c.created_at.desc(), media.c.id.desc()).limit(limit + 1)
        return [_media(row) for row in (await self.db.execute(newest_first)).mappings()]

    async def usage(self, limit_bytes: int, plan: str) -> Usage:
        ready = sa.select(sa.func.coalesce(sa.func.sum(media.c.size_bytes), 0), sa.func.count()).where(
            _LISTED, self._ours
        )
        used, count = (await self.db.execute(ready)).one()
        waiting = 0
        if limit_bytes >= 0:
            pending = sa.select(sa.func.coalesce(sa.func.sum(media.c.size_bytes), 0)).where(
                media.c.status == "pending", media.c.source_id.is_(None), self._ours
            )
            waiting = (await self.db.execute(pending)).scalar_one()
        return Usage(int(used), int(waiting), count, limit_bytes, plan)

    async def take_turns(self) -> None:
        """Nobody else adds to this workspace's storage until we commit."""
        key = sa.func.hashtextextended(f"media:{self.work.workspace_id}", 0)
        await self.db.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))

    async def expect(self, media_id: UUID, key: str) -> bool:
        """Name an object that is about to be written; False when the file no longer waits for content."""
        return await self._change(
            media_id,
            media.c.status == "pending",
            stray_keys=sa.func.array_append(media.c.stray_keys, key),
        )

    async def replace_content(self, media_id: UUID, key: str, size_bytes: int) -> bool:
        """Make a written object the content; the one before becomes a stray."""
        strays = sa.func.array_remove(media.c.stray_keys, key)
        before = sa.case(
            (media.c.blob_key.is_(None), strays), else_=sa.func.array_append(strays, media.c.blob_key)
        )
        return await self._change(
            media_id, media.c.status == "pending", blob_key=key, size_bytes=size_bytes, stray_keys=before
        )

    async def make_ready(self, media_id: UUID, key: str, content_type: str, found: Probe) -> bool:
        """Record what was found; False when the content is another by now, or no longer waited for."""
        return await self._change(
            media_id,
            (media.c.status == "pending") & (media.c.blob_key == key),
            status="ready",
            content_type=content_type,
            **_found(found),
        )

    async def fail(self, media_id: UUID, key: str | None) -> bool:
        """Give a file up, unless its content is another by now."""
        same = media.c.blob_key.is_not_distinct_from(key)
        return await self._change(media_id, (media.c.status == "pending") & same, status="failed")

    async def delete(self, media_id: UUID) -> bool:
        """Delete a file and its copies."""
        its_copies = sa.update(media).where(media.c.source_id == media_id, self._ours)
        await self.db.execute(its_copies.values(deleted_at=self.work.now, updated_at=self.work.now))
        return await self._change(media_id, sa.true(), deleted_at=self.work.now)

    async def expect_copy(
        self, media_id: UUID, source: Media, name: str, content_type: str, key: str
    ) -> bool:
        """Name the object that is about to become a file's copy; False when the copy is there already."""
        is_there = (media.c.status == "ready") & media.c.deleted_at.is_(None)
        fresh = insert(media).values(
            id=media_id,
            workspace_id=self.work.workspace_id,
            filename=name,
            declared_type=content_type,
            content_type=content_type,
            status="pending",
            stray_keys=[key],
            source_id=source.id,
            created_at=self.work.now,
            updated_at=self.work.now,
        )
        again = {
            "status": "pending",
            "deleted_at": None,
            "updated_at": self.work.now,
            "stray_keys": sa.func.array_append(media.c.stray_keys, key),
        }
        # Somebody may have begun before and ended halfway, and then been swept away.
        made = fresh.on_conflict_do_update(index_elements=[media.c.id], set_=again, where=~is_there)
        return (await self.db.execute(made.returning(media.c.id))).first() is not None

    async def finish_copy(self, media_id: UUID, key: str, found: Probe) -> bool:
        """Make a written object the copy; False when another one is, or the file was deleted meanwhile."""
        strays = sa.func.array_remove(media.c.stray_keys, key)
        before = sa.case(
            (media.c.blob_key.is_(None), strays), else_=sa.func.array_append(strays, media.c.blob_key)
        )
        waits = (media.c.status == "pending") & media.c.stray_keys.contains([key])
        facts = _found(found)
        return await self._change(media_id, waits, blob_key=key, stray_keys=before, status="ready", **facts)

    async def _change(self, media_id: UUID, when: sa.ColumnElement[bool], **values: Any) -> bool:
        changed = await self.db.execute(
            sa.update(media)
            .where(media.c.id == media_id, self._ours, when)
            .values(updated_at=self.work.now, **values)
            .returning(media.c.id)
        )
        return changed.first() is not None


async def anyones(db: Connection, media_id: UUID) -> Media | None:
    """A file that is not deleted, whoever it belongs to: for signed addresses and for publishing."""
    wanted = sa.select(*_COLUMNS).where(media.c.id == media_id, media.c.deleted_at.is_(None))
    row = (await db.execute(wanted)).mappings().one_or_none()
    return _media(row) if row else None


async def give_up_unfinished(db: Connection, now: datetime, before: datetime) -> None:
    """Delete the files that never became ready and were last touched before a moment."""
    unfinished = (media.c.status != "ready") & media.c.deleted_at.is_(None) & (media.c.updated_at < before)
    await db.execute(sa.update(media).where(unfinished).values(deleted_at=now))


async def with_objects_nobody_needs(db: Connection, before: datetime, at_most: int) -> Sequence[Media]:
    """Deleted and failed files that still have objects, and files with strays older than a moment."""
    gone = media.c.deleted_at.is_not(None) | (media.c.status == "failed")
    has_strays = media.c.stray_keys != sa.text("'{}'")
    has_objects = media.c.blob_key.is_not(None) | has_strays
    never_was = media.c.deleted_at.is_not(None) & (media.c.status != "ready") & media.c.incoming_key.is_(None)
    found = await db.execute(
        sa.select(*_COLUMNS)
        .where((gone & has_objects) | never_was | (has_strays & (media.c.updated_at < before)))
        .order_by(media.c.updated_at)
        .limit(at_most)
    )
    return [_media(row) for row in found.mappings()]


async def with_old_addresses(db: Connection, before: datetime, at_most: int) -> Sequence[Media]:
    """Files whose upload address stopped working before a moment."""
    old = media.c.incoming_key.is_not(None) & (media.c.updated_at < before)
    found = await db.execute(sa.select(*_COLUMNS).where(old).order_by(media.c.updated_at).limit(at_most))
    return [_media(row) for row in found.mappings()]


async def forget_incoming(db: Connection, media_id: UUID) -> None:
    """What was written to a file's upload address is gone, and nobody can write there any more."""
    await db.execute(sa.update(media).where(media.c.id == media_id).values(incoming_key=None))


async def forget_objects(db: Connection, media_id: UUID, keys: Sequence[str]) -> None:
    """The objects under these keys are gone; so is a deleted file that never was ready."""
    here = media.c.id == media_id
    row = (await db.execute(sa.select(*_COLUMNS).where(here).with_for_update())).one_or_none()
    if row is None:
        return
    strays = [key for key in row.stray_keys if key not in keys]
    content = None if row.blob_key in keys else row.blob_key
    if (
        row.deleted_at is not None
        and row.status != "ready"
        and content is None
        and not strays
        and not row.incoming_key
    ):
        await db.execute(sa.delete(media).where(here))
    else:
        await db.execute(sa.update(media).where(here).values(stray_keys=strays, blob_key=content))
