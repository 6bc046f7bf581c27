from __future__ import annotations

from typing import Any

import pytest
from sandbox import People, connect_bluesky, connect_facebook

from api import Api
from hubbub.domains.accounts import service
from hubbub.errors.account import NoActivePage, PageInactive, PagesNotSupported
from hubbub.errors.resource import ResourceNotFound

pytestmark = pytest.mark.anyio


@pytest.fixture
async def shop(api: Api, people: People) -> str:
    """An account with two pages, the first of which is the default."""
    api.runtime.settings.auto_select_pages = True
    return (await connect_facebook(api, people))[0]["account_id"]


async def pages_of(api: Api, account_id: str) -> list[Any]:
    return (await api.get(f"/v1/accounts/{account_id}/pages")).json["data"]


async def flags(api: Api, account_id: str) -> list[tuple[bool, bool]]:
    return [(page["is_default"], page["is_active"]) for page in await pages_of(api, account_id)]


async def test_a_new_default_is_the_only_one(api: Api, shop: str) -> None:
    second = (await pages_of(api, shop))[1]["id"]
    changed = await api.patch(f"/v1/accounts/{shop}/pages/{second}", {"is_default": True})
    assert changed.status == 200
    assert changed.json["is_default"] is True
    assert await flags(api, shop) == [(False, True), (True, True)]


async def test_a_page_that_is_switched_off_is_no_default(api: Api, shop: str) -> None:
    first = (await pages_of(api, shop))[0]["id"]
    await api.patch(f"/v1/accounts/{shop}/pages/{first}", {"is_active": False})
    assert await flags(api, shop) == [(False, False), (False, True)]
    refused = await api.patch(f"/v1/accounts/{shop}/pages/{first}", {"is_default": True})
    assert (refused.status, refused.code) == (409, "account.page_inactive")
    both = await api.patch(f"/v1/accounts/{shop}/pages/{first}", {"is_default": True, "is_active": True})
    assert both.status == 200
    assert await flags(api, shop) == [(True, True), (False, True)]


@pytest.mark.parametrize("body", [None, {}, {"is_default": None}, {"colour": "red"}])
async def test_a_change_must_change_something(api: Api, shop: str, body: Any) -> None:
    page = (await pages_of(api, shop))[0]["id"]
    refused = await api.patch(f"/v1/accounts/{shop}/pages/{page}", body)
    assert (refused.status, refused.code) == (400, "validation.field_required")


async def test_unknown_pages_and_pageless_platforms_are_told_apart(api: Api, shop: str) -> None:
    refused = await api.patch(f"/v1/accounts/{shop}/pages/sapi_page_x", {"is_active": True})
    assert (refused.status, refused.code) == (404, "resource.not_found")
    assert refused.json["error"]["meta"] == {"resource": "page", "id": "sapi_page_x"}
    pageless = (await connect_bluesky(api)).json["account_id"]
    refused = await api.get(f"/v1/accounts/{pageless}/pages")
    assert (refused.status, refused.code) == (501, "account.pages_not_supported")
    assert (await (await api.elsewhere()).get(f"/v1/accounts/{shop}/pages")).code == "account.not_found"


async def test_publishing_goes_to_the_named_page_or_the_default(api: Api, shop: str) -> None:
    first, second = [page["id"] for page in await pages_of(api, shop)]
    pageless = (await connect_bluesky(api)).json["account_id"]
    async with api.work() as work:
        seen = await service.visible(work, [shop, pageless])
        account = seen[shop]

        async def chosen(page_id: str | None) -> str | None:
            page = await service.page_for(work, account, page_id)
            return page.id if page else None

        assert (await chosen(None), await chosen(second)) == (first, second)
        assert await service.page_for(work, seen[pageless], None) is None
        with pytest.raises(PagesNotSupported):
            await service.page_for(work, seen[pageless], first)
        with pytest.raises(ResourceNotFound):
            await chosen("sapi_page_x")
    await api.patch(f"/v1/accounts/{shop}/pages/{first}", {"is_active": False})
    async with api.work() as work:
        assert await chosen(None) == second
        with pytest.raises(PageInactive):
            await chosen(first)
    await api.patch(f"/v1/accounts/{shop}/pages/{second}", {"is_active": False})
    async with api.work() as work:
        with pytest.raises(NoActivePage):
            await chosen(None)


async def test_a_connector_speaks_with_the_pages_own_token(api: Api, shop: str) -> None:
    first = (await pages_of(api, shop))[0]
    connector = await service.connector_for(api.runtime, shop, first["id"])
    assert connector.account.place_id == first["platform_page_id"]
    assert (await connector.http.get("graph:/me"))["id"] == first["platform_page_id"]
    assert connector.__dict__["grant_version"] == 1
    with pytest.raises(ResourceNotFound):
        await service.connector_for(api.runtime, shop, "sapi_page_x")
