"""Who signed in, and the places they may publish to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hubbub.kit.secret import Secret


@dataclass(frozen=True)
class Identity:
    """The person or organisation a platform says has signed in."""

    remote_id: str
    name: str
    username: str
    picture_url: str | None = None
    bio: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Place:
    """Where an identity may publish: a page, a board, a channel."""

    remote_id: str
    name: str
    category: str | None = None
    username: str | None = None
    picture_url: str | None = None
    link: str | None = None
    token: Secret | None = None
    """The place's own credential, where the platform gives one."""


@dataclass(frozen=True)
class Grant:
    """What a sign-in leaves behind: credentials, their lifetime, what they allow.

    `extra` holds small non-secret facts a connector needs again (a server's address, for instance).
    """

    access_token: Secret
    refresh_token: Secret | None = None
    expires_at: datetime | None = None
    scopes: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class SignedIn:
    """The end of a successful sign-in."""

    grant: Grant
    identity: Identity
    places: tuple[Place, ...] = ()
