"""Requests to our API and to its floor, turn by turn, under the same load."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterator
from typing import Any

from bench import seed
from bench.load import WARM_UP, Counted, Orders, generate
from bench.seed import Seeded
from bench.sizes import Size
from bench.stage import Process, Stage, cpu_of, hubbub, python

Row = dict[str, Any]
_numbers = itertools.count()


def seeded(stage: Stage, posts: int) -> Seeded:
    """A database with a workspace, and so many posts with three targets."""
    made = asyncio.run(seed.workspace(stage.database()))
    asyncio.run(seed.posts(made, posts, targets=3))
    return made


def accept(at: str, where: Seeded, connections: int, seconds: float) -> Orders:
    """`POST /v1/posts`: scheduled, three targets, a text of its own each time."""
    body = {
        "text": f"Number @N@ of run {next(_numbers)}. What we are launching, and why: https://example.com #launch",
        "scheduled_at": "2030-01-01T09:00:00Z",
        "targets": [{"account_id": account_id} for account_id, _ in where.accounts],
    }
    return Orders(f"{at}/v1/posts", where.key, connections, seconds, "POST", json.dumps(body))


def listing(at: str, where: Seeded, connections: int, seconds: float) -> Orders:
    """`GET /v1/posts?limit=25`."""
    return Orders(f"{at}/v1/posts?limit=25", where.key, connections, seconds)


KINDS = {"accept": accept, "list": listing}


def compared(stage: Stage, where: Seeded, kind: str, size: Size) -> list[Row]:
    """Ours and the floor, a row each for every number of connections, with every run."""
    floor = python("bench.floor_app", "--url", where.url, "--workspace", str(where.workspace_id))
    with (
        stage.running(hubbub("serve", "--port", "0"), where.url) as ours,
        stage.running(floor) as bare,
    ):
        rows: dict[tuple[str, int], Row] = {}
        for connections, (who, process) in _turns(size, {"floor": bare, "hubbub": ours}):
            row = rows.setdefault((who, connections), {"who": who, "connections": connections, "runs": []})
            row["runs"].append(
                run(stage, process, KINDS[kind](process.address, where, connections, size.seconds))
            )
        return list(rows.values())


def _turns(size: Size, both: dict[str, Process]) -> Iterator[tuple[int, tuple[str, Process]]]:
    for _ in range(size.repeats):
        yield from itertools.product(size.connections, both.items())


def run(stage: Stage, process: Process, orders: Orders) -> Row:
    """One run, with the CPU that the server and the database spent on it."""
    before, database = cpu_of(process.pid), stage.database_cpu()
    counted = generate(orders)
    whole = counted.requests * (counted.seconds + WARM_UP) / counted.seconds or 1
    return {
        **_told(counted),
        "cpu_ms": 1000 * (cpu_of(process.pid) - before) / whole,
        "database_cpu_ms": 1000 * (stage.database_cpu() - database) / whole,
    }


def _told(counted: Counted) -> Row:
    return {
        "per_second": counted.per_second,
        "p50_ms": counted.p50_ms,
        "p99_ms": counted.p99_ms,
        "generator_cpu_ms": counted.cpu_ms,
    }
