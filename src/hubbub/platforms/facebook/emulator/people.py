"""Persons and their Pages as Graph nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hubbub.emulation.graph.errors import no_such_field
from hubbub.emulation.graph.fields import Field

from .site import Deed, Edge, Listing, NodeType, Row, Show, Turn, nothing, stored
from .tokens import page_token, remove_app

TASKS = ("ANALYZE", "ADVERTISE", "MESSAGING", "MODERATE", "CREATE_CONTENT", "MANAGE")
ACCOUNT_FIELDS = ("access_token", "category", "category_list", "name", "id", "tasks")


def picture(turn: Turn, row: Row, field: Field) -> Any:
    url = f"{turn.ask.base}/scontent/{row['id']}.png"
    return {"data": {"height": 50, "is_silhouette": True, "url": url, "width": 50}}


def _first_name(turn: Turn, row: Row, field: Field) -> Any:
    return row["name"].split(" ")[0]


def _last_name(turn: Turn, row: Row, field: Field) -> Any:
    return row["name"].rpartition(" ")[2]


def _email(turn: Turn, row: Row, field: Field) -> Any:
    return f"{row['username']}@example.com" if "email" in turn.asker()["scopes"] else None


def _page_access_token(turn: Turn, row: Row, field: Field) -> Any:
    """Only for somebody who manages the Page; a page token gives itself back."""
    asker = turn.asker()
    if not turn.manages(row["id"]):
        return None
    return asker["id"] if asker["type"] == "PAGE" else page_token(turn.site, asker, row)["id"]


def _tasks(turn: Turn, row: Row, field: Field) -> Any:
    if turn.asker()["type"] != "USER":
        raise no_such_field("tasks", "Page")
    return list(TASKS)


def _category_list(turn: Turn, row: Row, field: Field) -> Any:
    return [{"id": row["category_id"], "name": row["category"]}]


def _page_link(turn: Turn, row: Row, field: Field) -> Any:
    return f"{turn.ask.base}/permalink/{row['id']}"


def _none(turn: Turn, row: Row, field: Field) -> int:
    return 0


def _yes(turn: Turn, row: Row, field: Field) -> bool:
    return True


def _accounts(turn: Turn, row: Row, arguments: Mapping[str, Any]) -> Listing:
    """https://developers.facebook.com/docs/graph-api/reference/user/accounts"""
    return Listing("page", turn.site.world.all("pages", owner=row["username"]), defaults=ACCOUNT_FIELDS)


def _permissions(turn: Turn, row: Row, arguments: Mapping[str, Any]) -> Listing:
    """https://developers.facebook.com/docs/graph-api/reference/user/permissions"""
    asker = turn.asker()
    rows: list[Row] = [{"id": name, "permission": name, "status": "granted"} for name in asker["scopes"]]
    rows += [{"id": name, "permission": name, "status": "declined"} for name in asker.get("declined", ())]
    return Listing("permission", rows)


def _no_businesses(turn: Turn, row: Row, arguments: Mapping[str, Any]) -> Listing:
    return Listing("business", [])


async def _revoke(turn: Turn, row: Row) -> dict[str, Any]:
    """All permissions, which removes the app, or the one that is named in the path or a parameter."""
    site, asker = turn.site, turn.asker()
    name = turn.ask.segments[2] if len(turn.ask.segments) > 2 else turn.ask.text("permission")
    if not name:
        remove_app(site, asker)
        return {"success": True}
    for token in site.world.all("tokens", app_id=asker["app_id"], person=asker["person"]):
        scopes = [scope for scope in token["scopes"] if scope != name]
        site.change("tokens", token, scopes=scopes, declined=[*token.get("declined", ()), name])
    return {"success": True}


async def _subscribe(turn: Turn, page: Row) -> dict[str, Any]:
    fields = [str(name) for name in turn.ask.items("subscribed_fields")]
    turn.site.change("pages", page, subscribed={**page["subscribed"], turn.asker()["app_id"]: fields})
    return {"success": True}


async def _unsubscribe(turn: Turn, page: Row) -> dict[str, Any]:
    left = {app: fields for app, fields in page["subscribed"].items() if app != turn.asker()["app_id"]}
    turn.site.change("pages", page, subscribed=left)
    return {"success": True}


def subscribed_apps(turn: Turn, page: Row, arguments: Mapping[str, Any]) -> Listing:
    rows = [{"id": app, "subscribed_fields": fields} for app, fields in page["subscribed"].items()]
    return Listing("app", rows)


USER = NodeType(
    label="User",
    defaults=("name", "id"),
    fields={
        "id": stored("id"),
        "name": stored("name"),
        "first_name": _first_name,
        "last_name": _last_name,
        "email": _email,
        "picture": picture,
        "link": nothing,
        "locale": nothing,
        "birthday": nothing,
    },
    edges={
        "accounts": Edge(_accounts, "pages_show_list"),
        "permissions": Edge(_permissions),
        "businesses": Edge(_no_businesses, "business_management"),
    },
    deeds={("DELETE", "permissions"): Deed(_revoke, by_page=False)},
)
PERMISSION = NodeType(
    label="Permission",
    defaults=("permission", "status"),
    fields={"id": nothing, "permission": stored("permission"), "status": stored("status")},
)
APP = NodeType(
    label="Application",
    defaults=("id", "name", "subscribed_fields"),
    fields={"id": stored("id"), "name": stored("name"), "subscribed_fields": stored("subscribed_fields")},
)
BUSINESS = NodeType(label="Business", defaults=("id", "name"), fields={})

PAGE_FIELDS: dict[str, Show] = {
    "id": stored("id"),
    "name": stored("name"),
    "username": stored("username"),
    "category": stored("category"),
    "category_list": _category_list,
    "about": stored("about"),
    "access_token": _page_access_token,
    "tasks": _tasks,
    "link": _page_link,
    "picture": picture,
    "fan_count": _none,
    "followers_count": _none,
    "talking_about_count": _none,
    "rating_count": _none,
    "is_published": _yes,
    "can_post": _yes,
    "verification_status": lambda turn, row, field: "not_verified",
    **dict.fromkeys(
        (
            "bio", "business", "connected_instagram_account", "cover", "description", "emails",
            "instagram_business_account", "location", "overall_star_rating", "phone", "website",
        ),
        nothing,
    ),
}  # fmt: skip
PAGE_DEEDS = {
    ("POST", "subscribed_apps"): Deed(_subscribe, "pages_manage_metadata"),
    ("DELETE", "subscribed_apps"): Deed(_unsubscribe, "pages_manage_metadata"),
}
