"""Who is calling, and whether this key may do that."""

from __future__ import annotations

import re

from hubbub.domains.identity import service as identity
from hubbub.domains.keys import service as keys
from hubbub.errors.auth import (
    DashboardOnly,
    EmptyToken,
    InsufficientScope,
    InvalidKey,
    MissingHeader,
    NotProvisioned,
)
from hubbub.runtime.process import Runtime
from hubbub.runtime.routes import ANY_KEY, Route
from hubbub.runtime.settings import Settings
from hubbub.runtime.work import Caller

WHOLE_WORKSPACE = frozenset({"webhooks:manage", "analytics:read"})
"""Scopes that a key restricted to brands cannot use: what they show is not divided by brand."""

NOBODY = Caller(workspace_id=identity.NO_WORKSPACE)
"""The caller of public routes; no row belongs to this workspace."""

SCHEME = re.compile(r"bearer(?:[ \t]+(.*))?", re.IGNORECASE | re.DOTALL)


async def identify(runtime: Runtime, authorization: str | None) -> Caller:
    """The caller behind an Authorization header.

    Raises MissingHeader, EmptyToken, InvalidKey, InvalidToken or UserNotFound, in the order of contract 2.3.
    """
    presented = SCHEME.fullmatch((authorization or "").strip())
    if presented is None:
        raise MissingHeader()
    token = (presented[1] or "").strip()
    if not token:
        raise EmptyToken()
    if not token.startswith(keys.PREFIX):
        return await identity.caller_of(runtime, token)
    caller = await keys.caller_of(runtime, token)
    if caller is None:
        raise InvalidKey()
    return caller


def permit(caller: Caller, route: Route, settings: Settings) -> None:
    """Whether this caller may do that.

    Raises NotProvisioned for a person without a user, DashboardOnly for what is not a person where one is needed, and
    InsufficientScope when a key is restricted and the route lies outside.
    """
    if route.auth == "person" and caller.kind != "dashboard":
        raise DashboardOnly()
    if caller.identity is not None and caller.user_id is None and route.auth != "person":
        raise NotProvisioned()
    if route.auth == "dashboard" and caller.kind != "dashboard":
        may = caller.kind == "key" and settings.allow_keys_on_dashboard_endpoints
        if not may or caller.scopes or caller.brand_ids:
            raise DashboardOnly()
    _permit_key(caller, route)


def _permit_key(caller: Caller, route: Route) -> None:
    if not caller.scopes and not caller.brand_ids:
        return
    if route.auth == "admin" or route.scope is None:
        raise InsufficientScope()
    if route.scope == ANY_KEY:
        return
    lacking = caller.scopes and route.scope not in caller.scopes
    if lacking or (caller.brand_ids and route.scope in WHOLE_WORKSPACE):
        raise InsufficientScope(required_scope=route.scope)
