from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from api import Api
from hubbub.domains.workspaces import service
from hubbub.errors.resource import BrandNotFound
from hubbub.runtime.work import Caller, open_work

pytestmark = pytest.mark.anyio


async def test_the_user_is_the_workspaces_owner(api: Api) -> None:
    me = await api.get("/v1/users/me")
    assert me.status == 200
    assert me.json.pop("id")
    assert me.json == {
        "email": "owner@example.com",
        "plan": "enterprise",
        "onboarding": False,
        "beta_tester": False,
        "avatar_url": None,
        "allowed_platforms": None,
        "billing_blocked": False,
        "billing_blocked_at": None,
        "lock_accounts_to_brand": False,
        "facebook_page_selection": True,
        "use_case": "",
    }


async def test_each_workspace_has_its_own_user(api: Api) -> None:
    elsewhere = await api.elsewhere()
    assert (await api.get("/v1/users/me")).json["id"] != (await elsewhere.get("/v1/users/me")).json["id"]


async def test_a_brand_is_found_by_its_workspace_only(api: Api) -> None:
    async with api.work() as work:
        made = await service.new_brand(work, "Bakery")
        assert await service.brand(work, str(made.id)) == made
    elsewhere = await api.elsewhere()
    async with elsewhere.work() as work:
        for id in (str(made.id), str(uuid4()), "nonsense", ""):
            with pytest.raises(BrandNotFound):
                await service.brand(work, id)


async def test_a_restricted_key_sees_its_brands_only(api: Api) -> None:
    async with api.work() as work:
        first = await service.new_brand(work, "first")
        second = await service.new_brand(work, "second")
    caller = Caller(workspace_id=api.workspace_id, brand_ids=(str(second.id),))
    async with open_work(api.runtime, caller) as work:
        assert await service.default_brand(work) == second
        with pytest.raises(BrandNotFound):
            await service.brand(work, first.id)


async def test_the_default_brand_is_the_oldest_and_made_when_there_is_none(api: Api) -> None:
    async with api.work() as work:
        made = await service.default_brand(work)
    async with api.work() as work:
        await service.new_brand(work, "later")
        assert await service.default_brand(work) == made


async def test_a_key_whose_brands_are_gone_never_widens(api: Api) -> None:
    caller = Caller(workspace_id=api.workspace_id, brand_ids=(str(uuid4()),))
    async with open_work(api.runtime, caller) as work:
        with pytest.raises(BrandNotFound):
            await service.default_brand(work)
    async with open_work(api.runtime, replace(caller, brand_ids=())) as work:
        assert (await service.default_brand(work)).name == "Default"


async def test_brands_of_others_are_unknown(api: Api) -> None:
    elsewhere = await api.elsewhere()
    async with elsewhere.work() as work:
        theirs = str((await service.new_brand(work, "theirs")).id)
    async with api.work() as work:
        ours = str((await service.new_brand(work, "ours")).id)
        assert await service.unknown_brands(work, [ours, theirs, "x"]) == [theirs, "x"]
        assert await service.unknown_brands(work, []) == []
