"""`hubbub up`, started once for each test process as a person would, and the vendor's clients signed in to it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
import socialapi

import samples
from surfaces.cli.hubbub_process import started

from .line import Line, bad_line
from .place import Accounts, Place, typed

OpenClient = Callable[..., Any]


@pytest.fixture(scope="session")
def place() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="hubbub-vendor-"))
    try:
        with (
            started(
                folder, "up", "--data-dir", str(folder / "data"), "--port", "0", "--sandbox-port", "0"
            ) as up,
            httpx2.Client(trust_env=False, timeout=60) as browser,
        ):
            yield Place(up.said["api"], up.said["sandbox"], up.said["key"], browser)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def accounts(place: Place) -> Accounts:
    with socialapi.SocialAPI(api_key=place.key, base_url=place.api) as opened:
        client: Any = opened
        bluesky = client.accounts.connect(platform="bluesky", metadata=typed(place.welcome("bluesky")))
        began = client.accounts.connect(platform="facebook")
        back = place.approve(began.auth_url, place.welcome("facebook"))
        [facebook] = client.accounts.exchange_oauth(
            platform="facebook", code=back["code"], metadata=back
        ).accounts
        [page] = client.accounts.list_pages(facebook.account_id)
        asked = client.accounts.connect(platform="instagram")
        came = place.approve(asked.auth_url, place.welcome("instagram", quota_total=1_000))
        [instagram] = client.accounts.exchange_oauth(
            platform="instagram", code=came["code"], metadata=came
        ).accounts
    return Accounts(
        bluesky.account_id, facebook.account_id, instagram.account_id, page.id, page.platform_page_id
    )


@pytest.fixture(scope="session")
def picture(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return samples.jpeg(tmp_path_factory.mktemp("vendor") / "picture.jpg").read_bytes()


@pytest.fixture(params=["sync", "async"])
async def open_client(
    request: pytest.FixtureRequest, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[OpenClient]:
    """Opens the vendor's client, unmodified; `key`, `base_url` and its own options may be given."""
    # Nothing here is encrypted, and every client would spend 30 ms on reading the world's certificates.
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    async with AsyncExitStack() as opened:

        async def open_one(key: str = place.key, base_url: str = place.api, **options: Any) -> Any:
            if request.param == "async":
                another = socialapi.AsyncSocialAPI(api_key=key, base_url=base_url, **options)
                return await opened.enter_async_context(another)
            return opened.enter_context(socialapi.SocialAPI(api_key=key, base_url=base_url, **options))

        yield open_one


@pytest.fixture
async def client(open_client: OpenClient) -> Any:
    return await open_client()


@pytest.fixture
def line(place: Place) -> Iterator[Line]:
    with bad_line(place.api, place.browser) as opened:
        yield opened
