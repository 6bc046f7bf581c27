"""Every kind of node there is, how one is found by its id, and how it is written out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from hubbub.emulation.graph.errors import (
    GraphError,
    no_such_alias,
    no_such_field,
    no_such_object,
    no_such_path,
    page_token_needed,
    permission_missing,
    token_missing_for_me,
)
from hubbub.emulation.graph.fields import Field, parse
from hubbub.emulation.graph.paging import cut

from . import people, photos, posts, reels, videos
from .attachments import ATTACHMENT
from .comments import COMMENT, LIKER
from .site import Edge, Listing, NodeType, Row, Turn

PAGE = NodeType(
    label="Page",
    defaults=("name", "id"),
    fields=people.PAGE_FIELDS,
    edges={
        **posts.PAGE_EDGES,
        **photos.PAGE_EDGES,
        **videos.PAGE_EDGES,
        **reels.PAGE_EDGES,
        "subscribed_apps": Edge(people.subscribed_apps, "pages_manage_metadata"),
    },
    deeds={
        **posts.PAGE_DEEDS,
        **photos.PAGE_DEEDS,
        **videos.PAGE_DEEDS,
        **reels.PAGE_DEEDS,
        **people.PAGE_DEEDS,
    },
)
NODES: dict[str, NodeType] = {
    "user": people.USER,
    "permission": people.PERMISSION,
    "business": people.BUSINESS,
    "app": people.APP,
    "page": PAGE,
    "post": posts.POST,
    "photo": photos.PHOTO,
    "video": videos.VIDEO,
    "story": reels.STORY,
    "attachment": ATTACHMENT,
    "comment": COMMENT,
    "liker": LIKER,
}
OPEN_PAGE_FIELDS = frozenset({"id", "name", "category", "category_list", "link", "picture", "username"})


def find(turn: Turn, node_id: str) -> tuple[str, Row]:
    """The kind and row behind an id (a post's also without its page's part), `me` or a username of a page.

    Raises GraphError 100/33 (no such id, or hidden from this token), 803 (no such name) or 2500 (`me`
    without a token).
    """
    if node_id == "me":
        return _me(turn)
    kind, row = _look_up(turn, node_id)
    if row is None:
        known_form = node_id.replace("_", "").isdigit()
        raise no_such_object(turn.ask.method, node_id) if known_form else no_such_alias(node_id)
    if kind == "user" and row["id"] != _person_id(turn):
        raise no_such_object(turn.ask.method, node_id)
    if kind not in ("user", "page") and not turn.manages(row["page_id"]):
        raise no_such_object(turn.ask.method, node_id)
    return kind, row


def _me(turn: Turn) -> tuple[str, Row]:
    if turn.token is None:
        raise token_missing_for_me()
    if turn.token["type"] == "PAGE":
        row, kind = turn.site.world.get("pages", turn.token["page_id"]), "page"
    else:
        row, kind = turn.site.world.get("people", _person_id(turn)), "user"
    if row is None:
        raise token_missing_for_me()
    return kind, row


def _person_id(turn: Turn) -> str:
    person = turn.site.world.one("people", username=turn.asker().get("person"))
    return person["id"] if person else ""


def _look_up(turn: Turn, node_id: str) -> tuple[str, Row | None]:
    world = turn.site.world
    within = f"{turn.asker().get('page_id')}_{node_id}"
    for kind, found in (
        ("post", turn.site.post(node_id) or turn.site.post(within)),
        ("comment", world.get("comments", node_id)),
        ("page", world.get("pages", node_id) or world.one("pages", username=node_id)),
        ("user", world.get("people", node_id)),
    ):
        if found is not None:
            return kind, found
    media = world.get("media", node_id)
    return (media["type"], media) if media else ("", None)


def fields_asked(turn: Turn, kind: str) -> list[Field]:
    """The `fields` parameter, or the kind's small default set."""
    asked = parse(turn.ask.text("fields"))
    return asked or [Field(name) for name in NODES[kind].defaults]


def written(turn: Turn, kind: str, row: Row, fields: list[Field]) -> dict[str, Any]:
    """The node as JSON; empty fields are left out and `id` is always there.

    Raises GraphError 100 for a field that this kind of node does not have.
    """
    node = NODES[kind]
    shown: dict[str, Any] = {}
    for one in fields:
        if one.name in node.fields:
            value = node.fields[one.name](turn, row, one)
            if value is not None:
                shown[one.name] = _narrowed(value, one.children)
        elif one.name in node.edges:
            arguments = {**one.arguments}
            shown[one.name] = page_of(turn, kind, row, one.name, arguments, one.children)
        else:
            raise no_such_field(one.name, node.label)
    if "id" in node.fields and (row_id := node.fields["id"](turn, row, Field("id"))) is not None:
        shown["id"] = row_id
    return shown


