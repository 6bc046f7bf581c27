"""Comments and likes on posts, photos, videos and on other comments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hubbub.emulation.graph.errors import GraphError, bad_parameter, publishing_not_allowed
from hubbub.emulation.graph.fields import Field
from hubbub.kit.clock import from_wire

from .site import Deed, Edge, Listing, NodeType, Row, Site, Turn, moment, nothing, stored

LONGEST = 8_000
ORDERS = ("chronological", "reverse_chronological", "ranked")


def add_comment(site: Site, on: Row, author: Row, text: str, **fields: Any) -> Row:
    """Keep a comment on a post, photo, video or comment; a reply to a reply joins the same thread.

    `author` has `id` and `name`. The id begins with the object's own number.
    """
    is_reply = "thread" in on
    subject = on["post_id"] if is_reply else on["id"]
    parent = (on["parent_id"] or on["id"]) if is_reply else None
    row: Row = {
        "id": f"{subject.rpartition('_')[2]}_{site.new_id()}",
        "on": subject,
        "post_id": subject,
        "page_id": on["page_id"],
        "thread": parent or subject,
        "parent_id": parent,
        "author": author["id"],
        "author_name": author["name"],
        "text": text,
        "created_at": site.stamp(),
        "hidden": False,
        "likes": [],
        "attachment": None,
        "app_id": None,
        **fields,
    }
    return site.world.add("comments", **row)


def subject_of(site: Site, node: Row) -> Row:
    """What comments hang on: a photo or video that is alone in its post shares the post's."""
    post = site.post(node["post_id"]) if node.get("post_id") and "thread" not in node else None
    return post if post is not None and len(post["media"]) == 1 else node


def comments(turn: Turn, node: Row, arguments: Mapping[str, Any]) -> Listing:
    """https://developers.facebook.com/docs/graph-api/reference/object/comments"""
    subject = subject_of(turn.site, node)
    rows = turn.site.world.all("comments", thread=subject["id"])
    way = str(arguments.get("filter") or "toplevel")
    if way not in ("toplevel", "stream"):
        raise bad_parameter("Param filter must be one of {stream, toplevel}")
    if way == "stream" and "thread" not in subject:
        rows = turn.site.world.all("comments", post_id=subject["id"])
    order = str(arguments.get("order") or "chronological")
    if order not in ORDERS:
        raise bad_parameter("Param order must be one of {chronological, reverse_chronological}")
    if since := arguments.get("since"):
        rows = [row for row in rows if from_wire(row["created_at"]).timestamp() >= _unix(since)]
    if order == "reverse_chronological":
        rows.reverse()
    return Listing("comment", rows, {"order": order, "total_count": len(rows), "can_comment": True})


def _unix(value: Any) -> float:
    text = str(value)
    try:
        return float(text) if text.isdigit() else from_wire(text).timestamp()
    except ValueError as broken:
        raise bad_parameter("Param since must be a time") from broken


async def write_comment(turn: Turn, node: Row) -> dict[str, Any]:
    """The Page comments or replies."""
    ask, site = turn.ask, turn.site
    text, url = ask.text("message"), ask.text("attachment_url", "attachment_share_url")
    photo_id = ask.text("attachment_id")
    if not (text or url or photo_id):
        raise bad_parameter("A comment needs a message or an attachment.")
    if len(text) > LONGEST:
        raise bad_parameter(f"Param message is longer than {LONGEST} characters")
    attachment: Row | None = None
    if url:
        attachment = {"type": "share", "url": url}
    elif photo_id:
        if site.world.get("media", photo_id) is None:
            raise bad_parameter("Param attachment_id is not a photo")
        attachment = {"type": "photo", "target": {"id": photo_id}}
    page = site.world.get("pages", turn.asker()["page_id"])
    author = page or {"id": turn.asker()["page_id"], "name": ""}
    subject = subject_of(site, node)
    row = add_comment(site, subject, author, text, attachment=attachment, app_id=turn.asker()["app_id"])
    return {"id": row["id"]}


async def _change(turn: Turn, comment: Row) -> dict[str, Any]:
    """`message` of an own comment, `is_hidden` of somebody else's."""
    own = comment["author"] == turn.asker()["page_id"]
    if turn.ask.given("message"):
        if not own:
            raise publishing_not_allowed("pages_manage_engagement")
        turn.site.change("comments", comment, text=turn.ask.text("message"))
    if turn.ask.given("is_hidden"):
        if own:
            raise GraphError(200, "(#200) This comment cannot be hidden", status=400)
        turn.site.change("comments", comment, hidden=turn.ask.flag("is_hidden", False))
    return {"success": True}


async def _delete(turn: Turn, comment: Row) -> dict[str, Any]:
    for reply in turn.site.world.all("comments", thread=comment["id"]):
        turn.site.world.remove("comments", reply["id"])
    turn.site.world.remove("comments", comment["id"])
    return {"success": True}


async def like(turn: Turn, node: Row) -> dict[str, Any]:
    return _set_like(turn, node, liked=True)


async def unlike(turn: Turn, node: Row) -> dict[str, Any]:
    return _set_like(turn, node, liked=False)


