"""What may happen to a post, decided without looking anywhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

from hubbub.errors import Action, Refusal, category_of
from hubbub.errors.resource import StateInvalid
from hubbub.social.draft import File

PostStatus = Literal[
    "draft", "scheduled", "publishing", "published", "partial", "failed", "unconfirmed", "cancelled"
]
TargetStatus = Literal["pending", "publishing", "published", "failed", "unconfirmed"]
Stage = Literal["waiting", "preparing", "prepared", "submitting", "unknown", "sent", "commenting", "settled"]

POST_STATUSES: tuple[str, ...] = PostStatus.__args__  # type: ignore[attr-defined]
FINAL: frozenset[str] = frozenset({"published", "failed", "unconfirmed"})
LOCAL_ONLY: frozenset[str] = frozenset({"draft", "scheduled", "failed", "cancelled"})
"""States in which nothing of a post is anywhere but here."""

MAX_SUBMITS = 6
"""Attempts at the visible call, each after certainty that the one before it left nothing."""
MAX_TRIES = 8
"""Attempts at a step that may be repeated, before it counts as failed."""

AUTO_FIX = "auto_fix"


def post_status(statuses: Sequence[str]) -> PostStatus | None:
    """What a post is when its targets are so; None while one is still on its way."""
    if not statuses or not set(statuses) <= FINAL:
        return None
    if "unconfirmed" in statuses:
        return "unconfirmed"
    if all(status == "published" for status in statuses):
        return "published"
    return "partial" if "published" in statuses else "failed"


def went_out(status: PostStatus, retries: int, targets: Sequence[Any]) -> bool:
    """Whether the last start of a post put anything in front of people, or may have: then it counts.

    `targets` are rows. Of a post that was retried, only what was published since counts.
    """
    if status != "partial" or not retries:
        return status != "failed"
    since = max(target.planned_at for target in targets if target.status == "failed")
    return any(target.status == "published" and target.published_at >= since for target in targets)


def may_publish(status: str) -> None:
    if status not in ("draft", "scheduled"):
        raise StateInvalid(post_status=status, operation="published")


def may_retry(status: str) -> None:
    if status not in ("failed", "partial", "unconfirmed"):
        raise StateInvalid(post_status=status, operation="retried")


def may_delete(status: str) -> None:
    if status == "publishing":
        raise StateInvalid(post_status=status, operation="deleted")


def may_unpublish(status: str) -> None:
    if status not in ("published", "partial", "unconfirmed"):
        raise StateInvalid(post_status=status, operation="unpublished")


def backoff(tries: int) -> timedelta:
    """How long to wait before another try: 1, 2, 4 … at most 300 seconds."""
    return timedelta(seconds=min(300, 2 ** max(0, tries)))


def catch_up(hours: float) -> timedelta:
    """How late a post may begin; at least a minute, because nothing begins at once."""
    return max(timedelta(hours=hours), timedelta(minutes=1))


def error_of(refusal: Refusal, upstream: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A refusal as a target keeps it (contract 4.10), with what the platform itself said."""
    category = category_of(refusal.wire_code, refusal.http_status)
    caused_by = {
        Action.FIX_REQUEST: "user",
        Action.RECONNECT: "user",
        Action.CHANGE_PLAN: "user",
        Action.REPORT: "system",
    }.get(refusal.action, "platform")
    error: dict[str, Any] = {
        "code": refusal.wire_code,
        "message": refusal.sentence,
        "category": str(category),
        "caused_by": caused_by,
        "action": str(refusal.action),
    }
    if refusal.meta:
        error["meta"] = refusal.meta
    if upstream:
        error["upstream"] = dict(upstream)
    return error


def fingerprint(post: Mapping[str, Any], targets: Iterable[Mapping[str, Any]]) -> str:
    """Equal for posts that say the same to the same accounts: what the duplicate check compares.

    `post` and each target carry `text`, `title`, `media` and `platform_data`, the post `segments` too; what
    a target says for itself counts, not what it replaces. Times, first comments and the order of the targets do not count.
    """
    said: list[str] = []
    for target in targets:
        text, title, media = (
            target[name] if target[name] is not None else post[name] for name in ("text", "title", "media")
        )
        options = options_for(target["platform"], post["platform_data"] or {}, target["platform_data"] or {})
        place = [target["account_id"], target["page_id"] or ""]
        sources = [item.get("source") for item in media or ()]
        said.append(json.dumps([*place, text or "", title or "", sources, options], sort_keys=True))
    said.extend(f"then {segment}" for segment in post["segments"])
    return hashlib.sha256(json.dumps(sorted(said)).encode()).hexdigest()


def options_for(platform: str, at_post: Mapping[str, Any], at_target: Mapping[str, Any]) -> dict[str, Any]:
    """A target's `platform_data`: the post's for that platform, then the target's own, flat or nested."""
    folded: dict[str, Any] = {}
    for given in (at_post, at_target):
        nested = given.get(platform)
        flat = {} if given is at_post else {key: value for key, value in given.items() if key != platform}
        folded |= flat | (dict(nested) if isinstance(nested, Mapping) else {})
    folded.pop(AUTO_FIX, None)
    return folded


def auto_fix(platform: str, at_post: Mapping[str, Any], at_target: Mapping[str, Any]) -> Any:
    """What is asked for as `auto_fix`, which is ours and not the platform's: the target's own counts before
    the post's for the platform, and that before the post's for all."""
    asked: Any = None
    for given in (at_post, at_target):
        nested = given.get(platform)
        for place in (given, nested if isinstance(nested, Mapping) else {}):
            asked = place.get(AUTO_FIX, asked)
    return asked


def first_due(scheduled_at: datetime | None, now: datetime) -> datetime:
    return scheduled_at if scheduled_at is not None else now


def with_alt(files: Sequence[File], given: Mapping[str, Any]) -> tuple[File, ...]:
    """Alternative texts from `platform_data` where the media itself carries none."""
    listed = given.get("alt_texts")
    texts = listed if listed and isinstance(listed, list) else [given.get("alt_text")]
    described = list(files)
    for position, text in enumerate(texts):
        if position < len(described) and isinstance(text, str) and not described[position].alt:
            described[position] = replace(described[position], alt=text)
    return tuple(described)
