"""What exists on the stand-in, and the one request that is being answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hubbub.emulation.emulator import Emulator
from hubbub.emulation.graph.ask import Ask
from hubbub.emulation.graph.errors import permission_missing, publishing_not_allowed, token_missing
from hubbub.emulation.graph.fields import Field
from hubbub.kit import clock as wall

Row = dict[str, Any]


class Site:
    """The world in Graph's terms: ids, times, and posts that become visible.

    Visible posts are `posts`; scheduled ones and drafts are `drafts` until they are published.
    `begin` and `look` are the sandbox's slow things.
    """

    def __init__(self, emulator: Emulator) -> None:
        self.world = emulator.world
        self.clock = emulator.clock
        self.begin = emulator.begin
        self.look = emulator.look
        self._last_id = 0

    def now(self) -> datetime:
        return self.clock.now()

    def stamp(self) -> str:
        """The sandbox's time as RFC 3339."""
        return wall.to_wire(self.now())

    def unix(self) -> int:
        return int(self.now().timestamp())

    def new_id(self) -> str:
        """Sixteen digits, unique and rising, never repeated by a later world: real time in microseconds."""
        self._last_id = max(self._last_id + 1, int(wall.now().timestamp() * 1_000_000))
        return str(self._last_id)

    def post(self, post_id: str) -> Row | None:
        return self.world.get("posts", post_id) or self.world.get("drafts", post_id)

    def change(self, kind: str, row: Row, **fields: Any) -> None:
        """Write new values for some fields of a row, in the world and in the row at hand."""
        row.update(fields)
        self.world.update(kind, row["id"], **fields)

    def change_post(self, row: Row, **fields: Any) -> None:
        self.change("posts" if self.world.get("posts", row["id"]) else "drafts", row, **fields)

    def publish_draft(self, draft: Row) -> None:
        """From now on people see the post, and the photos in it."""
        for item in self.world.all("media", post_id=draft["id"]):
            self.change("media", item, published=True)
        self.world.remove("drafts", draft["id"])
        now = self.stamp()
        self.world.add("posts", **{**draft, "scheduled_at": None, "created_at": now, "updated_at": now})

    def publish_what_is_due(self) -> None:
        """Scheduled posts whose time has come by the sandbox's clock."""
        now = self.unix()
        for draft in self.world.all("drafts"):
            if draft["scheduled_at"] and draft["scheduled_at"] <= now and not draft["processing"]:
                self.publish_draft(draft)


@dataclass
class Turn:
    """One request: the world, what was asked, and who asks (None until the token was read)."""

    site: Site
    ask: Ask
    token: Row | None = None

    def asker(self) -> Row:
        """Raises GraphError 104 when there is no token."""
        if self.token is None:
            raise token_missing()
        return self.token

    def need(self, permission: str, *, writing: bool = False) -> None:
        """Raises GraphError 200 (writing) or 10 (reading) when the person did not grant it."""
        if permission and permission not in self.asker()["scopes"]:
            raise publishing_not_allowed(permission) if writing else permission_missing(permission)

    def manages(self, page_id: str) -> bool:
        asker = self.asker()
        if asker["type"] == "PAGE":
            return asker["page_id"] == page_id
        page = self.site.world.get("pages", page_id)
        return page is not None and asker["type"] == "USER" and page["owner"] == asker["person"]


@dataclass
class Listing:
    """What an edge holds: rows of one node kind, and what `summary=true` adds."""

    kind: str
    rows: list[Row]
    summary: dict[str, Any] = field(default_factory=dict[str, Any])
    defaults: tuple[str, ...] = ()
    most: int = 100


Show = Callable[[Turn, Row, Field], Any]
List = Callable[[Turn, Row, Mapping[str, Any]], Listing]
Act = Callable[[Turn, Row], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class Edge:
    """A readable connection and the permission it takes."""

    list: List
    permission: str = ""


@dataclass(frozen=True)
class Deed:
    """Something a token may do to a node; most deeds are a page's own."""

    act: Act
    permission: str = ""
    by_page: bool = True


@dataclass(frozen=True)
class NodeType:
    """Facts and edges of one kind of node; `deeds` are keyed by method and edge ("" for the node itself)."""

    label: str
    defaults: tuple[str, ...]
    fields: Mapping[str, Show]
    edges: Mapping[str, Edge] = field(default_factory=dict[str, Edge])
    deeds: Mapping[tuple[str, str], Deed] = field(default_factory=dict[tuple[str, str], Deed])


def stored(key: str) -> Show:
    """A field that is simply written in the row."""
    return lambda turn, row, field: row.get(key)


def moment(key: str) -> Show:
    """A stored instant, as Graph writes it: `2026-01-02T18:31:28+0000`."""
    return lambda turn, row, field: graph_time(row.get(key))


def graph_time(text: str | None) -> str | None:
    if not text:
        return None
    return wall.from_wire(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def nothing(turn: Turn, row: Row, field: Field) -> None:
    """A field that exists on the platform and is empty here."""