def _set_like(turn: Turn, node: Row, *, liked: bool) -> dict[str, Any]:
    me, subject = turn.asker()["page_id"], subject_of(turn.site, node)
    likes = [who for who in _who_likes(subject) if who != me] + ([me] if liked else [])
    if "thread" in subject:
        turn.site.change("comments", subject, likes=likes)
    elif "media" in subject:
        turn.site.change_post(subject, likes=likes)
    else:
        turn.site.change("media", subject, likes=likes)
    return {"success": True}


def _who_likes(subject: Row) -> list[str]:
    return subject.get("likes", [])


def likes(turn: Turn, node: Row, arguments: Mapping[str, Any]) -> Listing:
    liked_by = _who_likes(subject_of(turn.site, node))
    has_liked = turn.asker().get("page_id") in liked_by
    summary: Row = {"total_count": len(liked_by), "can_like": True, "has_liked": has_liked}
    return Listing("liker", [_liker(turn, who) for who in liked_by], summary)


def reactions(turn: Turn, node: Row, arguments: Mapping[str, Any]) -> Listing:
    """Likes are the only reactions here; `type` may leave none."""
    liked_by = _who_likes(subject_of(turn.site, node))
    mine = "LIKE" if turn.asker().get("page_id") in liked_by else "NONE"
    shown = liked_by if str(arguments.get("type") or "LIKE").upper() == "LIKE" else []
    summary: Row = {"total_count": len(shown), "viewer_reaction": mine}
    return Listing("liker", [_liker(turn, who) for who in shown], summary)


def _liker(turn: Turn, who: str) -> Row:
    page = turn.site.world.get("pages", who)
    return {"id": who, "name": page["name"] if page else "", "type": "LIKE"}


def _from(turn: Turn, row: Row, field: Field) -> Any:
    """Left out, as on the platform, for a token that may not see who wrote it."""
    may_see = {"pages_read_user_content", "pages_read_engagement"} & set(turn.asker()["scopes"])
    return {"name": row["author_name"], "id": row["author"]} if may_see else None


def _parent(turn: Turn, row: Row, field: Field) -> Any:
    parent = turn.site.world.get("comments", row["parent_id"]) if row["parent_id"] else None
    if parent is None:
        return None
    return {
        "created_time": moment("created_at")(turn, parent, field),
        "from": _from(turn, parent, field),
        "message": parent["text"],
        "id": parent["id"],
    }


def _object(turn: Turn, row: Row, field: Field) -> Any:
    return {"id": row["post_id"]}


def _reply_count(turn: Turn, row: Row, field: Field) -> Any:
    return turn.site.world.count("comments", thread=row["id"])


def _like_count(turn: Turn, row: Row, field: Field) -> Any:
    return len(row["likes"])


def _liked_by_me(turn: Turn, row: Row, field: Field) -> Any:
    return turn.asker().get("page_id") in row["likes"]


def _manages(turn: Turn, row: Row, field: Field) -> Any:
    return turn.manages(row["page_id"])


def _others(turn: Turn, row: Row, field: Field) -> Any:
    return turn.manages(row["page_id"]) and row["author"] != row["page_id"]


def _permalink(turn: Turn, row: Row, field: Field) -> Any:
    return f"{turn.ask.base}/permalink/{row['post_id']}?comment_id={row['id'].rpartition('_')[2]}"


# What posts, photos, videos and comments have in common.
EDGES = {
    "comments": Edge(comments, "pages_read_engagement"),
    "likes": Edge(likes, "pages_read_engagement"),
    "reactions": Edge(reactions, "pages_read_engagement"),
}
DEEDS = {
    ("POST", "comments"): Deed(write_comment, "pages_manage_engagement"),
    ("POST", "likes"): Deed(like, "pages_manage_engagement"),
    ("DELETE", "likes"): Deed(unlike, "pages_manage_engagement"),
}
COMMENT = NodeType(
    label="Comment",
    defaults=("created_time", "from", "message", "id"),
    fields={
        "id": stored("id"),
        "message": stored("text"),
        "created_time": moment("created_at"),
        "from": _from,
        "parent": _parent,
        "object": _object,
        "attachment": stored("attachment"),
        "comment_count": _reply_count,
        "like_count": _like_count,
        "user_likes": _liked_by_me,
        "is_hidden": stored("hidden"),
        "is_private": lambda turn, row, field: False,
        "can_hide": _others,
        "can_reply_privately": _others,
        "can_like": _manages,
        "can_remove": _manages,
        "can_comment": _manages,
        "permalink_url": _permalink,
        **dict.fromkeys(("message_tags", "private_reply_conversation", "live_broadcast_timestamp"), nothing),
    },
    edges=EDGES,
    deeds={
        ("POST", ""): Deed(_change, "pages_manage_engagement"),
        ("DELETE", ""): Deed(_delete, "pages_manage_engagement"),
        **DEEDS,
    },
)
LIKER = NodeType(
    label="Profile",
    defaults=("id", "name"),
    fields={"id": stored("id"), "name": stored("name"), "type": stored("type")},
)
