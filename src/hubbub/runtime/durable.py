"""Work that outlives a process: jobs, lanes, sweeps and holds. The only file that knows the engine.

The engine (PgQueuer, on the same PostgreSQL) moves work between processes: claims, heartbeats, another
try after a dead worker. It does not remember what has been done: our rows do. So a job may run any
number of times, and goes on where its row says.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.adapters.persistence.qb import QueryQueueBuilder
from pgqueuer.models import Job as EngineJob
from pgqueuer.queries import Queries

from hubbub.runtime import db, log
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import Work

JobFunction = Callable[[Runtime, str], Awaitable[None]]
SweepFunction = Callable[[Runtime], Awaitable[None]]

AGAIN_AFTER = (1, 4)
"""Seconds after which a job that failed is run again, here and at once: what failed is mostly the way to the database."""

_logger = log.logger("durable")
_QUEUED = "SELECT count(*) FROM pgqueuer WHERE status = 'queued' AND entrypoint = ANY ($1)"
_ENQUEUE = QueryQueueBuilder().build_enqueue_query("skip")


@dataclass(frozen=True)
class Job:
    name: str
    run: JobFunction
    per_platform: bool
    concurrency: int
    """How many may run at once in one lane, over all workers; 0 is unlimited."""

    def lanes(self, runtime: Runtime) -> list[str]:
        return (
            [f"{self.name}/{platform}" for platform in runtime.platforms]
            if self.per_platform
            else [self.name]
        )


@dataclass(frozen=True)
class Sweep:
    name: str
    run: SweepFunction
    seconds: float
    nudged_by: str | None


jobs: dict[str, Job] = {}
sweeps: dict[str, Sweep] = {}


def job(name: str, *, per_platform: bool = False, concurrency: int = 0) -> Callable[[JobFunction], Job]:
    """Declare a job: an async function of `(runtime, id)` that resumes from its row."""

    def declare(run: JobFunction) -> Job:
        jobs[name] = Job(name, run, per_platform, concurrency)
        return jobs[name]

    return declare


def every(seconds: float, *, nudged_by: str | None = None) -> Callable[[SweepFunction], SweepFunction]:
    """Declare a sweep: runs that often in every worker, and at once when its channel is nudged.

    Sweeps must tolerate each other: they claim rows with SKIP LOCKED.
    """

    def declare(run: SweepFunction) -> SweepFunction:
        name = f"{run.__module__}.{run.__name__}"
        sweeps[name] = Sweep(name, run, seconds, nudged_by)
        return run

    return declare


async def start(work: Work, job: Job, id: str, *, key: str, platform: str | None = None) -> None:
    """Enqueue in the caller's transaction. A key that is already queued or running is one start."""
    await start_many(work, job, [(id, key, platform)])


async def start_many(work: Work, job: Job, wanted: list[tuple[str, str, str | None]]) -> None:
    """Several at once, each `(id, key, platform)`."""
    if not wanted:
        return
    count = len(wanted)
    lanes = [f"{job.name}/{platform}" if job.per_platform else job.name for _, _, platform in wanted]
    keys = [f"{job.name}:{key}" for _, key, _ in wanted]
    payloads = [id.encode() for id, _, _ in wanted]
    arguments: tuple[Any, ...] = ([0] * count, lanes, payloads, [timedelta()] * count, keys, ["{}"] * count)
    await work.db.exec_driver_sql(_ENQUEUE, arguments)


async def queued(work: Work, job: Job) -> int:
    """How many starts of this job nobody has begun yet, in all lanes."""
    lanes = job.lanes(work.runtime)
    found = await work.db.exec_driver_sql(_QUEUED, (lanes,))
    return found.scalar_one()


async def install(database_url: str) -> None:
    """Create the engine's own tables where they are missing, and bring old ones up to date."""
    connection = await asyncpg.connect(db.plain(database_url))
    try:
        queries = Queries.from_asyncpg_connection(connection)
        if await queries.schema_is_installed():
            await queries.upgrade()
        else:
            await queries.install()
    finally:
        await connection.close()


class Busy(Exception):
    """Somebody else holds it."""


