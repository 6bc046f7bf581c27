"""Answer HTTP on a socket until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Generator
from typing import Any

import uvicorn

GRACE_SECONDS = 3
"""How long open requests may take to finish once we have been told to stop."""
BACKLOG = 2048


class PortTaken(Exception):
    """Somebody else listens there, or we may not; the message says what to do."""


def listen(host: str, port: int, option: str = "--port") -> socket.socket:
    """A listening socket; port 0 picks a free one. Raises PortTaken, naming the option that chooses another."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as failure:
        if failure.errno == errno.EADDRINUSE:
            why = f"Port {port} on {host} is in use by another program"
        else:
            why = f"Cannot listen on {host}, port {port} ({failure.strerror or failure})"
        raise PortTaken(
            f"{why}. Stop it, or choose another port with {option} (0 picks a free one)."
        ) from None


def url_of(listening: socket.socket) -> str:
    """How programs on this machine reach it."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - a comparison
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """Says when it answers, and leaves signals to its owner."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def answer(app: Any, listening: socket.socket, ready: Callable[[], None], stop: asyncio.Event) -> None:
    """Serve an ASGI application until `stop` is set; open requests get a few seconds to finish.

    The socket stays open for its owner, so that nobody is turned away while the application is replaced.
    """
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, ws="none", backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )  # fmt: skip
    server = _Server(config, ready)

    async def leave() -> None:
        await stop.wait()
        server.should_exit = True

    leaving = asyncio.create_task(leave())
    try:
        await server.serve(sockets=[listening.dup()])
    finally:
        leaving.cancel()
