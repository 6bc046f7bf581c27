from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from person import PASSWORD, Person

from api import Api
from hubbub.domains.identity import service
from hubbub.domains.identity.tables import people, sign_in_attempts, signing_keys
from hubbub.domains.workspaces.tables import users
from hubbub.runtime.process import Runtime

pytestmark = pytest.mark.anyio

SOMEBODY = {"email": "bob@example.com", "password": PASSWORD}


async def sign_in(api: Api, password: str = PASSWORD, email: str = "ada@example.com") -> Any:
    return await api.as_("").post("/auth/sign-in", {"email": email, "password": password})


async def test_the_owner_of_a_key_signs_up_and_owns_its_workspace(api: Api, owner: Person) -> None:
    me = await api.as_(owner.token).get("/v1/users/me")
    assert (me.status, me.json["email"]) == (200, owner.email)
    shown = [key["name"] for key in (await api.as_(owner.token).get("/v1/keys")).json["data"]]
    assert shown == ["test"]


async def test_signing_in_gives_a_token_that_works(api: Api, owner: Person) -> None:
    answer = await sign_in(api, email=" ADA@example.com")
    assert (answer.status, answer.json["token_type"], answer.json["expires_in"]) == (200, "Bearer", 12 * 3600)
    assert (await api.as_(answer.json["access_token"]).get("/v1/users/me")).status == 200


async def test_nobody_signs_up_without_a_key_unless_it_is_open(api: Api) -> None:
    stranger = api.as_("")
    assert (await stranger.post("/auth/sign-up", SOMEBODY)).code == "auth.not_authenticated"
    wrong = {**SOMEBODY, "api_key": "sapi_key_" + "0" * 62}
    assert (await stranger.post("/auth/sign-up", wrong)).code == "auth.invalid_key"
    restricted = {**SOMEBODY, "api_key": await api.new_key(scopes=["posts:read"])}
    assert (await stranger.post("/auth/sign-up", restricted)).code == "auth.invalid_key"
    api.runtime.settings.sign_up = "closed"
    assert (await stranger.post("/auth/sign-up", {**SOMEBODY, "api_key": api.key})).status == 401
    assert (await sign_in(api, email="bob@example.com")).code == "auth.invalid_secret"


async def test_a_workspace_has_one_owner_and_an_address_one_person(api: Api, owner: Person) -> None:
    taken = await api.as_("").post("/auth/sign-up", {**SOMEBODY, "api_key": api.key})
    assert (taken.code, taken.json["error"]["meta"]["reason"]) == ("resource.conflict", "already_owned")
    elsewhere = await api.elsewhere()
    again = {"email": owner.email, "password": PASSWORD, "api_key": elsewhere.key}
    answer = await api.as_("").post("/auth/sign-up", again)
    assert (answer.code, answer.json["error"]["meta"]["reason"]) == ("resource.conflict", "email_taken")
    free = {**SOMEBODY, "api_key": elsewhere.key}
    assert (await api.as_("").post("/auth/sign-up", free)).status == 201


async def test_a_person_without_a_user_is_told_to_be_provisioned(api: Api) -> None:
    api.runtime.settings.sign_up = "open"
    token = (await api.as_("").post("/auth/sign-up", SOMEBODY)).json["access_token"]
    person = api.as_(token)
    for path in ("/v1/users/me", "/v1/keys"):
        answer = await person.get(path)
        assert (answer.status, answer.code) == (401, "auth.not_provisioned")
    made = await asyncio.gather(*(person.post("/v1/users/provision") for _ in range(3)))
    assert {answer.status for answer in made} <= {200, 409}
    first = await person.post("/v1/users/provision")
    assert (await person.post("/v1/users/provision")).json == first.json
    assert (await person.get("/v1/users/me")).json["id"] == first.json["id"]
    assert (await person.get("/v1/keys")).json["count"] == 0


async def test_keys_and_programs_are_not_people(api: Api, owner: Person) -> None:
    user_id = (await api.get("/v1/users/me")).json["id"]
    program = await service.issue_access_token(api.runtime, user_id, ["social:all"])
    for token in (api.key, program.access_token.reveal()):
        for path, body in (("/v1/users/provision", {}), ("/auth/password", {})):
            answer = await api.as_(token).post(path, body)
            assert (answer.status, answer.code) == (403, "auth.dashboard_only")


