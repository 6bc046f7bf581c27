"""What every benchmark runs on: one PostgreSQL server, a database for each, and our processes as they ship."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from hubbub.runtime import db, postgres
from hubbub.runtime.migrate import migrate

ENCRYPTION_KEY = base64.b64encode(b"k" * 32).decode()
READY_SECONDS = 60.0
TEMPLATE = "bench_template"


@dataclass
class Process:
    """One program that was started, and what it said when it was ready."""

    popen: subprocess.Popen[bytes]
    facts: Mapping[str, Any]

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def address(self) -> str:
        return str(self.facts.get("api") or self.facts.get("sandbox") or "")

    def kill(self) -> None:
        """SIGKILL, and only to this process."""
        self.popen.send_signal(signal.SIGKILL)
        self.popen.wait()

    def stop(self) -> None:
        if self.popen.poll() is None:
            self.popen.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.popen.wait(15)
        if self.popen.poll() is None:
            self.kill()


@dataclass
class Stage:
    """One server; everything on it is removed at the end."""

    folder: Path
    server: postgres.Running
    processes: list[Process] = field(default_factory=list[Process])
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def database(self) -> str:
        """The URL of a new database with every table of ours."""
        name = f"bench_{next(self._numbers)}"
        asyncio.run(self._run(f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}" STRATEGY FILE_COPY'))
        return self.url(name)

    def empty_database(self) -> str:
        """The URL of a new database with nothing in it."""
        name = f"bench_{next(self._numbers)}"
        asyncio.run(self._run(f'CREATE DATABASE "{name}" TEMPLATE template0'))
        return self.url(name)

    def url(self, database: str) -> str:
        return self.server.url.replace("/postgres?", f"/{database}?")

    def drop(self, url: str) -> None:
        name = url.split("?")[0].rsplit("/", 1)[1]
        asyncio.run(self._run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))

    def make_template(self) -> None:
        asyncio.run(self._run(f'CREATE DATABASE "{TEMPLATE}" TEMPLATE template0'))
        asyncio.run(migrate(self.url(TEMPLATE)))

    async def _run(self, statement: str) -> None:
        connection = await asyncpg.connect(db.plain(self.server.url))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    @contextmanager
    def running(self, command: Sequence[str], url: str | None = None, **settings: str) -> Generator[Process]:
        """A program that writes a ready file, in a process of its own until the block ends."""
        process = self.start(command, url, **settings)
        try:
            yield process
        finally:
            self.end(process)

    def start(self, command: Sequence[str], url: str | None = None, **settings: str) -> Process:
        number = next(self._numbers)
        ready = self.folder / f"ready{number}.json"
        data = self.folder / f"data{number}"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HUBBUB_")}
        environment |= {"HUBBUB_DATA_DIR": str(data), "HUBBUB_ENCRYPTION_KEY": ENCRYPTION_KEY, **settings}
        if url is not None:
            environment["DATABASE_URL"] = url
        with (self.folder / f"log{number}.txt").open("wb") as out:
            popen = subprocess.Popen(
                [*command, "--ready-file", str(ready)], stdout=out, stderr=out, env=environment
            )
        process = Process(popen, {})
        self.processes.append(process)
        process.facts = _told(popen, ready, self.folder / f"log{number}.txt")
        return process

    def end(self, process: Process) -> None:
        process.stop()
        self.processes.remove(process)

    def database_cpu(self) -> float:
        """CPU seconds of the server and of every backend it has or had."""
        return cpu_of(self.server.pid, children=True)


@contextmanager
def asking(url: str, query: str) -> Generator[Callable[[], int]]:
    """A question to a database, to be asked again and again over one connection."""
    with asyncio.Runner() as runner:
        connection: Any = runner.run(asyncpg.connect(db.plain(url)))
        try:
            yield lambda: int(runner.run(connection.fetchval(query)))
        finally:
            runner.run(connection.close())


def _told(popen: subprocess.Popen[bytes], ready: Path, log: Path) -> Mapping[str, Any]:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        with suppress(FileNotFoundError, ValueError):
            return json.loads(ready.read_text())
        if popen.poll() is not None:
            raise RuntimeError(f"{popen.args} ended:\n{log.read_text()[-3000:]}")
        time.sleep(0.02)
    raise RuntimeError(f"{popen.args} was not ready after {READY_SECONDS:g} s")


@contextmanager
def open_stage() -> Generator[Stage]:
    """The server in a temporary folder, with the settings that `hubbub up` gives it."""
    folder = Path(tempfile.mkdtemp(prefix="hubbub-bench-"))
    folder.chmod(0o711)
    try:
        with postgres.start(folder / "database", folder / "postgres.log") as server:
            stage = Stage(folder, server)
            stage.make_template()
            try:
                yield stage
            finally:
                for process in list(stage.processes):
                    stage.end(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def hubbub(*words: str) -> list[str]:
    """The command line of our own program."""
    return [str(Path(sys.executable).with_name("hubbub")), *words]


def python(module: str, *words: str) -> list[str]:
    return [sys.executable, "-m", module, *words]


def cpu_of(pid: int, *, children: bool = False) -> float:
    """CPU seconds a process has used; with `children`, those of all below it, ended ones included."""
    process = psutil.Process(pid)
    times = process.cpu_times()
    total = times.user + times.system
    if children:
        total += times.children_user + times.children_system
        for child in process.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                spent = child.cpu_times()
                total += spent.user + spent.system
    return total
