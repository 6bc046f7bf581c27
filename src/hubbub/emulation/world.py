"""A platform's memory: plain JSON-able things that survive a restart, also after kill -9."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Thing = dict[str, Any]

TABLES = """
CREATE TABLE IF NOT EXISTS things (
    seq INTEGER PRIMARY KEY, platform TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
    UNIQUE (platform, kind, id));
CREATE TABLE IF NOT EXISTS numbers (
    platform TEXT NOT NULL, kind TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (platform, kind));
CREATE TABLE IF NOT EXISTS files (
    platform TEXT NOT NULL, id TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (platform, id));
"""


class Store:
    """The file behind every World of one sandbox; without a folder it lives in memory only.

    Writes gather until `commit`, which the sandbox calls before any answer leaves. With a write-ahead
    log and `synchronous=NORMAL` a commit is in the operating system's hands: a killed process loses nothing.
    https://www.sqlite.org/pragma.html#pragma_synchronous
    """

    def __init__(self, folder: Path | None) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        where = ":memory:" if folder is None else str(folder / "sandbox.sqlite")
        # The thread that serves is often not the one that made the app; only one of them ever uses it.
        self.db = sqlite3.connect(where, check_same_thread=False, timeout=10)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.executescript(TABLES)

    def commit(self) -> None:
        self.db.commit()

    def forget(self) -> None:
        """Empty every world, numbers included."""
        for table in ("things", "numbers", "files"):
            self.db.execute(f"DELETE FROM {table}")  # noqa: S608 - three literals
        self.commit()

    def close(self) -> None:
        self.db.close()


class World:
    """Everything that exists on one platform, by kind (`people`, `posts`, `comments`, `media`, `tokens`, …).

    What `get` and `all` give are copies: a change is kept only by `update`.
    """

    def __init__(self, store: Store, platform: str) -> None:
        self.store = store
        self.platform = platform
        self.mint: Callable[[str], str] = lambda kind: f"{kind}-{self.number(kind)}"

    def add(self, kind: str, **fields: Any) -> Thing:
        """Keep a new thing; without an `id` the emulator mints one. Raises ValueError for a taken id."""
        thing: Thing = {"id": fields.pop("id", None) or self.mint(kind), **fields}
        try:
            self.store.db.execute(
                "INSERT INTO things (platform, kind, id, body) VALUES (?, ?, ?, ?)",
                (self.platform, kind, thing["id"], json.dumps(thing)),
            )
        except sqlite3.IntegrityError as taken:
            raise ValueError(f"{kind} {thing['id']} exists already") from taken
        return thing

    def get(self, kind: str, id: str) -> Thing | None:
        row = self.store.db.execute(
            "SELECT body FROM things WHERE platform = ? AND kind = ? AND id = ?", (self.platform, kind, id)
        ).fetchone()
        return None if row is None else json.loads(row[0])

    def update(self, kind: str, id: str, **changes: Any) -> Thing:
        """Change fields of a thing and give the result. Raises KeyError when there is none."""
        thing = self.get(kind, id)
        if thing is None:
            raise KeyError(f"{kind} {id}")
        thing |= changes
        self.store.db.execute(
            "UPDATE things SET body = ? WHERE platform = ? AND kind = ? AND id = ?",
            (json.dumps(thing), self.platform, kind, id),
        )
        return thing

    def all(self, kind: str, **equal: Any) -> list[Thing]:
        """The things of a kind, oldest first; `equal` keeps those whose fields have these scalar values.

        A dotted name reaches into a field: `**{"value.reply.root.uri": uri}`.
        """
        where, values = _where(equal)
        rows = self.store.db.execute(
            f"SELECT body FROM things WHERE platform = ? AND kind = ?{where} ORDER BY seq",  # noqa: S608
            (self.platform, kind, *values),
        )
        return [json.loads(row[0]) for row in rows]

    def one(self, kind: str, **equal: Any) -> Thing | None:
        """The oldest thing that matches, or None."""
        found = self.all(kind, **equal)
        return found[0] if found else None

    def count(self, kind: str, **equal: Any) -> int:
        where, values = _where(equal)
        row = self.store.db.execute(
            f"SELECT count(*) FROM things WHERE platform = ? AND kind = ?{where}",  # noqa: S608
            (self.platform, kind, *values),
        ).fetchone()
        return row[0]

    def remove(self, kind: str, id: str) -> bool:
        """Forget a thing; False when there was none."""
        done = self.store.db.execute(
            "DELETE FROM things WHERE platform = ? AND kind = ? AND id = ?", (self.platform, kind, id)
        )
        return done.rowcount > 0

    def number(self, kind: str) -> int:
        """1, 2, 3, … per kind; never given twice, also after a restart."""
        row = self.store.db.execute(
            "INSERT INTO numbers VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1 RETURNING n",
            (self.platform, kind),
        ).fetchone()
        return row[0]

    def keep_bytes(self, id: str, data: bytes) -> None:
        """Keep the bytes of an upload under an id, beside the things."""
        self.store.db.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", (self.platform, id, data))

    def get_bytes(self, id: str) -> bytes | None:
        row = self.store.db.execute(
            "SELECT data FROM files WHERE platform = ? AND id = ?", (self.platform, id)
        ).fetchone()
        return None if row is None else row[0]


def _where(equal: Mapping[str, Any]) -> tuple[str, list[Any]]:
    values: list[Any] = []
    for field, value in equal.items():
        values += ["$" + "".join(f'."{name}"' for name in field.split(".")), value]
    return " AND json_extract(body, ?) IS ?" * len(equal), values
