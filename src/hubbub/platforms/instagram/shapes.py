"""Instagram: pure translation between its objects and our nouns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hubbub.social.draft import Draft, File
from hubbub.social.numbers import AccountNumbers, PostNumbers
from hubbub.social.person import Identity

Json = Mapping[str, Any]

PROFILE_FIELDS = "user_id,username,name,account_type,profile_picture_url,biography"
LINKED_FIELDS = "id,username,name,profile_picture_url,biography"
MEDIA_FIELDS = "id,caption,media_type,media_product_type,permalink,timestamp"
POST_METRICS = {
    "FEED": ("reach", "saved", "shares", "views", "total_interactions"),
    "REELS": ("reach", "saved", "shares", "views", "total_interactions"),
    "STORY": ("reach", "shares", "views", "replies", "total_interactions"),
}
ACCOUNT_METRICS = (
    "reach",
    "views",
    "accounts_engaged",
    "total_interactions",
    "likes",
    "comments",
    "shares",
    "saves",
)

# What a container may have beside the words and the media, and who takes it.
FORWARDED_OPTIONS = {"content_type", "alt_text", "collaborators", "share_to_feed", "cover_url"}
NOT_FORWARDED = FORWARDED_OPTIONS | {
    "access_token", "appsecret_proof", "caption", "children", "creation_id", "fields", "image_url",
    "is_carousel_item", "location_id", "media_type", "method", "upload_type", "video_cover_timestamp_ms", "video_url",
}  # fmt: skip


def identity_in(theirs: Json) -> Identity:
    """`/me` under Instagram Login. `id` is our application's own; `user_id` is the account's.

    https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/get-started
    """
    return _identity(theirs, theirs["user_id"], {"account_type": theirs.get("account_type")})


def linked_in(theirs: Json) -> Identity:
    """The account behind a Page, under Facebook Login."""
    return _identity(theirs, theirs["id"], {"login": "facebook"})


def _identity(theirs: Json, remote_id: Any, metadata: Mapping[str, Any]) -> Identity:
    return Identity(
        remote_id=str(remote_id),
        name=theirs.get("name") or theirs["username"],
        username=theirs["username"],
        picture_url=theirs.get("profile_picture_url"),
        bio=theirs.get("biography"),
        metadata={name: value for name, value in metadata.items() if value is not None},
    )


def token_in(theirs: Json) -> Json:
    """The answer to a code: flat, or inside `data` as the documentation has it."""
    return theirs["data"][0] if "data" in theirs else theirs


def permissions_in(theirs: Json) -> tuple[str, ...]:
    """What was granted: a list, or names divided by commas."""
    given = theirs.get("permissions") or ()
    return tuple(given.replace(",", " ").split()) if isinstance(given, str) else tuple(given)


def kind_of(draft: Draft) -> str:
    """`feed`, `reel`, `carousel` or `stories`: what was asked for, else what the files are good for."""
    asked = draft.options.get("content_type")
    if asked in ("feed", "reel", "carousel", "stories"):
        return asked
    return "carousel" if len(draft.files) > 1 else "feed"


def product_of(draft: Draft) -> str:
    """What Instagram calls the published thing: FEED, REELS or STORY."""
    kind = kind_of(draft)
    if kind == "stories":
        return "STORY"
    return "REELS" if kind == "reel" or (kind == "feed" and draft.files[0].kind == "video") else "FEED"


def container_out(draft: Draft, url: str) -> dict[str, str]:
    """One picture, reel or story as the form of `POST /{ig}/media`; a single video is always a reel.

    https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/media
    """
    product, file = product_of(draft), draft.files[0]
    form = {f"{file.kind}_url": url}
    if product == "STORY":
        return {**form, "media_type": "STORIES", **_forwarded(draft)}
    if product == "REELS":
        return {**form, "media_type": "REELS", **_words(draft), **_reel(draft), **_forwarded(draft)}
    alt = {"alt_text": file.alt} if file.alt else {}
    return {**form, **alt, **_words(draft), **_forwarded(draft)}


def item_out(file: File, url: str) -> dict[str, str]:
    """One file of a carousel; it has no words of its own."""
    form = {f"{file.kind}_url": url, "is_carousel_item": "true"}
    if file.kind == "video":
        form["media_type"] = "VIDEO"
    elif file.alt:
        form["alt_text"] = file.alt
    return form


def carousel_out(draft: Draft, children: list[str]) -> dict[str, str]:
    return {
        "media_type": "CAROUSEL", "children": ",".join(children), **_words(draft), **_forwarded(draft)
    }  # fmt: skip


def _words(draft: Draft) -> dict[str, str]:
    words = {"caption": draft.text} if draft.text else {}
    if place := draft.options.get("location_id"):
        words["location_id"] = str(place)
    if names := names_in(draft.options.get("collaborators")):
        words["collaborators"] = ",".join(names)
    return words


def _reel(draft: Draft) -> dict[str, str]:
    options, form = draft.options, dict[str, str]()
    if "share_to_feed" in options:
        form["share_to_feed"] = "true" if options["share_to_feed"] else "false"
    if cover := options.get("cover_url"):
        form["cover_url"] = cover
    if (moment := options.get("video_cover_timestamp_ms")) is not None:
        form["thumb_offset"] = str(int(moment))
    return form


def _forwarded(draft: Draft) -> dict[str, str]:
    """Fields that we do not know go to Instagram as they are."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in draft.options.items()
        if name not in NOT_FORWARDED and isinstance(value, str | int | float | bool)
    }


