"""What is known about the platforms, as data for programs: `contract/platforms.json` and `GET /v1/platforms`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hubbub.connector.limits import sentences
from hubbub.connector.platform import Platform


def catalogue(platforms: Iterable[Platform]) -> dict[str, Any]:
    """Every platform, in the order of their names."""
    return {"platforms": [entry_of(facts) for facts in sorted(platforms, key=lambda facts: facts.name)]}


def entry_of(facts: Platform) -> dict[str, Any]:
    """One platform as JSON: its facts without its addresses, and each format's limits as sentences too."""
    entry = facts.model_dump(mode="json", exclude={"hosts"}, exclude_none=True)
    for variant in entry["variants"].values():
        variant.pop("hosts", None)
    for name, form in facts.formats.items():
        entry["formats"][name]["limits"] = sentences(form)
    return entry
