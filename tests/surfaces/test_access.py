from __future__ import annotations

import secrets
import time

import pytest

from api import Api
from hubbub.domains.workspaces import service as workspaces
from hubbub.runtime.routes import ANY_KEY
from hubbub.surfaces.api import routers

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "auth.missing_header"),
        ("", "auth.missing_header"),
        ("Basic dXNlcjpwYXNz", "auth.missing_header"),
        ("Token sapi_key_x", "auth.missing_header"),
        ("sapi_key_" + "0" * 62, "auth.missing_header"),
        ("Bearer", "auth.empty_token"),
        ("Bearer ", "auth.empty_token"),
        ("bearer   ", "auth.empty_token"),
        ("Bearer sapi_key_", "auth.invalid_key"),
        ("Bearer sapi_key_" + "0" * 62, "auth.invalid_key"),
        ("Bearer sapi_key_" + "0" * 61, "auth.invalid_key"),
        ("Bearer sapi_key_" + "0" * 5000, "auth.invalid_key"),
        ("Bearer eyJhbGciOiJFZERTQSJ9.e30.x", "auth.invalid_token"),
        ("Bearer nonsense", "auth.invalid_token"),
        ("Bearer SAPI_KEY_" + "0" * 62, "auth.invalid_token"),
    ],
)
async def test_what_is_wrong_with_the_header_decides_the_code(
    trial: Api, header: str | None, code: str
) -> None:
    answer = await trial.call("GET", "/v1/trial", headers={"Authorization": header})
    assert (answer.status, answer.code) == (401, code)
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_the_scheme_may_be_written_in_any_case(trial: Api) -> None:
    answer = await trial.call("GET", "/v1/trial", headers={"Authorization": f"bearer  {trial.key}"})
    assert answer.status == 200


async def test_authentication_comes_before_the_body(trial: Api) -> None:
    answer = await trial.as_("wrong").call("POST", "/v1/trial", content=b"{")
    assert answer.code == "auth.invalid_token"


async def test_a_scope_comes_before_the_body(trial: Api) -> None:
    reader = trial.as_(await trial.new_key(scopes=["posts:read"]))
    answer = await reader.call("POST", "/v1/trial", content=b"{")
    assert (answer.status, answer.code) == (403, "auth.insufficient_scope")
    assert answer.json["error"]["meta"] == {"required_scope": "posts:write"}
    assert (await reader.get("/v1/trial")).status == 200


async def test_what_is_not_mapped_is_closed_to_restricted_keys(trial: Api) -> None:
    everything = ["posts:read", "posts:write", "analytics:read"]
    restricted = trial.as_(await trial.new_key(scopes=everything))
    answer = await restricted.get("/v1/trial/unmapped")
    assert (answer.code, answer.json["error"].get("meta")) == ("auth.insufficient_scope", None)
    assert (await trial.get("/v1/trial/unmapped")).status == 204
    assert (await restricted.get("/v1/trial/numbers")).status == 204


async def test_numbers_of_the_whole_workspace_are_closed_to_keys_of_one_brand(trial: Api) -> None:
    async with trial.work() as work:
        brand = await workspaces.new_brand(work, "one")
    of_brand = trial.as_(await trial.new_key(brand_ids=[str(brand.id)]))
    both = trial.as_(await trial.new_key(brand_ids=[str(brand.id)], scopes=["analytics:read"]))
    for restricted in (of_brand, both):
        answer = await restricted.get("/v1/trial/numbers")
        assert answer.code == "auth.insufficient_scope"
        assert answer.json["error"]["meta"] == {"required_scope": "analytics:read"}
    assert (await of_brand.get("/v1/trial")).status == 200


async def test_restricted_keys_manage_no_keys_but_see_who_they_are(api: Api) -> None:
    restricted = api.as_(await api.new_key(scopes=["posts:read"]))
    for method, path in (("GET", "/v1/keys"), ("POST", "/v1/keys"), ("DELETE", "/v1/keys/x")):
        answer = await restricted.call(method, path)
        assert (answer.code, answer.json["error"].get("meta")) == ("auth.insufficient_scope", None)
    assert (await restricted.get("/v1/users/me")).status == 200
    assert (await restricted.get("/v1/keys/scopes")).json["count"] == 12


async def test_a_revoked_key_is_refused_from_the_next_request_on(api: Api) -> None:
    made = (await api.post("/v1/keys", {"name": "short"})).json
    short = api.as_(made["raw_key"])
    assert (await short.get("/v1/users/me")).status == 200
    began = time.monotonic()
    assert (await api.delete(f"/v1/keys/{made['id']}")).json == {"ok": True}
    assert (await short.get("/v1/users/me")).code == "auth.invalid_key"
    assert time.monotonic() - began < 1


async def test_any_other_key_of_the_right_form_is_refused(api: Api) -> None:
    for _ in range(3):
        assert (
            await api.as_("sapi_key_" + secrets.token_hex(31)).get("/v1/users/me")
        ).code == "auth.invalid_key"


def test_every_route_for_any_key_names_its_scope() -> None:
    unmapped = [
        f"{route.method} {route.path}"
        for router in routers.found()
        for route in router.routes
        if route.auth == "any" and route.scope is None
    ]
    assert unmapped == []
    assert ANY_KEY == "*"
