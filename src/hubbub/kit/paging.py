"""Opaque cursors: where the last page ended, in a form nobody is tempted to build by hand."""

from __future__ import annotations

import base64
import json
from typing import Any


def encode(position: list[Any]) -> str:
    """A cursor for a position of JSON scalars."""
    raw = json.dumps(position, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode(cursor: str, parts: int) -> list[Any]:
    """The position a cursor stands for. Raises ValueError when it is not one of ours."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        position = json.loads(raw)
    except (ValueError, UnicodeError, RecursionError) as broken:
        raise ValueError("not a cursor") from broken
    if not isinstance(position, list) or len(position) != parts:
        raise ValueError("not a cursor")
    return position
