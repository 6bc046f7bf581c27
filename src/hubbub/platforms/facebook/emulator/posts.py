"""Posts of a Page: written, scheduled, read, edited, removed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hubbub.emulation.graph.errors import GraphError, bad_parameter, publishing_not_allowed
from hubbub.emulation.graph.fields import Field
from hubbub.kit.clock import from_wire

from . import comments
from .attachments import attachments, attachments_edge, first_picture
from .site import Deed, Edge, Listing, NodeType, Row, Site, Turn, moment, nothing, stored

LONGEST = 63_206
SOONEST_SCHEDULE = 10 * 60
LATEST_SCHEDULE = 30 * 24 * 60 * 60
UNPUBLISHED_TYPES = frozenset(
    {"SCHEDULED", "SCHEDULED_RECURRING", "DRAFT", "ADS_POST", "INLINE_CREATED", "PUBLISHED",
     "REVIEWABLE_BRANDED_CONTENT"}
)  # fmt: skip


def new_post(turn: Turn, page: Row, text: str, media: list[Row], *, published: bool, **fields: Any) -> Row:
    """Put a post on the page, or among its drafts. `media` are photo or video rows in their order."""
    now = turn.site.stamp()
    row: Row = {
        "id": f"{page['id']}_{turn.site.new_id()}",
        "author": page["id"],
        "page_id": page["id"],
        "text": text,
        "media": [describe(item) for item in media],
        "created_at": now,
        "updated_at": now,
        "idempotency_key": None,
        "app_id": turn.asker()["app_id"],
        "link": None,
        "scheduled_at": None,
        "processing": False,
        "format": "post",
        "hidden": False,
        "pinned": False,
        "likes": [],
        **fields,
    }
    turn.site.world.add("posts" if published else "drafts", **row)
    return row


def describe(item: Row) -> dict[str, Any]:
    """What a post says about a photo or video it shows."""
    return {key: item.get(key) for key in ("id", "type", "alt_text", "sha256", "size", "content_type")}


def check_text(text: str) -> str:
    if len(text) > LONGEST:
        raise bad_parameter(f"Param message is longer than {LONGEST} characters")
    return text


def schedule_of(turn: Turn, published: bool, *, latest: int = LATEST_SCHEDULE) -> int | None:
    """Unix seconds of `scheduled_publish_time` (unix, ISO 8601); None when absent.

    Raises GraphError 100 unless it lies ten minutes to `latest` seconds ahead and `published` is false.
    """
    if not turn.ask.given("scheduled_publish_time"):
        return None
    if published:
        raise bad_parameter("You cannot specify a scheduled publish time on a published post")
    text = turn.ask.text("scheduled_publish_time")
    try:
        at = int(text) if text.isdigit() else int(from_wire(text).timestamp())
    except ValueError as broken:
        raise bad_parameter("Param scheduled_publish_time is not a valid date") from broken
    if not SOONEST_SCHEDULE <= at - turn.site.unix() <= latest:
        raise bad_parameter("The specified scheduled publish time is invalid.")
    return at


async def _publish(turn: Turn, page: Row) -> dict[str, Any]:
    """https://developers.facebook.com/docs/graph-api/reference/page/feed#publish"""
    ask = turn.ask
    text, link, media = check_text(ask.text("message")), ask.text("link"), _attached(turn, page)
    if not (text or link or media):
        raise bad_parameter("A post needs a message, a link or attached media.")
    if link:
        _check_link(link)
    content_type = ask.text("unpublished_content_type")
    if content_type and content_type not in UNPUBLISHED_TYPES:
        raise bad_parameter(f"Param unpublished_content_type is not one of {sorted(UNPUBLISHED_TYPES)}")
    published = ask.flag("published", True)
    scheduled = schedule_of(turn, published)
    post = new_post(turn, page, text, media, published=published, link=link or None, scheduled_at=scheduled)
    for item in media:
        turn.site.change("media", item, post_id=post["id"], published=published)
    return {"id": post["id"]}


def _attached(turn: Turn, page: Row) -> list[Row]:
    """The unpublished photos that `attached_media` names, in that order."""
    found: list[Row] = []
    for item in turn.ask.items("attached_media"):
        media_id = str(item.get("media_fbid", "")) if isinstance(item, dict) else ""
        row = turn.site.world.get("media", media_id)
        if row is None or row["page_id"] != page["id"]:
            raise bad_parameter(f"Param attached_media: no media with id '{media_id}'")
        if row["type"] != "photo":
            raise bad_parameter("Param attached_media: only photos can be attached to a feed post")
        if row["post_id"]:
            raise GraphError(100, "Invalid parameter", subcode=1366051, title="Already Posted",
                             sentence="These photos were already posted.")  # fmt: skip
        found.append(row)
    return found


def _check_link(link: str) -> None:
    host = link.partition("://")[2].partition("/")[0].lower()
    if not link.startswith(("http://", "https://")) or not host or " " in link:
        raise GraphError(1500, "(#1500) The url you supplied is invalid")
    if host in ("facebook.com", "www.facebook.com"):
        raise GraphError(100, "Invalid parameter", subcode=1609008, title="Invalid Link",
                         sentence="Facebook links cannot be shared this way.")  # fmt: skip


