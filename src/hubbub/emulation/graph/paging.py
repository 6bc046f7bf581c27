"""Cutting a list into Graph's pages, with cursors and absolute links."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from hubbub.emulation.graph.errors import bad_parameter

DEFAULT_LIMIT = 25
MOST = 100
Row = dict[str, Any]


@dataclass
class Cut:
    """One page of rows; `paging` is empty when there are no rows."""

    rows: list[Row]
    paging: dict[str, Any]


def cut(
    rows: list[Row], arguments: Mapping[str, Any], link: Callable[[str], str], *, most: int = MOST
) -> Cut:
    """The rows after (or before) a cursor; `link` makes an absolute URL from a query string.

    `next` is left out on the last page although `after` stays: consumers must stop on a missing `next`.
    https://developers.facebook.com/docs/graph-api/results
    """
    limit = min(_limit(arguments.get("limit")), most)
    first, end = 0, limit
    if after := arguments.get("after"):
        first = _place(rows, str(after)) + 1
        end = first + limit
    elif before := arguments.get("before"):
        end = _place(rows, str(before))
        first = max(0, end - limit)
    shown = rows[first:end]
    if not shown:
        return Cut([], {})
    cursors = {"before": _cursor(shown[0], first), "after": _cursor(shown[-1], first + len(shown) - 1)}
    paging: dict[str, Any] = {"cursors": cursors}
    kept = {k: v for k, v in arguments.items() if k not in ("after", "before", "limit")} | {"limit": limit}
    if first > 0:
        paging["previous"] = link(urlencode(kept | {"before": cursors["before"]}))
    if end < len(rows):
        paging["next"] = link(urlencode(kept | {"after": cursors["after"]}))
    return Cut(shown, paging)


def _cursor(row: Row, index: int) -> str:
    return base64.urlsafe_b64encode(f"{row['id']}|{index}".encode()).decode().rstrip("=")


def _place(rows: list[Row], text: str) -> int:
    """Where the row of a cursor is now, or would be if it had not been deleted meanwhile."""
    try:
        row_id, _, index = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition("|")
        was_at = int(index)
    except ValueError as broken:
        raise bad_parameter("Invalid cursors values") from broken
    for now_at, row in enumerate(rows):
        if row["id"] == row_id:
            return now_at
    return was_at - 1


def _limit(value: Any) -> int:
    if value in (None, ""):
        return DEFAULT_LIMIT
    try:
        limit = int(str(value))
    except ValueError as broken:
        raise bad_parameter("Param limit must be an integer") from broken
    if limit < 0:
        raise bad_parameter("Param limit must be non-negative")
    return limit or DEFAULT_LIMIT
