"""A sandbox that is given less time, so that nobody waits half a minute for an answer that is lost."""

from __future__ import annotations

from hubbub.connector.platform import Platform, merge
from hubbub.connector.registry import Registry

SUBMIT_TIMEOUT = 8.0
"""Seconds; more than the sandbox is ever told to be silent in a hurry (`runs.mishaps`)."""


def hurry(platforms: Registry) -> None:
    """Shorten what a submit may take in the sandbox: how long something is looked for follows from that."""
    for found in platforms.values():
        if "sandbox" in found.facts.variants:
            sooner = {"variants": {"sandbox": {"publish": {"submit_timeout": SUBMIT_TIMEOUT}}}}
            found.facts = Platform.model_validate(merge(found.facts.model_dump(), sooner))
