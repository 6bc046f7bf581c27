"""Answers as JSON: structs, models, lists and moments, in the contract's spelling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar, cast, get_args, get_type_hints

import msgspec
from pydantic import BaseModel

from hubbub.kit import clock


def encode(value: Any) -> bytes:
    """JSON of anything a route returns. Raises TypeError for what has no form on the wire."""
    return _encoder.encode(value if _is_timeless(value) else plain(value))


def plain(value: Any) -> Any:
    """The same as dicts, lists and scalars; moments at second precision."""
    return _moments(msgspec.to_builtins(value, builtin_types=(datetime,), str_keys=True, enc_hook=_foreign))


def _foreign(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return plain(value.model_dump(mode="python"))
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return plain(dict(cast(Mapping[str, Any], value)))
    raise TypeError(f"{type(value).__name__} has no form on the wire")


def _moments(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _moments(value) for key, value in cast(dict[str, Any], tree).items()}
    if isinstance(tree, list | tuple):
        return [_moments(value) for value in cast(list[Any], tree)]
    return clock.to_wire(tree) if isinstance(tree, datetime) else tree


_encoder = msgspec.json.Encoder(enc_hook=_foreign)


def _is_timeless(value: Any) -> bool:
    """Whether the type already says that there is no moment in it: then it need not be walked through."""
    if isinstance(value, list):
        return all(map(_is_timeless, cast("list[Any]", value)))
    if not isinstance(value, msgspec.Struct):
        return isinstance(value, str | int | float) or value is None
    open_fields = _open_fields(type(value))
    return open_fields is not None and all(_is_timeless(getattr(value, name)) for name in open_fields)


@cache
def _open_fields(kind: type[msgspec.Struct]) -> tuple[str, ...] | None:
    """The fields whose types are only known at each value; None for a struct that may hold a moment.

    `Any` stands for JSON as the database keeps it, which has no moments.
    """
    found: list[str] = []
    for name, hint in get_type_hints(kind).items():
        parts = set(_parts(hint))
        if any(isinstance(part, TypeVar) for part in parts):
            found.append(name)
        elif datetime in parts or any(
            isinstance(part, type) and issubclass(part, BaseModel) for part in parts
        ):
            return None
        for part in parts - {kind}:
            if isinstance(part, type) and issubclass(part, msgspec.Struct) and _open_fields(part) != ():
                return None
    return tuple(found)


def _parts(hint: Any) -> Iterator[Any]:
    """A type and every type inside it."""
    yield hint
    for inner in get_args(hint):
        yield from _parts(inner)
