"""Signed tokens: made and checked. Ed25519 only, whatever a token says of itself."""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
from joserfc import jws, jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import OKPKey

ALGORITHM = "EdDSA"
"""The name the contract has for Ed25519 (RFC 8037)."""
DASHBOARD = "JWT"
ACCESS = "at+jwt"
"""The type of an OAuth access token: https://www.rfc-editor.org/rfc/rfc9068#section-2.1"""
LENGTH_MAX = 8192

Claims = dict[str, Any]


class Unverified(msgspec.Struct, frozen=True):
    """What a token says of itself before anybody has looked at its signature."""

    kid: str
    typ: str
    issuer: str


class Untrue(Exception):
    """The token cannot be accepted. The message is for the log."""


def new_key() -> tuple[str, dict[str, Any], dict[str, Any]]:
    """The id, the public half and the private half of a new key, as JWKs."""
    made = OKPKey.generate_key("Ed25519")
    kid = secrets.token_hex(8)
    named = {"kid": kid, "alg": ALGORITHM, "use": "sig"}
    return kid, {**made.as_dict(private=False), **named}, {**made.as_dict(private=True), **named}


def sign(private: Mapping[str, Any], typ: str, claims: Claims) -> str:
    header = {"alg": ALGORITHM, "typ": typ, "kid": private["kid"]}
    with _by_its_old_name():
        return jwt.encode(header, claims, OKPKey.import_key(dict(private)), algorithms=[ALGORITHM])


def read(token: str) -> Unverified:
    """Raises Untrue for what is not a token of the one algorithm and a known type."""
    if len(token) > LENGTH_MAX or not token.isascii():
        raise Untrue("too long, or not a token")
    try:
        found = jws.extract_compact(token.encode())
        header, claims = found.headers(), msgspec.json.decode(found.payload)
    except (JoseError, ValueError, KeyError, TypeError) as wrong:
        raise Untrue("not a token") from wrong
    if header.get("alg") != ALGORITHM:
        raise Untrue("signed in another way")
    typ = str(header.get("typ", DASHBOARD)).lower().removeprefix("application/")
    if typ not in (DASHBOARD.lower(), ACCESS):
        raise Untrue("of another type")
    issuer, kid = (claims.get("iss") if isinstance(claims, dict) else None), header.get("kid")
    if not isinstance(issuer, str) or not isinstance(kid, str):
        raise Untrue("without an issuer or the id of a key")
    return Unverified(kid, ACCESS if typ == ACCESS else DASHBOARD, issuer)


def verify(
    token: str, public: Mapping[str, Any], issuer: str, audience: str, now: int, leeway: int
) -> Claims:
    """The claims of a token that this key signed, for us, and that is valid now. Raises Untrue."""
    rules: dict[str, Any] = {
        "iss": {"essential": True, "value": issuer},
        "aud": {"essential": True, "value": audience},
        "sub": {"essential": True},
        "exp": {"essential": True},
    }
    try:
        if public.get("kty") != "OKP" or public.get("crv") != "Ed25519":
            raise Untrue("the key is of another kind")
        with _by_its_old_name():
            found = jwt.decode(token, OKPKey.import_key(dict(public)), algorithms=[ALGORITHM])
        jwt.JWTClaimsRegistry(now=now, leeway=leeway, **rules).validate(found.claims)
    except (JoseError, ValueError, KeyError, TypeError) as wrong:
        raise Untrue(str(wrong) or type(wrong).__name__) from wrong
    if not isinstance(found.claims["sub"], str) or not found.claims["sub"]:
        raise Untrue("without a subject")
    return found.claims


@contextmanager
def _by_its_old_name() -> Generator[None]:
    """RFC 9864 renames the algorithm, and the library says so at every use."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        yield
