"""Answers as JSON: structs, models, lists and moments, in the contract's spelling."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, cast

import msgspec
from pydantic import BaseModel

from hubbub.kit import clock

_encoder = msgspec.json.Encoder()


def encode(value: Any) -> bytes:
    """JSON of anything a route returns. Raises TypeError for what has no form on the wire."""
    return _encoder.encode(plain(value))


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
