"""What we want to say, before any platform has seen it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class File:
    """One stored media file, as probed when it arrived."""

    id: str
    kind: str
    """`image`, `video`, `audio` or `file`."""
    content_type: str
    size_bytes: int
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    alt: str = ""
    filename: str = ""


@dataclass(frozen=True)
class Draft:
    """What one target will say: the post's content with the target's own overrides folded in."""

    text: str = ""
    title: str | None = None
    files: tuple[File, ...] = ()
    visibility: str | None = None
    first_comment: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The platform's own fields (`platform_data`), flat."""
    segments: tuple[str, ...] = ()
    """The texts of the posts that continue this one as a thread."""
