from __future__ import annotations

import pytest
from sandbox import People, connect_bluesky, new_brand

from api import Api
from hubbub.domains.accounts import service
from hubbub.errors.account import AccountNotFound
from hubbub.runtime.work import Caller, open_work

pytestmark = pytest.mark.anyio


async def test_unknown_and_foreign_accounts_are_named_and_equally_not_found(api: Api, people: People) -> None:
    mine = (await connect_bluesky(api)).json["account_id"]
    elsewhere = await api.elsewhere()
    async with elsewhere.work() as work:
        for account_id in (mine, "acc_unknown", "", "né"):
            with pytest.raises(AccountNotFound) as caught:
                await service.visible(work, [account_id])
            assert caught.value.id == account_id
    async with api.work() as work:
        assert list(await service.visible(work, [mine, mine])) == [mine]
        assert await service.visible(work, []) == {}
    refused = await elsewhere.delete(f"/v1/accounts/{mine}")
    assert (refused.status, refused.code) == (404, "account.not_found")
    assert (await api.get("/v1/accounts")).json["count"] == 1


async def test_a_sandbox_key_sees_only_the_sandbox_and_a_live_key_both(api: Api, people: People) -> None:
    await people.welcome("bluesky", "rosa")
    sandboxed = (await connect_bluesky(api)).json["account_id"]
    live = (await connect_bluesky(api, "rosa")).json["account_id"]
    async with api.work() as work:
        await work.db.exec_driver_sql("UPDATE accounts SET mode = 'live' WHERE id = $1", (live,))
    async with api.work() as work:
        assert list(await service.visible(work, [live, sandboxed])) == [live, sandboxed]
    async with api.work("sandbox") as work:
        assert list(await service.visible(work, [sandboxed])) == [sandboxed]
        with pytest.raises(AccountNotFound):
            await service.visible(work, [sandboxed, live])
    key = api.as_(await api.new_key(mode="sandbox"))
    assert [account["id"] for account in (await key.get("/v1/accounts")).json["data"]] == [sandboxed]
    shown = {account["id"]: account for account in (await api.get("/v1/accounts")).json["data"]}
    assert "metadata" not in shown[live]


async def test_a_key_of_a_brand_sees_that_brands_accounts(api: Api, people: People) -> None:
    brand, other = await new_brand(api), await new_brand(api)
    account_id = (await connect_bluesky(api, brand_id=brand)).json["account_id"]
    caller = Caller(api.workspace_id, brand_ids=(brand,))
    async with open_work(api.runtime, caller) as work:
        assert account_id in await service.visible(work, [account_id])
    async with open_work(api.runtime, Caller(api.workspace_id, brand_ids=(other,))) as work:
        with pytest.raises(AccountNotFound):
            await service.visible(work, [account_id])


@pytest.mark.parametrize("brand_id", ["6a1e4b52-0f7d-4f55-9c0d-5a2f6f6c1d11", "nonsense"])
async def test_an_unknown_brand_filters_everything_away(api: Api, people: People, brand_id: str) -> None:
    await connect_bluesky(api)
    listed = await api.get("/v1/accounts", {"brand_id": brand_id})
    assert (listed.status, listed.json) == (200, {"data": [], "count": 0})


async def test_scopes_divide_looking_from_managing(api: Api, people: People) -> None:
    reader = api.as_(await api.new_key(scopes=["accounts:read"]))
    assert (await reader.get("/v1/accounts")).status == 200
    assert (await connect_bluesky(reader)).code == "auth.insufficient_scope"
