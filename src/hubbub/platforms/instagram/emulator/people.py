"""Persons: each has one professional account, and under Facebook Login a Page that it is linked with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hubbub.emulation.graph.fields import Field

from . import containers, media, tokens
from .site import NodeType, Row, Show, Turn, nothing, stored


def scoped(person: Row) -> str:
    """The account's id as one application sees it: another number than the account's own."""
    return "9" + person["id"]


def page_id(person: Row) -> str:
    return "5" + person["id"]


def _login_id(turn: Turn, row: Row, field: Field) -> str:
    """Under Instagram Login `id` is the scoped one; under Facebook Login it is the account's own."""
    return row["id"] if turn.by_facebook else scoped(row)


def _picture(turn: Turn, row: Row, field: Field) -> str:
    return f"{turn.ask.base}/scontent/{row['id']}.jpg"


def _count(kind: str, key: str) -> Show:
    return lambda turn, row, field: turn.site.world.count(kind, **{key: row["id"]})


def _number(key: str) -> Show:
    return lambda turn, row, field: int(row.get("numbers", {}).get(key, 0))


def _account_type(turn: Turn, row: Row, field: Field) -> str:
    return str(row.get("account_type", "BUSINESS"))


def _quota(turn: Turn, row: Row, arguments: Mapping[str, Any]) -> tuple[str, list[Row]]:
    """https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/content_publishing_limit"""
    config = {"quota_total": containers.quota_of(row), "quota_duration": containers.DAY}
    usage = containers.used(turn.site, row)
    return "quota", [{"id": row["id"], "config": config, "quota_usage": usage}]


def _pages(turn: Turn, row: Row, arguments: Mapping[str, Any]) -> tuple[str, list[Row]]:
    """`places: []` stands for somebody whose Pages have no professional account."""
    return "page", [] if row.get("places") == [] else [row]


def _permissions(turn: Turn, row: Row, arguments: Mapping[str, Any]) -> tuple[str, list[Row]]:
    scopes = turn.asker()["scopes"]
    return "permission", [{"id": name, "permission": name, "status": "granted"} for name in scopes]


async def _revoke(turn: Turn, row: Row) -> dict[str, Any]:
    tokens.remove_app(turn.site, turn.asker())
    return {"success": True}


def _page_token(turn: Turn, row: Row, field: Field) -> str:
    """The same each time: a token of this login that has no end of its own here."""
    asker = turn.asker()
    for made in turn.site.world.all("tokens", session=asker["session"], page=page_id(row)):
        if tokens.trouble(turn.site, made) is None:
            return made["id"]
    kept = {key: asker[key] for key in ("app_id", "person_id", "person", "scopes", "session", "long")}
    lifetime = 10 * 365 * 24 * tokens.HOUR if asker["long"] else tokens.HOUR
    return tokens.issue(turn.site, "facebook", lifetime=lifetime, page=page_id(row), **kept)["id"]


def _linked(turn: Turn, row: Row, field: Field) -> Row:
    known = {name: show(turn, row, field) for name, show in ACCOUNT_FIELDS.items() if name != "user_id"}
    return known if field.children else {"id": row["id"]}


ACCOUNT_FIELDS: dict[str, Show] = {
    "id": _login_id,
    "username": stored("username"),
    "name": stored("name"),
    "profile_picture_url": _picture,
    "biography": stored("biography"),
    "website": nothing,
    "followers_count": _number("followers"),
    "follows_count": _number("following"),
    "media_count": _count("posts", "owner"),
}
ACCOUNT = NodeType(
    label="IGUser",
    fields={**ACCOUNT_FIELDS, "user_id": stored("id"), "account_type": _account_type},
    edges={
        "media": (media.media, "basic"),
        "stories": (media.stories, "basic"),
        "content_publishing_limit": (_quota, "publish"),
    },
    deeds={
        ("POST", "media"): (containers.prepare, "publish"),
        ("POST", "media_publish"): (containers.publish, "publish"),
    },
)
QUOTA = NodeType(
    label="ContentPublishingLimit",
    defaults=("quota_usage",),
    fields={"config": stored("config"), "quota_usage": stored("quota_usage")},
    edges={},
    deeds={},
)
USER = NodeType(
    label="User",
    defaults=("name", "id"),
    fields={"id": lambda turn, row, field: "7" + row["id"], "name": stored("name")},
    edges={"accounts": (_pages, ""), "permissions": (_permissions, "")},
    deeds={("DELETE", "permissions"): (_revoke, "")},
)
PAGE = NodeType(
    label="Page",
    defaults=("name", "id"),
    fields={
        "id": lambda turn, row, field: page_id(row),
        "name": stored("name"),
        "access_token": _page_token,
        "instagram_business_account": _linked,
        **dict.fromkeys(("category", "tasks", "username", "picture"), nothing),
    },
    edges={},
    deeds={},
)
PERMISSION = NodeType(
    label="Permission",
    defaults=("permission", "status"),
    fields={"permission": stored("permission"), "status": stored("status")},
    edges={},
    deeds={},
)
