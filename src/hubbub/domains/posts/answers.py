"""Posts as the native API answers them (contract 4.9–4.14)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from hubbub.domains.posts.store import Row
from hubbub.kit.clock import to_wire


class TargetErrorOut(msgspec.Struct, frozen=True, omit_defaults=True):
    message: str
    category: str
    caused_by: str
    code: str | None = None
    action: str | None = None
    meta: dict[str, Any] | None = None
    upstream: dict[str, Any] | None = None
    """What the platform itself said: its code, subcode, sentence and trace id."""


class WallTimeOut(msgspec.Struct, frozen=True):
    local: str
    timezone: str


class NumbersOut(msgspec.Struct, frozen=True):
    """What a platform counts; `extra` holds what not every platform has."""

    likes: int = 0
    comments: int = 0
    shares: int = 0
    saves: int = 0
    extra: dict[str, int] | None = None


class TargetOut(msgspec.Struct, frozen=True):
    platform: str
    status: str
    account_id: str
    page_id: str | None
    text: str | None
    title: str | None
    first_comment: str | None
    visibility: str | None
    media: list[dict[str, Any]] | None
    media_ids: list[str] | None
    scheduled_at: str | None
    wall_time: WallTimeOut | None
    platform_post_id: str | None
    permalink: str | None
    published_at: str | None
    metrics: NumbersOut | None
    metrics_synced_at: str | None
    error: TargetErrorOut | None
    warnings: list[str]
    due_at: str | None
    started_at: str | None
    lag_ms: int | None
    metadata: dict[str, Any]


class SegmentOut(msgspec.Struct, frozen=True):
    text: str


class PostOut(msgspec.Struct, frozen=True):
    id: str
    status: str
    text: str
    title: str | None
    visibility: str | None
    media: list[dict[str, Any]]
    media_ids: list[str]
    hidden: bool
    retry_count: int
    segments: list[SegmentOut]
    scheduled_at: str | None
    wall_time: WallTimeOut | None
    published_at: str | None
    targets: list[TargetOut]
    created_at: str
    updated_at: str
    metadata: dict[str, Any]


class DeletedOut(msgspec.Struct, frozen=True):
    platform: str
    account_id: str | None
    outcome: str
    message: str | None


class DeletePostOut(msgspec.Struct, frozen=True):
    success: bool
    deleted: bool
    results: list[DeletedOut]


class PostMetrics(msgspec.Struct, frozen=True):
    post_id: str
    targets: list[TargetOut]


class PostMetricsOut(msgspec.Struct, frozen=True):
    data: PostMetrics


class Issue(msgspec.Struct, frozen=True):
    """One thing that is wrong, or will be lost. `platform` is empty where it concerns all of them."""

    platform: str
    field: str
    message: str
    target: str | None = None
    segment_index: int | None = None
    fix: dict[str, Any] | None = None
    """What Hubbub can do about a picture: `auto_fix` is what to send in `platform_data`."""


class ValidationOut(msgspec.Struct, frozen=True):
    valid: bool
    errors: list[Issue]
    warnings: list[Issue]


class RowErrorOut(msgspec.Struct, frozen=True):
    row: int
    message: str


class ImportOut(msgspec.Struct, frozen=True):
    total_rows: int
    created: int
    failed: int
    errors: list[RowErrorOut]
    posts: list[PostOut]


class Success(msgspec.Struct, frozen=True):
    success: bool


def post_out(post: Row, targets: Sequence[Row]) -> PostOut:
    media = _media(post["media"]) or []
    return PostOut(
        id=str(post["id"]),
        status=post["status"],
        text=post["text"],
        title=post["title"],
        visibility=post["visibility"],
        media=media,
        media_ids=_media_ids(media),
        hidden=post["hidden"],
        retry_count=post["retry_count"],
        segments=[SegmentOut(text) for text in post["segments"]],
        scheduled_at=_wire(post["scheduled_at"]),
        wall_time=_wall(post),
        published_at=_wire(post["published_at"]),
        targets=[target_out(target, post["mode"]) for target in targets],
        created_at=to_wire(post["created_at"]),
        updated_at=to_wire(post["updated_at"]),
        metadata={"sandbox": True} if post["mode"] == "sandbox" else {},
    )


def target_out(target: Row, mode: str = "live") -> TargetOut:
    media, error, metrics = _media(target["media"]), target["error"], target["metrics"]
    planned, started = target["planned_at"], target["started_at"]
    return TargetOut(
        platform=target["platform"],
        status=target["status"],
        account_id=target["account_id"],
        page_id=target["page_id"],
        text=target["text"],
        title=target["title"],
        first_comment=target["first_comment"],
        visibility=target["visibility"],
        media=media,
        media_ids=_media_ids(media) if media is not None else None,
        scheduled_at=_wire(target["scheduled_at"]),
        wall_time=_wall(target),
        platform_post_id=target["remote_id"],
        permalink=target["permalink"],
        published_at=_wire(target["published_at"]),
        metrics=msgspec.convert(metrics, NumbersOut) if metrics is not None else None,
        metrics_synced_at=_wire(target["metrics_synced_at"]),
        error=msgspec.convert(error, TargetErrorOut) if error else None,
        warnings=target["warnings"] or [],
        due_at=_wire(planned),
        started_at=_wire(started),
        lag_ms=_lag(planned, started) if planned and started else None,
        metadata={**({"sandbox": True} if mode == "sandbox" else {}), **thread_of(target)},
    )


def thread_of(target: Row) -> dict[str, Any]:
    """The posts of a thread after the first, and which segment failed, as far as it got."""
    receipt = target["receipt"]
    if not receipt:
        return {}
    told = receipt.get("body", {})
    return {name: told[name] for name in ("thread_post_ids", "thread_failed_at_index") if name in told}


def _lag(planned: datetime, started: datetime) -> int:
    return max(0, round((started - planned).total_seconds() * 1000))


def _wall(row: Row) -> WallTimeOut | None:
    return WallTimeOut(row["local_time"], row["time_zone"]) if row["time_zone"] is not None else None


def _media(stored: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
    if not stored:
        return stored
    return [
        {key: value for key, value in item.items() if key in ("source_type", "source", "type", "alt_text")}
        for item in stored
    ]


def _media_ids(media: list[dict[str, Any]]) -> list[str]:
    return [item["source"] for item in media if item["source_type"] == "media_id"]


def _wire(moment: datetime | None) -> str | None:
    return None if moment is None else to_wire(moment)
