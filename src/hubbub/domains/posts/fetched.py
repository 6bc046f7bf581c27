"""Media that a post names by address: fetched before the post is looked at, outside any transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from hubbub.domains.media import service as media
from hubbub.domains.posts.schemas import MediaIn, PostIn, PostPatch, ValidateIn
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import Caller

B = TypeVar("B", bound=PostIn | PostPatch)
Places = list[tuple[str, MediaIn]]


async def fetch_media(runtime: Runtime, caller: Caller, body: B) -> B:
    """The same body with every `url` replaced by the `media_id` that its content has from now on.

    Raises what `media.bring_in` raises; then nothing of the post is stored.
    """
    wanted = named_by_address(body)
    if wanted:
        settle(wanted, await media.bring_in(runtime, caller, addresses(wanted)))
    return body


async def look_at_media(runtime: Runtime, body: ValidateIn) -> media.LookedAt:
    """What is at every `url`. Nothing is kept."""
    return await media.look_at_each(runtime, addresses(named_by_address(body)))


def named_by_address(body: PostIn | PostPatch | ValidateIn) -> Places:
    """Each file that is named by its address, with where it stands in the request."""
    places = _numbered("media", body.media)
    for position, target in enumerate(body.targets or ()):
        places += _numbered(f"targets[{position}].media", target.media)
    return [(field, item) for field, item in places if item.source_type == "url"]


def addresses(wanted: Iterable[tuple[str, MediaIn]]) -> dict[str, str]:
    """Each address once, with the first field that names it."""
    found: dict[str, str] = {}
    for field, item in wanted:
        found.setdefault(item.source, field)
    return found


def settle(wanted: Places, kept: Mapping[str, str]) -> None:
    """From now on these files are known by their media ids."""
    for _, item in wanted:
        item.source_type, item.source = "media_id", kept[item.source]


def _numbered(field: str, media: list[MediaIn] | None) -> Places:
    return [(f"{field}[{position}]", item) for position, item in enumerate(media or ())]
