"""Posts as the native API speaks of them (contract 4.9, 4.10)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, cast

import msgspec
from pydantic import BaseModel, BeforeValidator, Field, field_validator

from hubbub.domains.posts.store import Row
from hubbub.kit.clock import from_wire, to_wire
from hubbub.runtime.lists import ListQuery


def _moment(value: Any) -> Any:
    return from_wire(value) if isinstance(value, str) and value else value


Moment = Annotated[datetime, BeforeValidator(_moment)]
"""RFC 3339; no offset means UTC."""

Visibility = Literal["public", "private", "connections_only", "logged_in", "unlisted"]
Sort = Literal["scheduled_asc", "scheduled_desc", "created_asc", "created_desc"]


class MediaIn(BaseModel):
    """One file of a post: by our id, or by the platform's own."""

    source_type: Literal["media_id", "url", "platform_attachment_id"] = "media_id"
    source: str
    type: Literal["image", "video", "audio", "file"] | None = None
    alt_text: str | None = None


class ContentIn(BaseModel):
    text: str | None = None
    title: str | None = Field(default=None, max_length=500)
    media: list[MediaIn] | None = None
    media_ids: list[str] | None = None
    first_comment: str | None = Field(default=None, max_length=10_000)
    visibility: Visibility | None = None
    platform_data: dict[str, Any] | None = None

    @field_validator("platform_data")
    @classmethod
    def _names_a_format(cls, given: dict[str, Any] | None) -> dict[str, Any] | None:
        """For all platforms or for one: `content_type` is looked up, so it has to be a name."""
        for options in (given or {}, *(given or {}).values()):
            asked = cast(dict[str, Any], options).get("content_type") if isinstance(options, dict) else None
            if asked is not None and not isinstance(asked, str):
                raise ValueError("has a content_type that must be text.")
        return given

    def media_given(self) -> list[dict[str, Any]] | None:
        """`media` wins over the older `media_ids`; None when neither was given."""
        if self.media is not None:
            return [item.model_dump(exclude_none=True) for item in self.media]
        if self.media_ids is not None:
            return [{"source_type": "media_id", "source": media_id} for media_id in self.media_ids]
        return None


class TargetIn(ContentIn):
    account_id: str
    page_id: str | None = None
    board_id: str | None = None
    scheduled_at: Moment | None = None


class PostIn(ContentIn):
    scheduled_at: Moment | None = None
    publish_now: bool = False
    skip_duplicate_check: bool = False
    skip_validation: bool = False
    targets: list[TargetIn] = Field(default=[], max_length=100)


class PostsQuery(ListQuery):
    account_ids: str | None = Field(default=None, description="Comma list.")
    brand_id: str | None = None
    status: Literal[
        "draft", "scheduled", "publishing", "published", "partial", "failed", "unconfirmed", "cancelled"
    ] | None = None  # fmt: skip
    platform: str | None = None
    page_id: str | None = None
    since: Moment | None = Field(default=None, alias="from")
    until: Moment | None = Field(default=None, alias="to")
    search: str | None = None
    sort: Sort = "scheduled_asc"
    hidden: bool = False


class DeleteQuery(BaseModel):
    platform: str | None = Field(default=None, description="Only this platform's copy.")


class TargetErrorOut(msgspec.Struct, frozen=True, omit_defaults=True):
    message: str
    category: str
    caused_by: str
    code: str | None = None
    action: str | None = None
    meta: dict[str, Any] | None = None
    upstream: dict[str, Any] | None = None
    """What the platform itself said: its code, subcode, sentence and trace id."""


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
    platform_post_id: str | None
    permalink: str | None
    published_at: str | None
    error: TargetErrorOut | None
    warnings: list[str]
    due_at: str | None
    started_at: str | None
    lag_ms: int | None
    metadata: dict[str, Any]


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
    scheduled_at: str | None
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


class Success(msgspec.Struct, frozen=True):
    success: bool


def post_out(post: Row, targets: Sequence[Row]) -> PostOut:
    media = _media(post.media) or []
    return PostOut(
        id=str(post.id),
        status=post.status,
        text=post.text,
        title=post.title,
        visibility=post.visibility,
        media=media,
        media_ids=_media_ids(media),
        hidden=post.hidden,
        retry_count=post.retry_count,
        scheduled_at=_wire(post.scheduled_at),
        published_at=_wire(post.published_at),
        targets=[target_out(target, post.mode) for target in targets],
        created_at=to_wire(post.created_at),
        updated_at=to_wire(post.updated_at),
        metadata={"sandbox": True} if post.mode == "sandbox" else {},
    )


def target_out(target: Row, mode: str = "live") -> TargetOut:
    media = _media(target.media)
    error = target.error
    return TargetOut(
        platform=target.platform,
        status=target.status,
        account_id=target.account_id,
        page_id=target.page_id,
        text=target.text,
        title=target.title,
        first_comment=target.first_comment,
        visibility=target.visibility,
        media=media,
        media_ids=_media_ids(media) if media is not None else None,
        scheduled_at=_wire(target.scheduled_at),
        platform_post_id=target.remote_id,
        permalink=target.permalink,
        published_at=_wire(target.published_at),
        error=msgspec.convert(error, TargetErrorOut) if error else None,
        warnings=list(target.warnings or ()),
        due_at=_wire(target.planned_at),
        started_at=_wire(target.started_at),
        lag_ms=_lag(target),
        metadata={"sandbox": True} if mode == "sandbox" else {},
    )


def _lag(target: Row) -> int | None:
    if target.started_at is None or target.planned_at is None:
        return None
    return max(0, round((target.started_at - target.planned_at).total_seconds() * 1000))


def _media(stored: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
    if stored is None:
        return None
    return [
        {key: value for key, value in item.items() if key in ("source_type", "source", "type", "alt_text")}
        for item in stored
    ]


def _media_ids(media: list[dict[str, Any]]) -> list[str]:
    return [item["source"] for item in media if item["source_type"] == "media_id"]


def _wire(moment: datetime | None) -> str | None:
    return to_wire(moment.astimezone(UTC)) if moment else None
