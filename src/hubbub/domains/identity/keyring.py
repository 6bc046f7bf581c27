"""The keys that tokens are checked with: our own, from the database, and those of trusted issuers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from weakref import WeakKeyDictionary

import httpx2

from hubbub.domains.accounts.service import Sealed, Unreadable, Vault
from hubbub.domains.identity import rules, store, tokens
from hubbub.kit import clock
from hubbub.runtime import log
from hubbub.runtime.db import Database
from hubbub.runtime.process import Runtime

KEPT_SECONDS = 15 * 60.0
AGAIN_SECONDS = 10.0
"""How long after fetching an issuer's keys an unknown one does not make us ask again."""
JWKS_BYTES_MAX = 256 * 1024

Key = Mapping[str, Any]
_logger = log.logger("identity")


@dataclass
class Kept:
    """Public keys by their id, and when they were fetched."""

    keys: dict[str, Key] = field(default_factory=dict[str, Key])
    at: float = float("-inf")


_kept: WeakKeyDictionary[Database, dict[str, Kept]] = WeakKeyDictionary()
OURS = ""


async def private_key(runtime: Runtime) -> Key:
    """What signs now; made the first time, and another when it is worn or cannot be read."""
    async with runtime.database.begin() as db:
        found = await _newest(runtime, db)
    return found if found is not None else await rotate(runtime, unless_fresh=True)


async def rotate(runtime: Runtime, *, unless_fresh: bool = False) -> Key:
    """Sign with a new key from now on. The one before verifies for another day."""
    async with runtime.database.begin() as db:
        await store.take_turns(db)
        if unless_fresh and (found := await _newest(runtime, db)) is not None:
            return found
        kid, public, private = tokens.new_key()
        sealed, now = Vault.of(runtime.settings).seal(private, kid), clock.now()
        values = {"kid": kid, "public_key": public, "created_at": now, **vars(sealed)}
        await store.add_key(db, values, now + rules.RETIRED_FOR)
        return private


async def _newest(runtime: Runtime, db: store.Connection) -> Key | None:
    rows = await store.keys(db, clock.now())
    if not rows or rows[0]["retired_at"] or rows[0]["created_at"] < clock.now() - rules.ROTATE_AFTER:
        return None
    try:
        sealed = Sealed(rows[0]["key_id"], rows[0]["ciphertext"])
        return Vault.of(runtime.settings).open(sealed, rows[0]["kid"])
    except Unreadable:
        return None


async def published(runtime: Runtime) -> list[Key]:
    """The public halves of our keys that still verify; there is always one."""
    await private_key(runtime)
    async with runtime.database.begin() as db:
        return [row["public_key"] for row in await store.keys(db, clock.now())]


async def public_key(runtime: Runtime, issuer: str, kid: str) -> Key | None:
    """An issuer's key; `OURS` is ourselves. Kept for 15 minutes, and asked for again when one is unknown.

    None when there is no such key, or the issuer cannot be reached.
    """
    kept = _kept.setdefault(runtime.database, {}).setdefault(issuer, Kept())
    age = time.monotonic() - kept.at
    if age > KEPT_SECONDS or (kid not in kept.keys and age > (0 if issuer == OURS else AGAIN_SECONDS)):
        found = await _ours(runtime) if issuer == OURS else await _theirs(runtime, issuer)
        if found is not None:
            kept.keys = found
        # Also after a failure: what was there stays in use, and the issuer is not asked at every request.
        kept.at = time.monotonic()
    return kept.keys.get(kid)


async def _ours(runtime: Runtime) -> dict[str, Key]:
    async with runtime.database.begin() as db:
        return {row["kid"]: row["public_key"] for row in await store.keys(db, clock.now())}


async def _theirs(runtime: Runtime, issuer: str) -> dict[str, Key] | None:
    url = runtime.settings.trusted_issuers[issuer]
    try:
        answer = await runtime.outbound.get(url, headers={"accept": "application/json"})
        if answer.status_code != 200 or len(answer.content) > JWKS_BYTES_MAX:
            raise ValueError(f"it answered {answer.status_code}, {len(answer.content)} bytes")
        listed = cast(list[Any], answer.json()["keys"])
        return {str(key["kid"]): key for key in listed if isinstance(key, dict) and "kid" in key}
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, KeyError, TypeError) as failure:
        _logger.warning("an issuer's keys cannot be fetched", issuer=issuer, because=str(failure))
        return None


def forget(runtime: Runtime) -> None:
    """Fetch every key again before it is used next."""
    _kept.pop(runtime.database, None)
