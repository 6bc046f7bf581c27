from __future__ import annotations

import asyncio
from typing import Any

import pytest

from api import Api

pytestmark = pytest.mark.anyio


async def test_the_published_client_manages_keys(api_server: Api) -> None:
    socialapi = pytest.importorskip("socialapi")
    address = str(api_server.client.base_url)

    def use() -> dict[str, Any]:
        with socialapi.SocialAPI(api_key=api_server.key, base_url=address) as client:
            made = client.keys.create(name="ci")
            keys = {key.name: key for key in client.keys.list()}
            client.keys.revoke(made.id)
            client.keys.revoke(made.id)
            after = {key.name: key.is_active for key in client.keys.list()}
            return {"made": made, "keys": keys, "after": after, "me": client.users.get_me()}

    seen = await asyncio.to_thread(use)
    assert seen["made"].raw_key.startswith(seen["keys"]["ci"].preview.removesuffix("..."))
    assert seen["after"] == {"ci": False, "test": True}
    assert seen["me"].email == "owner@example.com"


async def test_the_published_client_reads_our_errors(api_server: Api) -> None:
    socialapi = pytest.importorskip("socialapi")
    address = str(api_server.client.base_url)

    def use(key: str) -> Any:
        with socialapi.SocialAPI(api_key=key, base_url=address) as client:
            return client.keys.list()

    with pytest.raises(socialapi.AuthenticationError) as wrong:
        await asyncio.to_thread(use, "sapi_key_" + "0" * 62)
    assert wrong.value.code == "auth.invalid_key"
    assert wrong.value.request_id
