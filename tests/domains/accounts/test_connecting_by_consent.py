from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sandbox import CALLBACK, People, account_of, connect_facebook, new_brand, query_of

from api import Api

pytestmark = pytest.mark.anyio

DONE = "https://customer.example/done?tab=2"


async def begin(api: Api, **body: Any) -> Any:
    began = await api.post("/v1/accounts/connect", {"platform": "facebook", **body})
    assert began.status == 202, began.json
    return began.json


async def exchange(api: Api, code: str, state: str, **body: Any) -> Any:
    metadata = {"redirect_uri": CALLBACK, "state": state}
    return await api.post(
        "/v1/oauth/exchange", {"platform": "facebook", "code": code, "metadata": metadata, **body}
    )


async def test_connecting_answers_with_the_consent_page(api: Api, people: People) -> None:
    began = await begin(api)
    assert re.fullmatch(r"[0-9a-f]{32}", began["state"])
    assert began["message"]
    asked = query_of(began["auth_url"])
    assert (asked["state"], asked["redirect_uri"]) == (began["state"], CALLBACK)


async def test_one_page_needs_no_choice(api: Api, people: People) -> None:
    await people.welcome("facebook", "rosa", places=["Rosa's Cakes"])
    ended, _ = await connect_facebook(api, people, "rosa", redirect_uri=DONE, state="order 7")
    assert ended == {
        "tab": "2",
        "status": "success",
        "platform": "facebook",
        "state": "order 7",
        "account_id": ended["account_id"],
    }
    account = await account_of(api, ended["account_id"])
    assert account["page_name"] == "Rosa's Cakes"
    assert account["login_id"].startswith("cred_")
    assert account["metadata"]["sandbox"] is True


async def test_several_pages_have_to_be_chosen_from(api: Api, people: People) -> None:
    ended, _ = await connect_facebook(api, people, state="mine")
    assert set(ended) == {"status", "connection_id", "platform", "state"}
    assert (ended["status"], ended["state"]) == ("selection_required", "mine")
    path = f"/v1/accounts/pending/{ended['connection_id']}"
    pending = (await api.get(path)).json
    assert re.fullmatch(r"pc_[0-9a-f]{32}", pending["connection_id"])
    assert "status" not in pending
    assert [page["name"] for page in pending["pages"]] == ["Demo Bakery", "Demo Books"]
    assert all(page["assignable"] and page["assigned_brand_id"] == "" for page in pending["pages"])

    wanted = [pending["pages"][1]["platform_page_id"]]
    made = await api.post(f"{path}/select", {"page_ids": wanted})
    assert made.status == 201
    pages = (await api.get(f"/v1/accounts/{made.json['account_id']}/pages")).json["data"]
    assert [(page["name"], page["is_default"], page["is_active"]) for page in pages] == [
        ("Demo Books", True, True)
    ]
    assert pages[0]["platform_page_id"] == wanted[0]
    assert (await api.post(f"{path}/select", {"page_ids": wanted})).code == "resource.not_found"
    assert (await api.get(path)).code == "resource.not_found"


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (None, "validation.field_required", "page_ids"),
        ({"page_ids": []}, "validation.field_required", "page_ids"),
        ({"page_ids": ["17"]}, "validation.field_invalid", "page_ids[0]"),
        ({"platform_account_id": "17"}, "validation.field_invalid", "platform_account_id"),
    ],
)
async def test_a_wrong_choice_leaves_the_sign_in_usable(
    api: Api, people: People, body: Any, code: str, field: str
) -> None:
    ended, _ = await connect_facebook(api, people)
    path = f"/v1/accounts/pending/{ended['connection_id']}"
    refused = await api.post(f"{path}/select", body)
    assert (refused.status, refused.code) == (400, code)
    assert refused.json["error"]["meta"]["field"] == field
    chosen = (await api.get(path)).json["pages"][0]["platform_page_id"]
    assert (await api.post(f"{path}/select", {"platform_account_id": chosen})).status == 201


async def test_a_choice_belongs_to_its_workspace_and_ends(api: Api, people: People) -> None:
    ended, _ = await connect_facebook(api, people)
    path = f"/v1/accounts/pending/{ended['connection_id']}"
    assert (await (await api.elsewhere()).get(path)).code == "resource.not_found"
    async with api.work() as work:
        await work.db.exec_driver_sql(
            "UPDATE pending_connections SET expires_at = now() - $1::interval", (timedelta(seconds=1),)
        )
    assert (await api.get(path)).code == "resource.not_found"


