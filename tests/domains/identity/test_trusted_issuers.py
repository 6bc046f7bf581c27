from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from api import Api
from hubbub.domains.identity import keyring, tokens
from hubbub.runtime.settings import Settings

pytestmark = pytest.mark.anyio

ISSUER = "https://login.example"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"allow_private_networks": ["127.0.0.0/8"]})


class Service:
    """A company's sign-in service: a socket that gives its keys."""

    def __init__(self) -> None:
        _, self.public, self.private = tokens.new_key()
        self.asked = 0
        self.body: Any = {"keys": [self.public]}

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        body = json.dumps(self.body).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    def token(self, api: Api, **claims: Any) -> str:
        now = int(time.time())
        said = {"iss": ISSUER, "aud": "hubbub", "sub": "u-1", "email": "eve@example.com", "exp": now + 60}
        return tokens.sign(self.private, "JWT", {**said, **claims})


@pytest.fixture
async def company(api: Api) -> AsyncGenerator[Service]:
    service = Service()
    server = await asyncio.start_server(service.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    api.runtime.settings.trusted_issuers = {ISSUER: f"http://127.0.0.1:{port}/jwks.json"}
    yield service
    server.close()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(server.wait_closed(), 1)


async def test_a_companys_own_sign_in_service_is_enough(api: Api, company: Service) -> None:
    person = api.as_(company.token(api))
    assert (await person.get("/v1/users/me")).code == "auth.not_provisioned"
    assert (await person.post("/v1/users/provision", {"api_key": api.key})).status == 200
    me = (await person.get("/v1/users/me")).json
    assert (me["email"], me["id"]) == ("eve@example.com", (await api.get("/v1/users/me")).json["id"])
    assert company.asked == 1
    changing = {"old_password": "x", "new_password": "long enough now"}
    assert (await person.post("/auth/password", changing)).code == "auth.not_authenticated"


async def test_an_issuer_speaks_for_its_own_people_only(api: Api, company: Service) -> None:
    _, _, stranger = tokens.new_key()
    theirs = company.private
    for forged in (
        company.token(api, iss="https://other.example"),
        company.token(api, iss="hubbub"),
        company.token(api, aud="somebody"),
        company.token(api, exp=int(time.time()) - 60),
        tokens.sign(theirs, "at+jwt", {"iss": ISSUER, "aud": "hubbub", "sub": "u-1", "exp": 9999999999}),
        tokens.sign(
            {**stranger, "kid": theirs["kid"]},
            "JWT",
            {"iss": ISSUER, "aud": "hubbub", "sub": "u", "exp": 9999999999},
        ),
    ):
        assert (await api.as_(forged).get("/v1/platforms")).code == "auth.invalid_token"


async def test_unknown_keys_do_not_make_us_ask_at_every_request(api: Api, company: Service) -> None:
    await api.as_(company.token(api)).get("/v1/platforms")
    company.private["kid"] = "another"
    for _ in range(3):
        assert (await api.as_(company.token(api)).get("/v1/platforms")).code == "auth.invalid_token"
    assert company.asked == 1


async def test_keys_stay_in_use_while_the_issuer_answers_nonsense(
    api: Api, company: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "KEPT_SECONDS", 0.0)
    assert (await api.as_(company.token(api)).get("/v1/users/me")).code == "auth.not_provisioned"
    company.body = ["nonsense"]
    assert (await api.as_(company.token(api)).get("/v1/users/me")).code == "auth.not_provisioned"
    assert company.asked == 2
