"""Nobody reaches what is not theirs: every route that has an id, with every kind of key that must not see it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from hubbub.domains.keys.scopes import NAMES
from hubbub.runtime.routes import ANY_KEY, Route
from hubbub.surfaces.api import routers
from hubbub.surfaces.api.caller import WHOLE_WORKSPACE
from provoked.belongings import UNKNOWN, Belongings, anonymous, ask, filled, furnish, has_id
from provoked.guest import Guest, post_body
from provoked.stage import Stage

pytestmark = pytest.mark.anyio

ROUTES = [route for router in routers.found() for route in router.routes]
OPEN = {
    ("GET", "/"),
    ("GET", "/v1/health"),
    ("GET", "/docs/errors/{code}"),
    ("GET", "/oauth/callback/{platform}"),
    ("GET", "/.well-known/jwks.json"),
    ("POST", "/auth/sign-in"),
    ("POST", "/auth/sign-up"),
    ("GET", "/v1/media/{media_id}/content"),
    ("PUT", "/v1/media/{media_id}/content"),
}
"""Everything that answers without a key; the last two ask for a signature instead."""


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


def each(*routes: Route) -> Any:
    return pytest.mark.parametrize("route", routes, ids=named)


with_id = [route for route in ROUTES if has_id(route)]
of_brands = [route for route in with_id if route.auth == "any" and not route.path.startswith("/v1/media")]
"""Media are shared by all brands of a workspace (contract 2.4)."""
scoped = [route for route in ROUTES if route.scope not in (None, ANY_KEY)]
closed = [route for route in ROUTES if route.auth == "admin" or (route.auth == "any" and route.scope is None)]
keyed = [route for route in ROUTES if (route.method, route.path) not in OPEN]


async def state_of(stage: Stage, owner: Guest) -> list[str]:
    """Everything of a workspace, as text."""
    tables = ("accounts", "posts", "targets", "media", "pending_connections")
    rows: list[str] = []
    for table in tables:
        found = await stage.sql(
            f'SELECT (to_jsonb(t) - $2::text)::text FROM "{table}" t WHERE workspace_id = $1 ORDER BY 1',
            owner.workspace_id, "last_used_at",
        )  # fmt: skip
        rows += [str(row[0]) for row in found]
    return rows


def test_every_route_with_an_id_has_an_id_here() -> None:
    assert with_id
    for route in with_id:
        filled(route, UNKNOWN)


async def hidden_from(stranger: Guest, belongings: Belongings, route: Route) -> None:
    """The stranger gets the very answer that an id nobody has would give, and nothing changes."""
    owner, ids = belongings.owner, belongings.ids
    before = await state_of(owner.stage, owner)
    theirs = await ask(stranger, route, filled(route, ids))
    nobodys = await ask(stranger, route, filled(route, UNKNOWN))
    assert theirs.status == 404, theirs.json
    assert anonymous(theirs, *ids.values()) == anonymous(nobodys, *UNKNOWN.values())
    assert await state_of(owner.stage, owner) == before


@pytest.fixture(scope="module")
async def belongings(stage: Stage) -> Belongings:
    """Nothing may change it, so one serves all."""
    return await furnish(await Guest.arrive(stage))


@pytest.fixture(scope="module")
async def live(stage: Stage) -> Belongings:
    """The same, as if no sandbox had ever been heard of; its owner still has a sandbox key."""
    owner = await Guest.arrive(stage)
    made = await furnish(owner)
    for table in ("accounts", "posts", "pending_connections"):
        await stage.sql(f"UPDATE {table} SET mode = 'live' WHERE workspace_id = $1", owner.workspace_id)
    await stage.sql(
        'UPDATE pending_connections SET attempt = attempt || \'{"mode": "live"}\' WHERE workspace_id = $1',
        owner.workspace_id,
    )
    return made


@each(*with_id)
async def test_another_workspaces_id_is_as_unknown_as_any(
    guest: Guest, belongings: Belongings, route: Route
) -> None:
    await hidden_from(guest, belongings, route)


@each(*of_brands)
async def test_another_brands_id_is_as_unknown_as_any(belongings: Belongings, route: Route) -> None:
    owner = belongings.owner
    await hidden_from(await owner.with_key(brands=[belongings.empty_brand]), belongings, route)


@each(*of_brands)
async def test_a_sandbox_key_does_not_see_what_is_live(live: Belongings, route: Route) -> None:
    await hidden_from(live.owner, live, route)


async def test_lists_leave_out_what_the_key_does_not_cover(stage: Stage, guest: Guest) -> None:
    belongings = await furnish(guest)
    other = await guest.brand()
    mine = await guest.bluesky(brand_id=other)
    seen = await guest.draft(mine)
    shared = await guest.draft(mine, belongings.ids["accounts.id"])
    nobodys = await guest.draft()
    key = await guest.with_key(brands=[other])

    posts = {post["id"] for post in (await key.get("/v1/posts")).json["data"]}
    accounts = {account["id"] for account in (await key.get("/v1/accounts")).json["data"]}
    assert (posts, accounts) == ({seen, shared}, {mine})
    of_brand = (await guest.get(f"/v1/posts?brand_id={belongings.brand}")).json["data"]
    assert {post["id"] for post in of_brand} == {belongings.ids["posts.pid"], shared}
    assert (await key.get(f"/v1/posts?brand_id={belongings.brand}")).json["data"] == []
    assert (await guest.get("/v1/posts?brand_id=nothing")).json["data"] == []
    assert (await key.get(f"/v1/posts/{nobodys}")).code == "post.not_found"


async def test_a_post_to_several_brands_may_be_read_but_not_changed(guest: Guest) -> None:
    """Contract 2.4: readable when one account is in the key's brands, writable when all are."""
    belongings = await furnish(guest)
    other = await guest.brand()
    shared = await guest.draft(await guest.bluesky(brand_id=other), belongings.ids["accounts.id"])
    key = await guest.with_key(brands=[other])
    assert (await key.get(f"/v1/posts/{shared}")).status == 200
    for method, path in (("DELETE", ""), ("POST", "/publish"), ("POST", "/retry")):
        answer = await key.call(method, f"/v1/posts/{shared}{path}")
        assert (answer.status, answer.code) == (404, "account.not_found")
    assert (await guest.read(shared))["status"] == "draft"


