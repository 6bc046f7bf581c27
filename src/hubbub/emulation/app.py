"""The sandbox as an ASGI application: controls under /_sandbox, each stand-in under its platform's name."""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from hubbub.emulation import controls
from hubbub.emulation.call import Call, Reply
from hubbub.emulation.faults import Cut
from hubbub.emulation.sandbox import Sandbox

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

TRANSPORT = "hubbub.transport"
log = logging.getLogger(__name__)


class SandboxApp:
    """Holds one Sandbox; closes its store when the server says goodbye."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def close(self) -> None:
        self.sandbox.store.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                self.close()
                return

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read(receive)
        if body is None:
            return
        _, platform, rest = (scope["path"] + "/").split("/", 2)
        call = _call(scope, body, platform, "/" + rest.removesuffix("/") if rest != "/" else "/")
        reply = await self._reply(platform, call)
        if isinstance(reply, Cut):
            await _cut(scope, receive, reply)
        else:
            await _send(reply, call.method, send)

    async def _reply(self, platform: str, call: Call) -> Reply | Cut:
        if platform == "_sandbox":
            return controls.answer(self.sandbox, call)
        if platform not in self.sandbox.mounts:
            return Reply(404, {"error": f"there is no platform {platform!r} here; see /_sandbox"})
        reply = await self.sandbox.station(platform).answer(call)
        self.sandbox.store.commit()
        return reply


async def _read(receive: Receive) -> bytes | None:
    """The whole body, or None when the caller went away."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _call(scope: Scope, body: bytes, platform: str, path: str) -> Call:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    raw_query = scope["query_string"].decode("latin-1")
    return Call(
        method=scope["method"],
        path=path,
        query=dict(parse_qsl(raw_query, keep_blank_values=True)),
        headers=headers,
        body=body,
        base_url=f"{scope['scheme']}://{headers.get('host', 'localhost')}/{platform}",
        raw_query=raw_query,
    )


async def _cut(scope: Scope, receive: Receive, how: Cut) -> None:
    """End the connection without one byte; over an in-process transport that is a ConnectionResetError."""
    transport = scope.get("extensions", {}).get(TRANSPORT)
    if transport is None:
        raise ConnectionResetError("the sandbox cut this connection, as it was told to")
    if how is Cut.RESET:
        # Lingering for no time makes the kernel send RST instead of FIN.
        transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
    transport.abort()
    # The server answers 500 for an application that returns before it knows that the caller is gone.
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(reply: Reply, method: str, send: Send) -> None:
    content, kind = reply.content()
    headers = {name.lower(): value for name, value in reply.headers.items()}
    if kind is not None:
        headers.setdefault("content-type", kind)
    headers["content-length"] = str(len(content))
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else content})
