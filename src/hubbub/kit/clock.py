"""The only place that asks what time it is."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The current instant, aware, in UTC."""
    return datetime.now(UTC)


def to_wire(moment: datetime) -> str:
    """RFC 3339 in UTC with second precision, as every response writes it."""
    there = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return there.isoformat()[:19] + "Z"


def from_wire(text: str) -> datetime:
    """Read RFC 3339. No offset means UTC; a space where a query lost its `+` is forgiven.

    Raises ValueError when the text is not a date with a time.
    """
    cleaned = text.strip()
    if len(cleaned) >= 6 and cleaned[-6] == " " and cleaned[-3] == ":":
        cleaned = cleaned[:-6] + "+" + cleaned[-5:]
    if len(cleaned) < 16:
        raise ValueError(f"{text!r} is not a date with a time")
    moment = datetime.fromisoformat(cleaned)
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as beyond:
        raise ValueError(f"{text!r} is no instant in the years 1 to 9999") from beyond
