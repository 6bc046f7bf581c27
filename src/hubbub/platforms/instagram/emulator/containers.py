"""Containers: what is prepared from a URL, looked at until it is finished, and then published once.

    IN_PROGRESS → FINISHED → PUBLISHED
         ↓            ↓
       ERROR       EXPIRED (a day after it was made)

https://developers.facebook.com/docs/instagram-platform/content-publishing
"""

from __future__ import annotations

import re
import secrets
from typing import Any

from hubbub.emulation.graph.errors import GraphError, bad_parameter
from hubbub.emulation.graph.fields import Field

from .files import film, picture
from .site import NodeType, Row, Site, Turn, refused, stored

DAY = 24 * 60 * 60
QUOTA = 50
MOST_PREPARED = 400
LONGEST_CAPTION, MOST_HASHTAGS, MOST_MENTIONS, LONGEST_ALT = 2_200, 30, 20, 1_000
KINDS = ("CAROUSEL", "REELS", "STORIES", "VIDEO")
SAYS = {
    "IN_PROGRESS": "In Progress: Media is still being processed.",
    "FINISHED": "Finished: Media has been uploaded and it is ready to be published.",
    "PUBLISHED": "Published: Media has been published.",
    "EXPIRED": "Expired: The container was not published within 24 hours.",
}
UPLOAD_FAILED = 2207082


async def prepare(turn: Turn, person: Row) -> dict[str, Any]:
    """`POST /{ig}/media`. The media are fetched before the answer, films processed after it."""
    ask, site = turn.ask, turn.site
    since = site.unix() - DAY
    if (
        sum(row["created"] > since for row in site.world.all("containers", owner=person["id"]))
        >= MOST_PREPARED
    ):
        raise refused(9, 2207042, "The account has created too many containers within 24 hours.")
    kind = _kind(turn)
    _check_words(turn)
    row: Row = {
        "owner": person["id"],
        "what": kind,
        "is_child": ask.flag("is_carousel_item", False),
        "caption": ask.text("caption"),
        "children": [],
        "media": [],
        "options": {name: ask.params[name] for name in KEPT if ask.given(name)},
        "state": "IN_PROGRESS",
        "failure": None,
        "created": site.unix(),
    }
    if kind == "CAROUSEL":
        row["children"] = _children(turn, person)
        row["media"] = [item for child in row["children"] for item in _mine(turn, person, child)["media"]]
    elif ask.given("video_url"):
        known, failure = await film(ask.text("video_url"), story=kind == "STORIES")
        row |= {"media": [{"id": site.new_id(), "alt_text": None, **known}], "failure": failure}
    else:
        known = await picture(ask.text("image_url"), any_shape=kind == "STORIES")
        row["media"] = [{"id": site.new_id(), "alt_text": ask.text("alt_text") or None, **known}]
    made = site.world.add("containers", id=site.new_id(), **row)
    site.begin(_thing(made), made["id"])
    return {"id": made["id"]}


KEPT = (
    "audio_name", "collaborators", "cover_url", "location_id", "product_tags", "share_to_feed", "thumb_offset",
    "trial_params", "user_tags",
)  # fmt: skip


def _kind(turn: Turn) -> str:
    """`IMAGE` or one of KINDS. Raises GraphError 100 for what does not go together."""
    ask = turn.ask
    kind = ask.text("media_type") or ("VIDEO" if ask.given("video_url") else "IMAGE")
    is_child = ask.flag("is_carousel_item", False)
    if kind not in (*KINDS, "IMAGE") or (kind == "VIDEO" and not is_child):
        sentence = f"The media type {kind} is not valid. Use REELS for one video, or make it a carousel item."
        raise refused(100, 2207023, sentence)
    if is_child and kind not in ("IMAGE", "VIDEO"):
        raise bad_parameter("A carousel item must be an image or a video")
    if is_child and ask.given("caption"):
        raise bad_parameter("A carousel item cannot have a caption")
    if kind == "CAROUSEL":
        return kind
    wanted = {"IMAGE": ("image_url",), "VIDEO": ("video_url",), "REELS": ("video_url",)}
    if not any(ask.given(name) for name in wanted.get(kind, ("image_url", "video_url"))):
        raise bad_parameter("The parameter image_url or video_url is required", subcode=2207067)
    return kind


def _check_words(turn: Turn) -> None:
    caption = turn.ask.text("caption")
    hashtags, mentions = re.findall(r"(?<!\w)#\w+", caption), re.findall(r"(?<!\w)@\w+", caption)
    if len(caption) > LONGEST_CAPTION or len(hashtags) > MOST_HASHTAGS or len(mentions) > MOST_MENTIONS:
        sentence = (
            "The caption was too long. At most 2,200 characters, 30 hashtags and 20 @ tags are allowed."
        )
        raise refused(36004, 2207010, sentence)
    if len(turn.ask.text("alt_text")) > LONGEST_ALT:
        raise bad_parameter(f"Param alt_text may have {LONGEST_ALT} characters")


