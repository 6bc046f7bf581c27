"""Procrastinate as its documentation shows it: a task that publishes; stalled jobs of dead workers are tried again."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import procrastinate
from procrastinate.exceptions import ConnectorException

CONCURRENCY = 32
app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=os.environ.get("PEER_URL", "")))
client = httpx2.AsyncClient(trust_env=False)


@app.task(name="publish")
async def publish(url: str, did: str, token: str, text: str) -> None:
    record = {"$type": "app.bsky.feed.post", "text": text, "createdAt": "2030-01-01T00:00:00.000Z"}
    body = {"repo": did, "collection": "app.bsky.feed.post", "record": record}
    answer = await client.post(url, json=body, headers={"Authorization": f"Bearer {token}"})
    answer.raise_for_status()


async def defer(orders: list[dict[str, Any]], when: datetime) -> None:
    """Create the engine's tables, and the jobs, all due at the same moment."""
    async with app.open_async():
        with suppress(ConnectorException):
            await app.schema_manager.apply_schema_async()
        await publish.configure(schedule_at=when).batch_defer_async(*orders)


async def work(ready: Path) -> None:
    async with app.open_async():
        ready.write_text("{}")
        looking = asyncio.create_task(retry_stalled())
        try:
            await app.run_worker_async(
                concurrency=CONCURRENCY, fetch_job_polling_interval=0.5, update_heartbeat_interval=1,
                stalled_worker_timeout=3,
            )  # fmt: skip
        finally:
            looking.cancel()


async def retry_stalled() -> None:
    """https://procrastinate.readthedocs.io/en/stable/howto/production/retry_stalled_jobs.html"""
    while True:
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=3):
            await app.job_manager.retry_job(job)
        await asyncio.sleep(1)


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("--orders", type=Path)
    asked.add_argument("--when", type=datetime.fromisoformat)
    asked.add_argument("--ready-file", type=Path)
    options = asked.parse_args()
    if options.orders:
        asyncio.run(defer(json.loads(options.orders.read_text()), options.when))
    else:
        asyncio.run(work(options.ready_file))
