"""The library on the wire (contract 4.13)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from pydantic import BaseModel, Field

from hubbub.domains.media.rules import Media, Usage
from hubbub.runtime.lists import ListQuery


class MediaQuery(ListQuery):
    limit: int = Field(default=50, ge=1, le=100, description="How many files to return at most.")


class UploadUrlQuery(BaseModel):
    media_type: str = Field(description="The media type (MIME) of the file, as in `video/mp4`.")
    filename: str = Field(description="The file's name, as people will see it.")


class IngestIn(BaseModel):
    url: str = Field(max_length=4096, description="A public address, with https or http.")


class SignedQuery(BaseModel):
    expires: str = Field(default="", description="When the address stops working, in seconds since 1970.")
    signature: str = Field(default="", description="Proof that the address came from us.")


class MediaItem(msgspec.Struct, frozen=True):
    id: UUID
    filename: str
    content_type: str
    size_bytes: int
    status: str
    url: str
    created_at: datetime
    kind: str | None
    width: int | None
    height: int | None
    seconds: float | None

    @classmethod
    def of(cls, media: Media, url: str) -> MediaItem:
        return cls(
            id=media.id,
            filename=media.filename,
            content_type=media.content_type,
            size_bytes=media.size_bytes,
            status=media.status,
            url=url,
            created_at=media.created_at,
            kind=media.kind,
            width=media.width,
            height=media.height,
            seconds=media.seconds,
        )


class UploadUrl(msgspec.Struct, frozen=True):
    media_id: UUID
    upload_url: str
    expires_at: datetime


class Uploaded(msgspec.Struct, frozen=True):
    media_id: UUID


class Verified(msgspec.Struct, frozen=True):
    success: bool


class Storage(msgspec.Struct, frozen=True):
    used_bytes: int
    limit_bytes: int
    count: int
    file_count: int

    @classmethod
    def of(cls, usage: Usage) -> Storage:
        return cls(usage.used_bytes, usage.limit_bytes, usage.count, usage.count)


def storage_headers(usage: Usage) -> dict[str, str]:
    return {"X-Storage-Used": str(usage.used_bytes), "X-Storage-Limit": str(usage.limit_bytes)}
