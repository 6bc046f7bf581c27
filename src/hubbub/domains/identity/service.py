"""Sign up, sign in, become a user; and recognise who sends a token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hubbub.domains.identity import keyring, rules, store, tokens
from hubbub.domains.keys import service as keys
from hubbub.domains.workspaces import service as workspaces
from hubbub.errors.auth import InvalidKey, InvalidToken, UserNotFound
from hubbub.errors.resource import Conflict
from hubbub.kit import clock, ids
from hubbub.kit.secret import Secret
from hubbub.runtime.process import Runtime
from hubbub.runtime.settings import Settings
from hubbub.runtime.work import Caller, Identity

BUILT_IN = "hubbub"
"""How identities of ours are stored: it stays when the address of the server changes."""
NO_WORKSPACE = UUID(int=2**128 - 1)
"""Of callers who have none: no row belongs to it."""


@dataclass(frozen=True)
class Token:
    access_token: Secret
    expires_in: int


def issuer_of(settings: Settings) -> str:
    return settings.token_issuer or BUILT_IN


async def issue_dashboard_token(runtime: Runtime, person_id: UUID, email: str) -> Token:
    """For a person who has shown that they are who they say."""
    return await _issue(runtime, tokens.DASHBOARD, str(person_id), rules.SESSION, {"email": email})


async def issue_access_token(runtime: Runtime, user_id: UUID, scopes: Sequence[str]) -> Token:
    """An OAuth access token for a user: what a program acts with on a person's behalf, for an hour."""
    return await _issue(
        runtime, tokens.ACCESS, str(user_id), rules.ACCESS, {"scope": " ".join(scopes), "client_id": BUILT_IN}
    )


async def _issue(runtime: Runtime, typ: str, subject: str, life: timedelta, more: dict[str, Any]) -> Token:
    now, issuer = int(clock.now().timestamp()), issuer_of(runtime.settings)
    seconds = int(life.total_seconds())
    claims = {"iss": issuer, "aud": issuer, "sub": subject, "iat": now, "nbf": now, "exp": now + seconds}
    private = await keyring.private_key(runtime)
    return Token(Secret(tokens.sign(private, typ, {**claims, "jti": ids.new_uuid().hex, **more})), seconds)


async def caller_of(runtime: Runtime, token: str) -> Caller:
    """Whom a dashboard or an access token speaks for.

    A person who has no user yet is a caller without a workspace. Raises InvalidToken and UserNotFound.
    """
    try:
        said = tokens.read(token)
        ours = said.issuer == issuer_of(runtime.settings)
        if not ours and (said.typ == tokens.ACCESS or said.issuer not in runtime.settings.trusted_issuers):
            raise tokens.Untrue("another issuer")
        claims = await _verified(runtime, token, said, ours=ours)
        return await (_program if said.typ == tokens.ACCESS else _person)(runtime, claims, ours)
    except tokens.Untrue as why:
        raise InvalidToken() from why


async def _verified(runtime: Runtime, token: str, said: tokens.Unverified, *, ours: bool) -> tokens.Claims:
    public = await keyring.public_key(runtime, keyring.OURS if ours else said.issuer, said.kid)
    if public is None:
        raise tokens.Untrue("signed with an unknown key")
    own = issuer_of(runtime.settings)
    audience = own if ours else runtime.settings.trusted_audience or own
    leeway = 0 if ours else rules.LEEWAY_SECONDS
    return tokens.verify(token, public, said.issuer, audience, int(clock.now().timestamp()), leeway)


async def _program(runtime: Runtime, claims: tokens.Claims, _: bool) -> Caller:
    user_id = ids.as_uuid(claims["sub"])
    if user_id is None:
        raise tokens.Untrue("not of a user")
    async with runtime.database.begin() as db:
        workspace_id = await workspaces.workspace_of(db, user_id)
    if workspace_id is None:
        raise UserNotFound()
    return Caller(workspace_id, kind="oauth", user_id=user_id)


async def _person(runtime: Runtime, claims: tokens.Claims, ours: bool) -> Caller:
    email = claims.get("email")
    who = Identity(
        BUILT_IN if ours else claims["iss"], claims["sub"], email if isinstance(email, str) else None
    )
    async with runtime.database.begin() as db:
        if ours:
            person_id = ids.as_uuid(who.subject)
            person = await store.person(db, person_id) if person_id else None
            if person is None or _is_older(claims, person["password_changed_at"]):
                raise tokens.Untrue("from before the password was changed")
        found = await store.identity(db, who.issuer, who.subject)
        if found is None:
            return Caller(NO_WORKSPACE, kind="dashboard", identity=who)
        workspace_id = await workspaces.workspace_of(db, found["user_id"])
    if workspace_id is None:
        raise UserNotFound()
    return Caller(workspace_id, kind="dashboard", user_id=found["user_id"], identity=who)


def _is_older(claims: tokens.Claims, changed_at: datetime) -> bool:
    issued = claims.get("iat")
    return not isinstance(issued, int) or datetime.fromtimestamp(issued, UTC) < changed_at.replace(
        microsecond=0
    )


async def provision(runtime: Runtime, who: Identity, api_key: str | None) -> UUID:
    """Give an identity its user, once: the owner of the key's workspace, or a new one with a workspace of its own.

    Returns the user's id. Raises InvalidKey, and Conflict when somebody owns that workspace already, or the
    identity has another user.
    """
    owned = await owned_workspace(runtime, api_key) if api_key else None
    async with runtime.database.begin() as db:
        found = await store.identity(db, who.issuer, who.subject)
        if found is not None:
            if owned not in (None, found["workspace_id"]):
                raise Conflict(resource="user", reason="already_provisioned")
            return found["user_id"]
        if owned is None:
            made = await workspaces.create_workspace(db, "My workspace", who.email or who.subject)
            owned, user_id = made.id, made.user_id
        else:
            user_id = await workspaces.owner_of(db, owned)
        values = {"issuer": who.issuer, "subject": who.subject, "workspace_id": owned, "user_id": user_id}
        if not await store.add_identity(db, {**values, "created_at": clock.now()}):
            raise Conflict(resource="user", reason="already_owned")
        if who.email:
            await workspaces.rename_owner(db, user_id, who.email)
        return user_id


async def owned_workspace(runtime: Runtime, api_key: str) -> UUID:
    """The workspace that a key without restrictions proves to be one's own. Raises InvalidKey."""
    caller = await keys.caller_of(runtime, api_key)
    if caller is None or caller.scopes or caller.brand_ids or caller.mode != "live":
        raise InvalidKey()
    return caller.workspace_id
