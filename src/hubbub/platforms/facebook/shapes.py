"""Facebook: pure translation between Graph's objects and our nouns."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hubbub.kit.secret import Secret
from hubbub.social.draft import Draft
from hubbub.social.numbers import AccountNumbers, PostNumbers
from hubbub.social.person import Identity, Place

Json = Mapping[str, Any]

POST_FIELDS = "id,message,created_time,permalink_url,attachments{target{id},url,unshimmed_url,subattachments{target{id}}}"

VIDEO_NUMBERS = "id,likes.summary(true).limit(0),comments.filter(stream).summary(true).limit(0)"
POST_NUMBERS = f"{VIDEO_NUMBERS},shares"


def identity_in(theirs: Json) -> Identity:
    """`/me` as the person who signed in. https://developers.facebook.com/docs/graph-api/reference/user"""
    picture = ((theirs.get("picture") or {}).get("data") or {}).get("url")
    return Identity(remote_id=theirs["id"], name=theirs["name"], username=theirs["name"], picture_url=picture)


def place_in(theirs: Json) -> Place:
    """One row of `/me/accounts` as a page. https://developers.facebook.com/docs/graph-api/reference/user/accounts"""
    return Place(
        remote_id=theirs["id"],
        name=theirs["name"],
        category=theirs.get("category"),
        username=theirs.get("username"),
        picture_url=((theirs.get("picture") or {}).get("data") or {}).get("url"),
        link=theirs.get("link"),
        token=Secret(theirs["access_token"]) if theirs.get("access_token") else None,
    )


def feed_out(draft: Draft, photos: Sequence[str] = ()) -> dict[str, str]:
    """Our draft as the form of `POST /{page}/feed`. https://developers.facebook.com/docs/graph-api/reference/page/feed"""
    form = {"fields": "id,permalink_url"}
    if draft.text:
        form["message"] = draft.text
    if photos:
        form["attached_media"] = json.dumps([{"media_fbid": photo} for photo in photos])
    elif link := draft.options.get("link"):
        form["link"] = link
    return form


def video_out(draft: Draft, session: str) -> dict[str, str]:
    """The form that ends a chunked upload. https://developers.facebook.com/docs/graph-api/reference/page/videos"""
    form = {"upload_phase": "finish", "upload_session_id": session, "description": draft.text}
    if title := draft.options.get("title") or draft.title:
        form["title"] = title
    return form


def is_taken(video: Json) -> bool:
    """Whether a video's upload was finished: it is being processed, is up, or failed later on.

    https://developers.facebook.com/docs/graph-api/reference/video-status
    """
    if video.get("published") or video.get("post_id"):
        return True
    status = video.get("status") or {}
    processing = (status.get("processing_phase") or {}).get("status", "not_started")
    return status.get("video_status") in ("processing", "ready", "error") or processing != "not_started"


def permalink(remote_id: str) -> str:
    """Where a person sees a post whose link was not given."""
    return f"https://www.facebook.com/{remote_id}"


def targets_in(post: Json) -> set[str]:
    """The photos and videos a post shows."""
    shown: set[str] = set()
    for attachment in _rows(post.get("attachments")):
        for part in (attachment, *_rows(attachment.get("subattachments"))):
            if target := (part.get("target") or {}).get("id"):
                shown.add(str(target))
    return shown


def says_the_same(post: Json, form: Json) -> bool:
    """Whether a post on the page has the text of this form; white space does not count."""
    return _words(post.get("message")) == _words(form.get("message"))


def shows_link(post: Json, link: str | None) -> bool:
    """Whether a post shows this link, or none when there is none to show."""
    addresses = {a.get(name) for a in _rows(post.get("attachments")) for name in ("url", "unshimmed_url")}
    shown = {address.rstrip("/") for address in addresses if address}
    return link.rstrip("/") in shown if link else not shown


def post_numbers_in(theirs: Json) -> PostNumbers:
    """A post's counts; `shares` is missing where nobody has shared it."""
    likes, comments = (((theirs.get(edge) or {}).get("summary") or {}) for edge in ("likes", "comments"))
    return PostNumbers(
        likes=int(likes.get("total_count") or 0),
        comments=int(comments.get("total_count") or 0),
        shares=int((theirs.get("shares") or {}).get("count") or 0),
    )


def account_numbers_in(theirs: Json) -> AccountNumbers:
    """A page's counts; `fan_count` is how many like it."""
    fans = theirs.get("fan_count")
    return AccountNumbers(
        followers=theirs.get("followers_count"), extra={} if fans is None else {"likes": int(fans)}
    )


def _words(text: str | None) -> list[str]:
    return unicodedata.normalize("NFC", text or "").split()


def _rows(edge: Any) -> Iterable[Json]:
    return (edge or {}).get("data", ()) if isinstance(edge, Mapping) else ()
