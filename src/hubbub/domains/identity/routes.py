"""Signing in over HTTP."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

import msgspec
from pydantic import BaseModel, Field, SecretStr

from hubbub.domains.identity import keyring, passwords, service
from hubbub.domains.identity.rules import PASSWORD_MAX, PASSWORD_MIN
from hubbub.errors.auth import InvalidKey, InvalidSecret, NotAuthenticated
from hubbub.errors.resource import Conflict
from hubbub.errors.system import RateLimitExceeded
from hubbub.kit.secret import Secret
from hubbub.runtime.process import Runtime
from hubbub.runtime.routes import Reply, Router
from hubbub.runtime.work import Caller

router = Router("/", "Sign-in")

EMAIL_MAX = 254


class SignInIn(BaseModel):
    email: str = Field(min_length=1, max_length=EMAIL_MAX)
    password: SecretStr = Field(min_length=1, max_length=PASSWORD_MAX)


class SignUpIn(BaseModel):
    email: str = Field(min_length=3, max_length=EMAIL_MAX)
    password: SecretStr = Field(min_length=PASSWORD_MIN, max_length=PASSWORD_MAX)
    api_key: SecretStr | None = Field(
        default=None, description="A key without restrictions: the workspace it belongs to becomes yours."
    )


class PasswordIn(BaseModel):
    old_password: SecretStr = Field(min_length=1, max_length=PASSWORD_MAX)
    new_password: SecretStr = Field(min_length=PASSWORD_MIN, max_length=PASSWORD_MAX)


class ProvisionIn(BaseModel):
    api_key: SecretStr | None = Field(
        default=None,
        description="A key without restrictions: become the owner of the workspace it belongs to.",
    )


class TokenOut(msgspec.Struct, frozen=True):
    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int

    @classmethod
    def of(cls, token: service.Token) -> TokenOut:
        return cls(token.access_token.reveal(), "Bearer", token.expires_in)


class ProvisionedOut(msgspec.Struct, frozen=True):
    id: UUID


class JwksOut(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]


@router.post("/auth/sign-up", auth="public", status=201, raises=(NotAuthenticated, InvalidKey, Conflict))
async def sign_up(runtime: Runtime, body: SignUpIn) -> TokenOut:
    """Make a sign-in of one's own, and sign in.

    Who may do this is a setting: owners of an API key, everybody, or nobody. With a key, the workspace it belongs to
    gets this person as its owner; without, `POST /v1/users/provision` makes a workspace.
    """
    token = await passwords.sign_up(runtime, body.email, _secret(body.password), _revealed(body.api_key))
    return TokenOut.of(token)


@router.post("/auth/sign-in", auth="public", raises=(InvalidSecret, RateLimitExceeded))
async def sign_in(runtime: Runtime, body: SignInIn) -> TokenOut:
    """Get a dashboard token for an e-mail address and a password."""
    return TokenOut.of(await passwords.sign_in(runtime, body.email, _secret(body.password)))


@router.post("/auth/password", auth="person", raises=(InvalidSecret, RateLimitExceeded, NotAuthenticated))
async def change_password(runtime: Runtime, caller: Caller, body: PasswordIn) -> None:
    """Change the password. Every token from before stops working."""
    assert caller.identity is not None
    old, new = _secret(body.old_password), _secret(body.new_password)
    await passwords.change_password(runtime, caller.identity, old, new)


@router.post("/v1/users/provision", auth="person", raises=(InvalidKey, Conflict))
async def provision_user(runtime: Runtime, caller: Caller, body: ProvisionIn) -> ProvisionedOut:
    """Make the user of the person who signed in, with a workspace. Doing it again changes nothing."""
    assert caller.identity is not None
    return ProvisionedOut(await service.provision(runtime, caller.identity, _revealed(body.api_key)))


@router.get("/.well-known/jwks.json", auth="public")
async def list_signing_keys(runtime: Runtime) -> Reply[JwksOut]:
    """List the public keys that verify our tokens."""
    keys = [dict(key) for key in await keyring.published(runtime)]
    return Reply(JwksOut(keys), headers={"Cache-Control": "public, max-age=900"})


def _secret(value: SecretStr) -> Secret:
    return Secret(value.get_secret_value())


def _revealed(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value else None