def _children(turn: Turn, person: Row) -> list[str]:
    ids = [str(child) for child in turn.ask.items("children")]
    if not 2 <= len(ids) <= 10:
        raise refused(100, 2207028, "A carousel must have at least 2 and at most 10 items.")
    for child in ids:
        row = _mine(turn, person, child)
        if not row["is_child"]:
            raise bad_parameter("Every child must have been made as a carousel item")
        if status_of(turn.site, row) == "IN_PROGRESS":
            raise not_ready()
        if status_of(turn.site, row) != "FINISHED":
            raise refused(-1, 2207032, "Create media failed, please try to re-create media")
    return ids


def _mine(turn: Turn, person: Row, container_id: str) -> Row:
    row = turn.site.world.get("containers", container_id)
    if row is None or row["owner"] != person["id"] or status_of(turn.site, row) == "EXPIRED":
        raise refused(24, 2207008, "The media builder with this creation id does not exist or has expired.")
    return row


def _thing(row: Row) -> str:
    """`image`, `video` or `carousel`: what `/_sandbox/instagram/pace` and `advance` call it."""
    return "carousel" if row["what"] == "CAROUSEL" else row["media"][0]["type"].lower()


def not_ready() -> GraphError:
    sentence = "The media is not ready for publishing, please wait for a moment"
    return refused(9007, 2207027, sentence, title="Media is not ready")


def moved(site: Site, container_id: str, state: str) -> None:
    """The processing ended."""
    row = site.world.get("containers", container_id)
    if row is None:
        return
    failure = row["failure"] or (UPLOAD_FAILED if state == "error" else None)
    site.change("containers", row, state="ERROR" if failure else "FINISHED", failure=failure)


def status_of(site: Site, row: Row) -> str:
    if row["state"] in ("IN_PROGRESS", "FINISHED") and site.unix() - row["created"] >= DAY:
        return "EXPIRED"
    return row["state"]


async def publish(turn: Turn, person: Row) -> dict[str, Any]:
    """`POST /{ig}/media_publish`: from now on people see it."""
    site = turn.site
    if not turn.ask.given("creation_id"):
        raise bad_parameter("The parameter creation_id is required")
    row = _mine(turn, person, turn.ask.text("creation_id"))
    if row["is_child"]:
        raise bad_parameter("A carousel item cannot be published by itself")
    if row["state"] == "PUBLISHED":
        raise refused(24, 2207006, "The media with this creation id could not be found.")
    if row["state"] != "FINISHED":
        raise not_ready()
    if used(site, person) >= quota_of(person):
        raise refused(9, 2207042, "The account reached the maximum number of posts within 24 hours.")
    site.change("containers", row, state="PUBLISHED")
    is_story = row["what"] == "STORIES"
    post = site.world.add(
        "posts",
        id=site.new_id(),
        container=row["id"],
        owner=person["id"],
        author=person["username"],
        text="" if is_story else row["caption"],
        media=row["media"],
        options=row["options"],
        created_at=site.stamp(),
        created=site.unix(),
        idempotency_key=None,
        media_type="CAROUSEL_ALBUM" if row["what"] == "CAROUSEL" else row["media"][0]["type"],
        product_type={"REELS": "REELS", "STORIES": "STORY"}.get(row["what"], "FEED"),
        shortcode=secrets.token_urlsafe(8).replace("-", "a"),
        comments_open=True,
        numbers={},
    )
    return {"id": post["id"]}


def used(site: Site, person: Row) -> int:
    """Posts of the last 24 hours; a carousel, a reel and a story count as one each."""
    since = site.unix() - DAY
    return sum(post["created"] > since for post in site.world.all("posts", owner=person["id"]))


def quota_of(person: Row) -> int:
    return int(person.get("quota_total", QUOTA))


def _status_code(turn: Turn, row: Row, field: Field) -> str:
    if row["state"] == "IN_PROGRESS":
        turn.site.look(_thing(row), row["id"])
        row.update(turn.site.world.get("containers", row["id"]) or row)
    return status_of(turn.site, row)


def _status(turn: Turn, row: Row, field: Field) -> str:
    code = _status_code(turn, row, field) if "status_code" not in turn.ask.text("fields") else ""
    code = code or status_of(turn.site, row)
    if code == "ERROR":
        return f"Error: Media upload has failed with error code {row['failure']}"
    return SAYS[code]


CONTAINER = NodeType(
    label="ShadowIGMediaBuilder",
    fields={"id": stored("id"), "status_code": _status_code, "status": _status},
    edges={},
    deeds={},
)
