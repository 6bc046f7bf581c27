"""Every query about posts and targets. Rows travel as SQLAlchemy rows; decisions are made elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hubbub.domains.posts.tables import posts, targets
from hubbub.runtime.statements import Connection, Ready, Row, insertion, insertion_of_rows
from hubbub.runtime.work import Work

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


NOBODY = UUID(int=0)

_TURN = Ready(
    sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(sa.bindparam("what", type_=sa.Text), 0)))
)
_TWIN = Ready(
    sa.select(posts.c.id)
    .where(
        posts.c.workspace_id == sa.bindparam("workspace"),
        posts.c.fingerprint == sa.bindparam("fingerprint"),
        posts.c.created_at >= sa.bindparam("since"),
        sa.text("status NOT IN ('draft', 'failed', 'cancelled')"),
        posts.c.id != sa.bindparam("but"),
    )
    .limit(1)
)


@cache
def _listing(sort: str, given: frozenset[str]) -> Ready:
    """The query of a list with these parameters; there are not many that anybody asks for."""
    by, _, direction = sort.partition("_")
    key = SORT_KEY if by == "scheduled" else posts.c.created_at
    query = sa.select(posts, key.label("sort_key")).where(posts.c.workspace_id == sa.bindparam("workspace"))
    of_post = targets.c.post_id == posts.c.id
    at_target: list[Any] = []
    conditions: dict[str, Callable[[Any], Any]] = {
        "hidden": lambda value: posts.c.hidden == value,
        "mode": lambda value: posts.c.mode == value,
        "covered": lambda value: sa.exists().where(of_post, targets.c.account_id == sa.any_(value)),
        "status": lambda value: posts.c.status == value,
        "since": lambda value: key >= value,
        "until": lambda value: key <= value,
        "search": lambda value: posts.c.text.ilike(value),
    }
    for name, condition in conditions.items():
        if name in given:
            query = query.where(condition(_parameter(name)))
    if "account_ids" in given:
        at_target.append(targets.c.account_id == sa.any_(_parameter("account_ids")))
    at_target += [targets.c[name] == _parameter(name) for name in ("platform", "page_id") if name in given]
    if at_target:
        query = query.where(sa.exists().where(of_post, *at_target))
    descending = direction == "desc"
    if "after" in given:
        place, here = sa.tuple_(key, posts.c.id), sa.tuple_(_parameter("after"), _parameter("after_id"))
        query = query.where(place < here if descending else place > here)
    order = (key.desc(), posts.c.id.desc()) if descending else (key.asc(), posts.c.id.asc())
    return Ready(query.order_by(*order).limit(sa.bindparam("most", type_=sa.Integer)))


def _parameter(name: str) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=_TYPES.get(name, sa.Text()))


_TYPES: dict[str, Any] = {
    "covered": sa.ARRAY(sa.Text),
    "account_ids": sa.ARRAY(sa.Text),
    "hidden": sa.Boolean(),
    "since": posts.c.created_at.type,
    "until": posts.c.created_at.type,
    "after": posts.c.created_at.type,
    "after_id": posts.c.id.type,
}

_SHOWN = Ready(
    sa.select(
        *(column for column in targets.c if column.name not in (
            "platform_data", "stage", "due_at", "claims", "tries", "submits", "working", "prepared", "fence", "lost_at",
            "lost_because", "absences", "sent_at", "comment_fence", "waiting_since",
        ))
    )
    .where(targets.c.post_id == sa.any_(sa.bindparam("ids", type_=sa.ARRAY(targets.c.post_id.type))))
    .order_by(targets.c.position)
)  # fmt: skip
"""A post's targets as they are shown to people."""


