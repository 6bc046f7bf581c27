"""The floor of *accept* and *list*: a bare ASGI application on the same server, writing and reading the same rows.

No framework, no checks, no caller looked up: one transaction of plain INSERTs, or two queries, by asyncpg alone.
`python -m bench.floor_app --url URL --workspace ID --ready-file PATH`
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec
import uvloop

from hubbub.runtime import db, listening
from hubbub.runtime.settings import Settings

Columns = tuple[str, ...]

POST: Columns = (
    "id", "workspace_id", "status", "mode", "text", "media", "platform_data", "fingerprint", "segments", "skip_validation",
    "scheduled_at", "created_at", "updated_at",
)  # fmt: skip
TARGET: Columns = (
    "id", "post_id", "workspace_id", "position", "account_id", "platform", "status", "platform_data", "warnings",
    "stage", "due_at", "planned_at", "updated_at",
)  # fmt: skip
EVENT: Columns = (
    "id", "workspace_id", "category", "action", "status", "summary", "resource_id", "payload", "created_at",
)  # fmt: skip


def _insert(table: str, columns: Columns) -> str:
    places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"


INSERT_POST, INSERT_TARGET = _insert("posts", POST), _insert("targets", TARGET)
INSERT_EVENT = _insert("events", EVENT)
COUNT_POST = """
    INSERT INTO usage_counts (workspace_id, period_start, slot, posts, interactions)
    VALUES ($1, $2, pg_backend_pid() % 64, 1, 0)
    ON CONFLICT (workspace_id, period_start, slot) DO UPDATE SET posts = usage_counts.posts + 1
"""
LIST_POSTS = """
    SELECT * FROM posts WHERE workspace_id = $1 AND NOT hidden ORDER BY coalesce(scheduled_at, created_at), id LIMIT $2
"""
LIST_TARGETS = "SELECT * FROM targets WHERE post_id = ANY($1) ORDER BY position"


class Floor:
    """The application: `POST /v1/posts` and `GET /v1/posts`."""

    def __init__(self, pool: asyncpg.Pool, workspace_id: UUID) -> None:
        self.pool = pool
        self.workspace_id = workspace_id
        self.period = datetime.now(UTC)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if scope["method"] == "POST":
            status, answer = 201, await self.accept(msgspec.json.decode(await _body(receive)))
        else:
            status, answer = 200, await self.list(25)
        body = msgspec.json.encode(answer)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def accept(self, given: dict[str, Any]) -> dict[str, Any]:
        now, at = datetime.now(UTC), datetime.fromisoformat(given["scheduled_at"])
        post_id, mine = uuid4(), self.workspace_id
        post = (
            post_id, mine, "scheduled", "sandbox", given["text"], [], {}, post_id.hex * 2, [], False, at, now, now
        )  # fmt: skip
        targets = [
            (
                uuid4(), post_id, mine, position, wanted["account_id"], "bluesky", "pending", {}, [], "waiting", at, at, now,
            )
            for position, wanted in enumerate(given["targets"])
        ]  # fmt: skip
        said = {"post_id": str(post_id)}
        about = ("post", "post.created", "success", "A post was created", str(post_id))
        also = ("post", "post.scheduled", "success", "A post was scheduled", str(post_id))
        happened = [
            (uuid4(), mine, *about, said, now),
            (uuid4(), mine, *also, {**said, "targets": given["targets"]}, now),
        ]
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(INSERT_POST, *post)
            await connection.executemany(INSERT_TARGET, targets)
            await connection.executemany(INSERT_EVENT, happened)
            await connection.execute(COUNT_POST, mine, self.period)
        return _post(
            dict(zip(POST, post, strict=True)), [dict(zip(TARGET, one, strict=True)) for one in targets]
        )

    async def list(self, limit: int) -> dict[str, Any]:
        async with self.pool.acquire() as connection:
            rows = await connection.fetch(LIST_POSTS, self.workspace_id, limit + 1)
            shown = rows[:limit]
            found: dict[UUID, list[Any]] = {row["id"]: [] for row in shown}
            for target in await connection.fetch(LIST_TARGETS, list(found)):
                found[target["post_id"]].append(target)
        return {
            "data": [_post(row, found[row["id"]]) for row in shown],
            "pagination": {"has_more": len(rows) > limit, "next_cursor": None, "limit": limit},
        }


def _post(row: Any, targets: list[Any]) -> dict[str, Any]:
    get = row.get
    media = row["media"]
    return {
        "id": str(row["id"]), "status": row["status"], "text": row["text"], "title": get("title"),
        "visibility": get("visibility"), "media": media, "media_ids": [one["source"] for one in media],
        "hidden": get("hidden", False), "retry_count": get("retry_count", 0), "segments": row["segments"],
        "scheduled_at": _moment(row["scheduled_at"]), "wall_time": get("local_time"),
        "published_at": _moment(get("published_at")), "targets": [_target(one) for one in targets],
        "created_at": _moment(row["created_at"]), "updated_at": _moment(row["updated_at"]), "metadata": {"sandbox": True},
    }  # fmt: skip


def _target(row: Any) -> dict[str, Any]:
    get = row.get
    return {
        "platform": row["platform"], "status": row["status"], "account_id": row["account_id"], "page_id": get("page_id"),
        "text": get("text"), "title": get("title"), "first_comment": get("first_comment"), "visibility": get("visibility"),
        "media": get("media"), "media_ids": None, "scheduled_at": _moment(get("scheduled_at")), "wall_time": get("local_time"),
        "platform_post_id": get("remote_id"), "permalink": get("permalink"), "published_at": _moment(get("published_at")),
        "metrics": get("metrics"), "metrics_synced_at": _moment(get("metrics_synced_at")), "error": get("error"),
        "warnings": row["warnings"], "due_at": _moment(row["planned_at"]), "started_at": _moment(get("started_at")),
        "lag_ms": None, "metadata": {"sandbox": True},
    }  # fmt: skip


def _moment(value: datetime | None) -> str | None:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value is not None else None


async def _body(receive: Any) -> bytes:
    parts, more = b"", True
    while more:
        message = await receive()
        parts += message.get("body", b"")
        more = message.get("more_body", False)
    return parts


async def _prepare(connection: Any) -> None:
    await connection.set_type_codec(
        "jsonb", encoder=lambda value: msgspec.json.encode(value).decode(), decoder=msgspec.json.decode,
        schema="pg_catalog",
    )  # fmt: skip


async def _leave(_: Any) -> None:
    """No reset between requests: nothing is left behind on a connection."""


async def serve(url: str, workspace_id: UUID, ready: Path) -> None:
    """As many connections to the database and the same web server as ours, until SIGTERM."""
    most = 2 * Settings.model_fields["db_pool_size"].default
    pool = await asyncpg.create_pool(
        db.plain(url), min_size=most // 2, max_size=most, init=_prepare, reset=_leave
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    socket = listening.listen("127.0.0.1", 0)
    app = Floor(pool, workspace_id)
    async with pool.acquire() as connection:
        app.period = await connection.fetchval(
            "SELECT created_at FROM users WHERE workspace_id = $1", workspace_id
        )
    told = json.dumps({"api": listening.url_of(socket)})
    await listening.answer(app, socket, lambda: _say(ready, told), stop)
    await pool.close()


def _say(ready: Path, told: str) -> None:
    ready.write_text(told)


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("--url", required=True)
    asked.add_argument("--workspace", type=UUID, required=True)
    asked.add_argument("--ready-file", type=Path, required=True)
    options = asked.parse_args()
    uvloop.run(serve(options.url, options.workspace, options.ready_file))
