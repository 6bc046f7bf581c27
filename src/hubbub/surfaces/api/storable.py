"""Which text and numbers can be stored at all: PostgreSQL has no U+0000, no lone surrogate, no endless number."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, cast

from hubbub.errors.validation import FieldInvalid

INTEGER_MAX = 2**63 - 1
DEPTH_MAX = 64
"""Levels of nesting a body may have."""


class TooDeep(Exception):
    """The body is nested more than DEPTH_MAX levels."""


def unstorable(tree: Any, field: str = "", depth: int = 0) -> Iterator[FieldInvalid]:
    """What in a parsed body or query cannot be stored, each with the name of its field. Raises TooDeep."""
    if depth > DEPTH_MAX:
        raise TooDeep
    match tree:
        case str():
            if not clean(tree):
                yield _invalid(field, "must be text without U+0000 and without half characters.", "format")
        case bool() | None:
            pass
        case int():
            if abs(tree) > INTEGER_MAX:
                yield _invalid(field, "must be a number of at most 64 bits.", "too_large")
        case float():
            if not math.isfinite(tree):
                yield _invalid(field, "must be a finite number.", "too_large")
        case dict():
            for name, value in cast(Mapping[str, Any], tree).items():
                if clean(name):
                    yield from unstorable(value, f"{field}.{name}" if field else name, depth + 1)
                else:
                    yield _invalid(
                        field, "must have names without U+0000 and without half characters.", "format"
                    )
        case _:
            for position, value in enumerate(cast(list[Any], tree)):
                yield from unstorable(value, f"{field}[{position}]", depth + 1)


def clean(text: str) -> bool:
    """Whether PostgreSQL can keep this text."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _invalid(field: str, problem: str, reason: str) -> FieldInvalid:
    return FieldInvalid(field=field or "body", problem=problem, reason=reason)
