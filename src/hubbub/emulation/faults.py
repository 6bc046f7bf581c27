"""What should go wrong with the next calls, and in which order it was asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

KINDS = (
    "accept_then_drop",
    "accept_then_reset",
    "accept_then_500",
    "accept_then_garbage",
    "accept_then_hang",
    "drop",
    "refuse",
    "throttle",
    "expire_token",
    "revoke",
    "slow",
    "garbage",
)
ANSWER_AFTERWARDS = frozenset({"accept_then_500", "accept_then_garbage"})
ANSWER_INSTEAD = frozenset({"refuse", "throttle", "expire_token", "revoke", "garbage"})
GARBAGE = ("page", "bytes")


class Cut(Enum):
    """How a connection ends without an answer."""

    CLOSED = "closed"
    RESET = "reset"
    """At once and without goodbye: whoever reads gets a connection reset."""


CUT_INSTEAD = {"drop": Cut.CLOSED}
CUT_AFTERWARDS = {"accept_then_drop": Cut.CLOSED, "accept_then_reset": Cut.RESET}


@dataclass
class Fault:
    """`times` left; `method` and `prefix` are None for a call of any kind.

    A `*` in the prefix stands for one part of a path.
    """

    kind: str
    method: str | None = None
    prefix: str | None = None
    times: int = 1
    params: dict[str, Any] = field(default_factory=dict[str, Any])

    def matches(self, method: str, paths: tuple[str, ...]) -> bool:
        if self.method is None or self.prefix is None:
            return True
        wanted = re.compile("[^/]+".join(map(re.escape, self.prefix.split("*"))))
        return method == self.method and any(wanted.match(path) for path in paths)


class Faults:
    """The faults waiting on one platform; they are forgotten when the sandbox stops."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self.waiting.append(fault)

    def take(self, method: str, *paths: str) -> Fault | None:
        """The fault for this call, used up once; the one asked for first wins."""
        for fault in self.waiting:
            if fault.matches(method, paths):
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
                return fault
        return None
