"""People who have signed in to the sandbox, and targets of theirs that are all due in the same second."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import httpx2
import sqlalchemy as sa

from bench.seed import PLATFORM, Seeded, runtime_of
from hubbub.domains.accounts import vault
from hubbub.domains.workspaces import service as workspaces
from hubbub.kit import clock
from hubbub.kit.secret import Secret
from hubbub.runtime import db
from hubbub.runtime.work import Caller, Work
from hubbub.social.person import Grant

TARGETS_OF_POST = 5
ANSWER_SECONDS = 0.05
CREATE = "/xrpc/com.atproto.repo.createRecord"
COLLECTION = "app.bsky.feed.post"


@dataclass(frozen=True)
class Person:
    did: str
    token: str
    refresh: str


async def people(sandbox: str, count: int) -> list[Person]:
    """So many people of the sandbox, each with a session."""
    made: list[Person] = []
    async with httpx2.AsyncClient(base_url=sandbox, trust_env=False) as client:
        for number in range(count):
            person = {"username": f"bench{number}.test", "name": f"Bench {number}"}
            (await client.post(f"/_sandbox/{PLATFORM}/people", json=person)).raise_for_status()
            signing_in = {"identifier": person["username"], "password": "sandbox"}
            answer = await client.post(f"/{PLATFORM}/xrpc/com.atproto.server.createSession", json=signing_in)
            session = answer.raise_for_status().json()
            made.append(Person(session["did"], session["accessJwt"], session["refreshJwt"]))
    return made


async def answer_slowly(sandbox: str, calls: int) -> None:
    """The next calls that publish are answered after 50 ms."""
    slow = {"on": f"POST {CREATE}", "then": "slow", "times": calls, "params": {"seconds": ANSWER_SECONDS}}
    async with httpx2.AsyncClient(trust_env=False) as client:
        (await client.post(f"{sandbox}/_sandbox/{PLATFORM}/next", json=slow)).raise_for_status()


async def published(sandbox: str) -> list[tuple[str, str]]:
    """Who has published what: one pair for each post that exists in the sandbox."""
    async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
        world = (await client.get(f"{sandbox}/_sandbox/{PLATFORM}/world")).raise_for_status().json()
    return [(post["author"], post["text"]) for post in world["posts"]]


async def accounts(url: str, known: list[Person]) -> Seeded:
    """A workspace with an account for each person."""
    async with runtime_of(url) as runtime, runtime.database.begin() as connection:
        made = await workspaces.create_workspace(connection, "Storm", "storm@example.com")
        work = Work(connection, runtime, Caller(workspace_id=made.id))
        for number, person in enumerate(known):
            values = {"id": f"stormer_{number}", "did": person.did, "workspace": made.id, "now": clock.now()}
            await connection.execute(_ACCOUNT, values)
            grant = Grant(Secret(person.token), Secret(person.refresh), expires_at=None, extra={"pds": ""})
            await vault.keep(work, f"stormer_{number}", grant)
    return Seeded(url, made.id, "", [(f"stormer_{number}", PLATFORM) for number in range(len(known))])


_ACCOUNT = sa.text(f"""
    INSERT INTO accounts (id, workspace_id, platform, remote_id, name, username, status, metadata, mode, created_at, updated_at)
    VALUES (:id, :workspace, '{PLATFORM}', :did, :id, :id, 'active', '{{}}', 'sandbox', :now, :now)
""")


async def due_at(seeded: Seeded, count: int, when: datetime, label: str) -> None:
    """So many targets, due at this moment, neighbours on different accounts."""
    connection: Any = await asyncpg.connect(db.plain(seeded.url))
    try:
        many = len(seeded.accounts)
        async with connection.transaction():
            await connection.execute(_POSTS, count // TARGETS_OF_POST, seeded.workspace_id, when, label)
            await connection.execute(
                _TARGETS, count, TARGETS_OF_POST, seeded.workspace_id, when, many, PLATFORM, label
            )
        await connection.execute("ANALYZE posts, targets")
    finally:
        await connection.close()


_POSTS = """
    INSERT INTO posts (id, workspace_id, status, mode, text, media, platform_data, fingerprint, scheduled_at,
                       created_at, updated_at)
    SELECT md5($4::text || n)::uuid, $2, 'scheduled', 'sandbox', $4::text || n, '[]', '{}', $4::text || n,
           $3::timestamptz, now(), now()
    FROM generate_series(0, $1::int - 1) n
"""
_TARGETS = """
    INSERT INTO targets (id, post_id, workspace_id, position, account_id, platform, status, platform_data, stage,
                         due_at, planned_at, warnings, updated_at)
    SELECT md5($7::text || 't' || n)::uuid, md5($7::text || n / $2::int)::uuid, $3, n % $2, 'stormer_' || n % $5::int,
           $6, 'pending', '{}',
           'waiting', $4, $4, '[]', now()
    FROM generate_series(0, $1::int - 1) n
"""


def jobs(known: list[Person], count: int, label: str) -> list[dict[str, str]]:
    """The same posts as orders for whoever has no tables of ours."""
    orders: list[dict[str, str]] = []
    for n in range(count):
        person = known[n % len(known)]
        orders.append({"did": person.did, "token": person.token, "text": f"{label}{n // TARGETS_OF_POST}"})
    return orders


LEFT = "SELECT count(*) FROM targets WHERE due_at < now() + interval '1 day'"
"""How many targets that were due are not at their end yet."""


async def measured(url: str, when: datetime, label: str) -> tuple[float, list[float]]:
    """Seconds from the due time to the last published target, and every start's lag in milliseconds, sorted."""
    connection: Any = await asyncpg.connect(db.plain(url))
    mine = "FROM targets JOIN posts ON posts.id = post_id WHERE starts_with(posts.text, $1)"
    try:
        last = await connection.fetchval(f"SELECT max(targets.published_at) {mine}", label)
        rows = await connection.fetch(
            f"SELECT started_at - planned_at {mine} AND started_at IS NOT NULL ORDER BY 1", label
        )
    finally:
        await connection.close()
    return (last - when).total_seconds(), [1000 * row[0].total_seconds() for row in rows]


async def forget(url: str, label: str) -> None:
    """Take a storm's posts away again."""
    connection: Any = await asyncpg.connect(db.plain(url))
    try:
        await connection.execute("DELETE FROM posts WHERE starts_with(text, $1)", label)
    finally:
        await connection.close()
