"""A Hubbub of these tests' own: what they do to it would disturb others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from vendor.conftest import accounts, picture, place
from vendor.place import Accounts, Place

from .seeds import Seeds

__all__ = ["accounts", "picture", "place", "seeds", "session"]


@pytest.fixture(scope="session")
def seeds(place: Place, accounts: Accounts, picture: bytes) -> Seeds:
    return Seeds(place, accounts, picture)


@pytest.fixture(scope="session")
def session(place: Place) -> Iterator[requests.Session]:
    with requests.Session() as opened:
        opened.trust_env = False
        opened.headers["Authorization"] = f"Bearer {place.key}"
        yield opened
