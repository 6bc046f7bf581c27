"""Videos of a Page: sent whole, in chunks or by URL; processed before anybody sees them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from hubbub.emulation.graph.errors import GraphError, bad_parameter
from hubbub.emulation.graph.fields import Field

from . import comments
from .files import VIDEO_LIMIT, check_video, facts, received
from .photos import caption, delete_media, still
from .posts import by_page, check_text, new_post, newest_first, permalink, schedule_of
from .site import Deed, Edge, Listing, NodeType, Row, Site, Turn, moment, nothing, stored

LATEST_SCHEDULE = 180 * 24 * 60 * 60
CHUNK = 4 * 1024 * 1024
HEAD = 16
PHASE_OF = {"working": "in_progress", "ready": "complete", "error": "error"}
VIDEO_OF = {"working": "processing", "ready": "ready", "error": "error"}


def new_video(turn: Turn, page: Row, **fields: Any) -> Row:
    """A video nobody has processed yet; `state` is that of the slow thing once that began."""
    row: Row = {
        "id": turn.site.new_id(),
        "type": "video",
        "page_id": page["id"],
        "post_id": None,
        "draft_id": None,
        "text": "",
        "title": None,
        "alt_text": None,
        "use": "video",
        "published": False,
        "state": "uploading",
        "size": 0,
        "received": 0,
        "head": "",
        "sha256": None,
        "content_type": "video/mp4",
        "created_at": turn.site.stamp(),
        "app_id": turn.asker()["app_id"],
        **fields,
    }
    return turn.site.world.add("media", **row)


def process(
    turn: Turn,
    page: Row,
    video: Row,
    *,
    published: bool,
    scheduled_at: int | None = None,
    format: str = "post",
) -> Row:
    """Start the processing; a published video becomes a post when it is ready, not before.

    Gives the video as it is afterwards, which may already be ready.
    """
    site = turn.site
    plan: Row = {"scheduled_at": scheduled_at, "processing": True, "format": format}
    post = new_post(turn, page, video["text"], [video], published=False, **plan)
    site.change("media", video, state="working", draft_id=post["id"], goes_out=published)
    site.begin("video", video["id"])
    return site.world.get("media", video["id"]) or video


def moved(site: Site, video_id: str, state: str) -> None:
    """The processing ended: what was meant to be published now is."""
    video = site.world.get("media", video_id)
    if video is None:
        return
    site.change("media", video, state=state)
    draft = site.world.get("drafts", video["draft_id"])
    if draft is None or state != "ready":
        return
    site.change("media", video, post_id=draft["id"])
    site.change("drafts", draft, processing=False)
    if video["goes_out"]:
        site.publish_draft(draft)


async def _upload(turn: Turn, page: Row) -> dict[str, Any]:
    """https://developers.facebook.com/docs/graph-api/reference/page/videos"""
    phase = turn.ask.text("upload_phase")
    if phase:
        if phase not in PHASES:
            raise bad_parameter("Param upload_phase must be one of {cancel, finish, start, transfer}")
        return PHASES[phase](turn, page)
    published, scheduled = _plan(turn)
    data = await received(turn.ask, "file_url", VIDEO_LIMIT)
    check_video(data[:HEAD], len(data))
    video = new_video(turn, page, received=len(data), **facts(data), **_words(turn))
    process(turn, page, video, published=published, scheduled_at=scheduled)
    return {"id": video["id"]}


def _plan(turn: Turn) -> tuple[bool, int | None]:
    published = turn.ask.flag("published", True)
    return published, schedule_of(turn, published, latest=LATEST_SCHEDULE)


def _words(turn: Turn) -> Row:
    return {"text": check_text(turn.ask.text("description")), "title": turn.ask.text("title") or None}


def _start(turn: Turn, page: Row) -> dict[str, Any]:
    """https://developers.facebook.com/docs/video-api/guides/publishing"""
    size = turn.ask.number("file_size")
    if not size or size < 0:
        raise bad_parameter("Param file_size must be a positive integer")
    video = new_video(turn, page, size=size)
    session = turn.site.world.add("uploads", id=turn.site.new_id(), video_id=video["id"], page_id=page["id"])
    return {"upload_session_id": session["id"], "video_id": video["id"], **_offsets(video)}


def _transfer(turn: Turn, page: Row) -> dict[str, Any]:
    """The next chunk must begin where the last ended: subcode 1363037 tells a client where that is."""
    video = _in_session(turn, page)
    chunk = turn.ask.uploads.get("video_file_chunk")
    if chunk is None:
        raise bad_parameter("Param video_file_chunk is required")
    if turn.ask.number("start_offset") != video["received"]:
        message = "(#6001) There was a problem uploading your video. Please try uploading it again."
        raise GraphError(6001, message, subcode=1363037, transient=False, data=_offsets(video))
    if len(chunk.data) > CHUNK:
        raise bad_parameter("The chunk is longer than from start_offset to end_offset")
    receive(turn.site, video, chunk.data)
    return _offsets(video)


def _finish(turn: Turn, page: Row) -> dict[str, Any]:
    published, scheduled = _plan(turn)
    video = _in_session(turn, page)
    if video["received"] < video["size"]:
        raise GraphError(6000, "(#6000) The video file was not received completely.", subcode=1363031)
    check_video(base64.b64decode(video["head"]), video["size"])
    turn.site.change("media", video, **_words(turn))
    turn.site.world.remove("uploads", turn.ask.text("upload_session_id"))
    process(turn, page, video, published=published, scheduled_at=scheduled)
    return {"success": True}


