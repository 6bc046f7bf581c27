"""What pydantic finds wrong with a body or query, in the catalogue's words."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Union, cast, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from hubbub.errors import Refusal
from hubbub.errors.validation import FieldInvalid, FieldRequired

SENTENCES: tuple[tuple[str, str, str], ...] = (
    ("string_too_long", "must have at most {max_length} characters.", "too_long"),
    ("string_too_short", "must have at least {min_length} characters.", "too_short"),
    ("string_pattern_mismatch", "must have the form {pattern}.", "format"),
    ("string_", "must be text.", "type"),
    ("int_from_float", "must be a whole number.", "type"),
    ("int_parsing_size", "must be a number of at most 64 bits.", "too_large"),
    ("int_", "must be a whole number.", "type"),
    ("float_", "must be a number.", "type"),
    ("finite_number", "must be a finite number.", "type"),
    ("decimal_", "must be a number.", "type"),
    ("bool_", "must be true or false.", "type"),
    ("list_", "must be a list.", "type"),
    ("tuple_", "must be a list.", "type"),
    ("set_", "must be a list.", "type"),
    ("dict_", "must be an object.", "type"),
    ("model_", "must be an object.", "type"),
    ("mapping_", "must be an object.", "type"),
    ("too_long", "must hold at most {max_length} items; it holds {actual_length}.", "too_many"),
    ("too_short", "must hold at least {min_length} items; it holds {actual_length}.", "too_few"),
    ("greater_than_equal", "must be at least {ge}.", "too_small"),
    ("greater_than", "must be greater than {gt}.", "too_small"),
    ("less_than_equal", "must be at most {le}.", "too_large"),
    ("less_than", "must be less than {lt}.", "too_large"),
    ("literal_error", "must be one of {expected}.", "unknown"),
    ("enum", "must be one of {expected}.", "unknown"),
    ("union_tag_invalid", "must be one of {expected_tags}.", "unknown"),
    ("uuid_", "must be a UUID.", "format"),
    ("datetime_", "must be a date with a time, as RFC 3339 writes it.", "format"),
    ("timezone_", "must be a date with a time, as RFC 3339 writes it.", "format"),
    ("date_", "must be a date.", "format"),
    ("url_", "must be a web address.", "format"),
)
"""The beginning of pydantic's error type, the end of our sentence, and `meta.reason`; the first that fits."""

LIMITS = {"max": ("max_length", "le", "lt"), "min": ("min_length", "ge", "gt")}


def refusals(found: Sequence[ErrorDetails], sent: Any) -> list[Refusal]:
    """One refusal for each field that is wrong, missing ones first."""
    named: dict[str, Refusal] = {}
    for error in found:
        field = _field(error, sent)
        named.setdefault(field, _refusal(error, field))
    return sorted(named.values(), key=lambda refusal: not isinstance(refusal, FieldRequired))


def empties(model: type[BaseModel], sent: Any, prefix: str = "") -> Iterator[FieldRequired]:
    """Required text that was sent empty, which the contract counts as missing. `sent` fits the model."""
    if not isinstance(sent, dict):
        return
    values = cast(dict[str, Any], sent)
    for key, is_required_text, inner in _fields(model):
        value, field = values.get(key), prefix + key
        if value == "" and is_required_text:
            yield FieldRequired(field=field)
        if inner is None or value is None:
            continue
        if isinstance(value, list):
            for position, item in enumerate(cast(list[Any], value)):
                yield from empties(inner, item, f"{field}[{position}].")
        else:
            yield from empties(inner, value, f"{field}.")


@cache
def _fields(model: type[BaseModel]) -> list[tuple[str, bool, type[BaseModel] | None]]:
    """Each field that may be or may hold required text: its key, whether it is one, and the model it holds."""
    found: list[tuple[str, bool, type[BaseModel] | None]] = []
    for name, declared in model.model_fields.items():
        is_required_text = declared.is_required() and declared.annotation is str
        inner = next(iter(_models(declared.annotation)), None)
        if is_required_text or inner is not None:
            found.append((declared.alias or name, is_required_text, inner))
    return found


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The one model a field or the items of its list hold; none where several are possible."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (list, Union, types.UnionType):
        inner = [model for part in get_args(annotation) for model in _models(part)]
        return inner if len(inner) == 1 else []
    return []


def _field(error: ErrorDetails, sent: Any) -> str:
    """The field's name as the caller would write it. pydantic also puts the names of union members in."""
    name, here = "", sent
    for number, part in enumerate(error["loc"], start=1):
        if isinstance(part, int):
            name += f"[{part}]"
            here = cast(list[Any], here)[part] if isinstance(here, list) and part < len(here) else None
        elif isinstance(here, Mapping):
            known = cast(Mapping[str, Any], here)
            is_missing = error["type"] == "missing" and number == len(error["loc"])
            if part in known or is_missing:
                name += f".{part}" if name else part
                here = known.get(part)
    if error["type"].startswith("union_tag"):
        tag = str(error.get("ctx", {}).get("discriminator", "")).strip("'")
        name = f"{name}.{tag}" if name else tag
    return name or "body"


def _refusal(error: ErrorDetails, field: str) -> Refusal:
    kind, sent, facts = error["type"], error.get("input"), error.get("ctx", {})
    is_absent = kind in ("missing", "union_tag_not_found") or sent is None
    if is_absent or (
        sent == "" and kind in ("string_too_short", "literal_error", "enum", "union_tag_invalid")
    ):
        return FieldRequired(field=field)
    for start, sentence, reason in SENTENCES:
        if kind.startswith(start):
            return FieldInvalid(
                field=field, problem=sentence.format_map(facts), reason=reason, **_limits(facts)
            )
    if kind in ("value_error", "assertion_error"):
        return FieldInvalid(field=field, problem=str(facts.get("error")), reason="value")
    return FieldInvalid(field=field, problem=error["msg"], reason=kind)


def _limits(facts: Mapping[str, Any]) -> dict[str, Any]:
    """`max`, `min` and `actual`, where they are numbers."""
    limits = {
        name: facts[key]
        for name, keys in LIMITS.items()
        for key in keys
        if isinstance(facts.get(key), int | float)
    }
    actual = facts.get("actual_length")
    return {**limits, "actual": actual} if isinstance(actual, int) else limits
