"""Keep an answer, find it again, and see to it that a request is under way once only.

Two ways, because handlers differ. A handler that works in one transaction does so while it has a turn: the
answer commits with the effect, and the turn ends with the transaction, also when the process is killed. A
handler that opens transactions of its own claims its id first and renews the claim while it lives.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from hubbub.domains.answers import sealing, store
from hubbub.domains.answers.store import AnswerStore
from hubbub.errors.resource import Conflict
from hubbub.kit import ids
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import Caller, Work, open_work

KEPT_FOR = timedelta(hours=72)
FORGOTTEN_AT_ONCE = 500
RENEWALS = 3
"""How often a claim is renewed before it would lapse."""


@dataclass(frozen=True)
class Kept:
    """An answer as it was sent, and the fingerprint of the request that it answered."""

    fingerprint: bytes
    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Claim:
    """The right to answer the request with this id, until it lapses."""

    id: bytes
    token: UUID
    lasts: timedelta


def id_of(caller: Caller, method: str, path: str, key: str) -> bytes:
    """What an answer is kept under: one caller's one key at one address."""
    who = (caller.workspace_id, caller.key_id, caller.user_id, caller.identity)
    return hashlib.sha256(repr((*map(str, who), method, path, key)).encode()).digest()


async def turn(work: Work, id: bytes) -> Kept | None:
    """Take the id for the rest of this transaction; what is kept under it, or None: go ahead, then `keep`.

    Raises Conflict while another request has it.
    """
    answers = AnswerStore(work, id)
    if not await answers.try_turn():
        raise in_flight()
    return _kept(work, id, await answers.get())


async def keep(work: Work, id: bytes, kept: Kept) -> None:
    """Keep the answer, with everything else this transaction does."""
    await AnswerStore(work, id).put(_values(work, id, kept))


@asynccontextmanager
async def attempt(work: Work) -> AsyncGenerator[None]:
    """What is done in this block is undone when it raises, and nothing else of the transaction."""
    await store.mark(work.db)
    try:
        yield
    except Exception:
        await store.back_to_mark(work.db)
        raise


async def claim(runtime: Runtime, caller: Caller, id: bytes) -> Kept | Claim:
    """What is kept under the id, or the right to answer. Raises Conflict while somebody else has that right."""
    # Much longer than a worker's silence: a request may stall, and a second one at the same time would be worse.
    lasts = timedelta(seconds=5 * runtime.settings.takeover_seconds)
    async with open_work(runtime, caller) as work:
        answers = AnswerStore(work, id)
        await answers.take_turn()
        row = await answers.get()
        kept = _kept(work, id, row)
        if kept is not None:
            return kept
        if row is not None and row["is_claimed"]:
            raise in_flight()
        made = Claim(id, ids.new_uuid(), lasts)
        until, forgotten = store.after(lasts), store.after(KEPT_FOR)
        await answers.put({"claim": made.token, "claimed_until": until, "expires_at": forgotten})
        return made


@asynccontextmanager
async def held(runtime: Runtime, caller: Caller, claim: Claim) -> AsyncGenerator[None]:
    """The claim is renewed while the block runs, and given back when it raises."""
    renewing = asyncio.create_task(_renew(runtime, caller, claim))
    try:
        yield
    except BaseException:
        with suppress(Exception):  # what cannot be given back now lapses
            await asyncio.shield(_release(runtime, caller, claim))
        raise
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)


async def settle(work: Work, claim: Claim, kept: Kept) -> bool:
    """Keep the answer of a claim, with everything else this transaction does; False when the claim has lapsed."""
    return await AnswerStore(work, claim.id).settle(claim.token, _values(work, claim.id, kept))


async def release(work: Work, claim: Claim) -> None:
    """Keep nothing; whoever comes next may answer."""
    await AnswerStore(work, claim.id).release(claim.token)


async def forget(runtime: Runtime) -> None:
    """Delete what is older than 72 hours."""
    gone = FORGOTTEN_AT_ONCE
    while gone == FORGOTTEN_AT_ONCE:
        async with runtime.database.begin() as connection:
            gone = await store.forget(connection, FORGOTTEN_AT_ONCE)


async def _renew(runtime: Runtime, caller: Caller, claim: Claim) -> None:
    while True:
        await asyncio.sleep(claim.lasts.total_seconds() / RENEWALS)
        with suppress(Exception):  # the next renewal may come through
            async with open_work(runtime, caller) as work:
                await AnswerStore(work, claim.id).renew(claim.token, claim.lasts)


async def _release(runtime: Runtime, caller: Caller, claim: Claim) -> None:
    async with open_work(runtime, caller) as work:
        await release(work, claim)


def in_flight() -> Conflict:
    """What is said while the first request with a key is not answered yet."""
    return Conflict(
        resource="request",
        problem="must be answered before it is sent again; it is still under way.",
        reason="in_flight",
    )


def _kept(work: Work, id: bytes, row: store.Row | None) -> Kept | None:
    if row is None or row["status"] is None:
        return None
    body = sealing.unseal(work.runtime.settings, id, row["body"])
    return Kept(row["fingerprint"], row["status"], row["content_type"], body, row["headers"])


def _values(work: Work, id: bytes, kept: Kept) -> dict[str, object]:
    return {
        "fingerprint": kept.fingerprint,
        "status": kept.status,
        "content_type": kept.content_type,
        "body": sealing.seal(work.runtime.settings, id, kept.body),
        "headers": dict(kept.headers),
        "expires_at": store.after(KEPT_FOR),
    }