async def _edit(turn: Turn, post: Row) -> dict[str, Any]:
    """https://developers.facebook.com/docs/graph-api/reference/page-post#updating"""
    ask, site = turn.ask, turn.site
    _own_app(turn, post)
    draft = site.world.get("drafts", post["id"]) is not None
    fields: Row = {"updated_at": site.stamp()}
    if ask.given("message"):
        fields["text"] = check_text(ask.text("message"))
    for name, key in (("is_hidden", "hidden"), ("is_pinned", "pinned")):
        if ask.given(name):
            fields[key] = ask.flag(name, False)
    if ask.given("scheduled_publish_time"):
        fields["scheduled_at"] = schedule_of(turn, published=not draft)
    site.change_post(post, **fields)
    if draft and ask.flag("is_published", False):
        site.publish_draft(post)
    return {"success": True}


async def _delete(turn: Turn, post: Row) -> dict[str, Any]:
    remove_post(turn.site, post)
    return {"success": True}


def remove_post(site: Site, post: Row) -> None:
    """The post with what hangs on it: its photos or video and its comments."""
    kind = "posts" if site.world.get("posts", post["id"]) else "drafts"
    site.world.remove(kind, post["id"])
    for item in site.world.all("media", post_id=post["id"]):
        site.world.remove("media", item["id"])
    for comment in site.world.all("comments", post_id=post["id"]):
        site.world.remove("comments", comment["id"])


def _own_app(turn: Turn, post: Row) -> None:
    if post["app_id"] and post["app_id"] != turn.asker()["app_id"]:
        raise publishing_not_allowed("pages_manage_posts")


def feed(turn: Turn, page: Row, arguments: Mapping[str, Any]) -> Listing:
    """Visible posts, newest first, between `since` and `until`; hidden ones only on demand, stories never."""
    hidden = str(arguments.get("include_hidden", "")).lower() in ("true", "1")
    posts = turn.site.world.all("posts", page_id=page["id"])
    rows = [row for row in posts if row["format"] != "story" and (hidden or not row["hidden"])]
    since, until = (_instant(arguments.get(name)) for name in ("since", "until"))
    rows = [row for row in rows if since is None or from_wire(row["created_at"]) >= since]
    rows = [row for row in rows if until is None or from_wire(row["created_at"]) <= until]
    return Listing("post", newest_first(rows))


def scheduled(turn: Turn, page: Row, arguments: Mapping[str, Any]) -> Listing:
    rows = [row for row in turn.site.world.all("drafts", page_id=page["id"]) if row["scheduled_at"]]
    return Listing("post", sorted(rows, key=lambda row: row["scheduled_at"]))


def newest_first(rows: list[Row]) -> list[Row]:
    """Equal times are told apart by the ids, which rise."""
    return sorted(rows, key=lambda row: (row["created_at"], row["id"]), reverse=True)


def _instant(value: Any) -> datetime | None:
    if value in (None, ""):
        return None
    text = str(value)
    try:
        return datetime.fromtimestamp(int(text), UTC) if text.isdigit() else from_wire(text)
    except (ValueError, OverflowError, OSError) as broken:
        raise bad_parameter("Params since and until must be times") from broken


def by_page(turn: Turn, row: Row, field: Field) -> Any:
    page = turn.site.world.get("pages", row["page_id"])
    return {"name": page["name"], "id": page["id"]} if page else None


def permalink(turn: Turn, row: Row, field: Field) -> Any:
    return f"{turn.ask.base}/permalink/{row['id']}"


def _is_published(turn: Turn, row: Row, field: Field) -> Any:
    return turn.site.world.get("posts", row["id"]) is not None


def _message(turn: Turn, row: Row, field: Field) -> Any:
    return row["text"] or None


def _status_type(turn: Turn, row: Row, field: Field) -> Any:
    kinds = {item["type"] for item in row["media"]}
    if kinds:
        return "added_video" if "video" in kinds else "added_photos"
    return "shared_story" if row["link"] else "mobile_status_update"


POST = NodeType(
    label="PagePost",
    defaults=("created_time", "message", "id"),
    fields={
        "id": stored("id"),
        "message": _message,
        "created_time": moment("created_at"),
        "updated_time": moment("updated_at"),
        "permalink_url": permalink,
        "full_picture": first_picture,
        "picture": first_picture,
        "from": by_page,
        "is_published": _is_published,
        "is_hidden": stored("hidden"),
        "is_pinned": stored("pinned"),
        "status_type": _status_type,
        "scheduled_publish_time": stored("scheduled_at"),
        "attachments": attachments,
        **dict.fromkeys(
            ("story", "shares", "message_tags", "parent_id", "place", "privacy", "properties", "to"), nothing
        ),
    },
    edges={**comments.EDGES, "attachments": Edge(attachments_edge, "pages_read_engagement")},
    deeds={
        ("POST", ""): Deed(_edit, "pages_manage_posts"),
        ("DELETE", ""): Deed(_delete, "pages_manage_posts"),
        **comments.DEEDS,
    },
)
PAGE_EDGES = {
    "feed": Edge(feed, "pages_read_engagement"),
    "posts": Edge(feed, "pages_read_engagement"),
    "published_posts": Edge(feed, "pages_read_engagement"),
    "scheduled_posts": Edge(scheduled, "pages_read_engagement"),
    "visitor_posts": Edge(lambda turn, page, arguments: Listing("post", []), "pages_read_user_content"),
    "tagged": Edge(lambda turn, page, arguments: Listing("post", []), "pages_read_user_content"),
}
PAGE_DEEDS = {("POST", "feed"): Deed(_publish, "pages_manage_posts")}
