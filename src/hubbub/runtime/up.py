"""The parts of a running process: the word to stop, the database it brings, its worker, its sandbox."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

import asyncpg
from anyio import to_thread

from hubbub.emulation import server as emulation
from hubbub.runtime import durable, postgres
from hubbub.runtime.home import Home
from hubbub.runtime.migrate import migrate
from hubbub.runtime.process import Runtime

WORKER_GRACE_SECONDS = 3.0
"""How long jobs may take to finish; what is cut off then goes on at the next start."""
DATABASE_PATIENCE_SECONDS = 30.0
FORCED = 130
SAME_SIGNAL_SECONDS = 0.5
"""Whoever stops a group of processes often reaches each of them twice."""


class Stop(asyncio.Event):
    """Set by Ctrl-C, SIGTERM or a closed terminal; the second time the process ends at once."""

    def __init__(self) -> None:
        super().__init__()
        self.at_force: list[Callable[[], None]] = []
        self.since = 0.0

    def listen(self) -> None:
        """Take over the signals of this process."""
        loop = asyncio.get_running_loop()
        for wanted in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(wanted, self._heard, wanted)

    def _heard(self, wanted: signal.Signals) -> None:
        if self.is_set():
            if time.monotonic() - self.since < SAME_SIGNAL_SECONDS:
                return
            for clean in self.at_force:
                clean()
            # The database server gets its own signal from the kernel when we are gone.
            os._exit(FORCED)
        if wanted is signal.SIGINT:
            sys.stderr.write("\nStopping; Ctrl-C again to stop at once.\n")
        self.since = time.monotonic()
        self.set()


class Unreachable(Exception):
    """The database does not answer or does not let us in; the message says what to check."""


@asynccontextmanager
async def embedded_database(
    start: Callable[[], postgres.Running], ended: asyncio.Event
) -> AsyncGenerator[str]:
    """The server that `start` gives, migrated; its URL. `ended` is set should it end by itself.

    Raises postgres.Unavailable.
    """
    running = await to_thread.run_sync(start)

    async def watch() -> None:
        while running.alive():  # noqa: ASYNC110 - a process tells nobody that it has ended
            await asyncio.sleep(0.25)
        ended.set()

    try:
        await migrate(running.url)
        watching = asyncio.create_task(watch())
        try:
            yield running.url
        finally:
            watching.cancel()
    finally:
        await to_thread.run_sync(running.stop)


async def migrated(url: str) -> str:
    """Wait for a database of somebody else's and bring it to this version. Raises Unreachable."""
    deadline = time.monotonic() + DATABASE_PATIENCE_SECONDS
    while True:
        try:
            await migrate(url)
            return url
        except (OSError, asyncpg.CannotConnectNowError) as failure:
            if time.monotonic() > deadline:
                raise Unreachable(_unreachable(failure)) from failure
            await asyncio.sleep(0.5)
        except (
            asyncpg.InvalidAuthorizationSpecificationError,
            asyncpg.InvalidCatalogNameError,
            ValueError,
        ) as failure:
            raise Unreachable(_unreachable(failure)) from failure


def _unreachable(failure: Exception) -> str:
    why = str(failure) or type(failure).__name__
    return f"The database of DATABASE_URL cannot be used: {why}. Check the URL and that the server runs."


async def work(runtime: Runtime, stop: asyncio.Event) -> None:
    """Run jobs until `stop` is set, then let running ones finish for a moment."""
    worker = durable.Worker(runtime)
    working = asyncio.create_task(worker.run())
    told = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, told}, return_when=asyncio.FIRST_COMPLETED)
        worker.stop()
        await asyncio.wait({working}, timeout=WORKER_GRACE_SECONDS)
    finally:
        told.cancel()
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


@asynccontextmanager
async def sandbox(home: Home, host: str, port: int) -> AsyncGenerator[str]:
    """The sandbox, answering until the block ends; its URL. Raises OSError when the port is taken."""
    listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    serving = asyncio.create_task(
        emulation.serve(emulation.create_app(home.sandbox), host, port, listening.set_result, stop)
    )
    await asyncio.wait({serving, listening}, return_when=asyncio.FIRST_COMPLETED)
    try:
        if serving.done():
            serving.result()
            raise RuntimeError("the sandbox ended before it began")
        yield listening.result()
    finally:
        stop.set()
        with suppress(OSError):
            await serving
