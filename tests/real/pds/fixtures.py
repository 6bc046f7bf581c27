"""The running PDS as a fixture."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .pds import Pds


@pytest.fixture(scope="session")
def pds() -> Iterator[Pds]:
    """One PDS for all tests of a worker. Accounts are cheap: take your own, leave the others alone."""
    with Pds.running() as server:
        yield server
