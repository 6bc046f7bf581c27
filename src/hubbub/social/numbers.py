"""What platforms count. Numbers a platform does not know are left out of `extra`, and 0 in the named ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class PostNumbers:
    """How one post is doing now."""

    likes: int = 0
    comments: int = 0
    shares: int = 0
    saves: int = 0
    extra: Mapping[str, int] = field(default_factory=dict[str, int])
    """What only some platforms count, as `views` and `reach`."""


@dataclass(frozen=True)
class AccountNumbers:
    """How an account is doing now; `extra` covers the last whole day where the platform counts by days."""

    followers: int | None = None
    following: int | None = None
    posts: int | None = None
    extra: Mapping[str, int] = field(default_factory=dict[str, int])
