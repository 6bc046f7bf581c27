"""What can happen to a post."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hubbub.domains.events.service import Event
from hubbub.domains.posts.answers import target_out
from hubbub.domains.posts.store import Row
from hubbub.kit.clock import to_wire


def created(post: Row) -> Event:
    return _of(post, "post.created", "A post was created", {"status": post.status})


def scheduled(post: Row, targets: Sequence[Row]) -> Event:
    data = {
        "status": "scheduled",
        "scheduled_at": to_wire(post.scheduled_at),
        "targets": [{"account_id": target.account_id, "platform": target.platform} for target in targets],
    }
    return _of(post, "post.scheduled", "A post was scheduled", data)


def settled(post: Row, status: str, targets: Sequence[Row]) -> Event:
    """Once per settlement: `post.published`, `post.partial`, `post.failed` or `post.unconfirmed`."""
    outcome = "success" if status == "published" else "failed"
    data = {"status": status, "results": [target_out(target) for target in targets]}
    return _of(post, f"post.{status}", f"A post is {status}", data, status=outcome)


def attempted(target: Row, post_id: str) -> Event:
    """One target reached its end."""
    error = target.error or {}
    return Event(
        category="post",
        action="publish",
        resource_id=post_id,
        summary=f"{target.platform}: {target.status}",
        payload={"post_id": post_id, "result": target_out(target)},
        status="success" if target.status == "published" else "failed",
        platform=target.platform,
        account_id=target.account_id,
        error_code=error.get("code"),
        error_message=error.get("message"),
        error_category=error.get("category"),
    )


def retried(post: Row, count: int) -> Event:
    return _of(post, "post.retried", "A post is being retried", {"retried_count": count})


def updated(post: Row, status: str, fields: Sequence[str]) -> Event:
    return _of(post, "post.updated", "A post was changed", {"status": status, "changed_fields": list(fields)})


def unpublished(post: Row, account_id: str | None, count: int) -> Event:
    data = {"account_id": account_id, "unpublished_count": count}
    return _of(post, "post.unpublished", "A post was taken down", data)


def resolved(post: Row, target: Row, outcome: str) -> Event:
    """A person looked, and said whether an unconfirmed target is there."""
    data = {"account_id": target.account_id, "platform": target.platform, "outcome": outcome}
    return _of(post, "post.resolved", "Somebody said what became of a post", data)


def deleted(post: Row) -> Event:
    return _of(post, "post.deleted", "A post was deleted", {"was_status": post.status})


def _of(post: Row, action: str, summary: str, data: dict[str, Any], status: str = "success") -> Event:
    return Event(
        category="post",
        action=action,
        resource_id=str(post.id),
        summary=summary,
        payload={"post_id": str(post.id), **data},
        status=status,
    )
