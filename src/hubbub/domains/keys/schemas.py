"""Keys as the API shows and takes them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from pydantic import BaseModel, Field

from hubbub.domains.keys.service import ErrorFormat, Key, NewKey
from hubbub.runtime.work import Mode

NAME_MAX = 200


class KeyIn(BaseModel):
    name: str = Field(min_length=1, max_length=NAME_MAX)
    scopes: list[str] | None = Field(default=None, description="Empty or absent: everything.")
    brand_ids: list[str] | None = Field(default=None, description="Empty or absent: every brand.")
    mode: Mode | None = Field(
        default=None, description="`sandbox` keys reach sandbox accounts only. Absent: as the key that asks."
    )
    error_format: ErrorFormat = Field(
        default="native", description="The envelope of refusals, unless a request says with `X-Error-Format`."
    )


class KeyChangeIn(BaseModel):
    name: str | None = Field(default=None, min_length=1, max_length=NAME_MAX)
    scopes: list[str] | None = None
    brand_ids: list[str] | None = None
    error_format: ErrorFormat | None = None


class KeyOut(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    preview: str
    is_active: bool
    mode: str
    scopes: list[str]
    brand_ids: list[str]
    error_format: str
    created_at: datetime
    last_used_at: datetime | None

    @classmethod
    def of(cls, key: Key) -> KeyOut:
        return cls(
            id=key.id,
            name=key.name,
            preview=key.preview,
            is_active=key.is_active,
            mode=key.mode,
            scopes=key.scopes,
            brand_ids=key.brand_ids,
            error_format=key.error_format,
            created_at=key.created_at,
            last_used_at=key.last_used_at,
        )


class NewKeyOut(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    raw_key: str
    message: str
    mode: str
    scopes: list[str]
    brand_ids: list[str]
    error_format: str

    @classmethod
    def of(cls, made: NewKey) -> NewKeyOut:
        return cls(
            id=made.key.id,
            name=made.key.name,
            raw_key=made.raw_key.reveal(),
            message="Store this key now: it is shown once.",
            mode=made.key.mode,
            scopes=made.key.scopes,
            brand_ids=made.key.brand_ids,
            error_format=made.key.error_format,
        )


class ChangedKeyOut(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    scopes: list[str]
    brand_ids: list[str]
    error_format: str

    @classmethod
    def of(cls, key: Key) -> ChangedKeyOut:
        return cls(key.id, key.name, key.scopes, key.brand_ids, key.error_format)


class Done(msgspec.Struct, frozen=True):
    ok: bool
