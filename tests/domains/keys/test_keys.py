from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from api import Api
from hubbub.domains.keys import service
from hubbub.domains.keys.tables import api_keys
from hubbub.domains.workspaces import service as workspaces
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import open_work

pytestmark = pytest.mark.anyio


async def make(api: Api, **body: Any) -> dict[str, Any]:
    answer = await api.post("/v1/keys", {"name": "deploy", **body})
    assert answer.status == 201
    return answer.json


async def test_a_key_is_shown_once_and_recognised_afterwards(api: Api) -> None:
    made = await make(api)
    assert re.fullmatch(r"sapi_key_[0-9a-f]{62}", made["raw_key"])
    assert set(made) == {"id", "name", "raw_key", "message", "mode", "scopes", "brand_ids", "error_format"}
    assert (await api.as_(made["raw_key"]).get("/v1/users/me")).status == 200
    listed = await api.get("/v1/keys")
    assert made["raw_key"] not in listed.content.decode()


async def test_the_secret_is_stored_as_a_hash_only(api: Api) -> None:
    made = await make(api)
    async with api.work() as work:
        rows = [str(dict(row)) for row in (await work.db.execute(sa.select(api_keys))).mappings()]
    assert not [row for row in rows if made["raw_key"][20:] in row]


async def test_the_list_shows_active_and_revoked_keys_newest_first(api: Api) -> None:
    first, second = await make(api, name="one"), await make(api, name="two", scopes=["posts:read"])
    await api.delete(f"/v1/keys/{first['id']}")
    answer = await api.get("/v1/keys")
    assert answer.json["count"] == 3
    shown = {key["name"]: key for key in answer.json["data"]}
    assert [key["name"] for key in answer.json["data"]] == ["two", "one", "test"]
    assert (shown["one"]["is_active"], shown["two"]["is_active"]) == (False, True)
    assert shown["two"]["preview"] == second["raw_key"][:14] + "..."
    assert shown["two"]["scopes"] == ["posts:read"]
    assert shown["one"]["brand_ids"] == []
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", shown["one"]["created_at"])
    assert shown["two"]["last_used_at"] is None


@pytest.mark.parametrize("body", [None, {}, {"name": ""}, {"name": None}])
async def test_a_key_needs_a_name(api: Api, body: Any) -> None:
    answer = await api.post("/v1/keys", body)
    assert answer.code == "validation.field_required"
    assert answer.json["error"]["meta"]["field"] == "name"


async def test_unknown_scopes_and_foreign_brands_are_told_together(api: Api) -> None:
    elsewhere = await api.elsewhere()
    async with elsewhere.work() as work:
        foreign = str((await workspaces.new_brand(work, "theirs")).id)
    body = {"name": "x", "scopes": ["posts:read", "posts:eat"], "brand_ids": [foreign, "b"]}
    errors = (await api.post("/v1/keys", body)).json["error"]["errors"]
    assert [(each["code"], each["meta"]) for each in errors] == [
        ("validation.scope_invalid", {"field": "scopes", "unknown": ["posts:eat"]}),
        ("validation.brand_invalid", {"field": "brand_ids", "unknown": [foreign, "b"]}),
    ]
    assert (await api.get("/v1/keys")).json["count"] == 1


async def test_a_change_replaces_what_is_given_and_leaves_the_rest(api: Api) -> None:
    made = await make(api, scopes=["posts:read", "media:read"])
    path = f"/v1/keys/{made['id']}"
    changed = await api.patch(path, {"scopes": ["inbox:read", "inbox:read"]})
    kept = {"id": made["id"], "name": "deploy", "brand_ids": [], "error_format": "native"}
    assert changed.json == {**kept, "scopes": ["inbox:read"]}
    assert (await api.patch(path, {"name": "other"})).json["scopes"] == ["inbox:read"]
    assert (await api.patch(path, {"scopes": []})).json["scopes"] == []
    assert (await api.patch(path)).json["name"] == "other"
    assert (await api.patch(path, {"name": ""})).code == "validation.field_required"
    assert (await api.patch(path, {"scopes": ["x"]})).code == "validation.scope_invalid"


async def test_a_narrowed_key_is_narrow_at_once(api: Api) -> None:
    made = await make(api)
    await api.patch(f"/v1/keys/{made['id']}", {"scopes": ["posts:read"]})
    assert (await api.as_(made["raw_key"]).get("/v1/keys")).code == "auth.insufficient_scope"