async def test_a_refused_consent_is_passed_on_and_uses_the_state_up(api: Api, people: People) -> None:
    began = await begin(api, redirect_uri=DONE, state="x")
    back = await people.approve(began["auth_url"], "demo", sandbox_deny=1)
    ended = query_of((await api.get("/oauth/callback/facebook", back)).headers["location"])
    assert ended["status"] == "error"
    assert (ended["error"], ended["platform"], ended["state"]) == ("access_denied", "facebook", "x")
    assert ended["error_description"]
    again = await api.get("/oauth/callback/facebook", back)
    assert again.status == 410
    assert b"Not connected" in again.content


async def test_without_a_return_address_a_page_says_how_it_ended(api: Api, people: People) -> None:
    await people.welcome("facebook", "rosa", places=["Rosa's Cakes"])
    began = await begin(api)
    back = await people.approve(began["auth_url"], "rosa")
    ended = await api.get("/oauth/callback/facebook", back)
    assert ended.status == 200
    assert b"Connected" in ended.content
    began = await begin(api)
    said = {"state": began["state"], "error": "<script>", "error_description": "<b>no</b>"}
    ended = await api.get("/oauth/callback/facebook", said)
    assert ended.status == 403
    assert b"<script>" not in ended.content
    assert b"<b>" not in ended.content


async def test_the_customer_may_exchange_the_code_itself(api: Api, people: People) -> None:
    await people.welcome("facebook", "rosa", places=["Rosa's Cakes"])
    began = await begin(api)
    back = await people.approve(began["auth_url"], "rosa")
    made = await exchange(api, back["code"], began["state"])
    assert made.status == 201
    assert made.json["display_name"] == "Rosa"


async def test_a_code_sent_to_the_customers_own_address_is_exchanged_with_it(
    api: Api, people: People
) -> None:
    await people.welcome("facebook", "rosa", places=["Rosa's Cakes"])
    began = await begin(api)
    own = "https://customer.example/callback"
    where, back = await people.approved(
        began["auth_url"].replace(query_of(began["auth_url"])["redirect_uri"], own), "rosa"
    )
    if where != own:
        where, back = await people.approved(f"{began['auth_url']}&redirect_uri={own}", "rosa")
    assert where == own
    metadata = {"redirect_uri": own, "state": began["state"]}
    made = await api.post(
        "/v1/oauth/exchange", {"platform": "facebook", "code": back["code"], "metadata": metadata}
    )
    assert made.status == 201


async def test_an_older_client_sends_only_code_and_state(api: Api, people: People) -> None:
    began = await begin(api, redirect_uri=DONE)
    back = await people.approve(began["auth_url"], "demo")
    pending = await api.post("/v1/oauth/exchange", {"code": back["code"], "state": back["state"]})
    assert pending.status == 200
    assert pending.json["status"] == "selection_required"
    assert "expires_at" not in pending.json


async def test_a_state_works_once_for_its_own_key_and_ten_minutes(api: Api, people: People) -> None:
    began = await begin(api)
    another = api.as_(await api.new_key())
    for key in (another, await api.elsewhere()):
        refused = await exchange(key, "code", began["state"])
        assert (refused.status, refused.code) == (400, "auth.state_mismatch")
    rejected = await exchange(api, "not-a-code", began["state"])
    assert rejected.status >= 400
    assert rejected.code.startswith("platform.facebook.")
    assert (await exchange(api, "code", began["state"])).code == "auth.state_mismatch"
    began = await begin(api)
    async with api.work() as work:
        await work.db.exec_driver_sql("UPDATE oauth_states SET expires_at = now()")
    assert (await exchange(api, "code", began["state"])).code == "auth.state_mismatch"


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"platform": "facebook"}, "validation.field_required", "code"),
        ({"platform": "facebook", "code": "c"}, "validation.field_required", "metadata.state"),
        ({"platform": "myspace", "code": "c", "state": "s"}, "account.unsupported_platform", "platform"),
    ],
)
async def test_a_wrong_exchange_names_the_field(api: Api, body: Any, code: str, field: str) -> None:
    refused = await api.post("/v1/oauth/exchange", body)
    assert (refused.status, refused.code) == (400, code)
    assert refused.json["error"]["meta"]["field"] == field


