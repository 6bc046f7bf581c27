"""A Finch that lives in memory. Written from its documentation, not from our connector.

https://example.com/finch/docs
"""

from __future__ import annotations

import secrets
from typing import Any

from hubbub.emulation.emulator import Call, Emulator, Refuse, Reply, Thing, route
from hubbub.kit.text import measure

PASSWORD = "sandbox"  # noqa: S105 - the point of a sandbox is that everybody knows it
POSTS_AT_MOST = 100


class FinchEmulator(Emulator):
    """Tokens, who somebody is, and posts."""

    name = "finch"

    @route("POST", "/v1/tokens")
    async def create_token(self, call: Call) -> Reply:
        said = call.json
        person = self.world.one("people", username=said.get("username"))
        if person is None or said.get("password") != PASSWORD:
            return wrong(401, "bad_credentials", "This username and password do not belong together.")
        token = self.world.add("tokens", id=secrets.token_urlsafe(24), person=person["id"])
        return Reply(201, {"token": token["id"]})

    @route("GET", "/v1/me")
    async def me(self, call: Call) -> Reply:
        person = self.caller(call)
        return Reply(200, {name: person[name] for name in ("id", "name", "username")})

    @route("POST", "/v1/posts")
    async def create_post(self, call: Call) -> Reply:
        author = self.caller(call)
        text = call.json.get("text", "")
        rule = self.facts["formats"]["text"]["text"]
        if measure(text, rule["unit"]) > rule["max"]:
            return wrong(422, "text_too_long", "The text is too long.")
        post = self.world.add(
            "posts", author=author["id"], text=text, media=[], created_at=self.now(), idempotency_key=None
        )
        return Reply(201, shown(post))

    @route("GET", "/v1/posts")
    async def list_posts(self, call: Call) -> Reply:
        limit = min(int(call.query.get("limit", "20")), POSTS_AT_MOST)
        posts = self.world.all("posts", author=self.caller(call)["id"])
        return Reply(200, {"posts": [shown(post) for post in reversed(posts)][:limit]})

    @route("DELETE", "/v1/posts/{id}")
    async def delete_post(self, call: Call) -> Reply:
        author = self.caller(call)
        post = self.world.get("posts", call.params["id"])
        if post is None or post["author"] != author["id"]:
            return self.not_found(call)
        self.world.remove("posts", post["id"])
        return Reply(204)

    def caller(self, call: Call) -> Thing:
        """Whoever the token belongs to. Raises Refuse."""
        token = self.world.get("tokens", token_of(call))
        person = self.world.get("people", token["person"]) if token else None
        if person is None:
            raise Refuse(wrong(401, "token_invalid", "The token is not valid."))
        return person

    # Its words for what goes wrong

    def not_found(self, call: Call) -> Reply:
        return wrong(404, "not_found", "There is no such post.")

    def broken(self, call: Call) -> Reply:
        return wrong(500, "internal", "Something went wrong.")

    def fault(self, kind: str, params: dict[str, Any], call: Call) -> Reply:
        if kind in ("expire_token", "revoke"):
            self.world.remove("tokens", token_of(call))
            return wrong(401, "token_invalid", "The token is not valid.")
        if kind == "throttle":
            reply = wrong(429, "too_many_requests", "Too many requests.")
            return Reply(reply.status, reply.body, {"Retry-After": str(params["retry_after"])})
        reply = super().fault(kind, params, call)
        if kind == "refuse":
            error = reply.body.setdefault("error", {})
            error.setdefault("message", params["entry"].get("say", "No."))
        return reply


def wrong(status: int, code: str, message: str) -> Reply:
    return Reply(status, {"error": {"code": code, "message": message}})


def shown(post: Thing) -> dict[str, Any]:
    return {
        "id": post["id"],
        "text": post["text"],
        "url": f"https://example.com/finch/posts/{post['id']}",
        "created_at": post["created_at"],
    }


def token_of(call: Call) -> str:
    return call.headers.get("authorization", "").removeprefix("Bearer ")
