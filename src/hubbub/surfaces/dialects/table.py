"""A dialect's table: what each of our codes is called there, and with which status."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from importlib import resources
from typing import Any

import msgspec

from hubbub.errors import Refusal


class Name(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: str
    """Empty where the dialect has no word for it."""
    status: int | None = None
    """The status there; ours when absent."""


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`codes` are ours to the letter; `families` are patterns with `*`, of which the first that fits counts."""

    codes: dict[str, Name]
    families: dict[str, Name]

    def name_of(self, refusal: type[Refusal], wire_code: str) -> tuple[Name, str]:
        """What a refusal is called, and the entry that says so. Raises LookupError when none does."""
        if refusal.code in self.codes:
            return self.codes[refusal.code], refusal.code
        for pattern, name in self.families.items():
            if fnmatchcase(wire_code, pattern):
                return name, pattern
        raise LookupError(f"no entry fits {wire_code}")


def load(package: str) -> Table:
    """The `errors.toml` of a dialect's folder. Raises msgspec.ValidationError for one that is not a table."""
    text = (resources.files(package) / "errors.toml").read_text()
    found: Mapping[str, Any] = tomllib.loads(text)
    return msgspec.convert(found, Table)
