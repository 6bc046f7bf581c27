"""Bluesky: pure translation between their records and our nouns."""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from hubbub.kit.text import hashtags, links, measure, mentions
from hubbub.social.draft import Draft, File
from hubbub.social.numbers import AccountNumbers, PostNumbers

POST = "app.bsky.feed.post"
LONGEST_TAG, LONGEST_TAG_BYTES = 64, 640
TID_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"

Json = Mapping[str, Any]


def record_key(now: datetime) -> str:
    """A TID: 13 characters that sort by time. https://atproto.com/specs/tid"""
    microseconds = int(now.timestamp() * 1_000_000)
    number = (microseconds << 10) | secrets.randbelow(1024)
    return "".join(TID_ALPHABET[(number >> shift) & 31] for shift in range(60, -5, -5))


def post_out(
    draft: Draft,
    *,
    created_at: datetime,
    blobs: Sequence[Json] = (),
    dids: Mapping[str, str] | None = None,
    reply: Json | None = None,
    quote: Json | None = None,
    thumb: Json | None = None,
) -> dict[str, Any]:
    """Our draft as an `app.bsky.feed.post` record.

    `dids` are the accounts behind the handles mentioned; a mention without one stays plain text.
    https://github.com/bluesky-social/atproto/blob/main/lexicons/app/bsky/feed/post.json
    """
    record: dict[str, Any] = {
        "$type": POST,
        "text": draft.text,
        "createdAt": created_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    if facets := facets_out(draft.text, dids or {}):
        record["facets"] = facets
    if langs := draft.options.get("langs"):
        record["langs"] = list(langs)
    if reply:
        record["reply"] = reply
    if embed := _embed(draft, blobs, quote, thumb):
        record["embed"] = embed
    return record


def facets_out(text: str, dids: Mapping[str, str]) -> list[dict[str, Any]]:
    """Links, mentions and hashtags as byte ranges; nothing is linked by the server itself.

    A tag longer than the network allows stays plain text: with it the whole post would be refused.
    https://github.com/bluesky-social/atproto/blob/main/lexicons/app/bsky/richtext/facet.json
    """
    found = [(span, {"$type": "app.bsky.richtext.facet#link", "uri": span.value}) for span in links(text)]
    for span in mentions(text):
        if did := dids.get(span.value.lower()):
            found.append((span, {"$type": "app.bsky.richtext.facet#mention", "did": did}))
    for span in hashtags(text):
        if (
            measure(span.value, "graphemes") <= LONGEST_TAG
            and measure(span.value, "bytes") <= LONGEST_TAG_BYTES
        ):
            found.append((span, {"$type": "app.bsky.richtext.facet#tag", "tag": span.value}))
    return [
        {"index": {"byteStart": span.byte_start, "byteEnd": span.byte_end}, "features": [feature]}
        for span, feature in sorted(found, key=lambda facet: facet[0].byte_start)
    ]


def handles_in(text: str) -> set[str]:
    """The mentions that could be somebody's handle: a host name. https://atproto.com/specs/handle"""
    names = {span.value.lower() for span in mentions(text)}
    return {name for name in names if "." in name and "@" not in name and "_" not in name}


def _embed(
    draft: Draft, blobs: Sequence[Json], quote: Json | None, thumb: Json | None
) -> dict[str, Any] | None:
    media = _pictures(draft.files, blobs) if blobs else _card(draft, thumb)
    if quote is None:
        return media
    record = {"$type": "app.bsky.embed.record", "record": quote}
    if media is None:
        return record
    return {"$type": "app.bsky.embed.recordWithMedia", "record": record, "media": media}


def _pictures(files: Sequence[File], blobs: Sequence[Json]) -> dict[str, Any]:
    images: list[dict[str, Any]] = []
    for file, blob in zip(files, blobs, strict=True):
        image: dict[str, Any] = {"alt": file.alt, "image": blob}
        if file.width and file.height:
            image["aspectRatio"] = {"width": file.width, "height": file.height}
        images.append(image)
    return {"$type": "app.bsky.embed.images", "images": images}


def _card(draft: Draft, thumb: Json | None) -> dict[str, Any] | None:
    link = draft.options.get("link")
    if not link:
        return None
    external: dict[str, Any] = {
        "uri": link,
        "title": draft.options.get("link_title") or link,
        "description": draft.options.get("link_description") or "",
    }
    if thumb:
        external["thumb"] = thumb
    return {"$type": "app.bsky.embed.external", "external": external}


def permalink(handle: str, uri: str) -> str:
    """Where a person sees the post."""
    return f"https://bsky.app/profile/{handle}/post/{uri.rsplit('/', 1)[-1]}"


def address_in(text: str) -> tuple[str, str, str]:
    """Repository, collection and key of an `at://` address or a bsky.app link. Raises ValueError."""
    if text.startswith("at://"):
        parts = text.removeprefix("at://").split("/")
        if len(parts) == 3 and all(parts):
            return parts[0], parts[1], parts[2]
    path = re.split(r"[?#]", text.partition("/profile/")[2], maxsplit=1)[0].split("/")
    if len(path) >= 3 and path[1] == "post" and path[0] and path[2]:
        return path[0], POST, path[2]
    raise ValueError(f"{text!r} is neither an at:// address nor a link to a post")


def strong_ref(theirs: Json) -> dict[str, Any]:
    return {"uri": theirs["uri"], "cid": theirs["cid"]}


def reply_ref(parent: Json) -> dict[str, Any]:
    """How to answer a record as `getRecord` gave it: the thread's first post, and this one."""
    root = (parent.get("value") or {}).get("reply", {}).get("root")
    return {"root": root or strong_ref(parent), "parent": strong_ref(parent)}


def post_numbers_in(theirs: Json) -> PostNumbers:
    """A post view's counts in our words: an answer is a comment, a repost is sharing."""
    count = {name: int(theirs.get(f"{name}Count") or 0) for name in ("like", "reply", "repost", "quote")}
    extra = {"quotes": count["quote"]}
    return PostNumbers(likes=count["like"], comments=count["reply"], shares=count["repost"], extra=extra)


def account_numbers_in(theirs: Json) -> AccountNumbers:
    """The counts of a detailed profile; an app view need not give them."""
    return AccountNumbers(
        followers=theirs.get("followersCount"),
        following=theirs.get("followsCount"),
        posts=theirs.get("postsCount"),
    )


def pds_in(document: Json) -> str | None:
    """The account's own server, from its DID document. https://atproto.com/specs/did"""
    for service in document.get("service", ()):
        if str(service.get("id", "")).endswith("#atproto_pds"):
            return str(service.get("serviceEndpoint", "")).rstrip("/") or None
    return None


def expiry_in(token: str) -> datetime | None:
    """When an access token ends, read from its own claims; nothing is trusted because of it."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return datetime.fromtimestamp(int(claims["exp"]), UTC)
    except (ValueError, KeyError, IndexError, TypeError):
        return None
