"""Facebook's stand-in: the Graph API for Pages, Facebook Login and the faults they can have."""

from __future__ import annotations

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
from hubbub.emulation.graph.ask import Ask, read_call, split_path
from hubbub.emulation.graph.batch import batch
from hubbub.emulation.graph.envelope import complete, outage, refused
from hubbub.emulation.graph.errors import GraphError, bad_parameter, new_trace

from . import login, reels, tokens, videos
from .comments import add_comment, subject_of
from .limits import throttled, usage
from .nodes import answer, read_many
from .site import Site, Turn
from .tokens import APP_REMOVED, EXPIRED

CATEGORIES = {"Local business": "2500", "Bakery": "1309", "Bookstore": "197048876974331"}
DEMO_PAGES = (
    {"name": "Demo Bakery", "category": "Bakery"},
    {"name": "Demo Books", "category": "Bookstore"},
)
# The smallest PNG there is: what a picture of something that has no bytes looks like.
BLANK = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002"
    "0001e221bc330000000049454e44ae426082"
)


class FacebookEmulator(Emulator):
    """Pages, their posts, photos, videos and comments. Person and page ids are long digit strings."""

    name = "facebook"

    def __init__(self, facts: dict[str, Any], world: World, clock: SandboxClock) -> None:
        super().__init__(facts, world, clock)
        self.site = Site(self)

    # Signing in

    @route("GET", "/dialog/oauth")
    @route("POST", "/dialog/oauth")
    async def dialog(self, call: Call) -> Reply:
        return login.dialog(self.site, call)

    # Things a browser looks at

    @route("GET", "/permalink/{id}")
    async def permalink(self, call: Call) -> Reply:
        """A page with what was posted, so that links lead somewhere."""
        post = self.site.post(call.params["id"]) or self.world.get("media", call.params["id"])
        page = self.world.get("pages", post["page_id"] if post else call.params["id"])
        if page is None:
            return Reply(404, "<!doctype html><title>Facebook</title><h1>This content isn't available</h1>")
        name, text = escape(page["name"]), escape(post["text"] if post else page["category"])
        return Reply(
            200, f"<!doctype html><meta charset=utf-8><title>{name}</title><h1>{name}</h1><p>{text}</p>"
        )

    @route("GET", "/scontent/{file}")
    async def file(self, call: Call) -> Reply:
        """The bytes of a photo, or a blank picture."""
        media = self.world.get("media", call.params["file"])
        data = self.world.get_bytes(call.params["file"])
        if media is None or data is None:
            return Reply(200, BLANK, {"content-type": "image/png"})
        return Reply(200, data, {"content-type": media["content_type"]})

    # Graph

    @route("POST", "/video-upload/{id}")
    @route("POST", "/video-upload/{version}/{id}")
    async def rupload(self, call: Call) -> Reply:
        return await reels.rupload(self.site, call)

    @route("GET", "/")
    @route("POST", "/")
    @route("GET", "/{path:path}")
    @route("POST", "/{path:path}")
    @route("DELETE", "/{path:path}")
    async def graph(self, call: Call) -> Reply:
        """Everything else is a node, an edge, or a batch of them."""
        self.site.publish_what_is_due()
        try:
            ask = read_call(call)
        except GraphError as error:
            return refused(error)
        if ask.segments or not ask.given("batch"):
            status, headers, body = await self.one(ask)
            return Reply(status, body, headers)
        try:
            return Reply(200, await batch(ask, self.one))
        except GraphError as error:
            return refused(error)

    async def one(self, ask: Ask) -> tuple[int, dict[str, str], Any]:
        """Status, headers and body for one request, alone or inside a batch."""
        turn = Turn(self.site, ask)
        headers = {"facebook-api-version": ask.version}
        try:
            body = await self._said(turn)
        except GraphError as error:
            return error.status, headers | error.headers, error.body()
        return 200, headers | usage(turn), body

    async def _said(self, turn: Turn) -> Any:
        path = "/".join(turn.ask.segments)
        if path == "oauth/access_token":
            return login.access_token(self.site, turn.ask)
        if path == "debug_token":
            return login.debug_token(self.site, turn.ask)
        if turn.ask.token:
            turn.token = tokens.read(self.site, turn.ask)
        if not path and turn.ask.given("ids"):
            return read_many(turn)
        return await answer(turn)

    # What the framework asks of a platform

    def mint(self, kind: str) -> str:
        return self.site.new_id()

    def plain(self, path: str) -> str:
        return "/" + "/".join(split_path(path)[1])

    def answered(self, call: Call, reply: Reply) -> Reply:
        version = split_path(call.path)[0]
        always = {
            "facebook-api-version": version,
            "x-fb-trace-id": new_trace(),
            "x-fb-request-id": new_trace(),
        }
        reply.headers = {**always, **reply.headers}
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
        token = self._token_of(call)
        if kind == "throttle":
            return throttled(token, math.ceil(params["retry_after"] / 60), params["retry_after"])
        if kind in ("expire_token", "revoke"):
            return self._end(kind, token)
        reply = super().fault(kind, params, call)
        if kind == "refuse" and isinstance(reply.body, dict):
            say = str(params["entry"].get("say", ""))
            if not reply.body:
                return outage(reply.status, say)
            reply.body["error"] = complete(reply.body.get("error"), say)
        return reply

    def _token_of(self, call: Call) -> Thing | None:
        try:
            text = read_call(call).token
        except GraphError:
            return None
        return tokens.find(self.site, text) if text else None

    def _end(self, kind: str, token: Thing | None) -> Reply:
        """What no longer works is the whole login, as when a person's session ends."""
        row: Thing = token or {"id": "", "app_id": "0", "expires_at": 0, "session": ""}
        if kind == "expire_token":
            tokens.end_session(self.site, row, EXPIRED)
            return refused(tokens.expired(self.site, row))
        tokens.remove_app(self.site, row)
        gone = tokens.trouble(self.site, {**row, "ended": APP_REMOVED})
        return refused(gone or tokens.expired(self.site, row))

    def person_created(self, person: Thing) -> None:
        """Their pages: `places` as names or `{"name", "category"}`; without `places` one of their own."""
        own = DEMO_PAGES if person["username"] == "demo" else ({"name": f"{person['name']}'s Page"},)
        places = [p if isinstance(p, dict) else {"name": p} for p in person.get("places", own)]
        if not all(isinstance(place.get("name"), str) and place["name"] for place in places):
            self.world.remove("people", person["id"])
            raise BadControl("places", "each must be a name or an object with a name")
        pages = [self._open_page(person, place) for place in places]
        self.world.update("people", person["id"], pages=[{"id": p["id"], "name": p["name"]} for p in pages])

    def _open_page(self, person: Thing, place: dict[str, Any]) -> Thing:
        category = str(place.get("category") or "Local business")
        return self.world.add(
            "pages",
            owner=person["username"],
            name=place["name"],
            username=place.get("username"),
            about=place.get("about"),
            category=category,
            category_id=CATEGORIES.get(category, "2500"),
            subscribed={},
        )

    def happening(self, kind: str, body: dict[str, Any]) -> Thing:
        """`comment`: `on` is a post, photo, video or (for a reply) a comment; the newest post when absent."""
        if kind != "comment":
            return super().happening(kind, body)
        posts = self.world.all("posts")
        on = body.get("on") or (posts[-1]["id"] if posts else "")
        found = self.world.get("posts", on) or self.world.get("comments", on) or self.world.get("media", on)
        if found is None:
            raise BadControl("on", f"there is nothing to comment on with id {on!r}")
        person = self.somebody(body.get("from"))
        return add_comment(self.site, subject_of(self.site, found), person, body["text"])

    def moved(self, thing: Thing) -> None:
        if thing["thing"] == "video":
            videos.moved(self.site, thing["of"], thing["state"])

    def export(self) -> dict[str, list[Thing]]:
        self.site.publish_what_is_due()
        return {**super().export(), "pages": self.world.all("pages"), "media": self.world.all("media")}
