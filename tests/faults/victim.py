"""A worker process that can be killed at any point where it waits; points are found by watching it wait.

Every `await` of the publish job and of the sweep that reaches the event loop is a point, once before the
wait and once after it. A point's name is the chain of our own source lines that are waiting, so a survey of
one undisturbed run lists all there are.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, replace
from typing import Any

from hubbub import main
from hubbub.runtime import durable
from hubbub.runtime.process import Runtime
from hubbub.runtime.settings import Settings

WATCHED_JOBS = ("publish",)


@dataclass(frozen=True)
class Point:
    """The `occurrence`-th time (from 1) that a worker waits at `place`, before or after the wait."""

    place: str
    occurrence: int
    phase: str


class Watch:
    """Drives a coroutine by hand, so that every wait of it is seen."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], notice: Callable[[str, str], None]) -> None:
        self.coroutine = coroutine
        self.notice = notice

    def __await__(self) -> Generator[Any, Any, Any]:
        sent: Any = None
        failure: BaseException | None = None
        while True:
            try:
                waits_for = self.coroutine.throw(failure) if failure else self.coroutine.send(sent)
            except StopIteration as done:
                return done.value
            place = place_of(self.coroutine)
            self.notice(place, "before")
            sent, failure = None, None
            try:
                sent = yield waits_for
            except BaseException as thrown:  # noqa: BLE001 - whatever it is goes to the coroutine
                failure = thrown
            self.notice(place, "after")


def place_of(coroutine: Any) -> str:
    """Our own lines in the chain of what waits for what, outermost first."""
    lines: list[str] = []
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if frame is not None and "/hubbub/" in frame.f_code.co_filename:
            file = frame.f_code.co_filename.rpartition("/hubbub/")[2]
            lines.append(f"{file}:{frame.f_lineno}")
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)
    return " > ".join(lines)


def work(settings: dict[str, Any], die_at: Point | None, seen: Any) -> None:
    """The process's body: a worker that kills itself at one point, or tells every point it passes.

    `seen` is a connection that gets a `Point` for each, and may be None.
    """
    main.load_domains()
    counts: Counter[tuple[str, str]] = Counter()

    def notice(place: str, phase: str) -> None:
        counts[place, phase] += 1
        point = Point(place, counts[place, phase], phase)
        if point == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if seen is not None:
            seen.send(point)

    def watched(run: Callable[..., Any]) -> Callable[..., Any]:
        async def run_watched(*arguments: Any) -> None:
            await Watch(run(*arguments), notice)

        return run_watched

    for name in WATCHED_JOBS:
        durable.jobs[name] = replace(durable.jobs[name], run=watched(durable.jobs[name].run))
    asyncio.run(_live(Settings(**settings)))


async def _live(settings: Settings) -> None:
    runtime = Runtime.build(settings)
    worker = durable.Worker(runtime)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
    try:
        await worker.run()
    finally:
        await runtime.close()
