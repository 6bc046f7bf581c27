"""Every query about posts and targets. Rows travel as SQLAlchemy rows; decisions are made elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from hubbub.domains.posts.tables import posts, targets
from hubbub.runtime.work import Work

Row = sa.Row[*tuple[Any, ...]]

SORT_KEY = sa.func.coalesce(posts.c.scheduled_at, posts.c.created_at)


@dataclass(frozen=True)
class Filter:
    """Which posts a list shows; None and empty mean any."""

    account_ids: tuple[str, ...] = ()
    status: str | None = None
    platform: str | None = None
    page_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    search: str | None = None
    sort: str = "scheduled_asc"
    hidden: bool = False
    brand_id: str | None = None
    covered: frozenset[str] | None = None
    """Only posts to one of these accounts."""
    mode: str | None = None


class PostStore:
    """Posts of one workspace, always."""

    def __init__(self, work: Work) -> None:
        self.db: AsyncConnection = work.db
        self.workspace_id = work.workspace_id

    async def add(self, post: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
        await self.db.execute(sa.insert(posts).values(workspace_id=self.workspace_id, **post))
        if rows:
            await self.db.execute(
                sa.insert(targets), [{"workspace_id": self.workspace_id, **row} for row in rows]
            )

    async def get(self, post_id: UUID, *, lock: bool = False) -> Row | None:
        query = sa.select(posts).where(posts.c.id == post_id, posts.c.workspace_id == self.workspace_id)
        return (await self.db.execute(query.with_for_update() if lock else query)).one_or_none()

    async def by_remote_id(self, remote_id: str) -> list[UUID]:
        query = (
            sa.select(targets.c.post_id)
            .where(targets.c.remote_id == remote_id, targets.c.workspace_id == self.workspace_id)
            .distinct()
        )
        return [row.post_id for row in await self.db.execute(query)]

    async def targets_of(self, post_ids: Iterable[UUID]) -> dict[UUID, list[Row]]:
        """Each post's targets in the order they were given."""
        found: dict[UUID, list[Row]] = {post_id: [] for post_id in post_ids}
        if found:
            query = sa.select(targets).where(targets.c.post_id.in_(found)).order_by(targets.c.position)
            for row in await self.db.execute(query):
                found[row.post_id].append(row)
        return found

    async def list(self, wanted: Filter, limit: int, after: tuple[datetime, UUID] | None) -> Sequence[Row]:
        """One page and one row more, in the order asked for."""
        by, _, direction = wanted.sort.partition("_")
        key = SORT_KEY if by == "scheduled" else posts.c.created_at
        query = sa.select(posts, key.label("sort_key")).where(posts.c.workspace_id == self.workspace_id)
        for condition in self._conditions(wanted, key):
            query = query.where(condition)
        descending = direction == "desc"
        if after is not None:
            place, here = sa.tuple_(key, posts.c.id), sa.tuple_(*after)
            query = query.where(place < here if descending else place > here)
        order = (key.desc(), posts.c.id.desc()) if descending else (key.asc(), posts.c.id.asc())
        return (await self.db.execute(query.order_by(*order).limit(limit + 1))).all()

    def _conditions(self, wanted: Filter, key: Any) -> Iterable[sa.ColumnElement[bool]]:
        if not wanted.hidden:
            yield posts.c.hidden.is_(False)
        if wanted.mode:
            yield posts.c.mode == wanted.mode
        if wanted.covered is not None:
            yield sa.exists().where(targets.c.post_id == posts.c.id, targets.c.account_id.in_(wanted.covered))
        if wanted.status:
            yield posts.c.status == wanted.status
        if wanted.since:
            yield key >= wanted.since
        if wanted.until:
            yield key <= wanted.until
        if wanted.search:
            escaped = wanted.search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            yield posts.c.text.ilike(f"%{escaped}%")
        at_target = [
            condition
            for condition in (
                targets.c.account_id.in_(wanted.account_ids) if wanted.account_ids else None,
                targets.c.platform == wanted.platform if wanted.platform else None,
                targets.c.page_id == wanted.page_id if wanted.page_id else None,
            )
            if condition is not None
        ]
        if at_target:
            yield sa.exists().where(targets.c.post_id == posts.c.id, *at_target)

    async def replace_targets(self, post_id: UUID, rows: Sequence[Mapping[str, Any]]) -> None:
        await self.db.execute(sa.delete(targets).where(targets.c.post_id == post_id))
        if rows:
            await self.db.execute(
                sa.insert(targets), [{"workspace_id": self.workspace_id, **row} for row in rows]
            )

    async def twin(self, fingerprint: str, since: datetime, but: UUID | None = None) -> UUID | None:
        """A post (not `but`) that says the same to the same targets, made since, and is or may be out.

        Locks that until commit.
        """
        lock = sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"{self.workspace_id}{fingerprint}", 0))
        await self.db.execute(sa.select(lock))
        query = (
            sa.select(posts.c.id)
            .where(
                posts.c.workspace_id == self.workspace_id,
                posts.c.fingerprint == fingerprint,
                posts.c.created_at >= since,
                posts.c.status.not_in(["draft", "failed", "cancelled"]),
            )
            .limit(1)
        )
        if but is not None:
            query = query.where(posts.c.id != but)
        return (await self.db.execute(query)).scalar_one_or_none()

    async def update(self, post_id: UUID, **changes: Any) -> None:
        await self.db.execute(
            sa.update(posts)
            .where(posts.c.id == post_id, posts.c.workspace_id == self.workspace_id)
            .values(**changes)
        )

    async def delete(self, post_id: UUID) -> None:
        await self.db.execute(
            sa.delete(posts).where(posts.c.id == post_id, posts.c.workspace_id == self.workspace_id)
        )

    async def delete_target(self, target_id: UUID) -> None:
        await self.db.execute(sa.delete(targets).where(targets.c.id == target_id))

    async def pending_with_media(self, media_id: str) -> list[str]:
        """Posts not finished yet that show this file, themselves or in a target."""
        wanted = [{"source": media_id}]
        at_target = sa.exists().where(targets.c.post_id == posts.c.id, targets.c.media.contains(wanted))
        query = sa.select(posts.c.id).where(
            posts.c.workspace_id == self.workspace_id,
            posts.c.status.in_(["draft", "scheduled", "publishing"]),
            sa.or_(posts.c.media.contains(wanted), at_target),
        )
        return [str(one) for one in (await self.db.execute(query)).scalars()]

    async def restart(self, post_id: UUID, statuses: Iterable[str], now: datetime, **changes: Any) -> int:
        """Send the post's targets in these states on their way again, from the beginning; how many."""
        fresh = {
            "status": "pending", "stage": "waiting", "tries": 0, "submits": 0, "working": None, "prepared": None,
            "fence": None, "lost_at": None, "lost_because": None, "absences": 0, "receipt": None, "sent_at": None, "error": None,
            "waiting_since": None, "started_at": None, "comment_fence": None, "comment_id": None,
            "due_at": now, "updated_at": now,
        }  # fmt: skip
        result = await self.db.execute(
            sa.update(targets)
            .where(targets.c.post_id == post_id, targets.c.status.in_(list(statuses)))
            .values(**{**fresh, **changes})
        )
        return result.rowcount