async def test_a_key_of_one_brand_writes_only_for_it(guest: Guest) -> None:
    belongings = await furnish(guest)
    other = await guest.brand()
    mine = await guest.bluesky(brand_id=other)
    key = await guest.with_key(brands=[other])
    refused = await key.post("/v1/posts", post_body(belongings.ids["accounts.id"]))
    assert refused.code == "account.not_found"
    refused = await key.post("/v1/posts", post_body())
    assert refused.json["error"]["meta"]["field"] == "targets"
    made = await key.draft(mine)
    assert (await key.call("DELETE", f"/v1/posts/{made}")).status == 200


@each(*scoped)
async def test_a_key_needs_the_scope_of_the_route_and_no_other(guest: Guest, route: Route) -> None:
    assert route.scope in NAMES
    path = filled(route, UNKNOWN)
    without = await guest.with_key(*(NAMES - {route.scope}))
    refused = await ask(without, route, path)
    assert (refused.status, refused.code) == (403, "auth.insufficient_scope")
    assert refused.json["error"]["meta"] == {"required_scope": route.scope}
    allowed = await ask(await guest.with_key(str(route.scope)), route, path)
    assert allowed.code != "auth.insufficient_scope"
    assert allowed.status < 500
    of_brand = await ask(await guest.with_key(brands=[await guest.brand()]), route, path)
    is_refused = of_brand.code == "auth.insufficient_scope"
    assert is_refused == (route.scope in WHOLE_WORKSPACE), "some scopes are of no use to a key of brands"


@each(*closed)
async def test_what_changes_keys_is_closed_to_restricted_ones(guest: Guest, route: Route) -> None:
    before = await guest.stage.rows()
    brand = await guest.brand()
    for key in (await guest.with_key(*NAMES), await guest.with_key(brands=[brand])):
        refused = await ask(key, route, filled(route, UNKNOWN))
        assert (refused.status, refused.code) == (403, "auth.insufficient_scope")
        assert "meta" not in refused.json["error"]
    assert (await guest.stage.rows())["api_keys"] == before["api_keys"] + 2


@each(*keyed)
async def test_nothing_answers_without_a_key(guest: Guest, route: Route) -> None:
    path = filled(route, UNKNOWN) if has_id(route) else route.path
    refused = await guest.call(route.method, path, headers={"Authorization": None})
    assert (refused.status, refused.code) == (401, "auth.missing_header")


def test_only_these_routes_are_open() -> None:
    assert {(route.method, route.path) for route in ROUTES if route.auth in ("public", "signed")} == OPEN


async def test_a_signed_address_needs_its_signature(guest: Guest) -> None:
    belongings = await furnish(guest)
    path = f"/v1/media/{belongings.ids['media.media_id']}/content"
    for query in (
        "",
        "?expires=99999999999&signature=",
        "?expires=x&signature=x",
        "?expires=1&signature=" + "0" * 64,
    ):
        assert (await guest.get(path + query)).code == "http.403"
        assert (await guest.call("PUT", path + query, content=b"x")).code == "http.403"


async def test_a_revoked_key_is_refused_within_a_second(guest: Guest) -> None:
    made = (await guest.post("/v1/keys", {"name": "short-lived"})).json
    key = guest.as_(made["raw_key"])
    assert (await key.get("/v1/users/me")).status == 200
    began = time.monotonic()
    assert (await guest.call("DELETE", f"/v1/keys/{made['id']}")).status == 200
    refused = await key.get("/v1/users/me")
    assert (refused.status, refused.code) == (401, "auth.invalid_key")
    assert time.monotonic() - began < 1


async def test_a_key_that_was_replaced_is_refused_at_once(guest: Guest) -> None:
    made = (await guest.post("/v1/keys", {"name": "rotated"})).json
    fresh = (await guest.post(f"/v1/keys/{made['id']}/rotate")).json
    assert (await guest.as_(made["raw_key"]).get("/v1/users/me")).code == "auth.invalid_key"
    assert (await guest.as_(fresh["raw_key"]).get("/v1/users/me")).status == 200


async def test_a_sandbox_key_cannot_make_a_live_one(guest: Guest) -> None:
    refused = await guest.post("/v1/keys", {"name": "k", "mode": "live"})
    assert refused.json["error"]["meta"]["field"] == "mode"
    live = await Guest.arrive(guest.stage, "live")
    assert (await live.post("/v1/keys", {"name": "k"})).json["mode"] == "live"
