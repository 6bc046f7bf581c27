"""Numbers of an account and of one post. A metric that does not fit the media fails the whole call."""

from __future__ import annotations

from typing import Any

from hubbub.emulation.graph.errors import GraphError, bad_parameter

from .site import Row, Turn

# https://developers.facebook.com/docs/instagram-platform/reference/instagram-media/insights
COMMON = ("comments", "follows", "likes", "profile_activity", "profile_visits", "reach", "shares", "views")
MEDIA = {
    "FEED": (*COMMON, "reposts", "saved", "total_interactions"),
    "REELS": (
        "comments", "crossposted_views", "facebook_views", "ig_reels_avg_watch_time",
        "ig_reels_video_view_total_time", "likes", "reach", "reels_skip_rate", "reposts", "saved", "shares",
        "total_interactions", "views",
    ),
    "STORY": (
        "follows", "link_clicks", "navigation", "profile_activity", "profile_visits", "reach", "replies", "shares",
        "total_interactions", "views",
    ),
}  # fmt: skip
# https://developers.facebook.com/docs/instagram-platform/api-reference/instagram-user/insights
ACCOUNT = (
    "accounts_engaged", "comments", "follower_count", "follows_and_unfollows", "likes", "profile_links_taps",
    "profile_views", "reach", "replies", "reposts", "saves", "shares", "total_interactions", "views",
    "website_clicks",
)  # fmt: skip


def of_media(turn: Turn, post: Row) -> dict[str, Any]:
    """`GET /{media}/insights`."""
    turn.need("insights")
    asked = _asked(turn, MEDIA[post["product_type"]])
    if post["product_type"] == "STORY":
        raise GraphError(10, "(#10) Not enough viewers for the media to show insights")
    counted = {**post["numbers"], "comments": turn.site.world.count("comments", on=post["id"])}
    return {
        "data": [
            {
                "name": name,
                "period": "lifetime",
                "values": [{"value": counted.get(name, 0)}],
                "title": name.replace("_", " ").title(),
                "description": "",
                "id": f"{post['id']}/insights/{name}/lifetime",
            }
            for name in asked
        ]
    }


def of_account(turn: Turn, person: Row) -> dict[str, Any]:
    """`GET /{ig}/insights`: totals of a day."""
    turn.need("insights")
    asked = _asked(turn, ACCOUNT)
    if turn.ask.items("period") != ["day"]:
        raise bad_parameter("Param period must be one of the following values: day")
    if turn.ask.text("metric_type") != "total_value" and set(asked) - {"reach", "follower_count"}:
        raise bad_parameter("The metrics should be specified with parameter metric_type=total_value")
    numbers = person.get("numbers", {})
    return {
        "data": [
            {
                "name": name,
                "period": "day",
                "title": name.replace("_", " ").title(),
                "description": "",
                "total_value": {"value": numbers.get(name, 0)},
                "id": f"{person['id']}/insights/{name}/day",
            }
            for name in asked
        ]
    }


def _asked(turn: Turn, known: tuple[str, ...]) -> list[str]:
    asked = [str(name).strip() for name in turn.ask.items("metric")]
    if not asked:
        raise bad_parameter("The parameter metric is required")
    for position, name in enumerate(asked):
        if name not in known:
            wanted = ", ".join(known)
            raise bad_parameter(f"metric[{position}] must be one of the following values: {wanted}")
    return asked
