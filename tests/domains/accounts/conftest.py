"""The API, and a sandbox with both platforms on a socket; its people start anew in every test."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import httpx2
import pytest
from sandbox import People

from api import *  # noqa: F403
from hubbub.emulation.testing import running_sandbox
from hubbub.runtime.settings import Settings


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    with running_sandbox(only={"bluesky", "facebook"}) as url:
        yield url


@pytest.fixture
def settings(
    database_url: str, tmp_path: Path, sandbox_url: str, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    monkeypatch.delenv("HUBBUB_FACEBOOK_CLIENT_ID", raising=False)
    return Settings(
        database_url=database_url,
        data_dir=tmp_path,
        encryption_key="a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=",  # pyright: ignore[reportArgumentType]
        sandbox_url=sandbox_url,
        public_url="https://hubbub.test",
        db_pool_size=3,
    )


@pytest.fixture
async def people(sandbox_url: str) -> AsyncGenerator[People]:
    """Who lives in the sandbox, and what it was asked."""
    async with httpx2.AsyncClient(base_url=sandbox_url) as client:
        (await client.post("/_sandbox/reset", json={})).raise_for_status()
        yield People(client)
