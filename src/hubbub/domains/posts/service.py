"""What can be done with posts: create, publish, retry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from hubbub.domains.events import service as events
from hubbub.domains.media import service as media
from hubbub.domains.posts import content, rules
from hubbub.domains.posts import events as happened
from hubbub.domains.posts.reading import Loaded, load, own
from hubbub.domains.posts.schemas import PostIn, columns_of
from hubbub.domains.posts.store import PostStore
from hubbub.domains.usage import service as usage
from hubbub.errors import Refused
from hubbub.errors.resource import Conflict, NoRetryableDeliveries
from hubbub.errors.validation import FieldRequired
from hubbub.kit import ids
from hubbub.runtime.work import Work

DUPLICATE_WINDOW = timedelta(hours=24)
DUE = "hubbub_due"
"""Nudged when something became due this moment."""


# Creating


async def create(work: Work, command: PostIn, looked_at: media.LookedAt = media.NOTHING_LOOKED_AT) -> Loaded:
    """Check a post against every account it is meant for, then keep it. Nothing is stored when anything is wrong.

    `looked_at` is for trials that are taken back: what is named by address can be checked and not be published.
    """
    checked = await content.check(work, command, looked_at=looked_at)
    if checked.problems:
        raise Refused(checked.problems)
    store, rows = PostStore(work), checked.rows
    mode = next((account.mode for account in checked.chosen.values()), work.mode)
    status = "publishing" if command.publish_now else "scheduled" if command.scheduled_at else "draft"
    post: dict[str, Any] = {
        "id": ids.new_uuid(),
        "status": status,
        "mode": mode,
        **said(command),
        "created_at": work.now,
        "updated_at": work.now,
    }
    post["fingerprint"] = rules.fingerprint(post, rows)
    if status != "draft" and not command.skip_duplicate_check:
        await refuse_twin(work, post["fingerprint"])
    await (usage.tell_posts(work) if status == "draft" else usage.spend_post(work))
    plan(work, post, rows)
    loaded = await store.add(post, rows)
    also = [happened.scheduled(*loaded)] if status == "scheduled" else []
    await events.announce(work, happened.created(loaded[0]), *also)
    if status == "publishing":
        await work.nudge(DUE)
    return loaded


def said(command: PostIn) -> dict[str, Any]:
    """The columns of a post that its author decides."""
    return {
        "text": command.text or "",
        **command.model_dump(include={"title", "visibility", "first_comment", "skip_validation"}),
        "media": command.media_given() or [],
        "platform_data": command.platform_data or {},
        "segments": [segment.text or "" for segment in command.segments],
        **columns_of(None if command.publish_now else command.scheduled_at),
    }


def plan(work: Work, post: dict[str, Any], rows: Sequence[dict[str, Any]]) -> None:
    """Give each target's row its beginning: nothing of it is due while the post is a draft."""
    for row in rows:
        due = rules.first_due(row["scheduled_at"] or post["scheduled_at"], work.now)
        row |= {"post_id": post["id"], "status": "pending", "stage": "waiting", "updated_at": work.now}
        row |= dict.fromkeys(("due_at", "planned_at"), due if post["status"] != "draft" else None)


async def refuse_twin(work: Work, fingerprint: str, but: UUID | None = None) -> None:
    """Raises Conflict when another post (than `but`) says the same to the same accounts."""
    twin = await PostStore(work).twin(fingerprint, work.now - DUPLICATE_WINDOW, but)
    if twin is not None:
        raise Conflict(
            resource="post",
            problem="must differ from one sent to the same accounts within 24 hours; it does not.",
            reason="duplicate_content",
            post_id=str(twin),
        )


# Acting


async def publish(work: Work, pid: str) -> Loaded:
    """Send a draft or a scheduled post now. Raises StateInvalid, FieldRequired, Refused."""
    post, targets = await own(work, pid)
    rules.may_publish(post.status)
    if not targets:
        raise FieldRequired(field="targets")
    if post.status == "draft":
        await refuse_twin(work, post.fingerprint)
        await usage.spend_post(work)  # what was scheduled is paid for
    await PostStore(work).restart(post.id, ["pending"], work.now, planned_at=work.now)
    await PostStore(work).update(post.id, status="publishing", updated_at=work.now)
    await work.nudge(DUE)
    return await load(work, post.id)


async def retry(work: Work, pid: str) -> None:
    """Send the failed targets again. Raises StateInvalid, NoRetryableDeliveries."""
    post, targets = await own(work, pid)
    rules.may_retry(post.status)
    if not any(target.status == "failed" for target in targets):
        raise NoRetryableDeliveries()
    await usage.spend_post(work)
    store = PostStore(work)
    count = await store.restart(post.id, ["failed"], work.now, planned_at=work.now)
    await store.update(post.id, status="publishing", retry_count=post.retry_count + 1, updated_at=work.now)
    await events.announce(work, happened.retried(post, count))
    await work.nudge(DUE)


async def using_media(work: Work, media_id: UUID) -> list[str]:
    """Posts that still need a file: what keeps it from being deleted."""
    return await PostStore(work).pending_with_media(str(media_id))


media.in_use_checks.append(using_media)
