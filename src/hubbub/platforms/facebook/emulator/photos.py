"""Photos of a Page: uploaded or fetched, published alone or kept for a post."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hubbub.emulation.graph.fields import Field

from . import comments
from .attachments import picture_url
from .files import PHOTO_LIMIT, photo_facts, received
from .posts import by_page, check_text, new_post, newest_first, permalink, remove_post, schedule_of
from .site import Deed, Edge, Listing, NodeType, Row, Site, Turn, moment, nothing, stored


async def _upload(turn: Turn, page: Row) -> dict[str, Any]:
    """`post_id` comes back only for a published photo.

    https://developers.facebook.com/docs/graph-api/reference/page/photos
    """
    ask, site = turn.ask, turn.site
    data = await received(ask, "url", PHOTO_LIMIT)
    caption = check_text(ask.text("caption", "message", "name"))
    published = ask.flag("published", True)
    scheduled = schedule_of(turn, published)
    row = site.world.add(
        "media",
        id=site.new_id(),
        type="photo",
        page_id=page["id"],
        post_id=None,
        text=caption,
        alt_text=ask.text("alt_text_custom") or None,
        temporary=ask.flag("temporary", False),
        published=published,
        created_at=site.stamp(),
        app_id=turn.asker()["app_id"],
        **photo_facts(data),
    )
    site.world.keep_bytes(row["id"], data)
    if not published and scheduled is None:
        return {"id": row["id"]}
    post = new_post(turn, page, caption, [row], published=published, scheduled_at=scheduled)
    site.change("media", row, post_id=post["id"])
    return {"id": row["id"], "post_id": post["id"]} if published else {"id": row["id"]}


async def _edit(turn: Turn, photo: Row) -> dict[str, Any]:
    """`name` (the caption, also the text of its own post) and the alternative text."""
    ask, site = turn.ask, turn.site
    if ask.given("alt_text_custom"):
        site.change("media", photo, alt_text=ask.text("alt_text_custom"))
    if ask.given("name") or ask.given("message"):
        text = check_text(ask.text("name", "message"))
        site.change("media", photo, text=text)
        post = _own_post(site, photo)
        if post is not None:
            site.change_post(post, text=text, updated_at=site.stamp())
    return {"success": True}


async def delete_media(turn: Turn, item: Row) -> dict[str, Any]:
    """A photo or video goes together with the post that shows nothing else."""
    site = turn.site
    post = _own_post(site, item)
    if post is not None:
        remove_post(site, post)
    site.world.remove("media", item["id"])
    shared = site.post(item["post_id"]) if item["post_id"] else None
    if shared is not None:
        left = [shown for shown in shared["media"] if shown["id"] != item["id"]]
        site.change_post(shared, media=left, updated_at=site.stamp())
    return {"success": True}


def _own_post(site: Site, item: Row) -> Row | None:
    post = site.post(item["post_id"]) if item["post_id"] else None
    return post if post is not None and len(post["media"]) == 1 else None


def photos(turn: Turn, page: Row, arguments: Mapping[str, Any]) -> Listing:
    """`type=uploaded` are all published ones; the default, `profile`, is empty here."""
    if arguments.get("type") != "uploaded":
        return Listing("photo", [])
    rows = turn.site.world.all("media", type="photo", page_id=page["id"], published=True)
    return Listing("photo", newest_first(rows))


def caption(turn: Turn, row: Row, field: Field) -> Any:
    return row["text"] or None


def _images(turn: Turn, row: Row, field: Field) -> Any:
    source = picture_url(turn, row["id"])
    return [{"height": row["height"], "source": source, "width": row["width"]}]


def still(turn: Turn, row: Row, field: Field) -> Any:
    return picture_url(turn, row["id"])


PHOTO = NodeType(
    label="Photo",
    defaults=("created_time", "name", "id"),
    fields={
        "id": stored("id"),
        "name": caption,
        "alt_text_custom": stored("alt_text"),
        "alt_text": stored("alt_text"),
        "created_time": moment("created_at"),
        "updated_time": moment("created_at"),
        "from": by_page,
        "link": permalink,
        "images": _images,
        "picture": still,
        "source": still,
        "width": stored("width"),
        "height": stored("height"),
        "page_story_id": stored("post_id"),
        **dict.fromkeys(("album", "event", "place", "name_tags", "target", "icon"), nothing),
    },
    edges=comments.EDGES,
    deeds={
        ("POST", ""): Deed(_edit, "pages_manage_posts"),
        ("DELETE", ""): Deed(delete_media, "pages_manage_posts"),
        **comments.DEEDS,
    },
)
PAGE_EDGES = {"photos": Edge(photos, "pages_read_engagement")}
PAGE_DEEDS = {("POST", "photos"): Deed(_upload, "pages_manage_posts")}
