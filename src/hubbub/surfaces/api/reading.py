"""What a request carries, read and checked before a handler sees it."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator
from functools import cache
from typing import Any, cast, get_args, get_origin
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError

from hubbub.errors import Refused
from hubbub.errors.system import HttpError
from hubbub.errors.validation import BodyInvalid
from hubbub.surfaces.api import sentences, storable

DIGITS_MAX = 30
"""Integers with more digits are not even read as integers: it would take long."""


def query_of(raw: bytes, model: type[BaseModel]) -> BaseModel:
    """The query as its model. A field that is a list takes repeated values and comma-joined ones.

    Raises Refused with everything that is wrong.
    """
    pairs = parse_qsl(
        raw.decode("utf-8", "surrogateescape"), keep_blank_values=True, errors="surrogateescape"
    )
    sent: dict[str, Any] = {}
    lists = _lists(model)
    for name, value in pairs:
        if name in lists:
            sent.setdefault(name, []).extend(part for part in value.split(",") if part)
        else:
            sent[name] = value
    return checked(model, sent)


def body_from(raw: bytes, model: type[BaseModel]) -> BaseModel:
    """A JSON body as its model; an absent one counts as `{}`, unknown fields are ignored.

    Raises BodyInvalid when it is not a JSON object, and Refused with everything that is wrong with the fields.
    """
    return checked(model, _parsed(raw))


def checked(model: type[BaseModel], sent: Any) -> BaseModel:
    """Raises Refused with every field that is wrong."""
    try:
        unstorable = list(storable.unstorable(sent))
    except storable.TooDeep:
        raise BodyInvalid(problem=f"must have at most {storable.DEPTH_MAX} levels.") from None
    if unstorable:
        raise Refused(unstorable)
    try:
        filled = model.model_validate(sent)
    except ValidationError as wrong:
        found = sentences.refusals(wrong.errors(include_url=False), sent)
        known = {cast(Any, refusal).field for refusal in found}
        empty = [refusal for refusal in sentences.empties(model, sent) if refusal.field not in known]
        raise Refused([*empty, *found]) from None
    if empty := list(sentences.empties(model, sent)):
        raise Refused(empty)
    return filled


async def whole(stream: AsyncIterator[bytes], length: int | None, most: int) -> bytes:
    """A body as it was sent. Raises HttpError (413) above `most` bytes."""
    too_large = HttpError(
        status_code=413, problem=f"A request body may have at most {most} bytes; this one has more.", max=most
    )
    if length is not None and length > most:
        raise too_large
    raw = bytearray()
    async for chunk in stream:
        raw += chunk
        if len(raw) > most:
            raise too_large
    return bytes(raw)


def _parsed(raw: bytes) -> Any:
    if not raw.strip():
        return {}
    try:
        sent = json.loads(raw.decode("utf-8-sig"), parse_int=_integer)
    except (ValueError, RecursionError):
        raise BodyInvalid(problem="must be JSON; this is not.") from None
    if not isinstance(sent, dict):
        raise BodyInvalid(problem="must be a JSON object; this is another kind of JSON.")
    return cast(Any, sent)


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= DIGITS_MAX else math.inf


@cache
def _lists(model: type[BaseModel]) -> frozenset[str]:
    """The fields that are lists."""
    return frozenset(
        declared.alias or name
        for name, declared in model.model_fields.items()
        if _is_list(declared.annotation)
    )


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(get_origin(part) is list for part in get_args(annotation))
