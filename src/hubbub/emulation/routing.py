"""Which function of an emulator answers which request."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from hubbub.emulation.call import Call, Reply

Answer = Callable[[Any, Call], Awaitable[Reply]]
F = TypeVar("F", bound=Answer)
HOLE = re.compile(r"\{(\w+)(:path)?\}")


@dataclass(frozen=True)
class Route:
    method: str
    pattern: str
    shape: re.Pattern[str]
    answer: Answer


def route(method: str, pattern: str) -> Callable[[F], F]:
    """Answer `method pattern`: `{name}` is one segment, `{name:path}` the rest. May be stacked."""
    shape = _shape(pattern)

    def mark(answer: F) -> F:
        answer.__dict__.setdefault("routes", []).insert(0, Route(method, pattern, shape, answer))
        return answer

    return mark


def routes_of(cls: type) -> list[Route]:
    """A class's own routes in the order they are written, then its bases', in resolution order.

    A method that a subclass replaces without a `@route` of its own keeps the routes it had.
    """
    found: list[Route] = []
    for base in cls.__mro__:
        for name, value in vars(base).items():
            for made in getattr(value, "__dict__", {}).get("routes", []):
                found.append(Route(made.method, made.pattern, made.shape, getattr(cls, name)))
    return found


def _shape(pattern: str) -> re.Pattern[str]:
    parts, at = "", 0
    for hole in HOLE.finditer(pattern):
        parts += re.escape(pattern[at : hole.start()])
        parts += f"(?P<{hole[1]}>.+)" if hole[2] else f"(?P<{hole[1]}>[^/]+)"
        at = hole.end()
    return re.compile(parts + re.escape(pattern[at:]))
