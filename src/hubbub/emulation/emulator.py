"""A stand-in for one platform: the routes it answers and what it does when told to misbehave."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any, ClassVar

from hubbub.emulation import slow
from hubbub.emulation.call import BadJson, Call, Refuse, Reply, Upload
from hubbub.emulation.clock import SandboxClock
from hubbub.emulation.refusal import body_of, status_of
from hubbub.emulation.routing import Route, route, routes_of
from hubbub.emulation.world import Thing, World
from hubbub.kit.clock import to_wire

__all__ = [
    "BadControl",
    "BadJson",
    "Call",
    "Emulator",
    "Refuse",
    "Reply",
    "SandboxClock",
    "Thing",
    "Upload",
    "World",
    "route",
]

log = logging.getLogger(__name__)

NOISE = bytes.fromhex("ff00c3288dfe1f7b22") + bytes(range(128, 256))
"""No text in any encoding of Unicode."""

HAPPENINGS = {"comment": "comments", "message": "messages", "review": "reviews", "mention": "mentions"}


class BadControl(ValueError):
    """What a control was given is wrong; becomes 400 `{"error": "<field>: <message>"}`."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class Emulator:
    """Subclass once per platform, in `platforms/<name>/emulator.py`; everything it knows lives in its world.

    An instance may be thrown away and made again at any moment (after a reset, after a restart).
    """

    name: ClassVar[str]
    routes: ClassVar[list[Route]] = []

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.routes = routes_of(cls)

    def __init__(self, facts: dict[str, Any], world: World, clock: SandboxClock) -> None:
        self.facts = facts
        self.world = world
        self.clock = clock
        world.mint = self.mint

    def now(self) -> str:
        """The sandbox's time as RFC 3339."""
        return to_wire(self.clock.now())

    # What a platform usually replaces

    def mint(self, kind: str) -> str:
        """A new id as this platform writes them."""
        return f"{kind}-{self.world.number(kind)}"

    def plain(self, path: str) -> str:
        """The path that routes and `on` of faults are matched against (a version prefix taken off, …)."""
        return path

    def answered(self, call: Call, reply: Reply) -> Reply:
        """The last look at every answer, faults included: headers that are always there."""
        return reply

    def not_found(self, call: Call) -> Reply:
        """No route answers this call."""
        return Reply(404, {"error": "not_found", "message": f"No route for {call.method} {call.path}"})

    def bad_json(self, call: Call, broken: BadJson) -> Reply:
        """A handler asked for JSON and the body was none."""
        return Reply(400, {"error": "invalid_json", "message": str(broken)})

    def broken(self, call: Call) -> Reply:
        """The platform's own words for an internal error; also the answer of `accept_then_500`."""
        return Reply(500, {"error": "internal_error", "message": "Internal server error"})

    def fault(self, kind: str, params: dict[str, Any], call: Call) -> Reply:
        """The answer for `refuse`, `throttle`, `expire_token`, `revoke`, `accept_then_500` and both garbages.

        `refuse` has the table of errors.toml in `params["entry"]`; `throttle` has seconds in
        `params["retry_after"]`. Platforms override this for their words (and to kill the token), and call
        `super().fault` for the rest.
        """
        if kind == "refuse":
            entry: dict[str, Any] = params["entry"]
            return Reply(status_of(entry), body_of(entry))
        if kind == "throttle":
            wait = str(params["retry_after"])
            return Reply(429, {"error": "rate_limited", "message": "Slow down"}, {"Retry-After": wait})
        if kind in ("garbage", "accept_then_garbage"):
            if params.get("of") == "bytes":
                return Reply(200, NOISE, {"content-type": "application/json"})
            page = "<!doctype html><title>Be right back</title><p>We will be right back."
            return Reply(200, page, {"content-type": "text/html; charset=utf-8"})
        if kind == "accept_then_500":
            return self.broken(call)
        return Reply(401, {"error": kind, "message": "The token is no longer valid"})

    def person_created(self, person: Thing) -> None:
        """Give a new person what this platform needs (ids, pages) with `self.world.update("people", …)`.

        `person` has id, username, name, created_at and every other field of the control's body; `places` is
        there only when it was given.
        """

    def happening(self, kind: str, body: dict[str, Any]) -> Thing:
        """Somebody does something: keep it and give it; it has an `id`.

        `body` has `text`, and `on` (a post's id) and `from` (a username) where given. Raises BadControl.
        """
        on = body.get("on")
        if on is not None and self.world.get("posts", on) is None:
            raise BadControl("on", f"there is no post {on!r}")
        author = self.somebody(body.get("from"))
        extra = {k: v for k, v in body.items() if k not in ("happening", "on", "from", "text", "id")}
        return self.world.add(
            HAPPENINGS[kind], **extra, on=on, author=author["id"], text=body["text"], created_at=self.now()
        )

    def advance(self, thing: str | None, to: str | None) -> int:
        """Move slow things on (all of them, or one sort), to `to` or to ready; how many moved."""
        return slow.advance(self, thing, to)

    def moved(self, thing: Thing) -> None:
        """A slow thing has just left `working`; its `state` is `ready` or `error`."""

    def export(self) -> dict[str, list[Thing]]:
        """What `GET /_sandbox/{platform}/world` shows."""
        return {kind: self.world.all(kind) for kind in ("people", "posts", *HAPPENINGS.values())}

    # What a platform uses

    def somebody(self, username: str | None) -> Thing:
        """The person with this username (`a_follower` when None), made on the spot when there is none."""
        return self.welcome({"username": username or "a_follower"})

    def welcome(self, fields: dict[str, Any]) -> Thing:
        """The person with `fields["username"]`, made from these fields when there is none."""
        username = fields["username"]
        known = self.world.one("people", username=username)
        if known is not None:
            return known
        name = fields.get("name") or username.replace("_", " ").title()
        person = self.world.add("people", **{**fields, "name": name, "created_at": self.now()})
        self.person_created(person)
        return self.world.get("people", person["id"]) or person

    def begin(self, thing: str, id: str) -> str:
        """Start something slow (a video's processing) at the pace chosen for it; its state now.

        The states are `working`, `ready`, `error`. Without a chosen pace it is ready at once.
        """
        return slow.begin(self, thing, id)

    def look(self, thing: str, id: str) -> str:
        """The state of a slow thing as a caller sees it; counts as one look. KeyError: never begun."""
        return slow.look(self, thing, id)

    # What the sandbox calls

    async def respond(self, call: Call) -> Reply:
        """Run the first route that matches; also for calls inside a batch. Never raises."""
        try:
            return await self._dispatch(call)
        except Refuse as refused:
            return refused.reply
        except BadJson as broken:
            return self.bad_json(call, broken)
        except Exception:
            log.exception("the %s stand-in failed on %s %s", self.name, call.method, call.path)
            return self.broken(call)

    async def _dispatch(self, call: Call) -> Reply:
        path = self.plain(call.path)
        method = "GET" if call.method == "HEAD" else call.method
        for made in self.routes:
            if made.method == method and (found := made.shape.fullmatch(path)):
                return await made.answer(self, replace(call, params=found.groupdict()))
        return self.not_found(call)
