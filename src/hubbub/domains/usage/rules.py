"""Pure decisions: what a plan is, which period and which window a moment lies in, what is left."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from math import ceil
from typing import Literal

import msgspec

Counted = Literal["posts", "interactions"]

PERIOD = timedelta(days=30)
"""How long an allowance lasts before it starts anew (contract 10)."""

WINDOWS = {"minute": 60, "day": 86_400}
"""The windows in which requests are counted, in seconds."""


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a plan allows; -1 is without a limit."""

    profiles: int
    posts_per_month: int
    interactions_per_month: int
    storage_bytes: int
    event_retention_days: int
    exports_per_month: int
    videos_per_export: int
    transcripts_per_export: int
    has_vision_analysis: bool
    report_expiry_days: int
    export_cooldown_seconds: int

    def of(self, counted: Counted) -> int:
        return self.posts_per_month if counted == "posts" else self.interactions_per_month


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    tagline: str
    monthly_price_usd: int
    annual_price_usd: int
    popular: bool
    limits: Limits
    tier: str = ""


@dataclass(frozen=True)
class Window:
    """How many requests one window still allows."""

    name: str
    seconds: int
    limit: int
    used: int
    resets_in_seconds: int

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def is_exceeded(self) -> bool:
        return self.used > self.limit


@cache
def plans() -> Mapping[str, Plan]:
    """Every plan by its tier, cheapest first."""
    text = (resources.files("hubbub.domains.usage") / "plans.toml").read_text()
    found = msgspec.convert(tomllib.loads(text), dict[str, Plan])
    return {tier: msgspec.structs.replace(plan, tier=tier) for tier, plan in found.items()}


def period_of(since: datetime, now: datetime) -> tuple[datetime, datetime]:
    """The period a moment lies in, of a workspace made at `since`: its start, and the start of the next."""
    start = since + ((now - since) // PERIOD) * PERIOD
    return start, start + PERIOD


def seconds_until(moment: datetime, now: datetime) -> int:
    return max(1, ceil((moment - now).total_seconds()))


def window_start(seconds: int, now: datetime) -> datetime:
    """When the window that a moment lies in began; windows are aligned to 1970."""
    return datetime.fromtimestamp(now.timestamp() // seconds * seconds, UTC)


def tightest(windows: Sequence[Window]) -> Window:
    """The one that is used up first; of those that are used up, the one that lasts longest."""
    return min(windows, key=lambda window: (window.remaining, -window.resets_in_seconds))
