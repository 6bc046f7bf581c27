"""(d) *resting cost*: accept, list and a due storm, with a thousand posts waiting for their time and with a million."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from bench import pairs, seed, storm_seed
from bench.seed import Seeded
from bench.sizes import Size
from bench.stage import Stage, cpu_of, hubbub
from bench.storm import Storm

GOAL = 1.2
CONNECTIONS = 8
Row = dict[str, Any]


def measure(stage: Stage, size: Size) -> dict[str, Any]:
    where = pairs.seeded(stage, 0)
    with stage.running(hubbub("sandbox", "--port", "0")) as sandbox:
        storm = Storm(stage, sandbox, size.people)
        people = asyncio.run(storm_seed.accounts(where.url, storm.people))
        asyncio.run(seed.posts(where, size.few, targets=1))
        few = _all(stage, where, people, storm, size)
        asyncio.run(seed.posts(where, size.later - size.few, targets=1, first=size.few))
        many = _all(stage, where, people, storm, size)
    return {"goal": GOAL, "few": size.few, "many": size.later, "rows": {"few": few, "many": many}}


def _all(stage: Stage, where: Seeded, people: Seeded, storm: Storm, size: Size) -> Row:
    with stage.running(hubbub("serve", "--port", "0"), where.url) as ours:
        # The first requests of all make connections and plans.
        pairs.run(stage, ours, pairs.listing(ours.address, where, CONNECTIONS, size.seconds / 3))
        found: Row = {
            kind: [
                pairs.run(stage, ours, orders(ours.address, where, CONNECTIONS, size.seconds))
                for _ in range(size.repeats)
            ]
            for kind, orders in pairs.KINDS.items()
        }
    found["storm"] = [storm.ours(size.small_storm, where.url, people) for _ in range(size.repeats)]
    return found | {"idle": [_idle(stage, where.url, size.rest_seconds) for _ in range(size.repeats)]}


def _idle(stage: Stage, url: str, seconds: float) -> Row:
    """What a worker with nothing due costs, and the database under it, in percent of one core."""
    with stage.running(hubbub("work"), url) as process:
        time.sleep(min(1.0, seconds))
        worker, database, began = cpu_of(process.pid), stage.database_cpu(), time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - began
        return {
            "worker_percent": 100 * (cpu_of(process.pid) - worker) / took,
            "database_percent": 100 * (stage.database_cpu() - database) / took,
        }
