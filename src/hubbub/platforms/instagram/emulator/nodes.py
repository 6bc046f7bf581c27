"""Every kind of node, how one is found by its id, and how it is written out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from hubbub.emulation.graph.errors import (
    no_such_field,
    no_such_object,
    no_such_path,
    token_missing_for_me,
)
from hubbub.emulation.graph.fields import Field, parse
from hubbub.emulation.graph.paging import cut

from . import containers, insights, media, people
from .site import NodeType, Row, Turn

NODES: dict[str, NodeType] = {
    "account": people.ACCOUNT,
    "user": people.USER,
    "page": people.PAGE,
    "permission": people.PERMISSION,
    "quota": people.QUOTA,
    "container": containers.CONTAINER,
    "media": media.MEDIA,
    "child": media.CHILD,
    "comment": media.COMMENT,
}
MOST = {"comments": 50}


def find(turn: Turn, node_id: str) -> tuple[str, Row]:
    """The kind and row behind an id or `me`. Raises GraphError 100/33 (none that this token sees) or 2500."""
    if node_id == "me":
        if turn.token is None:
            raise token_missing_for_me()
        return "user" if turn.by_facebook else "account", turn.person()
    world, mine = turn.site.world, turn.person()
    if node_id in (mine["id"], people.scoped(mine)):
        return "account", mine
    if turn.by_facebook and node_id == people.page_id(mine):
        return "page", mine
    if (row := world.get("containers", node_id)) and row["owner"] == mine["id"]:
        return "container", row
    if (row := world.get("posts", node_id)) and row["owner"] == mine["id"]:
        return "media", row
    if (row := world.get("comments", node_id)) and _is_on_mine(turn, row):
        return "comment", row
    raise no_such_object(turn.ask.method, node_id)


def _is_on_mine(turn: Turn, comment: Row) -> bool:
    post = turn.site.world.get("posts", comment["on"])
    return post is not None and post["owner"] == turn.person()["id"]


async def answer(turn: Turn) -> dict[str, Any]:
    """What Graph says to a read or a deed on `/{node}` or `/{node}/{edge}`. Raises GraphError."""
    segments = turn.ask.segments
    if not segments or len(segments) > 2:
        raise no_such_path("/" + "/".join(segments))
    node_id, edge = segments[0], segments[1] if len(segments) > 1 else ""
    if turn.token is None and node_id != "me":
        turn.asker()
    kind, row = find(turn, node_id)
    if turn.ask.method == "GET":
        return _read(turn, kind, row, edge)
    if (turn.ask.method, kind, edge) == ("DELETE", "media", ""):
        raise media.no_deletion()
    deed = NODES[kind].deeds.get((turn.ask.method, edge))
    if deed is None:
        raise no_such_object(turn.ask.method, node_id)
    act, right = deed
    if right:
        turn.need(right)
    done = await act(turn, row)
    if turn.ask.given("fields") and isinstance(done.get("id"), str):
        new_kind, new = find(turn, done["id"])
        return written(turn, new_kind, new, parse(turn.ask.text("fields")))
    return done


def _read(turn: Turn, kind: str, row: Row, edge: str) -> dict[str, Any]:
    if edge == "insights" and kind in ("media", "account"):
        return insights.of_media(turn, row) if kind == "media" else insights.of_account(turn, row)
    asked = parse(turn.ask.text("fields"))
    if edge:
        if edge not in NODES[kind].edges:
            raise no_such_field(edge, NODES[kind].label)
        arguments = {k: v for k, v in turn.ask.params.items() if k not in ("access_token", "method")}
        return page_of(turn, kind, row, edge, arguments, asked)
    if kind not in ("user", "page"):
        turn.need("basic")
    return written(turn, kind, row, asked or [Field(name) for name in NODES[kind].defaults])


def written(turn: Turn, kind: str, row: Row, fields: list[Field]) -> dict[str, Any]:
    """The node as JSON; empty fields are left out and `id` is there where the kind has one.

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
            shown[one.name] = page_of(turn, kind, row, one.name, one.arguments, one.children)
        else:
            raise no_such_field(one.name, node.label)
    if "id" in node.fields and (row_id := node.fields["id"](turn, row, Field("id"))) is not None:
        shown["id"] = row_id
    return shown


def _narrowed(value: Any, children: list[Field]) -> Any:
    """The parts of an object that were asked for in braces."""
    if not children or not isinstance(value, dict):
        return value
    inner = cast("dict[str, Any]", value)
    return {one.name: _narrowed(inner[one.name], one.children) for one in children if one.name in inner}


def page_of(
    turn: Turn, kind: str, row: Row, edge: str, arguments: Mapping[str, Any], fields: list[Field]
) -> dict[str, Any]:
    """One page of an edge: `data` and `paging`."""
    list_rows, right = NODES[kind].edges[edge]
    if right:
        turn.need(right)
    of_kind, rows = list_rows(turn, row, arguments)
    shown = fields or [Field(name) for name in NODES[of_kind].defaults]
    link_to = f"{turn.ask.base}/{turn.ask.version}/{row.get('id')}/{edge}?"
    kept = {**arguments, "access_token": turn.ask.token or ""}
    if fields:
        kept["fields"] = ",".join(one.text() for one in fields)
    page = cut(rows, kept, lambda query: link_to + query, most=MOST.get(edge, 100))
    made: dict[str, Any] = {"data": [written(turn, of_kind, one, shown) for one in page.rows]}
    return {**made, "paging": page.paging} if page.paging else made
