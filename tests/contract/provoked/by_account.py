"""Refusals met while accounts are connected, and of their pages."""

from __future__ import annotations

import uuid

from provoked.guest import Guest
from provoked.table import Seen, provokes


@provokes("account.not_found", "resource", "id")
async def an_account_nobody_has(guest: Guest) -> Seen:
    return await guest.call("DELETE", "/v1/accounts/acc_01ARZ3NDEKTSV4RRFFQ69G5FAV")


@provokes("account.unsupported_platform", "field")
async def a_platform_we_do_not_know(guest: Guest) -> Seen:
    return await guest.post("/v1/accounts/connect", {"platform": "myspace"})


@provokes("brand.not_found", "id")
async def a_brand_that_is_not_there(guest: Guest) -> Seen:
    return await guest.sign_in("demo", brand_id=str(uuid.uuid4()))


@provokes("account.already_linked")
async def a_profile_somebody_else_has(guest: Guest) -> Seen:
    person = await guest.person("bluesky")
    assert (await guest.sign_in(person)).status == 201
    return await (await Guest.arrive(guest.stage)).sign_in(person)


@provokes("account.already_linked", "account_id", "brand_id")
async def a_profile_bound_to_another_brand(guest: Guest) -> Seen:
    person = await guest.person("bluesky")
    assert (await guest.sign_in(person)).status == 201
    await guest.stage.sql(
        "UPDATE users SET lock_accounts_to_brand = true WHERE workspace_id = $1", guest.workspace_id
    )
    return await guest.sign_in(person, brand_id=await guest.brand())


@provokes("account.different_login")
async def a_brand_that_has_another_login(guest: Guest) -> Seen:
    brand = await guest.brand()
    await guest.facebook(brand_id=brand)
    person = await guest.person("facebook", places=["Elsewhere"])
    return await guest.exchange(await guest.consent(person, brand_id=brand))


@provokes("account.reconnected_as_another", "account_id", "expected", "actual")
async def coming_back_as_somebody_else(guest: Guest) -> Seen:
    account_id = await guest.facebook()
    other = await guest.person("facebook", places=["Elsewhere"])
    return await guest.exchange(await guest.consent(other, account_id=account_id))


@provokes("account.scopes_missing", "scopes")
async def a_box_left_unticked(guest: Guest) -> Seen:
    person = await guest.person("facebook", places=["A page"])
    return await guest.exchange(
        await guest.consent(person, lambda url: url.replace("pages_manage_posts%2C", ""))
    )


@provokes("auth.state_mismatch")
async def a_state_we_never_gave(guest: Guest) -> Seen:
    return await guest.exchange({"code": "c", "state": "0" * 32})


@provokes("auth.state_mismatch")
async def a_state_of_another_key(guest: Guest) -> Seen:
    back = await guest.consent(await guest.person("facebook", places=["A page"]))
    return await (await guest.with_key()).exchange(back)


@provokes("byok.credentials_missing", "platform")
async def nowhere_to_send_the_person(guest: Guest) -> Seen:
    live = await Guest.arrive(guest.stage, "live")
    return await live.on(await guest.stage.other("tight")).post(
        "/v1/accounts/connect", {"platform": "facebook"}
    )


@provokes("resource.not_supported", "platform", "operation")
async def a_consent_page_where_there_is_none(guest: Guest) -> Seen:
    return await guest.get("/v1/oauth/url?platform=bluesky")


@provokes("resource.not_found", "resource", "id")
async def a_choice_that_was_never_offered(guest: Guest) -> Seen:
    return await guest.get("/v1/accounts/pending/pc_" + "0" * 32)


@provokes("platform.facebook.no_pages")
async def a_person_without_pages(guest: Guest) -> Seen:
    return await guest.exchange(await guest.consent(await guest.person("facebook", places=[])))


@provokes("platform.facebook.page_cap", "max")
async def one_page_too_many(guest: Guest) -> Seen:
    person = await guest.person("facebook", places=[f"Shop {number}" for number in range(6)])
    offered = (await guest.exchange(await guest.consent(person))).json
    chosen = [page["platform_page_id"] for page in offered["pages"]]
    return await guest.post(f"/v1/accounts/pending/{offered['connection_id']}/select", {"page_ids": chosen})


@provokes("platform.facebook.auth")
async def a_code_that_was_used(guest: Guest) -> Seen:
    first = await guest.consent(await guest.person("facebook", places=["A page"]))
    second = await guest.consent(await guest.person("facebook", places=["A page"]))
    assert (await guest.exchange(first)).status == 201
    return await guest.exchange({"code": first["code"], "state": second["state"]})


@provokes("platform.bluesky.bad_credentials")
async def a_wrong_password(guest: Guest) -> Seen:
    return await guest.sign_in(await guest.person("bluesky"), "not-" + "the-password")


@provokes("platform.bluesky.rate_limit", "retry_after_seconds", "retry_after")
async def a_platform_that_asks_for_patience(guest: Guest) -> Seen:
    person = await guest.person("bluesky")
    path = "POST /xrpc/com.atproto.server.createSession"
    await guest.stage.fault("bluesky", path, "throttle", retry_after=7)
    return await guest.sign_in(person)


@provokes("platform.bluesky.rate_limit", "retry_after_seconds")
async def a_platform_that_asks_for_much_patience(guest: Guest) -> Seen:
    person = await guest.person("bluesky")
    path = "POST /xrpc/com.atproto.server.createSession"
    await guest.stage.fault("bluesky", path, "throttle", retry_after=3600)
    return await guest.sign_in(person)


@provokes("account.pages_not_supported")
async def pages_where_there_are_none(guest: Guest) -> Seen:
    return await guest.get(f"/v1/accounts/{await guest.bluesky()}/pages")


@provokes("account.page_inactive", "page_id")
async def a_default_that_is_switched_off(guest: Guest) -> Seen:
    account_id = await guest.facebook()
    page = await guest.switch_off(account_id)
    return await guest.call("PATCH", f"/v1/accounts/{account_id}/pages/{page}", {"is_default": True})
