"""Keep the schedule true: wall times by the newest zone rules, and whether everything starts in time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from hubbub.domains.posts import store, walltime
from hubbub.domains.posts.store import Row
from hubbub.kit.clock import to_wire
from hubbub.runtime.work import Work

LEASE = timedelta(seconds=60)
"""How long a started target has before the sweep starts it again: the watchdog behind the engine's own."""
BATCH = 200
GRACE = timedelta(seconds=10)
"""How late the start of a target may be before the scheduler counts as late."""


# Zone rules


async def read_again(work: Work) -> int:
    """Give posts whose wall time was read by other zone rules the instant it is now; how many were looked at.

    Only what has not begun is moved. Takes a batch, of all workspaces; call it until it gives 0.
    """
    found = await store.by_other_rules(work.db, walltime.RULES, BATCH)
    for post in found:
        await _move(work, post)
    return len(found)


async def _move(work: Work, post: Row) -> None:
    at = _instant(post)
    if post.time_zone:
        await store.change_post(work.db, post.id, scheduled_at=at, zone_rules=walltime.RULES)
    for target in await store.waiting_of(work.db, post.id):
        own = _instant(target)
        moved: dict[str, Any] = {"scheduled_at": own, "zone_rules": walltime.RULES}
        changes = moved if target.time_zone else {}
        due = own or at
        if post.status == "scheduled" and due is not None and due != target.planned_at:
            changes |= {"due_at": due, "planned_at": due, "updated_at": store.NOW}
        if changes:
            await store.change(work.db, target.id, **changes)


def _instant(row: Row) -> datetime | None:
    if row.time_zone is None:
        return row.scheduled_at
    return walltime.WallTime(datetime.fromisoformat(row.local_time), row.time_zone).instant()


# Whether it keeps up


class Overdue(msgspec.Struct, frozen=True):
    """The target that has waited longest. `post_id` is told to those whose post it is."""

    platform: str
    due_at: str
    age_ms: int
    post_id: str | None


class SchedulerHealth(msgspec.Struct, frozen=True):
    status: str
    """`ok`, or `late` when something should have started a while ago."""
    time: str
    overdue: int
    running: int
    next_due_at: str | None
    oldest_overdue: Overdue | None


async def health(work: Work) -> SchedulerHealth:
    """How far behind the schedule is, over all workspaces."""
    async with work.seeing_everybody():
        oldest = await store.oldest_due(work.db)
        overdue, running = await store.count_due(work.db, LEASE)
        following = await store.next_due(work.db)
    age = oldest.clock - oldest.due_at if oldest is not None else timedelta()
    return SchedulerHealth(
        status="late" if age > GRACE else "ok",
        time=to_wire(work.now),
        overdue=overdue,
        running=running,
        next_due_at=to_wire(following) if following is not None else None,
        oldest_overdue=_overdue(work, oldest, age) if oldest is not None else None,
    )


def _overdue(work: Work, oldest: Row, age: timedelta) -> Overdue:
    is_ours = oldest.workspace_id == work.workspace_id
    return Overdue(
        platform=oldest.platform,
        due_at=to_wire(oldest.due_at),
        age_ms=round(age.total_seconds() * 1000),
        post_id=str(oldest.post_id) if is_ours else None,
    )
