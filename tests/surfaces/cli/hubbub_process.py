"""The `hubbub` command as a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

HUBBUB = str(Path(sys.executable).with_name("hubbub"))
PATIENCE_SECONDS = 90.0
"""Far more than it takes, because a machine may be busy with other tests."""


@dataclass
class Started:
    """A process that has said that it is ready."""

    process: subprocess.Popen[bytes]
    ready_file: Path
    said: dict[str, Any]
    output: Path

    @property
    def text(self) -> str:
        return self.output.read_text()

    def get(self, path: str) -> httpx2.Response:
        return self.call("GET", path)

    def call(self, method: str, path: str, body: Any = None, key: str | None = None) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {key or self.said['key']}"}
        with httpx2.Client(trust_env=False, timeout=30) as client:
            return client.request(method, self.said["api"] + path, json=body, headers=headers)

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, wait, and give the exit status."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(how)
        return self.process.wait(PATIENCE_SECONDS)


def environment(**more: str) -> dict[str, str]:
    """What a process needs and nothing of ours."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR", "LANG") if name in os.environ}
    return {**kept, **more}


@contextlib.contextmanager
def started(folder: Path, *arguments: str, **variables: str) -> Iterator[Started]:
    """A command that runs until it is told to stop; ended with the block."""
    folder.mkdir(exist_ok=True)
    ready, output = folder / f"{arguments[0]}.ready", folder / f"{arguments[0]}.out"
    with output.open("wb") as out:
        process = subprocess.Popen(
            [HUBBUB, *arguments, "--ready-file", str(ready)],
            cwd=folder,
            env=environment(HOME=str(folder), **variables),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Started(process, ready, _wait(process, ready, output), output)
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], ready: Path, output: Path) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        # A file of an earlier process may still be there in the first moments.
        with contextlib.suppress(FileNotFoundError):
            said = json.loads(ready.read_text())
            if said["pid"] == process.pid:
                return said
        if process.poll() is not None:
            raise AssertionError(f"it ended at once: {output.read_text()}")
        time.sleep(0.02)
    raise AssertionError(f"it was not ready in time: {output.read_text()}")


def ran(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command that prints something and ends."""
    return subprocess.run(
        [HUBBUB, *arguments],
        cwd=folder,
        env=environment(HOME=str(folder), **variables),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
