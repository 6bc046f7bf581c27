"""Turning a table of errors.toml back into the answer it describes."""

from __future__ import annotations

from typing import Any


def find(refusals: list[dict[str, Any]], wanted: str) -> dict[str, Any] | None:
    """The first table whose `name` or `is` equals `wanted`; a `name` wins over an `is`."""
    for key in ("name", "is"):
        for entry in refusals:
            if entry.get(key) == wanted:
                return entry
    return None


def status_of(entry: dict[str, Any]) -> int:
    """The table's status; `"5xx"` becomes 500, no status becomes 400."""
    status = entry.get("status", 400)
    if isinstance(status, list):
        status = status[0] if status else 400
    return status if isinstance(status, int) else int(str(status)[0]) * 100


def body_of(entry: dict[str, Any]) -> dict[str, Any]:
    """A JSON body that every matcher of the table accepts: dotted paths become objects.

    `"~text"` (contains) becomes a sentence with that text: the table's `say` when it has it.
    """
    body: dict[str, Any] = {}
    say = str(entry.get("say", ""))
    for path, wanted in entry.get("when", {}).items():
        value = wanted[0] if isinstance(wanted, list) and wanted else wanted
        if isinstance(value, str) and value.startswith("~"):
            value = say if value[1:].lower() in say.lower() else value[1:]
        _put(body, path.split("."), value)
    return body


def _put(body: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        inner = body.setdefault(name, {})
        if not isinstance(inner, dict):
            inner = body[name] = {}
        body = inner
    body[path[-1]] = value
