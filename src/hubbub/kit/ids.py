"""Identifiers: random, prefixed where the contract shows a prefix, safe as one path segment."""

from __future__ import annotations

import secrets
from uuid import UUID, uuid4

from ulid import ULID


def new_uuid() -> UUID:
    return uuid4()


def as_uuid(text: str) -> UUID | None:
    """The UUID this text is, or None: a malformed id is simply not found."""
    try:
        return UUID(text)
    except ValueError:
        return None


def new_ulid(prefix: str) -> str:
    """`prefix` + 26 characters that sort by creation time (`acc_…`, `sapi_page_…`)."""
    return f"{prefix}{ULID()}"


def new_hex(prefix: str, length: int) -> str:
    """`prefix` + `length` random lowercase hex characters."""
    return prefix + secrets.token_hex((length + 1) // 2)[:length]
