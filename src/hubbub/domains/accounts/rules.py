"""Decisions about accounts that need no database and no network."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from hubbub.connector.platform import Platform
from hubbub.errors.validation import FieldInvalid, FieldRequired

STATE_LIFETIME = timedelta(minutes=10)
PENDING_LIFETIME = timedelta(minutes=30)
MAX_STATE_LENGTH = 512
MAX_URI_LENGTH = 2048


def missing_scopes(facts: Platform, granted: Iterable[str]) -> list[str]:
    """What `[can]` needs and the person left out; nothing when the platform does not say what was granted."""
    has = set(granted)
    needed = {scope for scopes in facts.can.values() for scope in scopes}
    return sorted(needed - has) if has else []


def return_address(uri: str | None, field: str) -> str | None:
    """The customer's address, checked: https anywhere, http only on the same machine.

    Raises FieldInvalid.
    """
    if uri is None:
        return None
    if len(uri) > MAX_URI_LENGTH:
        problem = f"must have at most {MAX_URI_LENGTH} characters; it has {len(uri)}."
        raise FieldInvalid(
            field=field, problem=problem, reason="too_long", max=MAX_URI_LENGTH, actual=len(uri)
        )
    if not _is_safe(uri):
        problem = "must be an https address, or http on localhost; it is not."
        raise FieldInvalid(field=field, problem=problem, reason="format")
    return uri


def _is_safe(uri: str) -> bool:
    if re.search(r"[\x00-\x20\x7f-\x9f\\<>\"]", uri):
        return False
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(host))


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def correlation(state: str | None) -> str | None:
    """The customer's own `state`. Raises FieldInvalid when it is too long."""
    if state is not None and len(state) > MAX_STATE_LENGTH:
        raise FieldInvalid(
            field="state",
            problem=f"must have at most {MAX_STATE_LENGTH} characters; it has {len(state)}.",
            reason="too_long",
            max=MAX_STATE_LENGTH,
            actual=len(state),
        )
    return state


def with_parameters(uri: str, added: Mapping[str, str]) -> str:
    """The address with these query parameters after those it has."""
    parts = urlsplit(uri)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *added.items()])
    return urlunsplit(parts._replace(query=query))


def typed_in(facts: Platform, metadata: Mapping[str, Any]) -> dict[str, str]:
    """What a person typed, as `[auth].fields` asks for it; anything else is left out.

    Raises FieldRequired or FieldInvalid naming `metadata.<field>`.
    """
    typed: dict[str, str] = {}
    for name, asked in facts.auth.fields.items():
        value = metadata.get(name)
        if value is None or value == "":
            if asked.required:
                raise FieldRequired(field=f"metadata.{name}", platform=facts.name)
        elif isinstance(value, str):
            typed[name] = value
        else:
            raise FieldInvalid(
                field=f"metadata.{name}", problem="must be text.", reason="type", platform=facts.name
            )
    return typed


def login(facts: Platform, metadata: Mapping[str, Any]) -> str | None:
    """Which of the platform's other ways to sign in was asked for. Raises FieldInvalid for an unknown one."""
    asked = metadata.get("login")
    if asked is None or not facts.logins:
        return None
    if asked not in facts.logins:
        problem = f"must be one of {', '.join(facts.logins)}, or left out."
        raise FieldInvalid(
            field="metadata.login",
            problem=problem,
            reason="unknown",
            allowed=facts.logins,
            platform=facts.name,
        )
    return asked


@dataclass(frozen=True)
class PageChange:
    """What a page is to become; None leaves it."""

    is_default: bool | None = None
    is_active: bool | None = None


def changed_page(page_is_default: bool, page_is_active: bool, change: PageChange) -> tuple[bool, bool]:
    """Default and active as they will be. A page that is switched off is no default any more."""
    active = page_is_active if change.is_active is None else change.is_active
    default = page_is_default if change.is_default is None else change.is_default
    return default and (active or bool(change.is_default)), active
