"""A sandbox on a free port for the length of a `with`."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Collection, Generator
from concurrent.futures import Future
from pathlib import Path

from hubbub.emulation.app import SandboxApp
from hubbub.emulation.server import create_app, serve


@contextlib.contextmanager
def running_sandbox(
    data_dir: Path | None = None, only: Collection[str] | None = None, app: SandboxApp | None = None
) -> Generator[str]:
    """The base URL of a sandbox that runs in a thread of its own; it is stopped on the way out."""
    listening: Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def live() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        made = app or create_app(data_dir, only)
        await serve(made, "127.0.0.1", 0, lambda url: listening.set_result((url, loop, stop)), stop)

    def body() -> None:
        try:
            asyncio.run(live())
        except BaseException as failure:
            if listening.done():
                raise
            listening.set_exception(failure)

    thread = threading.Thread(target=body, name="sandbox", daemon=True)
    thread.start()
    url, loop, stop = listening.result(timeout=30)
    try:
        yield url
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=10)
