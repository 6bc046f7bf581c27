"""A worker process that can be killed at any point where it waits; points are found by watching it wait.

Every `await` of the publish job and of the sweep that reaches the event loop is a point, once before the
wait and once after it. A point's name is the chain of our own source lines that are waiting, so a survey of
one undisturbed run lists all there are.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from multiprocessing.connection import Connection
from typing import Any

from faults.hurry import hurry
from hubbub import main
from hubbub.kit import clock
from hubbub.runtime import durable, log
from hubbub.runtime.process import Runtime
from hubbub.runtime.settings import Settings

WATCHED_JOBS = ("publish",)


@dataclass(frozen=True)
class Point:
    """The `occurrence`-th time (from 1) that a worker waits at `place`, before or after the wait."""

    place: str
    occurrence: int
    phase: str


@dataclass(frozen=True)
class Fate:
    """What a worker has to bear."""

    die_at: Point | None = None
    ahead: float = 0
    """Seconds its clock is ahead of everybody's; behind when negative."""
    stepped_at: Point | None = None
    """Where its clock is set so far ahead; from the beginning when None."""


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


def work(
    settings: dict[str, Any], fate: Fate, seen: Connection | None, born: Connection, hurried: bool
) -> None:
    """The process's body: a worker that meets its fate, or tells every point it passes.

    `seen` gets a `Point` for each; `born` gets one message when the worker is about to work.
    """
    _end_with_parent()
    log.configure(level="critical")
    logging.disable(logging.CRITICAL)
    main.load_domains()
    counts: Counter[tuple[str, str]] = Counter()
    if fate.stepped_at is None:
        set_clock(fate.ahead)

    def notice(place: str, phase: str) -> None:
        counts[place, phase] += 1
        point = Point(place, counts[place, phase], phase)
        if point == fate.die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if point == fate.stepped_at:
            set_clock(fate.ahead)
        if seen is not None:
            seen.send(point)

    def watched(run: Callable[..., Any]) -> Callable[..., Any]:
        async def run_watched(*arguments: Any) -> None:
            await Watch(run(*arguments), notice)

        return run_watched

    for name in WATCHED_JOBS:
        durable.jobs[name] = replace(durable.jobs[name], run=watched(durable.jobs[name].run))
    asyncio.run(_live(Settings(**settings), born, hurried))


def set_clock(ahead: float) -> None:
    """Set this process's idea of the time; `clock.now` is the only one who asks."""

    class Stepped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + timedelta(seconds=ahead)

        @classmethod
        def fromisoformat(cls, date_string: str, /) -> Any:
            return datetime.fromisoformat(date_string)

    clock.__dict__["datetime"] = Stepped if ahead else datetime


def _end_with_parent() -> None:
    """Nobody would stop a worker whose test run was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


async def _live(settings: Settings, born: Connection, hurried: bool) -> None:
    runtime = Runtime.build(settings)
    if hurried:
        hurry(runtime.platforms)
    worker = durable.Worker(runtime)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
    born.send(None)
    try:
        await worker.run()
    finally:
        await runtime.close()
