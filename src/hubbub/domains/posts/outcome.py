"""How a target can end, and what its end makes of the post."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hubbub.connector.promises import Settled
from hubbub.domains.events import service as events
from hubbub.domains.posts import events as happened
from hubbub.domains.posts import rules, store
from hubbub.domains.posts.store import PostStore, Row
from hubbub.domains.usage import service as usage
from hubbub.errors import Refusal
from hubbub.errors.publishing import Missed
from hubbub.kit.clock import to_wire
from hubbub.runtime.work import Work


@dataclass(frozen=True)
class Outcome:
    """A target's last state."""

    status: rules.TargetStatus
    remote_id: str | None = None
    permalink: str | None = None
    warnings: tuple[str, ...] = ()
    error: Mapping[str, Any] | None = None


def published(settled: Settled) -> Outcome:
    return Outcome("published", settled.remote_id, settled.permalink, settled.warnings)


def failed(refusal: Refusal, upstream: Mapping[str, Any] | None = None) -> Outcome:
    """Certainly not there."""
    return Outcome("failed", error=rules.error_of(refusal, upstream))


def unconfirmed(refusal: Refusal) -> Outcome:
    """Nobody can tell; never tried again by itself."""
    return Outcome("unconfirmed", error=rules.error_of(refusal))


def missed(target: Row, deadline: datetime, *, may_be_up: bool) -> Outcome:
    """Its account did not come back in time. Something already sent and not found again stays unconfirmed."""
    refusal = Missed(platform=target.platform, account_id=target.account_id, deadline=to_wire(deadline))
    return unconfirmed(refusal) if may_be_up else failed(refusal)


def too_late(target: Row, deadline: datetime) -> Outcome:
    """It was due while nothing ran here, and for longer than it may be late."""
    return failed(
        Missed(
            platform=target.platform,
            account_id=target.account_id,
            deadline=to_wire(deadline),
            reason="downtime",
        )
    )


async def record(work: Work, target: Row, ended: Outcome, *, then_comment: bool = False) -> Row | None:
    """Store a target's end and, when it was the last, the post's; each is announced once. The target as it is then.

    The post's row is locked first, so targets that end at the same moment settle the post together.
    """
    post = await store.post_of(work.db, target.post_id, lock=True)
    if post is None:
        return None
    is_up = ended.status == "published"
    kept = await store.change(
        work.db,
        target.id,
        status=ended.status,
        stage="commenting" if then_comment else "settled",
        due_at=work.now if then_comment else None,
        remote_id=ended.remote_id or target.remote_id,
        permalink=ended.permalink or target.permalink,
        warnings=[*(target.warnings or ()), *ended.warnings],
        error=dict(ended.error) if ended.error else None,
        published_at=work.now if is_up else None,
        waiting_since=None,
        prepared=None,
        working=None,
        tries=0,
        absences=0,
        updated_at=work.now,
    )
    assert kept is not None
    await events.announce(work, happened.attempted(kept, str(post.id)))
    await settle(work, post)
    return kept


async def settle(work: Work, post: Row) -> None:
    """When every target has ended, so has the post. Call with the post's row locked."""
    status = rules.post_status(await store.statuses_of(work.db, post.id))
    if status is None or status == post.status:
        return
    up = status in ("published", "partial")
    await PostStore(work).update(
        post.id, status=status, published_at=work.now if up else post.published_at, updated_at=work.now
    )
    targets = (await PostStore(work).targets_of([post.id]))[post.id]
    if not rules.went_out(status, post.retry_count, targets):
        await usage.return_post(work)
    await events.announce(work, happened.settled(post, status, targets))
