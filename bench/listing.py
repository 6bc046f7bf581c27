"""(b) *list*: `GET /v1/posts?limit=25` of 100,000 posts; beside a bare application with the same queries and JSON."""

from __future__ import annotations

from typing import Any

from bench import pairs
from bench.sizes import Size
from bench.stage import Stage

GOAL = 0.8


def measure(stage: Stage, size: Size) -> dict[str, Any]:
    where = pairs.seeded(stage, size.listed)
    return {"goal": GOAL, "posts": size.listed, "rows": pairs.compared(stage, where, "list", size)}
