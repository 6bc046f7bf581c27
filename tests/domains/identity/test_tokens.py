from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey, RSAKey
from person import Person

from api import Api
from hubbub.domains.identity import keyring, service, tokens
from hubbub.domains.identity.tables import signing_keys
from hubbub.runtime.process import Runtime

pytestmark = pytest.mark.anyio

Change = Callable[[dict[str, Any], dict[str, Any]], Any]


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def opened(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, claims, _ = token.split(".")
    return tuple(json.loads(base64.urlsafe_b64decode(each + "==")) for each in (header, claims))  # type: ignore[return-value]


async def remade(runtime: Runtime, token: str, change: Change) -> str:
    """The token with changes, signed with our own key: only what was changed is wrong with it."""
    header, claims = opened(token)
    change(header, claims)
    private = await keyring.private_key(runtime)
    signed = tokens.sign(private, "JWT", claims)
    if header == opened(token)[0]:
        return signed
    return _signed_as_it_says(private, header, claims)


def _signed_as_it_says(private: Any, header: Any, claims: Any) -> str:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    said = f"{part(header)}.{part(claims)}"
    raw = base64.urlsafe_b64decode(private["d"] + "==")
    signature = Ed25519PrivateKey.from_private_bytes(raw).sign(said.encode())
    return f"{said}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


async def test_what_is_unchanged_is_accepted(api: Api, owner: Person) -> None:
    again = await remade(api.runtime, owner.token, lambda header, claims: claims.update(jti="other"))
    assert (await api.as_(again).get("/v1/users/me")).status == 200


@pytest.mark.parametrize(
    "change",
    [
        lambda header, claims: claims.update(exp=int(time.time()) - 1),
        lambda header, claims: claims.pop("exp"),
        lambda header, claims: claims.update(exp="9999999999"),
        lambda header, claims: claims.update(nbf=int(time.time()) + 60),
        lambda header, claims: claims.update(aud="somebody else"),
        lambda header, claims: claims.pop("aud"),
        lambda header, claims: claims.update(iss="https://elsewhere.example"),
        lambda header, claims: claims.pop("iss"),
        lambda header, claims: claims.pop("sub"),
        lambda header, claims: claims.update(sub=7),
        lambda header, claims: claims.pop("iat"),
        lambda header, claims: header.update(typ="dpop+jwt"),
        lambda header, claims: header.update(typ="at+jwt"),
        lambda header, claims: header.update(alg="none"),
        lambda header, claims: header.update(alg="HS256"),
        lambda header, claims: header.update(alg="Ed448"),
        lambda header, claims: header.update(kid="unknown"),
        lambda header, claims: header.pop("kid"),
        lambda header, claims: header.update(crit=["exp"]),
        lambda header, claims: header.update(b64=False, crit=["b64"]),
    ],
)
async def test_each_claim_and_header_is_checked(api: Api, owner: Person, change: Change) -> None:
    forged = await remade(api.runtime, owner.token, change)
    answer = await api.as_(forged).get("/v1/platforms")
    assert (answer.status, answer.code) in {(401, "auth.invalid_token"), (401, "auth.user_not_found")}
    if "at+jwt" not in str(opened(forged)[0]):
        assert answer.code == "auth.invalid_token"


async def test_the_public_key_is_no_password_for_another_algorithm(api: Api, owner: Person) -> None:
    [public] = (await api.as_("").get("/.well-known/jwks.json")).json["keys"]
    _, claims = opened(owner.token)
    header = {"alg": "HS256", "typ": "JWT", "kid": public["kid"]}
    for secret in (public["x"], json.dumps(public), json.dumps(public, separators=(",", ":"))):
        forged = jwt.encode(header, claims, OctKey.import_key(secret), algorithms=["HS256"])
        assert (await api.as_(forged).get("/v1/platforms")).code == "auth.invalid_token"
    rsa = RSAKey.generate_key(2048)
    forged = jwt.encode({**header, "alg": "RS256"}, claims, rsa, algorithms=["RS256"])
    assert (await api.as_(forged).get("/v1/platforms")).code == "auth.invalid_token"


async def test_unsigned_and_tampered_tokens_are_refused(api: Api, owner: Person) -> None:
    header, claims, signature = owner.token.split(".")
    said = opened(owner.token)
    other = part({**said[1], "sub": "somebody"})
    flipped = signature[:10] + ("A" if signature[10] != "A" else "B") + signature[11:]
    for forged in (
        f"{header}.{other}.{signature}",
        f"{header}.{claims}.{flipped}",
        f"{header}.{claims}.",
        f"{header}.{claims}",
        f"{part({**said[0], 'alg': 'none'})}.{claims}.",
        f"{owner.token}.x",
        owner.token + "A" * 9000,
        "x.y.z",
        f"{header}.{part([1])}.{signature}",
    ):
        assert (await api.as_(forged).get("/v1/platforms")).code == "auth.invalid_token", forged[:60]


async def test_a_key_of_ones_own_in_the_header_is_not_used(api: Api, owner: Person) -> None:
    mine = OKPKey.generate_key("Ed25519").as_dict(private=True)
    _, claims = opened(owner.token)
    header, _ = opened(owner.token)
    public = {name: value for name, value in mine.items() if name != "d"}
    for more in ({"jwk": public}, {"jku": "https://evil.example/jwks"}, {}):
        forged = _signed_as_it_says(mine, {**header, **more}, claims)
        assert (await api.as_(forged).get("/v1/platforms")).code == "auth.invalid_token"


async def test_two_keys_verify_after_a_rotation_and_one_after_a_day(api: Api, owner: Person) -> None:
    [before] = (await api.as_("").get("/.well-known/jwks.json")).json["keys"]
    await keyring.rotate(api.runtime)
    both = (await api.as_("").get("/.well-known/jwks.json")).json["keys"]
    assert len(both) == 2
    assert before in both
    assert all(set(key) == {"kty", "crv", "x", "kid", "alg", "use"} for key in both)
    user = (await api.as_(owner.token).get("/v1/users/me")).json
    fresh = await service.issue_access_token(api.runtime, user["id"], [])
    assert opened(fresh.access_token.reveal())[0]["kid"] == both[0]["kid"] != before["kid"]
    assert (await api.as_(fresh.access_token.reveal()).get("/v1/users/me")).status == 200
    async with api.runtime.database.begin() as db:
        worn = signing_keys.c.retired_at.is_not(None)
        await db.execute(
            sa.update(signing_keys)
            .where(worn)
            .values(retired_at=signing_keys.c.retired_at - timedelta(days=2))
        )
    keyring.forget(api.runtime)
    assert (await api.as_(owner.token).get("/v1/users/me")).code == "auth.invalid_token"
    assert len((await api.as_("").get("/.well-known/jwks.json")).json["keys"]) == 1


async def test_a_worn_key_is_replaced_by_itself(api: Api, owner: Person) -> None:
    async with api.runtime.database.begin() as db:
        old = signing_keys.c.created_at - timedelta(days=31)
        await db.execute(sa.update(signing_keys).values(created_at=old))
    assert len((await api.as_("").get("/.well-known/jwks.json")).json["keys"]) == 2
    assert (await api.as_(owner.token).get("/v1/users/me")).status == 200
