"""One stage for every module: the API on a socket, a worker, a sandbox and a PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator

import pytest

from api import migrate, postgres  # noqa: F401 - fixtures
from hubbub.emulation.testing import running_sandbox
from pg import Server
from provoked.guest import Guest
from provoked.stage import Stage, open_stage


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with running_sandbox() as url:
        yield url


@pytest.fixture(scope="module")
async def stage(
    postgres: Server,
    migrate: Callable[[str], None],
    sandbox_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncGenerator[Stage]:
    async with open_stage(postgres, migrate, sandbox_url, tmp_path_factory.mktemp("stage")) as opened:
        yield opened


@pytest.fixture
async def guest(stage: Stage) -> Guest:
    """A workspace of the test's own, with a sandbox key."""
    return await Guest.arrive(stage)
