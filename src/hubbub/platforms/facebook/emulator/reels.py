"""Reels and stories: start, send the file to `upload_url`, finish; photo stories in one call."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from hubbub.emulation.emulator import Call, Reply
from hubbub.emulation.graph.errors import GraphError, bad_parameter
from hubbub.kit.clock import from_wire

from . import tokens
from .files import VIDEO_LIMIT, check_video, fetch
from .posts import check_text, new_post, newest_first, schedule_of
from .site import Deed, Edge, Listing, NodeType, Row, Site, Turn, stored
from .videos import new_video, process, receive

STATES = ("DRAFT", "SCHEDULED", "PUBLISHED")
LATEST_SCHEDULE = 29 * 24 * 60 * 60
STORY_LIFE = timedelta(hours=24)


async def rupload(site: Site, call: Call) -> Reply:
    """Bytes with `offset` and `file_size`, or `file_url`; errors have a shape of their own.

    https://developers.facebook.com/documentation/video-api/guides/reels-publishing
    """
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    video = site.world.get("media", call.params["id"])
    row = tokens.find(site, token.strip()) if scheme.lower() == "oauth" else None
    if row is None or tokens.trouble(site, row) or video is None or row["page_id"] != video["page_id"]:
        return _failed(401, "ProcessingFailedError", "Invalid OAuth access token", retriable=False)
    url = call.headers.get("file_url")
    if url:
        return await _hosted(site, video, url)
    offset, size = call.headers.get("offset", ""), call.headers.get("file_size", "")
    if not offset.isdigit() or not size.isdigit():
        return _failed(400, "ProcessingFailedError", "offset and file_size are required", retriable=False)
    if int(offset) != video["received"]:
        return _failed(400, "OffsetInvalidError", f"Expected offset {video['received']}", retriable=True)
    site.change("media", video, size=int(size))
    receive(site, video, call.body)
    if video["received"] < video["size"]:
        return _failed(
            400, "PartialRequestError", "Partial request (did not match length of file)", retriable=True
        )
    return Reply(200, {"success": True})


async def _hosted(site: Site, video: Row, url: str) -> Reply:
    try:
        data = await fetch(url, VIDEO_LIMIT)
    except GraphError:
        return _failed(400, "ProcessingFailedError", "The file could not be fetched", retriable=False)
    site.change("media", video, size=len(data), received=0, head="")
    receive(site, video, data)
    return Reply(200, {"success": True})


def _failed(status: int, kind: str, message: str, *, retriable: bool) -> Reply:
    return Reply(status, {"debug_info": {"retriable": retriable, "type": kind, "message": message}})


def _start(turn: Turn, page: Row, use: str) -> dict[str, Any]:
    video = new_video(turn, page, use=use)
    url = f"{turn.ask.base}/video-upload/{turn.ask.version}/{video['id']}"
    return {"video_id": video["id"], "upload_url": url}


def _uploaded(turn: Turn, page: Row, use: str) -> Row:
    """The video that `video_id` names, complete and not used before."""
    video = turn.site.world.get("media", turn.ask.text("video_id"))
    if video is None or video["page_id"] != page["id"] or video.get("use") != use:
        raise bad_parameter("Param video_id is not a video of this upload")
    if video["state"] != "uploading":
        raise bad_parameter("This video was published already")
    if not video["received"] or video["received"] < video["size"]:
        raise GraphError(6000, "(#6000) The video file was not received completely.", subcode=1363031)
    check_video(base64.b64decode(video["head"]), video["size"])
    return video


async def _reel(turn: Turn, page: Row) -> dict[str, Any]:
    phase = turn.ask.text("upload_phase")
    if phase == "start":
        return _start(turn, page, "reel")
    if phase != "finish":
        raise bad_parameter("Param upload_phase must be one of {finish, start}")
    state = turn.ask.text("video_state") or "PUBLISHED"
    if state not in STATES:
        raise bad_parameter("Param video_state must be one of {DRAFT, PUBLISHED, SCHEDULED}")
    scheduled = schedule_of(turn, published=state != "SCHEDULED", latest=LATEST_SCHEDULE)
    if state == "SCHEDULED" and scheduled is None:
        raise bad_parameter("Param scheduled_publish_time is required")
    video = _uploaded(turn, page, "reel")
    text, title = check_text(turn.ask.text("description")), turn.ask.text("title") or None
    turn.site.change("media", video, text=text, title=title)
    done = process(turn, page, video, published=state == "PUBLISHED", scheduled_at=scheduled, format="reel")
    return {"success": True, "post_id": done["draft_id"].rpartition("_")[2]}


async def _video_story(turn: Turn, page: Row) -> dict[str, Any]:
    phase = turn.ask.text("upload_phase")
    if phase == "start":
        return _start(turn, page, "story")
    if phase != "finish":
        raise bad_parameter("Param upload_phase must be one of {finish, start}")
    video = process(turn, page, _uploaded(turn, page, "story"), published=True, format="story")
    return {"success": True, "post_id": video["draft_id"].rpartition("_")[2]}


async def _photo_story(turn: Turn, page: Row) -> dict[str, Any]:
    """The photo must never have been published."""
    photo = turn.site.world.get("media", turn.ask.text("photo_id"))
    if photo is None or photo["page_id"] != page["id"] or photo["type"] != "photo":
        raise bad_parameter("Param photo_id is not a photo of this page")
    if photo["post_id"]:
        raise GraphError(100, "Invalid parameter", subcode=1366051)
    post = new_post(turn, page, "", [photo], published=True, format="story")
    turn.site.change("media", photo, post_id=post["id"], published=True)
    return {"success": True, "post_id": post["id"].rpartition("_")[2]}


def stories(turn: Turn, page: Row, arguments: Mapping[str, Any]) -> Listing:
    """`status` PUBLISHED (younger than a day) or ARCHIVED; both when absent."""
    wanted = str(arguments.get("status") or "").upper()
    rows = turn.site.world.all("posts", page_id=page["id"], format="story")
    shown = [row | {"status": _status(turn.site, row)} for row in newest_first(rows)]
    return Listing("story", [row for row in shown if wanted in ("", row["status"])])


def _status(site: Site, story: Row) -> str:
    young = site.now() - from_wire(story["created_at"]) < STORY_LIFE
    return "PUBLISHED" if young else "ARCHIVED"


def reels(turn: Turn, page: Row, arguments: Mapping[str, Any]) -> Listing:
    rows = turn.site.world.all("media", type="video", page_id=page["id"], use="reel", published=True)
    return Listing("video", newest_first(rows))


STORY = NodeType(
    label="Stories",
    defaults=("post_id", "status", "creation_time", "media_type", "media_id", "url"),
    fields={
        "post_id": lambda turn, row, field: row["id"].rpartition("_")[2],
        "status": stored("status"),
        "creation_time": lambda turn, row, field: str(int(from_wire(row["created_at"]).timestamp())),
        "media_type": lambda turn, row, field: row["media"][0]["type"],
        "media_id": lambda turn, row, field: row["media"][0]["id"],
        "url": lambda turn, row, field: f"{turn.ask.base}/permalink/{row['id']}",
    },
)
PAGE_EDGES = {
    "stories": Edge(stories, "pages_read_engagement"),
    "video_reels": Edge(reels, "pages_read_engagement"),
}
PAGE_DEEDS = {
    ("POST", "video_reels"): Deed(_reel, "pages_manage_posts"),
    ("POST", "video_stories"): Deed(_video_story, "pages_manage_posts"),
    ("POST", "photo_stories"): Deed(_photo_story, "pages_manage_posts"),
}
