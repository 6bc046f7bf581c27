"""Running the sandbox on a port, with connections that can be cut."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Collection, Generator
from pathlib import Path

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hubbub.emulation import mounts
from hubbub.emulation.app import TRANSPORT, SandboxApp
from hubbub.emulation.sandbox import Sandbox

Ready = Callable[[str], None]


def create_app(data_dir: Path | None, only: Collection[str] | None = None) -> SandboxApp:
    """The sandbox with every platform that has a stand-in; without a folder it forgets when it stops."""
    return SandboxApp(Sandbox(data_dir, mounts.find(only)))


class CuttableHttp(HttpToolsProtocol):
    """Gives the application its connection, which ASGI itself has no word for."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT: self.transport}  # type: ignore[typeddict-item]


class _Server(uvicorn.Server):
    """Says when it listens, and leaves signals alone when somebody else stops it."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None], catch_signals: bool) -> None:
        super().__init__(config)
        self.on_ready = on_ready
        self.catch_signals = catch_signals

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.on_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        with super().capture_signals() if self.catch_signals else contextlib.nullcontext():
            yield


async def serve(
    app: SandboxApp, host: str, port: int, ready: Ready, stop: asyncio.Event | None = None
) -> None:
    """Serve until a signal, or until `stop` is set when one is given; port 0 picks a free one.

    Calls `ready` with the base URL once it listens. Raises OSError when the port is taken.
    """
    listening = socket.create_server((host, port))
    # asyncio switches Nagle's delay off only for sockets it makes itself; accepted ones inherit this.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    url = f"http://{host}:{listening.getsockname()[1]}"
    config = uvicorn.Config(
        app, http=CuttableHttp, ws="none", log_config=None, access_log=False, timeout_graceful_shutdown=2
    )
    server = _Server(config, lambda: ready(url), catch_signals=stop is None)

    async def wait_for_stop(stop: asyncio.Event) -> None:
        await stop.wait()
        server.should_exit = True

    waiting = asyncio.create_task(wait_for_stop(stop)) if stop is not None else None
    try:
        await server.serve(sockets=[listening])
    finally:
        if waiting is not None:
            waiting.cancel()
        listening.close()


def run(host: str, port: int, data_dir: Path | None, ready: Ready) -> None:
    """`hubbub sandbox`: serve every stand-in until Ctrl-C."""
    asyncio.run(serve(create_app(data_dir), host, port, ready))
