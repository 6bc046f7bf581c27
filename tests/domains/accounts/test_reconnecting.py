from __future__ import annotations

from typing import Any

import pytest
from sandbox import (
    CALLBACK,
    People,
    account_of,
    connect_bluesky,
    connect_facebook,
    events_of,
    expire,
    held,
    query_of,
)

from api import Answer, Api
from hubbub.domains.accounts import service
from hubbub.errors.account import ReconnectionRequired

pytestmark = pytest.mark.anyio


@pytest.fixture
async def shop(api: Api, people: People) -> str:
    """An account that has to be reconnected, with one of its two pages connected."""
    ended, _ = await connect_facebook(api, people)
    path = f"/v1/accounts/pending/{ended['connection_id']}"
    first = (await api.get(path)).json["pages"][0]["platform_page_id"]
    account_id = (await api.post(f"{path}/select", {"page_ids": [first]})).json["account_id"]
    await expire(api, account_id)
    return account_id


async def reconnect(api: Api, people: People, account_id: str, username: str) -> Answer:
    asked = await api.get("/v1/oauth/url", {"account_id": account_id})
    assert asked.status == 200
    assert asked.json["url"] == asked.json["auth_url"]
    back = await people.approve(asked.json["url"], username)
    metadata = {"state": asked.json["state"], "redirect_uri": CALLBACK}
    body = {"platform": "facebook", "code": back["code"], "metadata": metadata}
    return await api.post("/v1/oauth/exchange", body)


async def test_an_account_that_expired_says_so_until_it_is_back(api: Api, people: People, shop: str) -> None:
    account = await account_of(api, shop)
    assert (account["status"], account["reconnect_reason"]) == ("reconnect_required", "access_revoked")
    with pytest.raises(ReconnectionRequired):
        await service.connector_for(api.runtime, shop, None)
    back = await reconnect(api, people, shop, "demo")
    assert (back.status, back.json["account_id"]) == (201, shop)
    account = await account_of(api, shop)
    assert account["status"] == "active"
    assert "reconnect_reason" not in account
    assert account["page_name"] == "Demo Bakery"
    connector = await service.connector_for(api.runtime, shop, None)
    assert (await connector.http.get("graph:/me"))["name"] == "Demo Person"
    assert [action for action, _ in await events_of(api, shop)] == [
        "account.connected",
        "account.disconnected",
        "account.connected",
        "account.reconnected",
    ]


async def test_expiring_twice_is_announced_once(api: Api, shop: str) -> None:
    await expire(api, shop)
    lost = [payload for action, payload in await events_of(api, shop) if action == "account.disconnected"]
    assert lost == [
        {
            "account_id": shop,
            "platform": "facebook",
            "reason": "access_revoked",
            "reconnect_required": True,
        }
    ]


async def test_coming_back_as_somebody_else_changes_nothing(api: Api, people: People, shop: str) -> None:
    before = await held(api, shop)
    await people.welcome("facebook", "rosa", places=["Rosa's Cakes"])
    refused = await reconnect(api, people, shop, "rosa")
    assert (refused.status, refused.code) == (409, "account.reconnected_as_another")
    assert refused.json["error"]["meta"]["expected"] == "Demo Person"
    assert refused.json["error"]["meta"]["actual"] == "Rosa"
    assert await held(api, shop) == before
    assert (await account_of(api, shop))["status"] == "reconnect_required"
    assert (await api.get("/v1/accounts")).json["count"] == 1


async def test_coming_back_through_our_callback_tells_the_customer(
    api: Api, people: People, shop: str
) -> None:
    query = {"account_id": shop, "redirect_uri": "https://customer.example/done", "state": "9"}
    asked = await api.get("/v1/oauth/url", query)
    back = await people.approve(asked.json["url"], "demo")
    ended = query_of((await api.get("/oauth/callback/facebook", back)).headers["location"])
    assert ended == {"status": "success", "platform": "facebook", "state": "9", "account_id": shop}


async def test_a_page_that_is_gone_is_switched_off_and_comes_back_by_itself(
    api: Api, people: People, shop: str
) -> None:
    async with api.work() as work:
        await work.db.exec_driver_sql("UPDATE account_pages SET remote_id = 'gone', id = 'sapi_page_gone'")
        await work.db.exec_driver_sql(
            "INSERT INTO account_pages (id, account_id, remote_id, name, is_default, is_active, lost_at,"
            " created_at, updated_at) SELECT 'sapi_page_back', account_id, $1, 'old name', false, false,"
            " now(), now(), now() FROM account_pages",
            (await _first_page(people),),
        )
    assert (await reconnect(api, people, shop, "demo")).status == 201
    pages = (await api.get(f"/v1/accounts/{shop}/pages")).json["data"]
    states = {page["id"]: (page["name"], page["is_active"], page["is_default"]) for page in pages}
    assert states["sapi_page_gone"][1:] == (False, False)
    assert states["sapi_page_back"] == ("Demo Bakery", True, True)


async def _first_page(people: People) -> Any:
    world = (await people.client.get("/_sandbox/facebook/world")).json()
    demo = next(person for person in world["people"] if person["username"] == "demo")
    return demo["pages"][0]["id"]


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ({}, "validation.field_required", "platform"),
        ({"platform": "myspace"}, "account.unsupported_platform", "platform"),
        (
            {"platform": "facebook", "redirect_uri": "ftp://x"},
            "validation.field_invalid",
            "redirect_uri",
        ),
    ],
)
async def test_a_wrong_question_for_the_consent_page_names_the_field(
    api: Api, query: Any, code: str, field: str
) -> None:
    refused = await api.get("/v1/oauth/url", query)
    assert (refused.status, refused.code) == (400, code)
    assert refused.json["error"]["meta"]["field"] == field


async def test_another_workspaces_account_cannot_be_reconnected(api: Api, shop: str) -> None:
    refused = await (await api.elsewhere()).get("/v1/oauth/url", {"account_id": shop})
    assert (refused.status, refused.code) == (404, "account.not_found")


async def test_platforms_with_passwords_have_no_consent_page_and_reconnect_by_connecting(
    api: Api, people: People
) -> None:
    account_id = (await connect_bluesky(api)).json["account_id"]
    await expire(api, account_id)
    refused = await api.get("/v1/oauth/url", {"account_id": account_id})
    assert (refused.status, refused.code) == (501, "resource.not_supported")
    refused = await api.get("/v1/oauth/url", {"account_id": account_id, "platform": "facebook"})
    assert refused.json["error"]["meta"]["field"] == "account_id"
    assert (await connect_bluesky(api)).json["account_id"] == account_id
    assert (await account_of(api, account_id))["status"] == "active"


async def test_expiring_an_old_grant_does_not_end_a_new_one(api: Api, people: People) -> None:
    account_id = (await connect_bluesky(api)).json["account_id"]
    old = await held(api, account_id)
    await connect_bluesky(api)
    async with api.work() as work:
        await service.expired(work, account_id, "access_revoked", seen_version=old.version)
    assert (await account_of(api, account_id))["status"] == "active"
