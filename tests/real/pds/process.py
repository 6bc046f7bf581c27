"""Starts the network's process and makes sure that it, and what it wrote, goes away."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .install import HERE, installed, node

START_SECONDS = 120.0
STOP_SECONDS = 5.0


class StartFailed(RuntimeError):
    """The servers did not come up; the text ends with what they said."""


@dataclass(frozen=True)
class Network:
    """The running process. It also ends by itself when its standard input closes, as when we are killed."""

    process: subprocess.Popen[str]
    data: Path
    pds: str
    plc: str

    def stop(self) -> None:
        """End it and remove its data, by force after five seconds. May be called twice."""
        _end(self.process, self.data)


def start(settings: Mapping[str, str]) -> Network:
    """Start a PLC directory and a PDS on free ports. `settings` are PDS_* variables. Raises StartFailed."""
    modules = installed()
    data = Path(tempfile.mkdtemp(prefix="hubbub-pds-"))
    with (data / "stderr").open("w") as stderr:
        process = subprocess.Popen(
            [str(node()), str(HERE / "network.mjs"), str(modules), str(data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env=_environment(modules, data, settings),
            start_new_session=True,  # a Ctrl-C is for the tests, which then stop us
        )
    try:
        addresses = json.loads(_first_line(process, data))
        return Network(process, data, pds=addresses["pds"], plc=addresses["plc"])
    except BaseException:
        _end(process, data)
        raise


def _environment(modules: Path, data: Path, settings: Mapping[str, str]) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(data),
        "TMPDIR": str(data),
        "NODE_NO_WARNINGS": "1",
        "NODE_COMPILE_CACHE": str(modules / "compiled"),
        **settings,
    }


def _first_line(process: subprocess.Popen[str], data: Path) -> str:
    """The line that says the servers answer. Raises StartFailed when it does not come in time."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
    line = process.stdout.readline() if ready else ""
    if line:
        return line
    reason = "ended early" if ready else f"said nothing for {START_SECONDS:.0f} s"
    raise StartFailed(f"the PDS {reason}:\n{(data / 'stderr').read_text()[-3000:]}")


def _end(process: subprocess.Popen[str], data: Path) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    shutil.rmtree(data, ignore_errors=True)
