"""Published media and the comments under them, as Graph nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hubbub.emulation.graph.errors import GraphError, bad_parameter
from hubbub.emulation.graph.fields import Field

from .containers import DAY
from .site import NodeType, Row, Site, Turn, moment, nothing, refused, stored

LONGEST_COMMENT = 2_196


def visible(site: Site, person: Row, *, stories: bool) -> list[Row]:
    """Newest first; stories only while they live, and never among the other media."""
    rows = site.world.all("posts", owner=person["id"])
    since = site.unix() - DAY
    chosen = [
        row
        for row in rows
        if (row["product_type"] == "STORY") == stories and (not stories or row["created"] > since)
    ]
    return chosen[::-1]


def media(turn: Turn, person: Row, arguments: Mapping[str, Any]) -> tuple[str, list[Row]]:
    """https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/media"""
    rows = visible(turn.site, person, stories=False)
    since, until = (_unix(arguments.get(name)) for name in ("since", "until"))
    return "media", [
        row
        for row in rows
        if (since is None or row["created"] >= since) and (until is None or row["created"] <= until)
    ]


def _unix(value: Any) -> int | None:
    if value in (None, ""):
        return None
    if not str(value).isdigit():
        raise bad_parameter("Param since must be a unix timestamp")
    return int(value)


def stories(turn: Turn, person: Row, arguments: Mapping[str, Any]) -> tuple[str, list[Row]]:
    return "media", visible(turn.site, person, stories=True)


def add_comment(site: Site, post: Row, author: Row, text: str, parent: Row | None = None) -> Row:
    """Keep a comment on a post; a reply to a reply joins its top-level parent."""
    top = (parent["parent_id"] or parent["id"]) if parent else None
    return site.world.add(
        "comments",
        id=site.new_id(),
        on=post["id"],
        parent_id=top,
        author=author["id"],
        author_name=author["username"],
        text=text,
        created_at=site.stamp(),
        hidden=False,
        likes=0,
    )


def comments(turn: Turn, post: Row, arguments: Mapping[str, Any]) -> tuple[str, list[Row]]:
    """Top level only, newest first.

    https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-media/comments
    """
    rows = turn.site.world.all("comments", on=post["id"], parent_id=None)
    return "comment", rows[::-1]


def replies(turn: Turn, comment: Row, arguments: Mapping[str, Any]) -> tuple[str, list[Row]]:
    return "comment", turn.site.world.all("comments", parent_id=comment["id"])


def _message(turn: Turn) -> str:
    text = turn.ask.text("message")
    if not text:
        raise bad_parameter("The parameter message is required")
    if len(text) > LONGEST_COMMENT:
        raise bad_parameter(f"Param message may have {LONGEST_COMMENT} characters")
    return text


async def write_comment(turn: Turn, post: Row) -> dict[str, Any]:
    if post["product_type"] == "STORY" or not post["comments_open"]:
        raise refused(-1, 2207073, "Comments are not possible on this media.")
    return {"id": add_comment(turn.site, post, turn.person(), _message(turn))["id"]}


async def write_reply(turn: Turn, comment: Row) -> dict[str, Any]:
    post = turn.site.world.get("posts", comment["on"]) or {"id": comment["on"]}
    return {"id": add_comment(turn.site, post, turn.person(), _message(turn), comment)["id"]}


async def _open_comments(turn: Turn, post: Row) -> dict[str, Any]:
    turn.site.change("posts", post, comments_open=turn.ask.flag("comment_enabled", True))
    return {"success": True}


async def _hide(turn: Turn, comment: Row) -> dict[str, Any]:
    turn.site.change("comments", comment, hidden=turn.ask.flag("hide", False))
    return {"success": True}


async def _delete_comment(turn: Turn, comment: Row) -> dict[str, Any]:
    turn.site.world.remove("comments", comment["id"])
    return {"success": True}


def _permalink(turn: Turn, row: Row, field: Field) -> str:
    sort = {"REELS": "reel", "STORY": "stories"}.get(row["product_type"], "p")
    return f"{turn.ask.base}/{sort}/{row['shortcode']}/"


def _media_url(turn: Turn, row: Row, field: Field) -> str:
    return f"{turn.ask.base}/scontent/{row['media'][0]['id']}"


def _thumbnail(turn: Turn, row: Row, field: Field) -> str | None:
    return _media_url(turn, row, field) + ".jpg" if row["media_type"] == "VIDEO" else None


def _alt_text(turn: Turn, row: Row, field: Field) -> str | None:
    return row["media"][0]["alt_text"] if row["media_type"] == "IMAGE" else None


def _children(turn: Turn, row: Row, arguments: Mapping[str, Any]) -> tuple[str, list[Row]]:
    shared = {"media_type": "IMAGE", "created_at": row["created_at"], "author": row["author"]}
    rows = [
        {**shared, "id": item["id"], "media_type": item["type"], "media": [item]} for item in row["media"]
    ]
    return "child", rows if row["media_type"] == "CAROUSEL_ALBUM" else []


def _owner(turn: Turn, row: Row, field: Field) -> Row:
    return {"id": row["owner"]}


def _comments_count(turn: Turn, row: Row, field: Field) -> int:
    return turn.site.world.count("comments", on=row["id"])


def _like_count(turn: Turn, row: Row, field: Field) -> int:
    return int(row["numbers"].get("likes", 0))


def _from(turn: Turn, row: Row, field: Field) -> Row:
    return {"id": row["author"], "username": row["author_name"]}


def _on(turn: Turn, row: Row, field: Field) -> Row:
    return {"id": row["on"]}


MEDIA = NodeType(
    label="Media",
    fields={
        "id": stored("id"),
        "ig_id": stored("id"),
        "caption": lambda turn, row, field: row["text"] or None,
        "media_type": stored("media_type"),
        "media_product_type": stored("product_type"),
        "media_url": _media_url,
        "thumbnail_url": _thumbnail,
        "permalink": _permalink,
        "shortcode": stored("shortcode"),
        "timestamp": moment("created_at"),
        "username": stored("author"),
        "owner": _owner,
        "like_count": _like_count,
        "comments_count": _comments_count,
        "is_comment_enabled": stored("comments_open"),
        "alt_text": _alt_text,
    },
    edges={"children": (_children, "basic"), "comments": (comments, "comments")},
    deeds={("POST", ""): (_open_comments, "comments"), ("POST", "comments"): (write_comment, "comments")},
)
CHILD = NodeType(
    label="Media",
    fields={
        "id": stored("id"),
        "media_type": stored("media_type"),
        "media_url": _media_url,
        "timestamp": moment("created_at"),
        "username": stored("author"),
        "alt_text": _alt_text,
        **dict.fromkeys(("permalink", "shortcode", "thumbnail_url"), nothing),
    },
    edges={},
    deeds={},
)
COMMENT = NodeType(
    label="Comment",
    defaults=("timestamp", "text", "id"),
    fields={
        "id": stored("id"),
        "text": stored("text"),
        "timestamp": moment("created_at"),
        "username": stored("author_name"),
        "from": _from,
        "media": _on,
        "parent_id": stored("parent_id"),
        "like_count": stored("likes"),
        "hidden": stored("hidden"),
        "user": nothing,
    },
    edges={"replies": (replies, "comments")},
    deeds={
        ("POST", ""): (_hide, "comments"),
        ("DELETE", ""): (_delete_comment, "comments"),
        ("POST", "replies"): (write_reply, "comments"),
    },
)


def no_deletion() -> GraphError:
    """What a deletion of media meets, which Instagram Login does not have."""
    return refused(-1, 2207073, "This media type is not supported for deletion.")