def _narrowed(value: Any, children: list[Field]) -> Any:
    """The parts of an object that were asked for in braces; inside `data` for pictures and attachments."""
    if not children or not isinstance(value, dict | list):
        return value
    if isinstance(value, list):
        return [_narrowed(item, children) for item in cast("list[Any]", value)]
    inner = cast("dict[str, Any]", value)
    if "data" in inner:
        return {**inner, "data": _narrowed(inner["data"], children)}
    return {one.name: _narrowed(inner[one.name], one.children) for one in children if one.name in inner}


def page_of(
    turn: Turn, kind: str, row: Row, edge: str, arguments: Mapping[str, Any], fields: list[Field]
) -> dict[str, Any]:
    """One page of an edge: `data`, `paging`, and `summary` when it was asked for."""
    made = NODES[kind].edges[edge]
    if made.permission not in ("", "pages_show_list", "business_management") and not turn.manages(
        row["id"] if kind == "page" else row["page_id"]
    ):
        raise permission_missing(made.permission)
    turn.need(made.permission)
    listing = made.list(turn, row, arguments)
    shown = fields or [Field(name) for name in listing.defaults or NODES[listing.kind].defaults]
    link_to = f"{turn.ask.base}/{turn.ask.version}/{row['id']}/{edge}?"
    kept = {**arguments, "access_token": turn.ask.token or ""}
    if fields:
        kept["fields"] = ",".join(one.text() for one in fields)
    page = cut(listing.rows, kept, lambda query: link_to + query, most=listing.most)
    answer: dict[str, Any] = {"data": [written(turn, listing.kind, one, shown) for one in page.rows]}
    if page.paging:
        answer["paging"] = page.paging
    if str(arguments.get("summary", "")).lower() not in ("", "false", "0"):
        answer["summary"] = listing.summary or _count(listing)
    return answer


def _count(listing: Listing) -> dict[str, Any]:
    return {"total_count": len(listing.rows)}


async def answer(turn: Turn) -> dict[str, Any]:
    """What Graph says to a read or a deed on `/{node}` or `/{node}/{edge}`. Raises GraphError."""
    segments, method = turn.ask.segments, turn.ask.method
    if not segments:
        raise no_such_path("/")
    node_id, edge = segments[0], segments[1] if len(segments) > 1 else ""
    if turn.token is None and node_id != "me":
        turn.asker()
    kind, row = find(turn, node_id)
    if len(segments) > 2 and edge != "permissions":
        raise no_such_path("/" + "/".join(segments[2:]))
    if method == "GET":
        return _read(turn, kind, row, edge)
    return await _do(turn, kind, row, edge)


def _read(turn: Turn, kind: str, row: Row, edge: str) -> dict[str, Any]:
    if edge:
        if edge not in NODES[kind].edges:
            raise no_such_field(edge, NODES[kind].label)
        asked = parse(turn.ask.text("fields"))
        arguments = {k: v for k, v in turn.ask.params.items() if k not in ("access_token", "method")}
        return page_of(turn, kind, row, edge, arguments, asked)
    fields = fields_asked(turn, kind)
    if kind == "page" and not turn.manages(row["id"]):
        hidden = [one.name for one in fields if one.name not in OPEN_PAGE_FIELDS]
        if hidden:
            raise permission_missing("pages_read_engagement")
    return written(turn, kind, row, fields)


async def _do(turn: Turn, kind: str, row: Row, edge: str) -> dict[str, Any]:
    """A write or delete; with `fields` a create answers with those fields of the new node."""
    deed = NODES[kind].deeds.get((turn.ask.method, edge))
    if deed is None:
        raise no_such_object(turn.ask.method, turn.ask.segments[0])
    if deed.by_page:
        if turn.asker()["type"] != "PAGE":
            raise page_token_needed()
        if not turn.manages(row["id"] if kind == "page" else row["page_id"]):
            raise no_such_object(turn.ask.method, row["id"])
    turn.need(deed.permission, writing=True)
    done = await deed.act(turn, row)
    if turn.ask.given("fields") and isinstance(done.get("id"), str):
        new_kind, new = find(turn, done["id"])
        return {**done, **written(turn, new_kind, new, fields_asked(turn, new_kind))}
    return done


def read_many(turn: Turn) -> dict[str, Any]:
    """`GET /?ids=A,B`: an object keyed by id. Raises GraphError when one of them is missing."""
    ids = [str(one).strip() for one in turn.ask.items("ids")]
    if not ids:
        raise GraphError(2500, "Cannot specify an empty identifier")
    found = {node_id: find(turn, node_id) for node_id in ids}
    return {
        node_id: written(turn, kind, row, fields_asked(turn, kind)) for node_id, (kind, row) in found.items()
    }
