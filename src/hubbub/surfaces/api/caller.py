"""Who is calling, and whether this key may do that."""

from __future__ import annotations

import re
from uuid import UUID

from hubbub.domains.keys import service as keys
from hubbub.errors.auth import EmptyToken, InsufficientScope, InvalidKey, InvalidToken, MissingHeader
from hubbub.runtime.process import Runtime
from hubbub.runtime.routes import ANY_KEY, Route
from hubbub.runtime.work import Caller

WHOLE_WORKSPACE = frozenset({"webhooks:manage", "analytics:read"})
"""Scopes that a key restricted to brands cannot use: what they show is not divided by brand."""

NOBODY = Caller(workspace_id=UUID(int=0))
"""The caller of public routes; no row belongs to this workspace."""

SCHEME = re.compile(r"bearer(?:[ \t]+(.*))?", re.IGNORECASE | re.DOTALL)


async def identify(runtime: Runtime, authorization: str | None) -> Caller:
    """The caller behind an Authorization header.

    Raises MissingHeader, EmptyToken, InvalidKey, or InvalidToken: API keys are the only tokens there are.
    """
    presented = SCHEME.fullmatch((authorization or "").strip())
    if presented is None:
        raise MissingHeader()
    token = (presented[1] or "").strip()
    if not token:
        raise EmptyToken()
    if not token.startswith(keys.PREFIX):
        raise InvalidToken()
    caller = await keys.caller_of(runtime, token)
    if caller is None:
        raise InvalidKey()
    return caller


def permit(caller: Caller, route: Route) -> None:
    """Raises InsufficientScope when the key is restricted and the route lies outside."""
    if not caller.scopes and not caller.brand_ids:
        return
    if route.auth == "admin" or route.scope is None:
        raise InsufficientScope()
    if route.scope == ANY_KEY:
        return
    lacking = caller.scopes and route.scope not in caller.scopes
    if lacking or (caller.brand_ids and route.scope in WHOLE_WORKSPACE):
        raise InsufficientScope(required_scope=route.scope)
