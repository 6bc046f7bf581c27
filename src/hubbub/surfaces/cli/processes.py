"""What each process is made of: everything at once, or only the API, the worker or the sandbox."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from functools import partial

import uvloop

from hubbub.domains.keys import service as keys
from hubbub.domains.workspaces import service as workspaces
from hubbub.runtime import listening, log, postgres, up
from hubbub.runtime.home import Home, write_private
from hubbub.runtime.process import Runtime
from hubbub.runtime.settings import Settings
from hubbub.runtime.work import Caller, open_work
from hubbub.surfaces.api.app import create_app
from hubbub.surfaces.api.routers import found
from hubbub.surfaces.cli.say import PROBLEMS, Failure
from hubbub.surfaces.cli.telling import Telling

RESTARTS_MAX = 3
RESTARTS_SECONDS = 60.0

Body = Callable[[up.Stop], Awaitable[None]]


def run(settings: Settings, told: Telling, body: Body) -> None:
    """Run a process until it is told to stop. Raises Failure with the one sentence that says why it cannot."""
    log.configure(settings.log_format, settings.log_level)

    async def live() -> None:
        stop = up.Stop()
        stop.at_force.append(told.forget)
        stop.listen()
        await body(stop)

    try:
        uvloop.run(live())
    except* (listening.PortTaken, postgres.Unavailable, up.Unreachable) as group:
        raise Failure(str(_first(group))) from group
    except* Failure as group:
        raise _first(group) from group
    finally:
        told.forget()


def everything(
    settings: Settings,
    host: str,
    port: int,
    sandbox_port: int | None,
    told: Telling,
    database: Future[postgres.Running] | None,
) -> Body:
    """`hubbub up`. `database` is the embedded server that is starting already, where there is one.

    Should it end by itself, it is started again, and everything that used it.
    """
    home = Home(settings.data_dir)

    async def body(stop: up.Stop) -> None:
        at = listening.listen(host, port)
        async with AsyncExitStack() as stack:
            stack.callback(at.close)
            sandbox = None
            if sandbox_port is not None:
                sandbox = await stack.enter_async_context(_sandbox(home, host, sandbox_port))
            if database is None:
                await _everything_once(settings, _theirs(_url(settings)), at, sandbox, told, [stop])
                return
            begin = database.result
            for _ in _restarts(home):
                ended = asyncio.Event()
                own = up.embedded_database(begin, ended)
                await _everything_once(settings, own, at, sandbox, told, [stop, ended])
                if stop.is_set():
                    return
                begin = partial(postgres.start, home.database, home.database_log)

    return body


def _restarts(home: Home) -> Iterator[None]:
    """One turn for every start of the database. Raises Failure when they follow each other too fast."""
    began: list[float] = []
    while True:
        now = time.monotonic()
        began = [*(moment for moment in began if moment > now - RESTARTS_SECONDS), now]
        if len(began) > RESTARTS_MAX:
            raise Failure(f"The database keeps ending; {home.database_log} says why.", PROBLEMS)
        yield


async def _everything_once(
    settings: Settings,
    database: AbstractAsyncContextManager[str],
    at: socket.socket,
    sandbox: str | None,
    told: Telling,
    ends: list[asyncio.Event],
) -> None:
    """Until one of the events is set."""
    home = Home(settings.data_dir)
    address = listening.url_of(at)
    async with database as url:
        settings = settings.model_copy(
            update={
                "database_url": url,
                "sandbox_url": sandbox,
                "public_url": settings.public_url or address,
            }
        )
        async with _running(settings) as runtime, _either(*ends) as halt:
            key = await first_key(runtime, home)
            facts = {"api": address, "sandbox": sandbox, "key": key, "pid": os.getpid()}
            async with asyncio.TaskGroup() as group:
                group.create_task(_answer(runtime, at, lambda: told.ready(facts), halt))
                group.create_task(up.work(runtime, halt))


def api(settings: Settings, host: str, port: int, told: Telling) -> Body:
    """`hubbub serve`."""

    async def body(stop: up.Stop) -> None:
        at = listening.listen(host, port)
        address = listening.url_of(at)
        own = settings.model_copy(update={"public_url": settings.public_url or address})
        await up.migrated(_url(own))
        async with _running(own) as runtime:
            await _answer(runtime, at, lambda: told.ready({"api": address, "pid": os.getpid()}), stop)

    return body


def worker(settings: Settings, told: Telling) -> Body:
    """`hubbub work`."""

    async def body(stop: up.Stop) -> None:
        await up.migrated(_url(settings))
        async with _running(settings) as runtime:
            told.ready({"worker": True, "pid": os.getpid()})
            await up.work(runtime, stop)

    return body


def sandbox(home: Home, host: str, port: int, told: Telling) -> Body:
    """`hubbub sandbox`."""

    async def body(stop: up.Stop) -> None:
        async with _sandbox(home, host, port, "--port") as url:
            told.ready({"sandbox": url, "pid": os.getpid()})
            await stop.wait()

    return body


async def first_key(runtime: Runtime, home: Home) -> str:
    """The API key kept in the data folder while it still opens this database; else a new one, kept there."""
    with suppress(FileNotFoundError):
        kept = home.first_key.read_text().strip()
        if await keys.caller_of(runtime, kept):
            return kept
    made = await keys.create_first(runtime)
    if made is None:
        async with runtime.database.begin() as connection:
            workspace = await workspaces.first_workspace(connection)
        assert workspace is not None
        async with open_work(runtime, Caller(workspace_id=workspace)) as work:
            made = await keys.create(work, "hubbub up")
    write_private(home.first_key, made.raw_key.reveal() + "\n")
    return made.raw_key.reveal()


async def _answer(
    runtime: Runtime, at: socket.socket, ready: Callable[[], None], stop: asyncio.Event
) -> None:
    await listening.answer(create_app(runtime, found()), at, ready, stop)


@asynccontextmanager
async def _theirs(url: str) -> AsyncGenerator[str]:
    yield await up.migrated(url)


def _url(settings: Settings) -> str:
    if settings.database_url is None:
        raise Failure("There is no database. Set DATABASE_URL, or start everything with `hubbub up`.")
    return settings.database_url


@asynccontextmanager
async def _sandbox(home: Home, host: str, port: int, option: str = "--sandbox-port") -> AsyncGenerator[str]:
    # Tried first, so that a taken port is the same sentence for every part.
    listening.listen(host, port, option).close()
    async with up.sandbox(home, host, port) as url:
        yield url


@asynccontextmanager
async def _running(settings: Settings) -> AsyncGenerator[Runtime]:
    runtime = Runtime.build(settings)
    try:
        yield runtime
    finally:
        await runtime.close()


@asynccontextmanager
async def _either(*events: asyncio.Event) -> AsyncGenerator[asyncio.Event]:
    """An event that is set as soon as one of these is."""
    first = asyncio.Event()

    async def follow(event: asyncio.Event) -> None:
        await event.wait()
        first.set()

    following = [asyncio.create_task(follow(event)) for event in events]
    try:
        yield first
    finally:
        for task in following:
            task.cancel()


def _first(failure: BaseException) -> BaseException:
    """The first failure inside nested groups."""
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return failure