class Holds:
    """Locks that die with the process: advisory locks of one PostgreSQL session, one key each."""

    def __init__(self, url: str) -> None:
        self._url = db.plain(url)
        self._session: asyncpg.Connection | None = None
        self._asking = asyncio.Lock()
        self._here: dict[str, asyncio.Lock] = {}

    @asynccontextmanager
    async def hold(self, key: str, wait: float = 20) -> AsyncGenerator[None]:
        """Nobody else, in this process or another, is inside with the same key. Raises Busy after `wait` seconds."""
        here = self._here.setdefault(key, asyncio.Lock())
        try:
            async with asyncio.timeout(wait):
                await here.acquire()
        except TimeoutError:
            raise Busy(key) from None
        try:
            session = await self._take(key, wait)
            try:
                yield
            finally:
                with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                    await self._ask(session, "SELECT pg_advisory_unlock(hashtextextended($1, 0))", key)
        finally:
            here.release()

    async def _take(self, key: str, wait: float) -> asyncpg.Connection:
        tries, pause = 0, 0.05
        while tries * pause < wait:
            session = await self._connected()
            if await self._ask(session, "SELECT pg_try_advisory_lock(hashtextextended($1, 0))", key):
                return session
            tries += 1
            await asyncio.sleep(pause)
        raise Busy(key)

    async def _ask(self, session: asyncpg.Connection, question: str, key: str) -> bool:
        async with self._asking:
            return bool(await session.fetchval(question, key))

    async def _connected(self) -> asyncpg.Connection:
        async with self._asking:
            session = self._session
            if session is None or session.is_closed():
                session = self._session = await asyncpg.connect(self._url)
            return session

    async def close(self) -> None:
        if self._session is not None and not self._session.is_closed():
            await self._session.close()


class Worker:
    """Runs every job and sweep that the loaded domains have declared, until told to stop."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.stopping = asyncio.Event()
        self._nudges: dict[str, asyncio.Event] = {}
        self._engine: PgQueuer | None = None

    async def run(self) -> None:
        """Work until `stop()`. Lost connections are made again; a failing sweep does not end the others."""
        self.runtime.holds = Holds(self.runtime.database.url)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._forever("engine", self._run_engine))
                group.create_task(self._forever("nudges", self._listen))
                for sweep in sweeps.values():
                    group.create_task(self._sweep(sweep))
        finally:
            await self.runtime.holds.close()

    def stop(self) -> None:
        self.stopping.set()
        if self._engine is not None:
            self._engine.qm.shutdown.set()
        for nudge in self._nudges.values():
            nudge.set()

    async def _forever(self, name: str, body: Callable[[], Awaitable[None]]) -> None:
        while not self.stopping.is_set():
            try:
                await body()
            except Exception as failure:  # noqa: BLE001 - whatever it was, the worker must come back
                _logger.warning("restarting", part=name, because=f"{type(failure).__name__}: {failure}")
                await self._pause(0.5)

    async def _run_engine(self) -> None:
        connection = await asyncpg.connect(db.plain(self.runtime.database.url))
        try:
            engine = PgQueuer.from_asyncpg_connection(connection)
            for declared in jobs.values():
                for lane in declared.lanes(self.runtime):
                    engine.entrypoint(lane, concurrency_limit=declared.concurrency)(self._runner(declared))
            self._engine = engine
            if self.stopping.is_set():
                return
            await engine.qm.run(
                dequeue_timeout=timedelta(seconds=1),
                batch_size=8,
                max_concurrent_tasks=max(16, self.runtime.settings.worker_concurrency),
                heartbeat_timeout=timedelta(seconds=self.runtime.settings.takeover_seconds),
                shutdown_on_listener_failure=True,
            )
        finally:
            self._engine = None
            await connection.close(timeout=2)

    def _runner(self, declared: Job) -> Callable[[EngineJob], Awaitable[None]]:
        async def run(job: EngineJob) -> None:
            id = (job.payload or b"").decode()
            for pause in (*AGAIN_AFTER, None):
                try:
                    return await declared.run(self.runtime, id)
                except Exception as failure:
                    if pause is None or self.stopping.is_set():
                        # The row keeps its due time, so a sweep starts the job again; nothing is lost here.
                        _logger.exception(
                            "job failed", job=declared.name, id=id, because=type(failure).__name__
                        )
                        return None
                    await self._pause(pause)

        return run

    async def _listen(self) -> None:
        connection = await asyncpg.connect(db.plain(self.runtime.database.url))
        try:
            for sweep in sweeps.values():
                if sweep.nudged_by:
                    wake = self._nudges.setdefault(sweep.nudged_by, asyncio.Event())
                    await connection.add_listener(sweep.nudged_by, lambda *_, wake=wake: wake.set())
            while not self.stopping.is_set():
                await self._pause(5)
                await connection.execute("SELECT 1")
        finally:
            await connection.close(timeout=2)

    async def _sweep(self, sweep: Sweep) -> None:
        wake = (
            self._nudges.setdefault(sweep.nudged_by, asyncio.Event()) if sweep.nudged_by else asyncio.Event()
        )
        while not self.stopping.is_set():
            wake.clear()
            try:
                await sweep.run(self.runtime)
            except Exception as failure:  # noqa: BLE001 - the next round may well succeed
                _logger.warning(
                    "sweep failed", sweep=sweep.name, because=f"{type(failure).__name__}: {failure}"
                )
            stopped = asyncio.ensure_future(self.stopping.wait())
            woken = asyncio.ensure_future(wake.wait())
            await asyncio.wait({stopped, woken}, timeout=sweep.seconds, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            woken.cancel()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.stopping.wait()
