"""What may be a password and an address, how long a wrong guess costs, when a signing key is worn."""

from __future__ import annotations

from datetime import datetime, timedelta

PASSWORD_MIN = 10
PASSWORD_MAX = 200
"""Characters; longer ones would only cost hashing time."""
FREE_FAILURES = 5
"""Wrong passwords in a row before the next attempt has to wait."""
LOCK_FIRST = timedelta(seconds=30)
LOCK_MAX = timedelta(minutes=15)

ROTATE_AFTER = timedelta(days=30)
"""Age at which a new key signs; the one before still verifies."""
RETIRED_FOR = timedelta(days=1)
"""How long a replaced key still verifies: longer than any token lives."""
SESSION = timedelta(hours=12)
"""Lifetime of a dashboard token."""
ACCESS = timedelta(hours=1)
"""Lifetime of an OAuth access token (contract 2.3)."""
LEEWAY_SECONDS = 30
"""How far another issuer's clock may be off."""


def normal(email: str) -> str:
    """The one spelling under which a person is known."""
    return email.strip().lower()


def lock(failures: int, now: datetime) -> datetime | None:
    """Until when the next attempt is refused, after so many failures in a row."""
    if failures < FREE_FAILURES:
        return None
    doublings = min(failures - FREE_FAILURES, 10)
    return now + min(LOCK_FIRST * 2**doublings, LOCK_MAX)
