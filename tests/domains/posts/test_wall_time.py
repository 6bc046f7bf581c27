"""Wall times, held against every zone's own transitions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubbub.domains.posts.walltime import WallTime, instant_of, names, zone

SECOND = timedelta(seconds=1)
ZONES = st.sampled_from(sorted(names()))
MOMENTS = st.datetimes(datetime(1900, 1, 2), datetime(2090, 1, 1))


def shown(instant: datetime, name: str) -> datetime:
    """What the clock on the wall shows."""
    return instant.astimezone(zone(name)).replace(tzinfo=None)


def transitions(name: str, year: int) -> list[datetime]:
    """The instants in a year at which the zone's offset changes, to the second."""
    where, found = zone(name), []
    start = datetime(year, 1, 1, tzinfo=UTC)
    for day in range(366):
        low, high = start + timedelta(days=day), start + timedelta(days=day + 1)
        if low.astimezone(where).utcoffset() == high.astimezone(where).utcoffset():
            continue
        while high - low > SECOND:
            middle = low + (high - low) // 2
            middle = middle.replace(microsecond=0)
            if low.astimezone(where).utcoffset() == middle.astimezone(where).utcoffset():
                low = middle
            else:
                high = middle
        found.append(high)
    return found


def holds(local: datetime, name: str) -> None:
    """The law: the first instant that shows the wall time; where none does, the first that shows more."""
    found = instant_of(local, zone(name))

    offsets = {
        (found + timedelta(hours=hours)).astimezone(zone(name)).utcoffset() for hours in range(-30, 31)
    }
    candidates = [(local - offset).replace(tzinfo=UTC) for offset in offsets if offset is not None]
    showing = [instant for instant in candidates if shown(instant, name) == local]
    if showing:
        assert found == min(showing)
    else:
        assert shown(found, name) > local
        assert shown(found - SECOND, name) < local


@settings(max_examples=300, deadline=None)
@given(MOMENTS, ZONES)
def test_a_wall_time_is_the_first_instant_that_shows_it(local: datetime, name: str) -> None:
    holds(local, name)


@settings(max_examples=60, deadline=None)
@given(ZONES, st.integers(1950, 2060), st.integers(-2 * 3600, 2 * 3600), st.data())
def test_so_it_is_around_every_transition(name: str, year: int, seconds: int, data: st.DataObject) -> None:
    found = transitions(name, year)
    if not found:
        return
    transition = data.draw(st.sampled_from(found))
    for edge in (transition - SECOND, transition):
        holds(shown(edge, name) + timedelta(seconds=seconds), name)


@settings(max_examples=300, deadline=None)
@given(MOMENTS, ZONES)
def test_what_a_clock_shows_leads_back_to_the_instant_or_an_hour_that_it_repeats(
    at: datetime, name: str
) -> None:
    instant = at.replace(tzinfo=UTC)

    back = instant_of(shown(instant, name), zone(name))

    assert back <= instant
    assert shown(back, name) == shown(instant, name)


@pytest.mark.parametrize(
    ("local", "name", "wanted"),
    [
        (
            "2027-03-28T02:30",
            "Europe/Berlin",
            "2027-03-28T01:00:00+00:00",
        ),  # skipped: the clock jumps to 03:00
        ("2027-03-28T02:00", "Europe/Berlin", "2027-03-28T01:00:00+00:00"),
        ("2027-03-28T03:00", "Europe/Berlin", "2027-03-28T01:00:00+00:00"),
        ("2027-10-31T02:30", "Europe/Berlin", "2027-10-31T00:30:00+00:00"),  # twice: the first of the two
        ("2027-07-01T09:30", "Europe/Berlin", "2027-07-01T07:30:00+00:00"),
        ("2011-12-30T12:00", "Pacific/Apia", "2011-12-30T10:00:00+00:00"),  # a day that was skipped
        ("2027-04-04T01:45", "Australia/Lord_Howe", "2027-04-03T14:45:00+00:00"),  # half an hour twice
    ],
)
def test_gaps_and_overlaps(local: str, name: str, wanted: str) -> None:
    assert WallTime(datetime.fromisoformat(local), name).instant() == datetime.fromisoformat(wanted)


@pytest.mark.parametrize("name", ["Europe/Nowhere", "", "../etc/passwd", "europe/berlin", "CEST"])
def test_a_zone_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="IANA"):
        zone(name)


def test_the_end_of_time_is_no_crash() -> None:
    with pytest.raises(ValueError, match="years"):
        instant_of(datetime(9999, 12, 31, 23), zone("America/Los_Angeles"))
