"""What a post shows besides its text, in Graph's `attachments` shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hubbub.emulation.graph.fields import Field

from .site import Listing, NodeType, Row, Turn, stored

PARTS = (
    "media_type",
    "media",
    "type",
    "title",
    "description",
    "url",
    "unshimmed_url",
    "target",
    "subattachments",
)


def picture_url(turn: Turn, media_id: str) -> str:
    return f"{turn.ask.base}/scontent/{media_id}"


def attachments(turn: Turn, post: Row, field: Field) -> Any:
    """As a field; left out when there is nothing.

    https://developers.facebook.com/docs/graph-api/reference/story-attachment
    """
    shown = _shown(turn, post)
    return {"data": shown} if shown else None


def attachments_edge(turn: Turn, post: Row, arguments: Mapping[str, Any]) -> Listing:
    return Listing("attachment", [{"id": "", **one} for one in _shown(turn, post)])


def _shown(turn: Turn, post: Row) -> list[Row]:
    """Several photos are one album with subattachments; a link counts only without media."""
    shown = [_one(turn, item) for item in post["media"]]
    link = f"{turn.ask.base}/permalink/{post['id']}"
    if len(shown) > 1:
        album: Row = {"media_type": "album", "type": "album", "title": "Photos", "url": link}
        target = {"id": post["id"], "url": link}
        return [album | {"target": target, "subattachments": {"data": shown}}]
    if not shown and post["link"]:
        url = post["link"]
        where: Row = {"url": url, "unshimmed_url": url, "target": {"url": url}}
        return [{"media_type": "link", "type": "share", "title": url, **where}]
    return shown


def _one(turn: Turn, item: Row) -> Row:
    link = f"{turn.ask.base}/permalink/{item['id']}"
    still = {"height": item.get("height") or 720, "src": picture_url(turn, item["id"])}
    media: Row = {"image": still | {"width": item.get("width") or 720}}
    if item["type"] == "video":
        media["source"] = picture_url(turn, item["id"])
    return {
        "media_type": item["type"],
        "type": "video_inline" if item["type"] == "video" else "photo",
        "media": media,
        "description": item.get("text") or "",
        "target": {"id": item["id"], "url": link},
        "url": link,
    }


def first_picture(turn: Turn, post: Row, field: Field) -> Any:
    return picture_url(turn, post["media"][0]["id"]) if post["media"] else None


ATTACHMENT = NodeType(
    label="StoryAttachment",
    defaults=("media", "target", "title", "type", "url", "description"),
    fields={name: stored(name) for name in PARTS},
)