async def test_rotating_ends_the_old_secret_at_once(api: Api) -> None:
    made = await make(api, scopes=["posts:read"])
    fresh = (await api.post(f"/v1/keys/{made['id']}/rotate")).json
    assert fresh["id"] == made["id"]
    assert fresh["scopes"] == ["posts:read"]
    assert fresh["raw_key"] != made["raw_key"]
    assert (await api.as_(made["raw_key"]).get("/v1/users/me")).code == "auth.invalid_key"
    assert (await api.as_(fresh["raw_key"]).get("/v1/users/me")).status == 200


async def test_revoking_again_changes_nothing(api: Api) -> None:
    made = await make(api)
    for _ in range(2):
        answer = await api.delete(f"/v1/keys/{made['id']}")
        assert (answer.status, answer.json) == (200, {"ok": True})
    assert (await api.post(f"/v1/keys/{made['id']}/rotate")).code == "resource.not_found"
    assert (await api.patch(f"/v1/keys/{made['id']}", {"name": "x"})).code == "resource.not_found"


async def test_keys_of_another_workspace_do_not_exist(api: Api) -> None:
    made = await make(api)
    elsewhere = await api.elsewhere()
    for id in (made["id"], str(uuid4()), "nonsense", "a b"):
        for call in (elsewhere.patch(f"/v1/keys/{id}"), elsewhere.delete(f"/v1/keys/{id}")):
            answer = await call
            assert (answer.status, answer.code) == (404, "resource.not_found")
            assert answer.json["error"]["meta"] == {"resource": "key", "id": id}
    assert (await elsewhere.get("/v1/keys")).json["count"] == 1
    assert (await api.as_(made["raw_key"]).get("/v1/users/me")).status == 200


async def test_the_scopes_are_the_contracts_twelve(api: Api) -> None:
    answer = await api.get("/v1/keys/scopes")
    assert answer.json["count"] == len(answer.json["data"]) == 12
    assert all(set(scope) == {"name", "description", "group"} for scope in answer.json["data"])


async def test_a_key_is_of_the_mode_of_the_key_that_made_it(api: Api) -> None:
    sandbox = await make(api, mode="sandbox")
    child = await make(api.as_(sandbox["raw_key"]))
    assert [sandbox["mode"], child["mode"]] == ["sandbox", "sandbox"]
    assert (await make(api))["mode"] == "live"


async def test_a_sandbox_key_makes_no_live_key(api: Api) -> None:
    sandbox = api.as_((await make(api, mode="sandbox"))["raw_key"])
    answer = await sandbox.post("/v1/keys", {"name": "x", "mode": "live"})
    assert (answer.code, answer.json["error"]["meta"]["field"]) == ("validation.field_invalid", "mode")


async def test_use_is_remembered_once_a_minute(api: Api) -> None:
    async def last_used() -> Any:
        return (await api.get("/v1/keys")).json["data"][0]["last_used_at"]

    first = await last_used()
    assert first is not None
    async with api.work() as work:
        await work.db.execute(sa.update(api_keys).values(last_used_at=work.now - timedelta(seconds=30)))
        before = (await work.db.execute(sa.select(api_keys.c.last_used_at))).scalar_one()
    await api.get("/v1/users/me")
    async with api.work() as work:
        assert (await work.db.execute(sa.select(api_keys.c.last_used_at))).scalar_one() == before
        await work.db.execute(sa.update(api_keys).values(last_used_at=work.now - timedelta(seconds=61)))
    await asyncio.gather(*(api.get("/v1/users/me") for _ in range(20)))
    async with api.work() as work:
        after = (await work.db.execute(sa.select(api_keys.c.last_used_at))).scalar_one()
    assert after > before


async def test_the_first_key_is_made_once_however_many_start_together(runtime: Runtime) -> None:
    made = [each for each in await asyncio.gather(*(service.create_first(runtime) for _ in range(5))) if each]
    assert len(made) == 1
    caller = await service.caller_of(runtime, made[0].raw_key.reveal())
    assert caller is not None
    async with open_work(runtime, caller) as work:
        assert await workspaces.first_workspace(work.db) == caller.workspace_id
    assert made[0].raw_key.reveal() not in repr(made[0])


async def test_malformed_keys_do_not_reach_the_database(runtime: Runtime) -> None:
    await runtime.database.close()
    for token in ("sapi_key_", "sapi_key_" + "g" * 62, "sapi_key_" + "0" * 63, "sapi_key_" + "0" * 62 + "\n"):
        assert await service.caller_of(runtime, token) is None


def test_every_column_of_a_key_is_a_field_or_secret() -> None:
    shown = set(service.Key.__dataclass_fields__)
    assert {column.name for column in api_keys.columns} - shown == {
        "workspace_id",
        "secret_sha256",
        "updated_at",
    }
