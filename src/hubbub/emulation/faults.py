"""What should go wrong with the next calls, and in which order it was asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

KINDS = (
    "accept_then_drop",
    "accept_then_500",
    "drop",
    "refuse",
    "throttle",
    "expire_token",
    "revoke",
    "slow",
    "garbage",
)
RUN_FIRST = frozenset({"accept_then_drop", "accept_then_500"})
CUT = frozenset({"accept_then_drop", "drop"})
ANSWER_INSTEAD = frozenset({"refuse", "throttle", "expire_token", "revoke", "garbage"})


@dataclass
class Fault:
    """`times` left; `method` and `prefix` are None for a call of any kind."""

    kind: str
    method: str | None = None
    prefix: str | None = None
    times: int = 1
    params: dict[str, Any] = field(default_factory=dict[str, Any])

    def matches(self, method: str, paths: tuple[str, ...]) -> bool:
        if self.method is None or self.prefix is None:
            return True
        return method == self.method and any(path.startswith(self.prefix) for path in paths)


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
