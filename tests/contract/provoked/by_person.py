"""Refusals of people who sign in, and of tokens that are no keys."""

from __future__ import annotations

import itertools
from typing import Any

from provoked.guest import Guest
from provoked.table import Seen, provokes

ME = "/v1/users/me"
_numbers = itertools.count(1)


def _somebody(**more: Any) -> dict[str, Any]:
    return {"email": f"person{next(_numbers)}@example.com", "password": "correct horse battery", **more}


async def _signed_up(guest: Guest, **more: Any) -> str:
    """The token of somebody new."""
    made = await guest.post("/auth/sign-up", _somebody(**more))
    assert made.status == 201, made.json
    token = made.json["access_token"]
    guest.stage.secrets.add(token)
    return token


@provokes("auth.invalid_secret")
async def a_password_of_nobody(guest: Guest) -> Seen:
    return await guest.post("/auth/sign-in", _somebody())


@provokes("auth.not_authenticated")
async def signing_up_without_a_workspace_of_ones_own(guest: Guest) -> Seen:
    return await guest.post("/auth/sign-up", _somebody())


@provokes("auth.not_provisioned")
async def a_person_without_a_user(guest: Guest) -> Seen:
    token = await _signed_up(guest.on(await guest.stage.other("open")))
    return await guest.as_(token).get(ME)


@provokes("auth.user_not_found")
async def a_person_whose_user_was_deleted(guest: Guest) -> Seen:
    live = await Guest.arrive(guest.stage, "live")
    token = await _signed_up(guest, api_key=live.key)
    await guest.stage.sql("DELETE FROM users WHERE workspace_id = $1", live.workspace_id)
    return await guest.as_(token).get(ME)


@provokes("auth.dashboard_only")
async def a_key_where_a_person_is_meant(guest: Guest) -> Seen:
    return await guest.post("/v1/users/provision", {})
