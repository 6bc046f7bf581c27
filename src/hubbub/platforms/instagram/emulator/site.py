"""What exists on the stand-in, and the one request that is being answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hubbub.emulation.emulator import Emulator
from hubbub.emulation.graph.ask import Ask
from hubbub.emulation.graph.errors import GraphError, permission_missing, token_missing
from hubbub.emulation.graph.fields import Field
from hubbub.kit import clock as wall

Row = dict[str, Any]

# Each right has one name under Instagram Login and one under Facebook Login.
# https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/business-login
RIGHTS = {
    "basic": ("instagram_business_basic", "instagram_basic"),
    "publish": ("instagram_business_content_publish", "instagram_content_publish"),
    "comments": ("instagram_business_manage_comments", "instagram_manage_comments"),
    "insights": ("instagram_business_manage_insights", "instagram_manage_insights"),
}


class Site:
    """The world in Instagram's terms: ids, times, containers, and posts that people see.

    `containers` are what is prepared, `posts` what is published; `begin` and `look` are the sandbox's slow things.
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
        """Seventeen digits, unique and rising, never repeated by a later world."""
        self._last_id = max(self._last_id + 1, int(wall.now().timestamp() * 1_000_000))
        return f"1{self._last_id}"

    def change(self, kind: str, row: Row, **fields: Any) -> None:
        """Write new values for some fields of a row, in the world and in the row at hand."""
        row.update(fields)
        self.world.update(kind, row["id"], **fields)


@dataclass
class Turn:
    """One request: the world, what was asked, and who asks (None until the token was read)."""

    site: Site
    ask: Ask
    by_facebook: bool
    """Whether it came to the host of Facebook Login."""
    token: Row | None = None

    def asker(self) -> Row:
        """Raises GraphError 104 when there is no token."""
        if self.token is None:
            raise token_missing()
        return self.token

    def need(self, right: str) -> None:
        """Raises GraphError 10 when the person did not grant it."""
        names = RIGHTS[right]
        if not set(names) & set(self.asker()["scopes"]):
            raise permission_missing(names[self.by_facebook])

    def person(self) -> Row:
        """The professional account behind the token. Raises GraphError 110 when it is gone."""
        person = self.site.world.get("people", self.asker()["person_id"])
        if person is None:
            raise GraphError(110, "(#110) Invalid user id")
        return person


Show = Callable[[Turn, Row, Field], Any]
List = Callable[[Turn, Row, Mapping[str, Any]], tuple[str, list[Row]]]
"""The kind of the rows, and the rows."""
Act = Callable[[Turn, Row], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class NodeType:
    """Facts and edges of one kind of node; `deeds` are keyed by method and edge ("" for the node itself).

    Edges and deeds name the right they take.
    """

    label: str
    fields: Mapping[str, Show]
    edges: Mapping[str, tuple[List, str]]
    deeds: Mapping[tuple[str, str], tuple[Act, str]]
    defaults: tuple[str, ...] = ("id",)


def stored(key: str) -> Show:
    """A field that is simply written in the row."""
    return lambda turn, row, field: row.get(key)


def moment(key: str) -> Show:
    """A stored instant, as Graph writes it: `2026-01-02T18:31:28+0000`."""
    return lambda turn, row, field: (
        wall.from_wire(row[key]).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
    )


def nothing(turn: Turn, row: Row, field: Field) -> None:
    """A field that exists on the platform and is empty here."""


def refused(code: int, subcode: int, sentence: str, *, title: str | None = None) -> GraphError:
    """A refusal as the publishing calls word it.

    https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/error-codes
    """
    return GraphError(
        code,
        f"(#{code}) {sentence}",
        subcode=subcode,
        status=400,
        transient=False,
        title=title,
        sentence=sentence,
    )
