"""The floor of *due storm*: a bare asyncio loop that makes the same calls with the same HTTP client, and keeps nothing.

`python -m bench.storm_floor` reads its orders as JSON from standard input and says how long they took.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from typing import Any

import httpx2
import uvloop

DIGITS = "234567abcdefghijklmnopqrstuvwxyz"


async def publish(client: httpx2.AsyncClient, url: str, order: dict[str, str], number: int) -> None:
    """One post, under a key of its own as our connector does it."""
    record = {
        "$type": "app.bsky.feed.post", "text": order["text"],
        "createdAt": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }  # fmt: skip
    body = {"repo": order["did"], "collection": "app.bsky.feed.post", "record": record, "rkey": _key(number)}
    answer = await client.post(url, json=body, headers={"Authorization": f"Bearer {order['token']}"})
    answer.raise_for_status()
    answer.json()


def _key(number: int) -> str:
    """https://atproto.com/specs/tid"""
    moment = (time.time_ns() // 1000 << 10) | number % 1024
    return "".join(DIGITS[moment >> shift & 31] for shift in range(60, -1, -5))


async def all_of(url: str, orders: list[dict[str, str]], concurrency: int) -> float:
    limits = httpx2.Limits(max_connections=200, max_keepalive_connections=50, keepalive_expiry=15)
    numbered = iter(list(enumerate(orders)))
    async with httpx2.AsyncClient(limits=limits, trust_env=False) as client:

        async def one_after_the_other() -> None:
            for number, order in numbered:
                await publish(client, url, order, number)

        began = time.perf_counter()
        await asyncio.gather(*(one_after_the_other() for _ in range(concurrency)))
        return time.perf_counter() - began


if __name__ == "__main__":
    given: dict[str, Any] = json.load(sys.stdin)
    before = time.process_time()
    took = uvloop.run(all_of(given["url"], given["orders"], given["concurrency"]))
    cpu = 1000 * (time.process_time() - before) / len(given["orders"])
    sys.stdout.write(json.dumps({"seconds": took, "cpu_ms": cpu}))
