"""Wall time in a zone: what people mean by "half past nine in Berlin", and which instant that is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import tzdata

RULES: str = tzdata.IANA_VERSION
"""The edition of the zone rules in use. They come from the `tzdata` package, whatever the machine has itself."""

SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class WallTime:
    """A date and a time of day as a clock on the wall there shows it; `local` has no offset."""

    local: datetime
    zone: str

    def instant(self) -> datetime:
        """When that is, in UTC, by the rules as they are now. Raises ValueError beyond the years 1 to 9999."""
        return instant_of(self.local, zone(self.zone))


@cache
def names() -> frozenset[str]:
    """Every zone there is (https://www.iana.org/time-zones)."""
    return frozenset(files("tzdata").joinpath("zones").read_text().split())


@cache
def zone(name: str) -> ZoneInfo:
    """Raises ValueError for a name that is not among `names`."""
    if name not in names():
        raise ValueError("must be a zone of the IANA list, as in Europe/Berlin; this is none.")
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)


def instant_of(local: datetime, where: ZoneInfo) -> datetime:
    """The instant a wall time stands for.

    Where the clock shows it twice, the first of the two. Where the clock skips it, the first instant after the gap.
    Raises ValueError when that is beyond the years 1 to 9999.
    """
    before = _offset(local.replace(tzinfo=where, fold=0))
    after = _offset(local.replace(tzinfo=where, fold=1))
    try:
        if before >= after:
            return (local - before).replace(tzinfo=UTC)
        return _end_of_gap(
            local, where, (local - after).replace(tzinfo=UTC), (local - before).replace(tzinfo=UTC)
        )
    except OverflowError as beyond:
        raise ValueError("must be an instant in the years 1 to 9999; this is none.") from beyond


def _end_of_gap(local: datetime, where: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The first second at which the clock shows more than `local`; at `low` it shows less."""
    first = low.replace(microsecond=0)
    steps = round((high - first) / SECOND) + 1
    lower, upper = 0, steps
    while upper - lower > 1:
        middle = (lower + upper) // 2
        shown = (first + middle * SECOND).astimezone(where).replace(tzinfo=None)
        lower, upper = (middle, upper) if shown < local else (lower, middle)
    return first + upper * SECOND


def _offset(moment: datetime) -> timedelta:
    offset = moment.utcoffset()
    assert offset is not None
    return offset