class PostStore:
    """Posts of one workspace, always."""

    def __init__(self, work: Work) -> None:
        self.db: Connection = work.db
        self.workspace_id = work.workspace_id

    async def add(self, post: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> tuple[Row, list[Row]]:
        """Keep a post and its targets; both as they are kept."""
        values = {"workspace_id": self.workspace_id, **post}
        kept = (await self.db.execute(insertion(posts, frozenset(values)), values)).one()
        return kept, await self._add_targets(rows)

    async def _add_targets(self, rows: Sequence[Mapping[str, Any]]) -> list[Row]:
        if not rows:
            return []
        values = [{"workspace_id": self.workspace_id, **row} for row in rows]
        kept = await self.db.execute(insertion_of_rows(targets, frozenset(values[0])), {"rows": values})
        return sorted(kept, key=lambda row: row["position"])

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

    async def shown_targets_of(self, post_ids: Sequence[UUID]) -> dict[UUID, list[Row]]:
        """The same, without what only the workflow needs."""
        found: dict[UUID, list[Row]] = {post_id: [] for post_id in post_ids}
        for row in await self.db.execute(_SHOWN, {"ids": post_ids}):
            found[row["post_id"]].append(row)
        return found

    async def list(self, wanted: Filter, limit: int, after: tuple[datetime, UUID] | None) -> Sequence[Row]:
        """One page and one row more, in the order asked for."""
        escaped = (wanted.search or "").replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        given: dict[str, Any] = {
            "mode": wanted.mode,
            "covered": list(wanted.covered) if wanted.covered is not None else None,
            "status": wanted.status,
            "since": wanted.since,
            "until": wanted.until,
            "search": f"%{escaped}%" if escaped else None,
            "account_ids": list(wanted.account_ids) or None,
            "platform": wanted.platform,
            "page_id": wanted.page_id,
            "hidden": None if wanted.hidden else False,
            "after": after[0] if after else None,
            "after_id": after[1] if after else None,
        }
        parameters = {name: value for name, value in given.items() if value is not None}
        query = _listing(wanted.sort, frozenset(parameters))
        return (
            await self.db.execute(query, {**parameters, "workspace": self.workspace_id, "most": limit + 1})
        ).all()

    async def replace_targets(self, post_id: UUID, rows: Sequence[Mapping[str, Any]]) -> None:
        await self.db.execute(sa.delete(targets).where(targets.c.post_id == post_id))
        await self._add_targets(rows)

    async def twin(self, fingerprint: str, since: datetime, but: UUID | None = None) -> UUID | None:
        """A post (not `but`) that says the same to the same targets, made since, and is or may be out.

        Locks that until commit.
        """
        await self.db.execute(_TURN, {"what": f"{self.workspace_id}{fingerprint}"})
        wanted = {
            "workspace": self.workspace_id,
            "fingerprint": fingerprint,
            "since": since,
            "but": but or NOBODY,
        }
        return (await self.db.execute(_TWIN, wanted)).scalar_one_or_none()

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
SINCE = sa.func.statement_timestamp()
"""When the statement began: to compare with. For NOW, which moves meanwhile, an index would be read from end to end."""


async def claim_due(db: Connection, lease: timedelta, limit: int) -> Sequence[Row]:
    """Take due targets, so that nobody else starts them until the lease is over."""
    due = (
        sa.select(targets.c.id)
        .where(targets.c.due_at <= SINCE)
        .order_by(targets.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = sa.update(targets).where(targets.c.id.in_(due))
    query = taken.values(due_at=NOW + lease, claims=targets.c.claims + 1).returning(targets)
    return (await db.execute(query)).all()


async def mark_publishing(db: Connection, post_id: UUID) -> bool:
    """A post whose time has come is no longer merely scheduled; whether it still exists.

    Whoever changes a post and its targets locks the post first: here, in `own` and in `record` alike.
    """
    status = (await db.execute(_STATUS_LOCKED, {"post": post_id})).scalar_one_or_none()
    if status == "scheduled":
        await db.execute(sa.update(posts).where(posts.c.id == post_id).values(status="publishing"))
    return status in ("scheduled", "publishing")


async def target(db: Connection, target_id: UUID) -> Row | None:
    """A target's row, and the database's time as `clock`."""
    return (await db.execute(_TARGET, {"id": target_id})).one_or_none()


async def post_of(db: Connection, post_id: UUID, *, lock: bool = False) -> Row | None:
    return (await db.execute(_POST_LOCKED if lock else _POST, {"id": post_id})).one_or_none()


async def change(
    db: Connection, target_id: UUID, *conditions: Any, seen: datetime | None = None, **changes: Any
) -> Row | None:
    """Change one target, if the conditions still hold: its row then, with the database's time as `clock`.

    Conditions are those below; `seen` belongs to UNCHANGED.
    """
    if any(isinstance(value, sa.ClauseElement) for value in changes.values()):
        query = sa.update(targets).where(targets.c.id == target_id, *conditions).values(**changes)
        return (await db.execute(query.returning(targets, NOW.label("clock")))).one_or_none()
    given = {f"new_{name}": value for name, value in changes.items()}
    query = _changing(frozenset(changes), conditions)
    return (await db.execute(query, {**given, "target": target_id, "seen": seen})).one_or_none()


UNCHANGED = targets.c.updated_at == sa.bindparam("seen")
PREPARING = sa.and_(targets.c.fence.is_(None), targets.c.stage == "preparing")
PREPARED = sa.and_(targets.c.fence.is_(None), targets.c.stage == "prepared")
UNCOMMENTED = targets.c.comment_fence.is_(None)


@cache
def _changing(names: frozenset[str], conditions: tuple[Any, ...]) -> Ready:
    values = {name: sa.bindparam(f"new_{name}", type_=targets.c[name].type) for name in names}
    query = sa.update(targets).where(targets.c.id == sa.bindparam("target"), *conditions).values(values)
    return Ready(query.returning(targets, NOW.label("clock")))


_TARGET = Ready(sa.select(targets, NOW.label("clock")).where(targets.c.id == sa.bindparam("id")))
_POST = Ready(sa.select(posts).where(posts.c.id == sa.bindparam("id")))
_POST_LOCKED = Ready(_POST.statement.with_for_update())
_STATUS_LOCKED = Ready(sa.select(posts.c.status).where(posts.c.id == sa.bindparam("post")).with_for_update())
_STATUSES = Ready(sa.select(targets.c.status).where(targets.c.post_id == sa.bindparam("post")))


async def statuses_of(db: Connection, post_id: UUID) -> list[str]:
    return list((await db.execute(_STATUSES, {"post": post_id})).scalars())


async def known_remote_ids(db: Connection, account_id: str) -> frozenset[str]:
    """What this account has published through us already: none of it can be what a lost answer hid."""
    rows = await db.execute(
        sa.select(targets.c.remote_id, targets.c.comment_id).where(
            targets.c.account_id == account_id,
            sa.or_(targets.c.remote_id.is_not(None), targets.c.comment_id.is_not(None)),
        )
    )
    return frozenset(value for row in rows for value in row if value)


async def release_waiting(db: Connection, account_id: str) -> int:
    """The account is back: everything that waited for it becomes due."""
    result = await db.execute(
        sa.update(targets)
        .where(targets.c.account_id == account_id, targets.c.waiting_since.is_not(None))
        .values(due_at=NOW, tries=0)
    )
    return result.rowcount


# What keeps the schedule true, over all workspaces


async def by_other_rules(db: Connection, zone_rules: str, limit: int) -> Sequence[Row]:
    """Posts that have not begun, locked, whose wall time or a target's was read by other zone rules."""

    def other(column: sa.Column[Any], table: sa.Table) -> sa.Select[Any]:
        edition = table.c.zone_rules
        return sa.select(column).where(
            table.c.time_zone.is_not(None), sa.or_(edition < zone_rules, edition > zone_rules)
        )

    found = sa.union_all(other(posts.c.id, posts), other(targets.c.post_id, targets))
    query = sa.select(posts).where(posts.c.id.in_(found), posts.c.status.in_(["draft", "scheduled"]))
    return (await db.execute(query.limit(limit).with_for_update(skip_locked=True))).all()


async def waiting_of(db: Connection, post_id: UUID) -> Sequence[Row]:
    """A post's targets that have not begun."""
    query = sa.select(targets).where(targets.c.post_id == post_id, targets.c.stage == "waiting")
    return (await db.execute(query)).all()


async def change_post(db: Connection, post_id: UUID, **changes: Any) -> None:
    await db.execute(sa.update(posts).where(posts.c.id == post_id).values(**changes))


async def oldest_due(db: Connection) -> Row | None:
    """The target that has been due for longest, and the database's time as `clock`."""
    query = sa.select(targets, NOW.label("clock")).where(targets.c.due_at <= SINCE)
    return (await db.execute(query.order_by(targets.c.due_at).limit(1))).one_or_none()


async def count_due(db: Connection, lease: timedelta) -> tuple[int, int]:
    """How many targets are overdue, and how many are being worked on."""
    overdue = sa.func.count().filter(targets.c.due_at <= SINCE)
    running = sa.func.count().filter(targets.c.status == "publishing", targets.c.due_at > SINCE)
    query = sa.select(overdue, running).where(targets.c.due_at <= SINCE + lease)
    row = (await db.execute(query)).one()
    return row[0], row[1]


async def next_due(db: Connection) -> datetime | None:
    return (
        await db.execute(sa.select(sa.func.min(targets.c.due_at)).where(targets.c.due_at > SINCE))
    ).scalar_one()
