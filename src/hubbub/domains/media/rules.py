"""Pure decisions about a file: its name, its type, how it may be shown, and what is left of a quota."""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import quote
from uuid import UUID, uuid5

from hubbub.kit.media import Probe

Status = Literal["pending", "ready", "failed"]

LINK_SECONDS = 15 * 60
"""How long an upload or preview address works (contract 4.13)."""
UNFINISHED_FOR = timedelta(days=1)
"""After this long an upload that nobody completed is forgotten."""
FILENAME_MAX = 255
UNKNOWN_TYPE = "application/octet-stream"

_MIME = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
_SEEN_AS = ("image", "video", "audio")
_VAGUE = {UNKNOWN_TYPE, "text/plain", "application/zip"}
_ACTIVE = {"text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/xml"}


@dataclass(frozen=True)
class Media:
    """One file of the library."""

    id: UUID
    workspace_id: UUID
    filename: str
    declared_type: str
    content_type: str
    status: Status
    kind: str | None
    size_bytes: int
    width: int | None
    height: int | None
    seconds: float | None
    sha256: str | None
    blob_key: str | None
    stray_keys: tuple[str, ...]
    """Objects that are being written for the file, or were its content once."""
    incoming_key: str | None
    """The object that whoever has the upload address may write, until a day after it was made."""
    created_at: datetime
    deleted_at: datetime | None
    source_id: UUID | None
    """The file that this is a changed copy of."""

    @property
    def objects(self) -> list[str]:
        return [*([self.blob_key] if self.blob_key else []), *self.stray_keys]


@dataclass(frozen=True)
class Usage:
    """What a workspace stores. Sizes in bytes; a limit of -1 is none."""

    used_bytes: int
    waiting_bytes: int
    """Content that arrived and was not verified yet; it takes room but does not count as used."""
    count: int
    limit_bytes: int
    plan: str
    """The plan that allows so much."""

    @property
    def room_bytes(self) -> int | None:
        """How much more may arrive; None is any amount."""
        if self.limit_bytes < 0:
            return None
        return max(0, self.limit_bytes - self.used_bytes - self.waiting_bytes)

    def has_room_for(self, size_bytes: int) -> bool:
        return self.limit_bytes < 0 or self.used_bytes + size_bytes <= self.limit_bytes


def new_key(workspace_id: UUID, media_id: UUID) -> str:
    """A blob key nobody has used: content under one key never changes."""
    return f"{workspace_id}/{media_id}/{secrets.token_hex(8)}"


def mime(text: str) -> str | None:
    """`type/subtype` in lower case without parameters, or None when it is not a media type (RFC 6838)."""
    bare = text.partition(";")[0].strip().lower()
    return bare if _MIME.fullmatch(bare) else None


def filename(text: str) -> str:
    """The last part of a name, without what cannot be stored or shown; `file` when nothing is left."""
    last = re.split(r"[/\\]", text)[-1]
    kept = "".join(c for c in last if unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp")).strip()
    if len(kept) > FILENAME_MAX:
        stem, dot, suffix = kept.rpartition(".")
        suffix = dot + suffix if stem and len(suffix) <= 16 else ""
        kept = kept[: FILENAME_MAX - len(suffix)] + suffix
    return kept if kept.strip(".") else "file"


def copy_id(source_id: UUID, recipe: str) -> UUID:
    """The id of a file's copy that was changed by a recipe: always the same."""
    return uuid5(source_id, recipe)


def copy_name(source: str, content_type: str) -> str:
    """A name with the suffix of another type."""
    stem = source.rpartition(".")[0] or source
    return filename(f"{stem}.{content_type.partition('/')[2].replace('jpeg', 'jpg')}")


def settled_type(declared: str, found: Probe) -> str:
    """The type to store: by content; what was declared only where it says more and nothing against it."""
    about_seen = declared.split("/")[0] in _SEEN_AS
    if found.content_type in _VAGUE and not about_seen and declared not in _ACTIVE:
        return declared
    return found.content_type


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """The first byte that is asked for, and the one after the last; None for all of it.

    What is no range of bytes, or several, asks for all of it. Raises IndexError when none of it is there
    (RFC 9110, section 14.1.2).
    """
    asked = re.fullmatch(r"bytes *= *([0-9]{0,18}) *- *([0-9]{0,18})", (header or "").strip(), re.IGNORECASE)
    if asked is None or not any(asked.groups()):
        return None
    first, last = asked.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return None
    if start >= end:
        raise IndexError(header)
    return start, end


def disposition(media: Media) -> str:
    """A `Content-Disposition`: pictures, films and sounds are shown, everything else only downloaded."""
    shown = media.kind in _SEEN_AS and media.content_type not in _ACTIVE
    plain = re.sub(r'[^ -~]|["\\%]', "_", media.filename)
    encoded = quote(media.filename, safe="")
    return f"{'inline' if shown else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{encoded}"
