"""The table of provocations, and what was promised about each code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api import Answer
from hubbub.errors import class_of, registry
from provoked.guest import Guest

ERRORS = Path(__file__).parents[2] / "errors"

Seen = Answer | dict[str, Any]
"""A refusal as a response, or as the error of a post's target."""
How = Callable[[Guest], Awaitable[Seen]]


@dataclass(frozen=True)
class Provocation:
    code: str
    """As it is on the wire."""
    meta: frozenset[str]
    """Words that its `meta` must hold."""
    how: How


TABLE: list[Provocation] = []


def provokes(code: str, *meta: str) -> Callable[[How], How]:
    """Enter the function below into the table."""

    def enter(how: How) -> How:
        TABLE.append(Provocation(code, frozenset(meta), how))
        return how

    return enter


def family(wire_code: str) -> str:
    """The catalogue's code for one on the wire."""
    found = class_of(wire_code)
    assert found is not None, f"no refusal has the code {wire_code}"
    return found.code


def lines(name: str) -> list[list[str]]:
    """The words of a list of codes, line by line."""
    text = (ERRORS / name).read_text(encoding="utf-8")
    return [line.split() for line in text.splitlines() if line and not line.startswith("#")]


def _promised() -> dict[str, int]:
    ours = {code: refusal.status for code, refusal in registry.items()}
    theirs = {
        family(code): int(status) for code, status, *_ in lines("contract_codes.txt") if status.isdecimal()
    }
    return ours | theirs


PROMISED = _promised()
"""The status of every code of the catalogue: what clients were promised, and ours for codes of our own."""


def status_of(wire_code: str) -> int:
    return int(wire_code[5:]) if wire_code.startswith("http.") else PROMISED[family(wire_code)]


def waiting() -> set[str]:
    """Codes that nothing can provoke yet."""
    return {line[0] for line in lines("not_yet_provokable.txt")}
