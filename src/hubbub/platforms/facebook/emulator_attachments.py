"""What a post shows besides its text, in Graph's `attachments` shape."""

from __future__ import annotations

from typing import Any

from .emulator_fields import Field
from .emulator_site import Row, Turn


def picture_url(turn: Turn, media_id: str) -> str:
    return f"{turn.ask.base}/scontent/{media_id}"


def attachments(turn: Turn, post: Row, field: Field) -> Any:
    """https://developers.facebook.com/docs/graph-api/reference/story-attachment"""
    shown = [_one(turn, item) for item in post["media"]]
    link = f"{turn.ask.base}/permalink/{post['id']}"
    if len(shown) > 1:
        album: Row = {"media_type": "album", "type": "album", "title": "Photos", "url": link}
        return {
            "data": [album | {"target": {"id": post["id"], "url": link}, "subattachments": {"data": shown}}]
        }
    if not shown and post["link"]:
        url = post["link"]
        where: Row = {"url": url, "unshimmed_url": url, "target": {"url": url}}
        shown = [{"media_type": "link", "type": "share", "title": url, **where}]
    return {"data": shown} if shown else None


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
