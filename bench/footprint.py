"""(e) *footprint*: seconds from `make run` in a fresh copy to the first published post, and memory at rest of all of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import psutil

from bench.seed import PLATFORM
from bench.sizes import Size
from bench.stage import Stage, hubbub

GOAL_MB = 350
ROOT = Path(__file__).parents[1]
NOT_COPIED = (
    ".venv",
    ".git",
    ".cache",
    ".hubbub",
    ".hypothesis",
    ".ruff_cache",
    "__pycache__",
    "node_modules",
)
PATIENCE = 300.0


def measure(stage: Stage, size: Size) -> dict[str, Any]:
    fresh = size.repeats > 1
    runs = [_once(fresh=fresh, seconds=size.rest_seconds) for _ in range(size.repeats)]
    return {"goal": GOAL_MB, "fresh_copy": fresh, "runs": runs}


def _once(*, fresh: bool, seconds: float) -> dict[str, Any]:
    """From nothing to the first post. Without `fresh` the environment at hand is used, and nothing is installed."""
    with tempfile.TemporaryDirectory(prefix="hubbub-bench-", ignore_cleanup_errors=True) as folder:
        place, ready = Path(folder) / "copy", Path(folder) / "ready.json"
        Path(folder).chmod(0o711)
        options = [
            "--port",
            "0",
            "--sandbox-port",
            "0",
            "--data-dir",
            f"{folder}/data",
            "--ready-file",
            str(ready),
        ]
        if fresh:
            shutil.copytree(ROOT, place, ignore=shutil.ignore_patterns(*NOT_COPIED))
            python = f"PYTHON={Path(sys.base_prefix) / 'bin' / 'python3'}"
            command, where = ["make", "-s", "run", python, f"ARGS={' '.join(options)}"], place
        else:
            command, where = hubbub("up", *options), ROOT
        began = time.monotonic()
        with _running(command, where, ready) as facts:
            answering = time.monotonic() - began
            _publish(facts)
            first_post = time.monotonic() - began
            time.sleep(seconds)
            return {"answers_s": answering, "first_post_s": first_post, **_memory(facts["pid"])}


@contextmanager
def _running(command: list[str], where: Path, ready: Path) -> Generator[Mapping[str, Any]]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HUBBUB_", "MAKE", "PYTHONPATH"))
    }
    environment.pop("DATABASE_URL", None)
    with (ready.parent / "log.txt").open("wb") as out:
        process = subprocess.Popen(
            command, cwd=where, stdout=out, stderr=out, env=environment, start_new_session=True
        )
    facts: dict[str, Any] = {"pid": process.pid}
    try:
        deadline = time.monotonic() + PATIENCE
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} ended:\n{(ready.parent / 'log.txt').read_text()[-3000:]}")
            time.sleep(0.05)
        facts = json.loads(ready.read_text())
        yield facts
    finally:
        with suppress(ProcessLookupError):
            os.kill(facts["pid"], signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        if process.poll() is None:
            process.kill()
            process.wait()


def _publish(facts: Mapping[str, Any]) -> None:
    """Connect the person that always exists, publish, and wait until it is up."""
    headers = {"Authorization": f"Bearer {facts['key']}"}
    with httpx2.Client(base_url=facts["api"], headers=headers, trust_env=False, timeout=30) as client:
        signing_in = {
            "platform": PLATFORM,
            "metadata": {"sandbox": True, "identifier": "demo", "app_password": "sandbox"},
        }
        connected = client.post("/v1/accounts/connect", json=signing_in).raise_for_status().json()
        account = connected["account_id"]
        post = {"text": "The first one", "publish_now": True, "targets": [{"account_id": account}]}
        made = client.post("/v1/posts", json=post).raise_for_status().json()
        deadline = time.monotonic() + 60
        while client.get(f"/v1/posts/{made['id']}").raise_for_status().json()["status"] != "published":
            if time.monotonic() > deadline:
                raise RuntimeError("the first post was not published within a minute")
            time.sleep(0.05)


def _memory(pid: int) -> dict[str, float]:
    """PSS of the process and of everything below it: shared pages are counted once.

    https://docs.kernel.org/filesystems/proc.html, smaps_rollup
    """
    found = {"hubbub_mb": _pss(pid), "database_mb": 0.0}
    for child in psutil.Process(pid).children(recursive=True):
        found["database_mb"] += _pss(child.pid)
    return found | {"memory_mb": found["hubbub_mb"] + found["database_mb"]}


def _pss(pid: int) -> float:
    with suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0
