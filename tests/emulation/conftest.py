"""A sandbox with the invented platform, over a real socket; emptied before each test."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from emulation.finch import finch_app
from hubbub.emulation.testing import running_sandbox


@pytest.fixture(scope="session")
def finch_url() -> Iterator[str]:
    with running_sandbox(app=finch_app()) as url:
        yield url


@pytest.fixture
def client(finch_url: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=finch_url) as client:
        client.post("/_sandbox/reset")
        yield client
