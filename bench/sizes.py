"""How much is measured: the whole, or a taste of it that only shows that everything runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    repeats: int
    seconds: float
    """How long one run of requests is counted."""
    connections: tuple[int, ...]
    listed: int
    """Posts that are stored while lists are read."""
    storm: int
    """Targets that are due in one second."""
    killed: int
    """Targets of a storm in which the worker is killed."""
    small_storm: int
    few: int
    later: int
    """Posts scheduled for later, at rest."""
    people: int
    rest_seconds: float
    engines: bool
    """Whether other engines are measured too."""


WHOLE = Size(
    repeats=3, seconds=3, connections=(1, 8, 64), listed=100_000, storm=5_000, killed=1_500, small_storm=1_000,
    few=1_000, later=1_000_000, people=200, rest_seconds=10, engines=True,
)  # fmt: skip
TASTE = Size(
    repeats=1, seconds=0.2, connections=(2,), listed=60, storm=20, killed=40, small_storm=10, few=10, later=60,
    people=8, rest_seconds=0.5, engines=False,
)  # fmt: skip
