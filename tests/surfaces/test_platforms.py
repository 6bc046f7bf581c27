"""The platforms' facts over HTTP."""

from __future__ import annotations

import pytest

from api import Api
from hubbub.connector.registry import find

pytestmark = pytest.mark.anyio


async def test_every_platform_folder_is_listed_with_its_limits_as_sentences(api: Api) -> None:
    answer = await api.get("/v1/platforms")

    assert [platform["name"] for platform in answer.json["data"]] == sorted(find())
    assert all(form["limits"] for platform in answer.json["data"] for form in platform["formats"].values())


async def test_one_platform_is_served_as_it_is_listed(api: Api) -> None:
    listed = (await api.get("/v1/platforms")).json["data"]

    for platform in listed:
        assert (await api.get(f"/v1/platforms/{platform['name']}")).json == platform


async def test_an_unknown_platform_is_not_found(api: Api) -> None:
    answer = await api.get("/v1/platforms/finch")

    assert (answer.status, answer.code) == (404, "resource.not_found")


async def test_addresses_and_credentials_of_platforms_are_not_served(api: Api) -> None:
    answer = await api.get("/v1/platforms")

    assert b"hosts" not in answer.content
    assert b"client_secret" not in answer.content