async def test_somebody_without_pages_is_told_so(api: Api, people: People) -> None:
    await people.welcome("facebook", "nobody", places=[])
    ended, _ = await connect_facebook(api, people, "nobody")
    assert (ended["status"], ended["error"]) == ("error", "platform.facebook.no_pages")
    began = await begin(api)
    back = await people.approve(began["auth_url"], "nobody")
    refused = await exchange(api, back["code"], began["state"])
    assert (refused.status, refused.code) == (404, "platform.facebook.no_pages")


async def test_a_box_left_unticked_names_the_scopes(api: Api, people: People) -> None:
    began = await begin(api)
    fewer = began["auth_url"].replace("pages_manage_posts%2C", "")
    assert fewer != began["auth_url"]
    back = await people.approve(fewer, "demo")
    refused = await exchange(api, back["code"], began["state"])
    assert (refused.status, refused.code) == (403, "account.scopes_missing")
    assert refused.json["error"]["meta"]["scopes"] == ["pages_manage_posts"]
    assert (await api.get("/v1/accounts")).json["count"] == 0


async def test_a_brand_holds_at_most_five_pages(api: Api, people: People) -> None:
    await people.welcome("facebook", "chain", places=[f"Shop {number}" for number in range(6)])
    ended, _ = await connect_facebook(api, people, "chain")
    path = f"/v1/accounts/pending/{ended['connection_id']}"
    offered = [page["platform_page_id"] for page in (await api.get(path)).json["pages"]]
    refused = await api.post(f"{path}/select", {"page_ids": offered})
    assert (refused.status, refused.code) == (403, "platform.facebook.page_cap")
    assert (await api.get("/v1/accounts")).json["count"] == 0
    made = await api.post(f"{path}/select", {"page_ids": offered[:5]})
    assert made.status == 201

    account_id = made.json["account_id"]
    pages = (await api.get(f"/v1/accounts/{account_id}/pages")).json["data"]
    await api.patch(f"/v1/accounts/{account_id}/pages/{pages[4]['id']}", {"is_active": False})
    ended, _ = await connect_facebook(api, people, "chain")
    again = f"/v1/accounts/pending/{ended['connection_id']}/select"
    assert (await api.post(again, {"page_ids": [offered[5]]})).json["account_id"] == account_id
    refused = await api.patch(f"/v1/accounts/{account_id}/pages/{pages[4]['id']}", {"is_active": True})
    assert refused.code == "platform.facebook.page_cap"


async def test_the_pages_of_a_brand_come_through_one_login(api: Api, people: People) -> None:
    brand = await new_brand(api)
    for name in ("rosa", "tom"):
        await people.welcome("facebook", name, places=[f"{name}'s page"])
    ended, _ = await connect_facebook(api, people, "rosa", brand_id=brand)
    assert ended["status"] == "success"
    ended, _ = await connect_facebook(api, people, "tom", brand_id=brand)
    assert ended["error"] == "account.different_login"
    ended, _ = await connect_facebook(api, people, "tom")
    assert ended["status"] == "success"


async def test_all_pages_at_once_where_the_server_is_set_so(api: Api, people: People) -> None:
    api.runtime.settings.auto_select_pages = True
    ended, _ = await connect_facebook(api, people)
    pages = (await api.get(f"/v1/accounts/{ended['account_id']}/pages")).json["data"]
    assert [page["is_default"] for page in pages] == [True, False]


async def test_without_credentials_and_sandbox_there_is_nowhere_to_go(api: Api) -> None:
    api.runtime.settings.sandbox_url = None
    refused = await api.post("/v1/accounts/connect", {"platform": "facebook"})
    assert (refused.status, refused.code) == (412, "byok.credentials_missing")
    assert refused.json["error"]["meta"]["platform"] == "facebook"


async def test_with_credentials_people_are_sent_to_the_real_platform(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUBBUB_FACEBOOK_CLIENT_ID", "1234")
    began = await begin(api)
    assert began["auth_url"].startswith("https://www.facebook.com/")
    assert query_of(began["auth_url"])["client_id"] == "1234"
    began = await begin(api, metadata={"sandbox": True})
    assert began["auth_url"].startswith("http://127.0.0.1:")
