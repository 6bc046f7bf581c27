"""What callers send about posts (contract 5.5)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from hubbub.domains.posts import walltime
from hubbub.domains.posts.store import Row
from hubbub.kit.clock import from_wire
from hubbub.runtime.lists import ListQuery


def _moment(value: Any) -> Any:
    return from_wire(value) if isinstance(value, str) and value else value


Moment = Annotated[datetime, BeforeValidator(_moment)]
"""RFC 3339; no offset means UTC."""


def _local(value: Any) -> Any:
    if isinstance(value, str):
        moment = datetime.fromisoformat(value.strip())
        if moment.tzinfo is not None:
            raise ValueError("must have no offset of its own; the time zone gives it.")
        return moment.replace(microsecond=0)
    return value


def _zone(value: str) -> str:
    walltime.zone(value)
    return value


class WallTimeIn(BaseModel):
    """A time as the clock on the wall shows it there; it stays that when the zone's rules change.

    A time that is skipped there means the first instant after the gap; one that comes twice means the first.
    """

    local: Annotated[datetime, BeforeValidator(_local)] = Field(
        description="Date and time without an offset, as in `2027-03-28T02:30`."
    )
    timezone: Annotated[str, AfterValidator(_zone)] = Field(
        description="An IANA time zone, as in `Europe/Berlin`."
    )

    @model_validator(mode="after")
    def _exists(self) -> WallTimeIn:
        self.meant.instant()
        return self

    @property
    def meant(self) -> walltime.WallTime:
        return walltime.WallTime(self.local, self.timezone)


def _kind_of_time(value: Any) -> str:
    return "wall" if isinstance(value, dict | WallTimeIn) else "instant"


When = Annotated[
    Annotated[Moment, Tag("instant")] | Annotated[WallTimeIn, Tag("wall")], Discriminator(_kind_of_time)
]
"""An instant, or a wall time in a zone."""


def instant(at: datetime | WallTimeIn | None) -> datetime | None:
    return at.meant.instant() if isinstance(at, WallTimeIn) else at


def columns_of(at: datetime | WallTimeIn | None) -> dict[str, Any]:
    """How a time is kept: the instant, and for a wall time what was meant and by which rules it was read."""
    wall = at if isinstance(at, WallTimeIn) else None
    return {
        "scheduled_at": instant(at),
        "local_time": wall.local.isoformat() if wall else None,
        "time_zone": wall.timezone if wall else None,
        "zone_rules": walltime.RULES if wall else None,
    }


def time_of(row: Row) -> datetime | WallTimeIn | None:
    """What a post or target was given as its time."""
    if row.time_zone is None:
        return row.scheduled_at
    return WallTimeIn(local=datetime.fromisoformat(row.local_time), timezone=row.time_zone)


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
    title: str | None = None
    media: list[MediaIn] | None = None
    media_ids: list[str] | None = None
    first_comment: str | None = None
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
    scheduled_at: When | None = None


class SegmentIn(BaseModel):
    """A post that continues the one before it. Its media are not published yet."""

    text: str | None = None
    media: list[MediaIn] | None = None
    media_ids: list[str] | None = None


class PostIn(ContentIn):
    scheduled_at: When | None = Field(
        default=None, description="An instant, or a wall time: `{local, timezone}`."
    )
    publish_now: bool = False
    segments: list[SegmentIn] = Field(
        default=[], max_length=100, description="Posts that continue this one as a thread."
    )
    skip_duplicate_check: bool = False
    skip_validation: bool = False
    targets: list[TargetIn] = Field(default=[], max_length=100)


class PostPatch(ContentIn):
    """What is left out stays as it is. null empties a field; without its time a scheduled post is a draft again."""

    scheduled_at: When | None = None
    hidden: bool | None = None
    targets: list[TargetIn] | None = Field(default=None, max_length=100, description="Replaces all targets.")
    segments: list[SegmentIn] | None = Field(default=None, max_length=100)
    skip_validation: bool | None = None
    skip_duplicate_check: bool = False


class ValidateIn(ContentIn):
    platforms: list[str] = Field(default=[], max_length=100)
    account_ids: list[str] = Field(default=[], max_length=100)
    scheduled_at: When | None = None
    targets: list[TargetIn] = Field(default=[], max_length=100)
    segments: list[SegmentIn] = Field(default=[], max_length=100)


class ConstraintsQuery(BaseModel):
    platform: str | None = Field(default=None, description="Only this platform's.")


class UnpublishIn(BaseModel):
    """Nothing means every account."""

    account_id: str | None = None
    account_ids: list[str] | None = None


class ImportQuery(BaseModel):
    dry_run: bool = Field(default=False, description="Check every row and keep nothing.")


class ResolveIn(BaseModel):
    """What a person found on the platform."""

    outcome: Literal["published", "absent"]
    platform_post_id: str | None = Field(
        default=None, max_length=500, description="The post's id there; deleting and numbers need it."
    )
    permalink: str | None = Field(default=None, max_length=2_000, pattern=r"^https?://")
    page_id: str | None = Field(default=None, description="Where one account is a target with several pages.")


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
