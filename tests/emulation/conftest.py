"""A sandbox with the invented platform, over a real socket."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from emulation.finch import finch_app
from hubbub.emulation.testing import running_sandbox


@pytest.fixture
def client() -> Iterator[httpx2.Client]:
    with running_sandbox(app=finch_app()) as url, httpx2.Client(base_url=url) as client:
        yield client
