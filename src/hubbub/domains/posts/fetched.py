"""Media that a post names by address: fetched before the post is looked at, outside any transaction."""

from __future__ import annotations

from hubbub.domains.media import service as media
from hubbub.domains.posts.schemas import MediaIn, PostIn
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import Caller


async def fetch_media(runtime: Runtime, caller: Caller, body: PostIn) -> PostIn:
    """The same body with every `url` replaced by the `media_id` that its content has from now on.

    Raises what `media.bring_in` raises; then nothing of the post is stored.
    """
    places = _numbered("media", body.media)
    for position, target in enumerate(body.targets):
        places += _numbered(f"targets[{position}].media", target.media)
    wanted = [(field, item) for field, item in places if item.source_type == "url"]
    if not wanted:
        return body
    addresses: dict[str, str] = {}
    for field, item in wanted:
        addresses.setdefault(item.source, field)
    kept = await media.bring_in(runtime, caller, addresses)
    for _, item in wanted:
        item.source_type, item.source = "media_id", kept[item.source]
    return body


def _numbered(field: str, media: list[MediaIn] | None) -> list[tuple[str, MediaIn]]:
    """Each file with where it stands in the request."""
    return [(f"{field}[{position}]", item) for position, item in enumerate(media or ())]
