"""How the sandbox shows what was written, and the records that followers write."""

from __future__ import annotations

from hubbub.emulation.emulator import Thing


def by_kind(records: list[Thing]) -> dict[str, list[Thing]]:
    """Post records as `posts`, `comments` (replies) and `mentions` (made by the sandbox's `emit`)."""
    shown: dict[str, list[Thing]] = {"posts": [], "comments": [], "mentions": []}
    for record in records:
        kind = "mentions" if record.get("emitted") == "mention" else "posts"
        shown["comments" if "reply" in record["value"] else kind].append(_shown(record))
    return shown


def reply(parent: Thing, text: str) -> Thing:
    """The fields of a reply to this post; its root is that of the thread."""
    here = {"uri": parent["id"], "cid": parent["cid"]}
    root = parent["value"].get("reply", {}).get("root", here)
    return {"text": text, "reply": {"root": root, "parent": here}}


def mention(whom: Thing, text: str) -> Thing:
    """The fields of a post that mentions this person, at the front unless the text does so already."""
    at = f"@{whom['handle']}"
    text = text if at in text else f"{at} {text}"
    start = len(text[: text.index(at)].encode())
    feature = {"$type": "app.bsky.richtext.facet#mention", "did": whom["did"]}
    facet = {"index": {"byteStart": start, "byteEnd": start + len(at.encode())}, "features": [feature]}
    return {"text": text, "facets": [facet]}


def _shown(record: Thing) -> Thing:
    value = record["value"]
    said: Thing = {"id": record["id"], "author": record["did"], "text": value["text"], "cid": record["cid"]}
    said |= {"media": _media(value.get("embed", {})), "idempotency_key": record["rkey"]}
    said |= {"created_at": value["createdAt"], "indexed_at": record["indexed_at"], "record": value}
    return {**said, "on": value["reply"]["parent"]["uri"]} if "reply" in value else said


def _media(embed: Thing) -> list[Thing]:
    inner = embed.get("media", embed)
    images = [
        {"blob": item["image"], "alt": item["alt"]} for item in inner.get("images", inner.get("items", []))
    ]
    video = [{"blob": inner["video"], "alt": inner.get("alt", "")}] if "video" in inner else []
    return images + video