async def test_a_wrong_password_and_an_unknown_address_are_refused_alike(api: Api, owner: Person) -> None:
    wrong = await sign_in(api, "wrong")
    unknown = await sign_in(api, email="nobody@example.com")
    assert (wrong.status, wrong.code) == (unknown.status, unknown.code) == (401, "auth.invalid_secret")
    assert wrong.json["error"]["message"] == unknown.json["error"]["message"]


@pytest.mark.parametrize("email", ["ada@example.com", "nobody@example.com"])
async def test_guessing_has_to_wait_even_when_it_is_right(api: Api, owner: Person, email: str) -> None:
    codes = [(await sign_in(api, "wrong", email)).code for _ in range(6)]
    assert codes == ["auth.invalid_secret"] * 5 + ["ratelimit.exceeded"]
    right = await sign_in(api, email=email)
    assert (right.status, right.code) == (429, "ratelimit.exceeded")
    assert 0 < int(right.headers["retry-after"]) <= 30
    async with api.runtime.database.begin() as db:
        await db.execute(
            sa.update(sign_in_attempts).values(locked_until=sign_in_attempts.c.last_at - timedelta(days=1))
        )
    assert (await sign_in(api)).status == 200


async def test_guesses_sent_at_once_are_counted_one_by_one(api: Api, owner: Person) -> None:
    answers = await asyncio.gather(*(sign_in(api, "wrong") for _ in range(9)))
    assert sorted(answer.status for answer in answers) == [401] * 5 + [429] * 4


async def test_a_new_password_ends_what_the_old_one_gave(api: Api, owner: Person) -> None:
    person = api.as_(owner.token)
    body = {"old_password": "wrong", "new_password": "another long one"}
    assert (await person.post("/auth/password", body)).code == "auth.invalid_secret"
    assert (await person.post("/auth/password", {**body, "old_password": PASSWORD})).status == 204
    async with api.runtime.database.begin() as db:
        await db.execute(
            sa.update(people).values(password_changed_at=people.c.password_changed_at + timedelta(seconds=1))
        )
    assert (await person.get("/v1/users/me")).code == "auth.invalid_token"
    assert (await sign_in(api)).code == "auth.invalid_secret"
    assert (await sign_in(api, "another long one")).status == 200


async def test_a_deleted_user_is_known_for_one(api: Api, owner: Person) -> None:
    user_id = (await api.get("/v1/users/me")).json["id"]
    program = await service.issue_access_token(api.runtime, user_id, [])
    async with api.runtime.database.begin() as db:
        await db.execute(sa.delete(users))
    for token in (owner.token, program.access_token.reveal()):
        answer = await api.as_(token).get("/v1/platforms")
        assert (answer.status, answer.code) == (401, "auth.user_not_found")


async def test_short_passwords_are_refused_and_none_is_stored_readable(api: Api, owner: Person) -> None:
    short = {"email": "x@example.com", "password": "short", "api_key": api.key}
    answer = await api.as_("").post("/auth/sign-up", short)
    assert (answer.status, answer.json["error"]["meta"]["field"]) == (400, "password")
    async with api.runtime.database.begin() as db:
        rows = [*(await db.execute(sa.select(people))), *(await db.execute(sa.select(signing_keys)))]
    assert PASSWORD not in str(rows)
    assert "$argon2id$" in str(rows)
    assert "'d'" not in str(rows)


async def test_a_program_acts_for_its_user_for_an_hour(runtime: Runtime, api: Api) -> None:
    user_id = (await api.get("/v1/users/me")).json["id"]
    token = await service.issue_access_token(runtime, user_id, ["social:all"])
    assert token.expires_in == 3600
    assert (await api.as_(token.access_token.reveal()).get("/v1/users/me")).json["id"] == user_id
    stranger = await service.issue_access_token(runtime, uuid4(), [])
    assert (await api.as_(stranger.access_token.reveal()).get("/v1/users/me")).code == "auth.user_not_found"
