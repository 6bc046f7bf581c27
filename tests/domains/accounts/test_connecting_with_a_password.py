from __future__ import annotations

import asyncio

import pytest
from sandbox import People, account_of, connect_bluesky, events_of, held, new_brand

from api import Api

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("people")]


async def test_an_app_password_connects_at_once(api: Api) -> None:
    made = await connect_bluesky(api)
    assert made.status == 201
    assert "auth_url" not in made.json
    assert made.json["account_id"].startswith("acc_")
    assert (made.json["platform"], made.json["username"]) == ("bluesky", "demo.test")
    account = await account_of(api, made.json["account_id"])
    assert account["status"] == "active"
    assert account["metadata"]["sandbox"] is True
    assert account["brand_id"]


async def test_connecting_announces_it_with_the_contracts_payload(api: Api) -> None:
    account_id = (await connect_bluesky(api)).json["account_id"]
    ((action, payload),) = await events_of(api, account_id)
    assert action == "account.connected"
    assert set(payload) == {
        "account_id", "brand_id", "platform", "platform_user_id", "username", "display_name",
        "profile_picture_url", "bio", "profile_url", "user_email", "connected_at",
    }  # fmt: skip
    assert payload["user_email"] == "owner@example.com"


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "validation.field_required", "platform"),
        ({"platform": ""}, "validation.field_required", "platform"),
        ({"platform": "myspace"}, "account.unsupported_platform", "platform"),
        ({"platform": "bluesky"}, "validation.field_required", "metadata.identifier"),
        (
            {"platform": "bluesky", "metadata": {"identifier": "demo"}},
            "validation.field_required",
            "metadata.app_password",
        ),
        (
            {"platform": "bluesky", "metadata": {"identifier": 7, "app_password": "x"}},
            "validation.field_invalid",
            "metadata.identifier",
        ),
        ({"platform": "bluesky", "metadata": []}, "validation.field_invalid", "metadata"),
        ({"platform": "bluesky", "state": "s" * 513}, "validation.field_invalid", "state"),
        (
            {"platform": "bluesky", "redirect_uri": "http://customer.example"},
            "validation.field_invalid",
            "redirect_uri",
        ),
    ],
)
async def test_a_wrong_request_names_the_field(api: Api, body: object, code: str, field: str) -> None:
    refused = await api.post("/v1/accounts/connect", body)
    assert (refused.status, refused.code) == (400, code)
    assert refused.json["error"]["meta"]["field"] == field


async def test_a_wrong_password_is_the_platforms_refusal(api: Api) -> None:
    metadata = {"identifier": "demo", "app_password": "wrong", "sandbox": True}
    refused = await api.post("/v1/accounts/connect", {"platform": "bluesky", "metadata": metadata})
    assert (refused.status, refused.code) == (401, "platform.bluesky.bad_credentials")
    assert (await api.get("/v1/accounts")).json == {"data": [], "count": 0}


@pytest.mark.parametrize("brand_id", ["6a1e4b52-0f7d-4f55-9c0d-5a2f6f6c1d11", "nonsense"])
async def test_an_unknown_brand_is_refused_before_the_platform_is_asked(
    api: Api, people: People, brand_id: str
) -> None:
    refused = await connect_bluesky(api, brand_id=brand_id)
    assert (refused.status, refused.code) == (404, "brand.not_found")
    assert await people.requests("bluesky", "createSession") == []


async def test_connecting_again_replaces_the_sign_in_of_the_same_account(api: Api) -> None:
    first = (await connect_bluesky(api)).json["account_id"]
    before = await held(api, first)
    assert (await connect_bluesky(api)).json["account_id"] == first
    after = await held(api, first)
    assert after.version == before.version + 1
    assert after.grant.refresh_token != before.grant.refresh_token
    assert [action for action, _ in await events_of(api, first)] == [
        "account.connected",
        "account.connected",
        "account.reconnected",
    ]


async def test_a_profile_belongs_to_one_workspace(api: Api) -> None:
    await connect_bluesky(api)
    refused = await connect_bluesky(await api.elsewhere())
    assert (refused.status, refused.code) == (409, "account.already_linked")
    assert "account_id" not in refused.json["error"].get("meta", {})


async def test_a_removed_profile_can_be_connected_elsewhere(api: Api) -> None:
    account_id = (await connect_bluesky(api)).json["account_id"]
    assert (await api.delete(f"/v1/accounts/{account_id}")).status == 204
    assert (await connect_bluesky(await api.elsewhere())).status == 201


async def test_a_sandbox_key_connects_to_the_sandbox_without_being_asked(api: Api) -> None:
    key = api.as_(await api.new_key(mode="sandbox"))
    metadata = {"identifier": "demo", "app_password": "sandbox"}
    made = await key.post("/v1/accounts/connect", {"platform": "bluesky", "metadata": metadata})
    assert made.status == 201


async def test_a_key_of_one_brand_must_say_which_and_cannot_take_anothers_account(api: Api) -> None:
    mine = (await connect_bluesky(api)).json["account_id"]
    brand = await new_brand(api)
    key = api.as_(await api.new_key(brand_ids=[brand]))
    assert (await key.get("/v1/accounts")).json["data"] == []
    assert (await connect_bluesky(key)).json["error"]["meta"]["field"] == "brand_id"
    assert (await connect_bluesky(key, brand_id=brand)).code == "account.already_linked"
    assert (await key.delete(f"/v1/accounts/{mine}")).code == "account.not_found"


async def test_an_account_moves_to_the_brand_it_is_connected_to_again(api: Api) -> None:
    brand = await new_brand(api)
    account_id = (await connect_bluesky(api)).json["account_id"]
    await connect_bluesky(api, brand_id=brand)
    assert (await account_of(api, account_id))["brand_id"] == brand
    listed = await api.get("/v1/accounts", {"brand_id": brand})
    assert [account["id"] for account in listed.json["data"]] == [account_id]


async def test_two_at_the_same_moment_make_one_account(api: Api) -> None:
    answers = await asyncio.gather(*(connect_bluesky(api) for _ in range(5)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.json["account_id"] for answer in answers}) == 1


@pytest.mark.parametrize("fault", ["garbage", "drop"])
async def test_a_platform_that_does_not_answer_properly_is_not_our_fault(
    api: Api, people: People, fault: str
) -> None:
    await people.next("bluesky", "POST /xrpc/com.atproto.server.createSession", fault)
    refused = await connect_bluesky(api)
    assert (refused.status, refused.code) == (502, "http.502")