def names_in(given: Any) -> list[str]:
    """Usernames from a list or from text with commas, without their `@`."""
    names = given.split(",") if isinstance(given, str) else given or []
    return [name for one in names if (name := str(one).strip().removeprefix("@"))]


def failure_in(status: str | None) -> int | None:
    """The number in a container's `status` text, as in "… with error code 2207082"."""
    found = re.search(r"\b(\d{5,})\b", status or "")
    return int(found[1]) if found else None


def is_same(theirs: Json, ours: Json, since: datetime) -> bool:
    """Whether a published medium has the words and the kind of what was prepared, and is not older than that."""
    at = datetime.strptime(theirs["timestamp"], "%Y-%m-%dT%H:%M:%S%z")
    words = (theirs.get("caption") or "").split()
    return (
        at >= since.replace(microsecond=0)
        and words == (ours["caption"] or "").split()
        and theirs.get("media_product_type") in (None, ours["product"])
    )


def post_numbers_in(media: Json, insights: Json) -> PostNumbers:
    """A medium's own counters, and its insights where they could be read.

    https://developers.facebook.com/docs/instagram-platform/reference/instagram-media/insights
    """
    counted = {
        row["name"]: row["values"][0]["value"] for row in insights.get("data", ()) if row.get("values")
    }
    return PostNumbers(
        likes=media.get("like_count") or 0,
        comments=media.get("comments_count") or 0,
        shares=counted.pop("shares", 0),
        saves=counted.pop("saved", 0),
        extra=counted,
    )


def account_numbers_in(profile: Json, insights: Json) -> AccountNumbers:
    """https://developers.facebook.com/docs/instagram-platform/api-reference/instagram-user/insights"""
    totals = {
        row["name"]: row["total_value"]["value"] for row in insights.get("data", ()) if row.get("total_value")
    }
    return AccountNumbers(
        followers=profile.get("followers_count"),
        following=profile.get("follows_count"),
        posts=profile.get("media_count"),
        extra=totals,
    )


def remaining_in(theirs: Json) -> int:
    """How many posts may still be published within 24 hours.

    https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/content_publishing_limit
    """
    row = theirs["data"][0]
    return max(0, int(row["config"]["quota_total"]) - int(row["quota_usage"]))
