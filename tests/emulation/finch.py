"""An invented platform, small enough to see the framework through it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from hubbub.emulation.app import SandboxApp
from hubbub.emulation.consent import consent
from hubbub.emulation.emulator import Call, Emulator, Refuse, Reply, Thing, route
from hubbub.emulation.mounts import Mount
from hubbub.emulation.sandbox import Sandbox

REFUSALS = [
    {
        "name": "too_long",
        "status": 422,
        "when": {"error.code": 7, "error.text": "~long"},
        "is": "text_too_long",
    },
    {"status": "5xx", "is": "unavailable", "when": {"fault": ["busy", "down"]}, "say": "never"},
]


class Finch(Emulator):
    name = "finch"

    def plain(self, path: str) -> str:
        return path.removeprefix("/v2")

    def answered(self, call: Call, reply: Reply) -> Reply:
        reply.headers["X-Finch"] = "1"
        return reply

    def person_created(self, person: Thing) -> None:
        self.world.update("people", person["id"], nest=f"{person['username']}.nest")

    def moved(self, thing: Thing) -> None:
        self.world.update("videos", thing["of"], state=thing["state"])

    @route("POST", "/posts")
    async def create(self, call: Call) -> Reply:
        post = self.world.add("posts", text=call.json["text"], author="me", created_at=self.now(), media=[])
        return Reply(201, post, {"Location": f"{call.base_url}/posts/{post['id']}"})

    @route("GET", "/posts/{id}")
    async def read(self, call: Call) -> Reply:
        post = self.world.get("posts", call.params["id"])
        if post is None:
            raise Refuse(Reply(404, {"gone": call.params["id"]}))
        return Reply(200, post)

    @route("GET", "/files/{name:path}")
    async def file(self, call: Call) -> Reply:
        return Reply(200, {"name": call.params["name"], "tags": call.many("tag"), "query": dict(call.query)})

    @route("POST", "/form")
    async def form(self, call: Call) -> Reply:
        files = [[f.name, f.filename, f.content_type, f.data.hex()] for f in call.files]
        return Reply(200, {"form": call.form, "files": files})

    @route("POST", "/videos")
    async def video(self, call: Call) -> Reply:
        video = self.world.add("videos", state="working")
        self.begin("video", video["id"])
        return Reply(200, video["id"])

    @route("GET", "/videos/{id}")
    async def watch(self, call: Call) -> Reply:
        state = self.look("video", call.params["id"])
        return Reply(200, {"looked": state, "kept": self.world.get("videos", call.params["id"])})

    @route("GET", "/authorize")
    @route("POST", "/authorize")
    async def authorize(self, call: Call) -> Reply:
        people = self.world.all("people")
        return consent(
            call,
            people,
            call.query["redirect_uri"],
            call.query.get("state"),
            approved=lambda person: {"code": f"code-{person['username']}"},
            denied=lambda: {"error": "access_denied"},
            scopes=["read", "<write>"],
        )

    @route("GET", "/crash")
    async def crash(self, call: Call) -> Reply:
        await asyncio.sleep(0)
        raise RuntimeError("on purpose")


def finch_app(data_dir: Path | None = None, **mount: Any) -> SandboxApp:
    return SandboxApp(Sandbox(data_dir, {"finch": Mount("finch", lambda: Finch, {}, REFUSALS, **mount)}))
