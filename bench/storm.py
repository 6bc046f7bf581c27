"""(c) *due storm*: targets that are all due in one second, the platform answering after 50 ms.

Beside a bare loop making the same calls, and two engines doing the same naively; then again with the worker killed.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from bench import storm_seed
from bench.peers.engines import ENGINES, Engine
from bench.seed import PLATFORM, Seeded
from bench.sizes import Size
from bench.stage import Process, Stage, asking, cpu_of, hubbub, python
from bench.storm_seed import Person
from hubbub.kit import clock
from hubbub.runtime.settings import Settings

GOAL = 0.5
CONCURRENCY: int = Settings.model_fields["worker_concurrency"].default
AHEAD = timedelta(seconds=3)
PATIENCE = 600.0
Row = dict[str, Any]


class Storm:
    """One sandbox with people in it, and whoever publishes for them."""

    def __init__(self, stage: Stage, sandbox: Process, people: int) -> None:
        self.stage = stage
        self.sandbox = sandbox
        self.people: list[Person] = asyncio.run(storm_seed.people(sandbox.address, people))
        self.url = f"{sandbox.address}/{PLATFORM}{storm_seed.CREATE}"
        self.runs = 0

    def begin(self, count: int) -> list[dict[str, str]]:
        """Texts of a run of its own; the platform is slow from now on."""
        self.runs += 1
        asyncio.run(storm_seed.answer_slowly(self.sandbox.address, count))
        return storm_seed.jobs(self.people, count, self.label)

    @property
    def label(self) -> str:
        return f"Storm {self.runs}."

    def counted(self, wanted: int) -> Row:
        """What exists on the platform of this run: how many are missing, and how many are there too often."""
        there = Counter(
            one
            for one in asyncio.run(storm_seed.published(self.sandbox.address))
            if one[1].startswith(self.label)
        )
        return {"lost": wanted - len(there), "twice": sum(there.values()) - len(there)}

    def floor(self, count: int) -> Row:
        """The bare loop."""
        orders = {"url": self.url, "orders": self.begin(count), "concurrency": CONCURRENCY}
        done = subprocess.run(
            python("bench.storm_floor"), input=json.dumps(orders).encode(), stdout=subprocess.PIPE, check=True
        )
        told = json.loads(done.stdout)
        return {"per_second": count / told["seconds"], "cpu_ms": told["cpu_ms"], **self.counted(count)}

    def ours(self, count: int, url: str, seeded: Seeded, *, kill: bool = False) -> Row:
        """`hubbub work`; with `kill` it gets SIGKILL in the middle and is started again."""
        self.begin(count)
        work = hubbub("work")
        settings = {"HUBBUB_SANDBOX_URL": self.sandbox.address}
        process = self.stage.start(work, url, **settings)
        when = clock.now() + AHEAD
        asyncio.run(storm_seed.due_at(seeded, count, when, self.label))
        before, database, sandbox = cpu_of(process.pid), self.stage.database_cpu(), cpu_of(self.sandbox.pid)
        with asking(url, storm_seed.LEFT) as left:
            if kill:
                process = self._killed(process, lambda: self.stage.start(work, url, **settings), left, count)
            wait_for(left, 0)
        spent = {
            "cpu_ms": 1000 * (cpu_of(process.pid) - before) / count,
            "database_cpu_ms": 1000 * (self.stage.database_cpu() - database) / count,
            "sandbox_cpu_ms": 1000 * (cpu_of(self.sandbox.pid) - sandbox) / count,
        }
        self.stage.end(process)
        seconds, lags = asyncio.run(storm_seed.measured(url, when, self.label))
        asyncio.run(storm_seed.forget(url, self.label))
        told = {"per_second": count / seconds, **({} if kill else spent), **self.counted(count)}
        return told | {
            "lag_p50_ms": lags[len(lags) // 2],
            "lag_p99_ms": lags[min(len(lags) - 1, len(lags) * 99 // 100)],
        }

    def engine(self, engine: Engine, count: int, url: str, *, kill: bool = False) -> Row:
        """Somebody else's engine, naively."""
        orders = [{"url": self.url, **order} for order in self.begin(count)]
        engine.prepare(self.stage, url)
        when = clock.now() + AHEAD + timedelta(seconds=count / 1000)
        engine.defer(self.stage, url, orders, when)
        process = engine.start(self.stage, url)
        wait_until(when)
        before = cpu_of(process.pid)
        with asking(url, engine.count) as left:
            if kill:
                process = self._killed(process, lambda: engine.start(self.stage, url), left, count)
            wait_for(left, 0)
        seconds = (clock.now() - when).total_seconds()
        spent = 1000 * (cpu_of(process.pid) - before) / count
        self.stage.end(process)
        return {"per_second": count / seconds, **({} if kill else {"cpu_ms": spent}), **self.counted(count)}

    def _killed(
        self, process: Process, again: Callable[[], Process], left: Callable[[], int], count: int
    ) -> Process:
        wait_for(left, count // 2)
        process.kill()
        self.stage.end(process)
        return again()


def wait_for(left: Callable[[], int], most: int) -> None:
    """Raises TimeoutError when more than so many are left after a long time."""
    deadline = time.monotonic() + PATIENCE
    while left() > most:
        if time.monotonic() > deadline:
            raise TimeoutError(f"more than {most} are left after {PATIENCE:g} seconds")
        time.sleep(0.1)


def wait_until(when: datetime) -> None:
    time.sleep(max(0.0, (when - clock.now()).total_seconds()))


def measure(stage: Stage, size: Size) -> dict[str, Any]:
    with stage.running(hubbub("sandbox", "--port", "0")) as sandbox:
        storm = Storm(stage, sandbox, size.people)
        url = stage.database()
        seeded = asyncio.run(storm_seed.accounts(url, storm.people))
        runs: dict[str, list[Row]] = {}
        engines = [(engine, stage.empty_database()) for engine in (ENGINES if size.engines else ())]
        for _ in range(size.repeats):
            runs.setdefault("floor", []).append(storm.floor(size.storm))
            runs.setdefault("hubbub", []).append(storm.ours(size.storm, url, seeded))
            for engine, own in engines:
                runs.setdefault(engine.name, []).append(storm.engine(engine, size.storm, own))
        killed = {"hubbub": storm.ours(size.killed, url, seeded, kill=True)}
        for engine, own in engines:
            killed[engine.name] = storm.engine(engine, size.killed, own, kill=True)
    rows = [{"who": who, "connections": CONCURRENCY, "runs": each} for who, each in runs.items()]
    return {
        "goal": GOAL,
        "targets": size.storm,
        "killed_targets": size.killed,
        "rows": rows,
        "killed": killed,
    }
