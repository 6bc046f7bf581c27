"""What a platform tells about somebody before they publish: what they may, and what they are asked to choose."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Creator:
    nickname: str
    avatar_url: str | None = None
    can_post: bool = True
    max_video_seconds: int | None = None
    privacy_levels: tuple[str, ...] = ()
    """The audiences to choose from; none when the day's posts are used up."""
    comments_off: bool = False
    duets_off: bool = False
    stitches_off: bool = False