def _cancel(turn: Turn, page: Row) -> dict[str, Any]:
    video = _in_session(turn, page)
    turn.site.world.remove("media", video["id"])
    turn.site.world.remove("uploads", turn.ask.text("upload_session_id"))
    return {"success": True}


PHASES = {"start": _start, "transfer": _transfer, "finish": _finish, "cancel": _cancel}


def receive(site: Site, video: Row, data: bytes) -> None:
    """More bytes of a video; those beyond its size are not wanted."""
    head = (base64.b64decode(video["head"]) + data[:HEAD])[:HEAD]
    received_now = min(video["received"] + len(data), video["size"])
    site.change("media", video, head=base64.b64encode(head).decode(), received=received_now)


def _in_session(turn: Turn, page: Row) -> Row:
    session = turn.site.world.get("uploads", turn.ask.text("upload_session_id"))
    video = turn.site.world.get("media", session["video_id"]) if session else None
    if session is None or video is None or session["page_id"] != page["id"]:
        raise GraphError(6001, "(#6001) The upload session is not valid.", subcode=1363030)
    return video


def _offsets(video: Row) -> dict[str, Any]:
    """Equal numbers mean that everything arrived."""
    start = video["received"]
    return {"start_offset": str(start), "end_offset": str(min(start + CHUNK, video["size"]))}


async def _edit(turn: Turn, video: Row) -> dict[str, Any]:
    ask, site = turn.ask, turn.site
    fields: Row = {}
    if ask.given("description"):
        fields["text"] = check_text(ask.text("description"))
    if ask.given("title") or ask.given("name"):
        fields["title"] = ask.text("title", "name")
    site.change("media", video, **fields)
    post = site.post(video["draft_id"] or "")
    if post is not None and "text" in fields:
        site.change_post(post, text=fields["text"], updated_at=site.stamp())
    if post is not None and ask.flag("published", False) and not video["goes_out"]:
        site.change("media", video, goes_out=True)
        if video["state"] == "ready":
            site.publish_draft(post)
    return {"success": True}


async def _delete(turn: Turn, video: Row) -> dict[str, Any]:
    turn.site.world.remove("drafts", video["draft_id"] or "")
    return await delete_media(turn, video)


def videos(turn: Turn, page: Row, arguments: Mapping[str, Any]) -> Listing:
    rows = turn.site.world.all("media", type="video", page_id=page["id"], published=True)
    return Listing("video", newest_first(rows))


def status(turn: Turn, video: Row, field: Field) -> Any:
    """https://developers.facebook.com/docs/graph-api/reference/video-status"""
    state = video["state"]
    whole = video["received"] >= video["size"] > 0
    if state == "working":
        state = turn.site.look("video", video["id"])
    processing: Row = {"status": PHASE_OF.get(state, "not_started")}
    if state == "error":
        processing["errors"] = [{"code": 1363024, "message": "The video could not be processed."}]
    return {
        "video_status": VIDEO_OF.get(state, "upload_complete" if whole else "uploading"),
        "uploading_phase": {
            "status": "complete" if whole else ("in_progress" if video["received"] else "not_started"),
            "bytes_transferred": video["received"],
            "bytes_transfered": video["received"],
            "source_file_size": video["size"],
        },
        "processing_phase": processing,
        "publishing_phase": _publishing(turn, video),
    }


def _publishing(turn: Turn, video: Row) -> Row:
    current = turn.site.world.get("media", video["id"]) or video
    if current["published"]:
        return {"status": "complete", "publish_status": "published", "publish_time": turn.site.unix()}
    draft = turn.site.world.get("drafts", current["draft_id"] or "")
    if draft is not None and draft["scheduled_at"]:
        planned = {"publish_status": "scheduled", "publish_time": draft["scheduled_at"]}
        return {"status": "not_started", **planned}
    return {"status": "not_started"} if current.get("goes_out") else {
        "status": "not_started", "publish_status": "draft"
    }  # fmt: skip


def _post_number(turn: Turn, video: Row, field: Field) -> Any:
    """Without the page's part, and only once the post exists, which the `status` before it may have made."""
    post_id = (turn.site.world.get("media", video["id"]) or video)["post_id"]
    return post_id.rpartition("_")[2] if post_id else None


VIDEO = NodeType(
    label="Video",
    defaults=("description", "updated_time", "id"),
    fields={
        "id": stored("id"),
        "title": stored("title"),
        "description": caption,
        "status": status,
        "post_id": _post_number,
        "permalink_url": permalink,
        "published": stored("published"),
        "created_time": moment("created_at"),
        "updated_time": moment("created_at"),
        "from": by_page,
        "picture": still,
        "source": still,
        "length": lambda turn, row, field: 1.0 if row["state"] == "ready" else None,
        "views": lambda turn, row, field: 0,
        **dict.fromkeys(("thumbnails", "format", "place", "scheduled_publish_time", "privacy"), nothing),
    },
    edges=comments.EDGES,
    deeds={
        ("POST", ""): Deed(_edit, "pages_manage_posts"),
        ("DELETE", ""): Deed(_delete, "pages_manage_posts"),
        **comments.DEEDS,
    },
)
PAGE_EDGES = {"videos": Edge(videos, "pages_read_engagement")}
PAGE_DEEDS = {("POST", "videos"): Deed(_upload, "pages_manage_posts")}
