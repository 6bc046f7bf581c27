"""(a) *accept*: `POST /v1/posts`, scheduled, three targets, durable; beside a bare application doing the same INSERTs."""

from __future__ import annotations

from typing import Any

from bench import pairs
from bench.sizes import Size
from bench.stage import Stage

GOAL = 0.6


def measure(stage: Stage, size: Size) -> dict[str, Any]:
    where = pairs.seeded(stage, size.few)
    return {"goal": GOAL, "rows": pairs.compared(stage, where, "accept", size)}
