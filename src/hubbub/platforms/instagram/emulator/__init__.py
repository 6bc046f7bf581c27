"""Instagram's stand-in: publishing by containers, comments, numbers, and both ways of signing in."""

from __future__ import annotations

import json
import math
from html import escape
from typing import Any

from hubbub.emulation.emulator import (
    BadControl,
    BadJson,
    Call,
    Emulator,
    Reply,
    SandboxClock,
    Thing,
    World,
    route,
)
from hubbub.emulation.graph.ask import read_call, split_path
from hubbub.emulation.graph.envelope import complete, outage, refused
from hubbub.emulation.graph.errors import GraphError, bad_parameter, new_trace

from . import containers, login, tokens
from .media import add_comment
from .nodes import answer
from .site import Site, Turn

FACEBOOK = "/facebook"
"""Paths under this are graph.facebook.com and www.facebook.com, the others Instagram's own hosts."""


class InstagramEmulator(Emulator):
    """Each person has one professional account, whose id is the person's. Ids are long digit strings."""

    name = "instagram"

    def __init__(self, facts: dict[str, Any], world: World, clock: SandboxClock) -> None:
        super().__init__(facts, world, clock)
        self.site = Site(self)

    # Signing in

    @route("GET", "/oauth/authorize")
    @route("POST", "/oauth/authorize")
    async def dialog(self, call: Call) -> Reply:
        return login.dialog(self.site, call, "instagram")

    @route("GET", "/dialog/oauth")
    @route("POST", "/dialog/oauth")
    async def facebook_dialog(self, call: Call) -> Reply:
        return login.dialog(self.site, call, "facebook")

    # Things a browser looks at

    @route("GET", "/{sort}/{shortcode}/page")
    async def permalink(self, call: Call) -> Reply:
        """A page with what was posted, so that links lead somewhere."""
        post = self.world.one("posts", shortcode=call.params["shortcode"])
        if post is None:
            return Reply(404, "<!doctype html><title>Instagram</title><h1>This page isn't available</h1>")
        name, text = escape(post["author"]), escape(post["text"])
        return Reply(
            200, f"<!doctype html><meta charset=utf-8><title>{name}</title><h1>{name}</h1><p>{text}</p>"
        )

    # Graph

    @route("GET", "/{path:path}")
    @route("POST", "/{path:path}")
    @route("DELETE", "/{path:path}")
    async def graph(self, call: Call) -> Reply:
        """Everything else is a node or an edge, on one of two hosts."""
        by_facebook, path = _host(call.path)
        if not by_facebook and (call.method, path) == ("POST", "/oauth/access_token"):
            return login.code_to_token(self.site, call)
        try:
            ask = read_call(call, call.base_url + (FACEBOOK if by_facebook else ""), path)
            turn = Turn(self.site, ask, by_facebook)
            return Reply(200, await self._said(turn), _usage(turn))
        except GraphError as error:
            return refused(error)

    async def _said(self, turn: Turn) -> Any:
        path = "/".join(turn.ask.segments)
        if turn.by_facebook and path == "oauth/access_token":
            return login.facebook_token(self.site, turn.ask)
        if not turn.by_facebook and path == "access_token":
            return login.exchange(self.site, turn.ask)
        if not turn.by_facebook and path == "refresh_access_token":
            return login.refresh(self.site, turn.ask)
        if turn.ask.token:
            turn.token = tokens.read(self.site, turn.ask, by_facebook=turn.by_facebook)
        return await answer(turn)

    # What the framework asks of a platform

    def mint(self, kind: str) -> str:
        return self.site.new_id()

    def plain(self, path: str) -> str:
        plain = "/" + "/".join(split_path(_host(path)[1])[1])
        is_page = plain.split("/")[1] in ("p", "reel", "stories") and plain.count("/") == 2
        return plain + "/page" if is_page else plain

    def answered(self, call: Call, reply: Reply) -> Reply:
        version = split_path(_host(call.path)[1])[0]
        reply.headers = {"facebook-api-version": version, "x-fb-trace-id": new_trace(), **reply.headers}
        return reply

    def bad_json(self, call: Call, broken: BadJson) -> Reply:
        return refused(bad_parameter("Invalid JSON in the request body"))

    def not_found(self, call: Call) -> Reply:
        return refused(GraphError(100, f"Unsupported method {call.method}"))

    def broken(self, call: Call) -> Reply:
        message = "An unexpected error has occurred. Please retry your request later."
        return refused(GraphError(2, message, transient=True))

    def fault(self, kind: str, params: dict[str, Any], call: Call) -> Reply:
        """Throttling, dead tokens and refusals as Graph words them; the token really dies."""
        if kind == "throttle":
            error = GraphError(4, "(#4) Application request limit reached", transient=True)
            minutes = math.ceil(params["retry_after"] / 60)
            headers = _used(100, minutes) | {"retry-after": str(params["retry_after"])}
            return Reply(error.status, error.body(), headers)
        if kind in ("expire_token", "revoke"):
            return self._end(kind, call)
        reply = super().fault(kind, params, call)
        if kind == "refuse" and isinstance(reply.body, dict):
            say = str(params["entry"].get("say", ""))
            if not reply.body:
                return outage(reply.status, say)
            if "error_type" in reply.body:
                reply.body |= {"error_message": say}
            else:
                reply.body["error"] = complete(reply.body.get("error"), say)
        return reply

    def _end(self, kind: str, call: Call) -> Reply:
        """What no longer works is the whole login, as when a person's session ends."""
        try:
            text = read_call(call, path=_host(call.path)[1]).token
        except GraphError:
            text = None
        row = self.world.get("tokens", text) if text else None
        row = row or {"id": "", "app_id": "0", "expires_at": 0, "session": "", "ended": 0}
        if kind == "expire_token":
            tokens.end_session(self.site, row, tokens.EXPIRED)
            return refused(tokens.expired(self.site, row))
        tokens.remove_app(self.site, row)
        gone = tokens.trouble(self.site, {**row, "ended": tokens.APP_REMOVED})
        return refused(gone or tokens.expired(self.site, row))

    def person_created(self, person: Thing) -> None:
        """`quota_total` is how many posts a day they may make; `places: []` leaves them without a Page."""
        quota = person.get("quota_total", containers.QUOTA)
        if not isinstance(quota, int) or isinstance(quota, bool) or quota < 0:
            self.world.remove("people", person["id"])
            raise BadControl("quota_total", "must be a whole number, 0 or more")

    def happening(self, kind: str, body: dict[str, Any]) -> Thing:
        """`comment`: `on` is a post; the newest one when absent."""
        if kind != "comment":
            return super().happening(kind, body)
        posts = self.world.all("posts")
        on = body.get("on") or (posts[-1]["id"] if posts else "")
        post = self.world.get("posts", on)
        if post is None:
            raise BadControl("on", f"there is nothing to comment on with id {on!r}")
        return add_comment(self.site, post, self.somebody(body.get("from")), body["text"])

    def moved(self, thing: Thing) -> None:
        containers.moved(self.site, thing["of"], thing["state"])

    def export(self) -> dict[str, list[Thing]]:
        return {**super().export(), "containers": self.world.all("containers")}


def _host(path: str) -> tuple[bool, str]:
    """Whether a path is Facebook's, and the path on that host."""
    if path == FACEBOOK or path.startswith(FACEBOOK + "/"):
        return True, path.removeprefix(FACEBOOK) or "/"
    return False, path


def _usage(turn: Turn) -> dict[str, str]:
    return _used(1, 0) if turn.token else {}


def _used(percent: int, minutes: int) -> dict[str, str]:
    """https://developers.facebook.com/docs/graph-api/overview/rate-limiting"""
    used: dict[str, Any] = {"call_count": percent, "total_cputime": percent, "total_time": percent}
    entry = {"type": "instagram", **used, "estimated_time_to_regain_access": minutes}
    return {"x-app-usage": json.dumps(used), "x-business-use-case-usage": json.dumps({"0": [entry]})}
