"""Checking a value against a shape, with the sentences the reference server uses.

The sentences were read off @atproto/pds 0.5.35.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import regex

from hubbub.platforms.bluesky.emulator import formats

Shape = Callable[[Any, str], None]
"""Takes a value and its path (`$.record.text`); raises Invalid."""

PREVIEW = 255


class Invalid(Exception):
    """The sentence without its path, and the path."""

    def __init__(self, sentence: str, path: str) -> None:
        super().__init__(f"{sentence} at {path}")
        self.sentence = sentence
        self.path = path


@dataclass(frozen=True)
class Text:
    """`max_bytes` of UTF-8, `max_graphemes` as a reader counts, `format` a name in emulator_formats."""

    max_bytes: int | None = None
    max_graphemes: int | None = None
    format: str | None = None

    def __call__(self, value: Any, path: str) -> None:
        if not isinstance(value, str):
            raise wrong_type(value, path, "string")
        size = len(value.encode("utf-8", "surrogatepass"))
        if self.max_bytes is not None and size > self.max_bytes:
            raise too_big("string", self.max_bytes, size, path)
        if self.max_graphemes is not None and len(value) > self.max_graphemes:
            graphemes = len(regex.findall(r"\X", value))
            if graphemes > self.max_graphemes:
                raise too_big("grapheme", self.max_graphemes, graphemes, path)
        if self.format is not None and not formats.KNOWN[self.format](value):
            raise Invalid(f"Invalid {formats.SAID.get(self.format, self.format)} (got {shown(value)})", path)


@dataclass(frozen=True)
class Whole:
    """An integer."""

    minimum: int | None = None
    maximum: int | None = None

    def __call__(self, value: Any, path: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise wrong_type(value, path, "integer")
        if self.minimum is not None and value < self.minimum:
            raise Invalid(f"integer too small (minimum {self.minimum}, got {value})", path)
        if self.maximum is not None and value > self.maximum:
            raise too_big("integer", self.maximum, value, path)


@dataclass(frozen=True)
class Many:
    """An array of one shape."""

    item: Shape
    maximum: int | None = None

    def __call__(self, value: Any, path: str) -> None:
        if not isinstance(value, list):
            raise wrong_type(value, path, "array")
        if self.maximum is not None and len(value) > self.maximum:
            raise too_big("array", self.maximum, len(value), path)
        for index, item in enumerate(value):
            self.item(item, f"{path}[{index}]")


@dataclass(frozen=True)
class Fields:
    """An object; fields are checked in this order, others are let through."""

    required: dict[str, Shape] = field(default_factory=dict[str, Shape])
    optional: dict[str, Shape] = field(default_factory=dict[str, Shape])
    order: tuple[str, ...] = ()

    def __call__(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise wrong_type(value, path, "object")
        for name in self.order or (*self.required, *self.optional):
            shape = self.required.get(name) or self.optional[name]
            if name in value:
                shape(value[name], f"{path}.{name}")
            elif name in self.required:
                raise Invalid(f'Missing required key "{name}"', path)


@dataclass(frozen=True)
class OneOf:
    """An object that says its `$type`; an unknown type is let through unless closed."""

    shapes: dict[str, Shape]

    def __call__(self, value: Any, path: str) -> None:
        if not isinstance(value, dict) or "$type" not in value:
            raise wrong_type(value, path, 'an object which includes the "$type" property')
        known = self.shapes.get(value["$type"])
        if known is not None:
            known(value, path)


@dataclass(frozen=True)
class Blob:
    """A reference to an upload. `accept` has mime types, `image/*` meaning any image; sizes are bytes."""

    accept: tuple[str, ...] = ()
    max_size: int | None = None

    def __call__(self, value: Any, path: str) -> None:
        if not is_blob(value):
            raise wrong_type(value, path, "blob")
        mime = value["mimeType"]
        if self.accept and not any(_matches(mime, wanted) for wanted in self.accept):
            names = [json.dumps(wanted) for wanted in self.accept]
            wanted = names[0] if len(names) == 1 else f"one of {', '.join(names[:-1])} or {names[-1]}"
            raise Invalid(f"Expected {wanted} (got {shown(mime)})", f"{path}.mimeType")
        if self.max_size is not None and value["size"] > self.max_size:
            raise too_big("blob", self.max_size, value["size"], path)


def anything(value: Any, path: str) -> None:
    """What the data model can carry: no floats, and links and bytes well formed."""
    if isinstance(value, float):
        kinds = "null, boolean, integer, string, cid, bytes, array or object"
        raise Invalid(f"Expected one of {kinds} value type (got {shown(value)})", path)
    if isinstance(value, list):
        for index, item in enumerate(value):
            anything(item, f"{path}[{index}]")
    if isinstance(value, dict):
        if set(value) == {"$link"} and not formats.is_cid(value["$link"]):
            raise wrong_type(value, path, "cid")
        for name, item in value.items():
            anything(item, f"{path}.{name}")


def an_object(value: Any, path: str) -> None:
    """An object of anything."""
    if not isinstance(value, dict):
        raise wrong_type(value, path, "object")
    anything(value, path)


def yes_or_no(value: Any, path: str) -> None:
    if not isinstance(value, bool):
        raise wrong_type(value, path, "boolean")


def is_blob(value: Any) -> bool:
    """Whether this is a well-formed reference to an upload."""
    if not isinstance(value, dict) or value.get("$type") != "blob":
        return False
    mime, size, ref = value.get("mimeType"), value.get("size"), value.get("ref")
    return (
        set(value) == {"$type", "mimeType", "size", "ref"}
        and isinstance(mime, str)
        and "/" in mime
        and isinstance(size, int)
        and size >= 0
        and isinstance(ref, dict)
        and formats.is_cid(ref.get("$link"))
    )


def wrong_type(value: Any, path: str, wanted: str) -> Invalid:
    return Invalid(f"Expected {wanted} value type (got {shown(value)})", path)


def too_big(what: str, maximum: int, actual: int, path: str) -> Invalid:
    return Invalid(f"{what} too big (maximum {maximum}, got {actual})", path)


def shown(value: Any) -> str:
    """How a refused value is quoted."""
    if isinstance(value, str):
        return json.dumps(value if len(value) <= PREVIEW else value[:PREVIEW] + "…", ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ", ".join(shown(item) for item in value[:2]) + (", ..." if len(value) > 2 else "") + "]"
    if isinstance(value, dict):
        named = [f"{json.dumps(name)}: ..." for name in list(value)[:2]]
        return "{" + ", ".join(named) + (", ..." if len(value) > 2 else "") + "}"
    return json.dumps(value)


def _matches(mime: str, wanted: str) -> bool:
    return wanted in ("*/*", mime) or (wanted.endswith("/*") and mime.startswith(wanted[:-1]))
