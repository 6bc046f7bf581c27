"""Refusals of keys, addresses and bodies."""

from __future__ import annotations

import uuid

from provoked.guest import Guest
from provoked.stage import LITTLE_BYTES
from provoked.table import Seen, provokes

ME = "/v1/users/me"


@provokes("auth.missing_header")
async def no_header(guest: Guest) -> Seen:
    return await guest.get(ME, headers={"Authorization": None})


@provokes("auth.missing_header")
async def another_scheme(guest: Guest) -> Seen:
    return await guest.get(ME, headers={"Authorization": f"Basic {guest.key}"})


@provokes("auth.empty_token")
async def nothing_after_bearer(guest: Guest) -> Seen:
    return await guest.get(ME, headers={"Authorization": "Bearer"})


@provokes("auth.invalid_key")
async def a_key_nobody_has(guest: Guest) -> Seen:
    return await guest.as_("sapi_key_" + "0" * 62).get(ME)


@provokes("auth.invalid_token")
async def another_kind_of_token(guest: Guest) -> Seen:
    return await guest.as_("eyJhbGciOiJFZERTQSJ9.e30.x").get(ME)


@provokes("auth.insufficient_scope", "required_scope")
async def a_key_for_something_else(guest: Guest) -> Seen:
    return await (await guest.with_key("media:read")).get("/v1/posts")


@provokes("validation.scope_invalid", "field")
async def a_scope_that_does_not_exist(guest: Guest) -> Seen:
    return await guest.post("/v1/keys", {"name": "k", "scopes": ["posts:burn"]})


@provokes("validation.brand_invalid", "field")
async def a_brand_of_nobody(guest: Guest) -> Seen:
    return await guest.post("/v1/keys", {"name": "k", "brand_ids": [str(uuid.uuid4())]})


@provokes("validation.field_required", "field")
async def a_key_without_a_name(guest: Guest) -> Seen:
    return await guest.post("/v1/keys")


@provokes("validation.field_invalid", "field", "reason")
async def a_page_of_no_posts(guest: Guest) -> Seen:
    return await guest.get("/v1/posts?limit=0")


@provokes("validation.body_invalid")
async def half_a_body(guest: Guest) -> Seen:
    return await guest.post("/v1/posts", content=b'{"text": ')


@provokes("ratelimit.exceeded", "limit", "retry_after_seconds")
async def one_request_too_many(guest: Guest) -> Seen:
    hurried = guest.on(await guest.stage.other("hurried"))
    answers = [await hurried.get(ME) for _ in range(5)]  # A new minute may begin between two of them.
    return next(answer for answer in answers if answer.status != 200)


@provokes("resource.not_found", "resource", "id")
async def a_key_that_is_not_there(guest: Guest) -> Seen:
    return await guest.call("DELETE", f"/v1/keys/{uuid.uuid4()}")


@provokes("http.404")
async def an_address_nothing_has(guest: Guest) -> Seen:
    return await guest.get("/v1/nothing")


@provokes("http.405", "allowed")
async def a_method_it_does_not_take(guest: Guest) -> Seen:
    return await guest.call("PUT", "/v1/posts")


@provokes("http.413", "max")
async def a_body_that_is_too_large(guest: Guest) -> Seen:
    text = "x" * LITTLE_BYTES
    return await guest.on(await guest.stage.other("tight")).post("/v1/posts", {"text": text})


@provokes("http.502")
async def a_platform_that_hangs_up(guest: Guest) -> Seen:
    person = await guest.person("bluesky")
    await guest.stage.fault("bluesky", "POST /xrpc/com.atproto.server.createSession", "drop")
    return await guest.sign_in(person)


@provokes("http.503")
async def a_database_that_is_away(guest: Guest) -> Seen:
    return await guest.on(await guest.stage.other("dead")).get("/v1/health")


@provokes("system.internal")
async def a_database_without_tables(guest: Guest) -> Seen:
    return await guest.on(await guest.stage.other("broken")).get(ME)
