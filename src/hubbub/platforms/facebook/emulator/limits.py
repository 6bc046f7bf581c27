"""How much of its budget a token has used, and what happens when nothing is left."""

from __future__ import annotations

import json
from typing import Any

from hubbub.emulation.emulator import Reply
from hubbub.emulation.graph.errors import GraphError

from .site import Row, Turn


def usage(turn: Turn) -> dict[str, str]:
    """The headers of every answer, in percent; here nobody ever comes near a limit by itself.

    https://developers.facebook.com/docs/graph-api/overview/rate-limiting
    """
    return headers(turn.token, percent=1, minutes=0) if turn.token else {}


def headers(token: Row | None, *, percent: int, minutes: int) -> dict[str, str]:
    """`minutes` is how long until access comes back; only page tokens have a business-use-case budget."""
    used: dict[str, Any] = {"call_count": percent, "total_cputime": percent, "total_time": percent}
    made = {"x-app-usage": json.dumps(used)}
    if token is not None and token.get("page_id"):
        entry = {"type": "pages", **used, "estimated_time_to_regain_access": minutes}
        made["x-business-use-case-usage"] = json.dumps({token["page_id"]: [entry]})
    return made


def throttled(token: Row | None, minutes: int, seconds: int) -> Reply:
    """Code 32 for a page's token, 4 for an application's or a person's."""
    if token is not None and token.get("page_id"):
        refused = GraphError(32, "(#32) Page request limit reached", transient=True)
    else:
        refused = GraphError(4, "(#4) Application request limit reached", transient=True)
    extra = headers(token, percent=100, minutes=minutes) | {"retry-after": str(seconds)}
    return Reply(refused.status, refused.body(), extra)