# The rest serves the jobs, which know a target and not yet whose it is.


NOW = sa.func.clock_timestamp()
"""The database's time, this very moment."""


async def claim_due(db: AsyncConnection, lease: timedelta, limit: int) -> Sequence[Row]:
    """Take due targets, so that nobody else starts them until the lease is over."""
    due = (
        sa.select(targets.c.id)
        .where(targets.c.due_at <= NOW)
        .order_by(targets.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (
        await db.execute(
            sa.update(targets)
            .where(targets.c.id.in_(due))
            .values(due_at=NOW + lease, claims=targets.c.claims + 1)
            .returning(targets.c.id, targets.c.claims, targets.c.platform)
        )
    ).all()


async def mark_publishing(db: AsyncConnection, post_id: UUID) -> bool:
    """A post whose time has come is no longer merely scheduled; whether it still exists.

    Whoever changes a post and its targets locks the post first: here, in `own` and in `record` alike.
    """
    query = sa.select(posts.c.status).where(posts.c.id == post_id).with_for_update()
    status = (await db.execute(query)).scalar_one_or_none()
    if status == "scheduled":
        await db.execute(sa.update(posts).where(posts.c.id == post_id).values(status="publishing"))
    return status in ("scheduled", "publishing")


async def target(db: AsyncConnection, target_id: UUID) -> Row | None:
    """A target's row, and the database's time as `clock`."""
    query = sa.select(targets, NOW.label("clock")).where(targets.c.id == target_id)
    return (await db.execute(query)).one_or_none()


async def post_of(db: AsyncConnection, post_id: UUID, *, lock: bool = False) -> Row | None:
    query = sa.select(posts).where(posts.c.id == post_id)
    return (await db.execute(query.with_for_update() if lock else query)).one_or_none()


async def change(db: AsyncConnection, target_id: UUID, *conditions: Any, **changes: Any) -> bool:
    """Change one target, if the conditions still hold; whether they did."""
    result = await db.execute(
        sa.update(targets).where(targets.c.id == target_id, *conditions).values(**changes)
    )
    return result.rowcount == 1


async def statuses_of(db: AsyncConnection, post_id: UUID) -> list[str]:
    query = sa.select(targets.c.status).where(targets.c.post_id == post_id)
    return list((await db.execute(query)).scalars())


async def known_remote_ids(db: AsyncConnection, account_id: str) -> frozenset[str]:
    """What this account has published through us already: none of it can be what a lost answer hid."""
    rows = await db.execute(
        sa.select(targets.c.remote_id, targets.c.comment_id).where(
            targets.c.account_id == account_id,
            sa.or_(targets.c.remote_id.is_not(None), targets.c.comment_id.is_not(None)),
        )
    )
    return frozenset(value for row in rows for value in row if value)


async def release_waiting(db: AsyncConnection, account_id: str) -> int:
    """The account is back: everything that waited for it becomes due."""
    result = await db.execute(
        sa.update(targets)
        .where(targets.c.account_id == account_id, targets.c.waiting_since.is_not(None))
        .values(due_at=NOW, tries=0)
    )
    return result.rowcount


# What keeps the schedule true, over all workspaces


async def by_other_rules(db: AsyncConnection, zone_rules: str, limit: int) -> Sequence[Row]:
    """Posts that have not begun, locked, whose wall time or a target's was read by other zone rules."""

    def other(column: sa.Column[Any], table: sa.Table) -> sa.Select[Any]:
        edition = table.c.zone_rules
        return sa.select(column).where(
            table.c.time_zone.is_not(None), sa.or_(edition < zone_rules, edition > zone_rules)
        )

    found = sa.union_all(other(posts.c.id, posts), other(targets.c.post_id, targets))
    query = sa.select(posts).where(posts.c.id.in_(found), posts.c.status.in_(["draft", "scheduled"]))
    return (await db.execute(query.limit(limit).with_for_update(skip_locked=True))).all()


async def waiting_of(db: AsyncConnection, post_id: UUID) -> Sequence[Row]:
    """A post's targets that have not begun."""
    query = sa.select(targets).where(targets.c.post_id == post_id, targets.c.stage == "waiting")
    return (await db.execute(query)).all()


async def change_post(db: AsyncConnection, post_id: UUID, **changes: Any) -> None:
    await db.execute(sa.update(posts).where(posts.c.id == post_id).values(**changes))


async def oldest_due(db: AsyncConnection) -> Row | None:
    """The target that has been due for longest, and the database's time as `clock`."""
    query = sa.select(targets, NOW.label("clock")).where(targets.c.due_at <= NOW)
    return (await db.execute(query.order_by(targets.c.due_at).limit(1))).one_or_none()


async def count_due(db: AsyncConnection, lease: timedelta) -> tuple[int, int]:
    """How many targets are overdue, and how many are being worked on."""
    overdue = sa.func.count().filter(targets.c.due_at <= NOW)
    running = sa.func.count().filter(targets.c.status == "publishing", targets.c.due_at > NOW)
    query = sa.select(overdue, running).where(targets.c.due_at <= NOW + lease)
    row = (await db.execute(query)).one()
    return row[0], row[1]


async def next_due(db: AsyncConnection) -> datetime | None:
    return (
        await db.execute(sa.select(sa.func.min(targets.c.due_at)).where(targets.c.due_at > NOW))
    ).scalar_one()
