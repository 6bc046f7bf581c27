"""Start what is due, run it, and notice what is stuck."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from hubbub.domains.events import service as events
from hubbub.domains.posts import outcome, publish, rules, store, timekeeping
from hubbub.domains.posts.service import DUE
from hubbub.domains.posts.tables import targets
from hubbub.domains.usage import service as usage
from hubbub.errors.publishing import Unconfirmed
from hubbub.errors.system import Internal
from hubbub.runtime import durable, log
from hubbub.runtime.durable import Busy
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import EVERYBODY, Caller, Work, open_work

MAX_TROUBLES = 20
"""Unexpected errors a target survives before a person has to look."""

BACKLOG = 1_000
"""Started targets that may wait for a worker at one time."""

_logger = log.logger("posts")


@durable.job("publish", per_platform=True)
async def publish_target(runtime: Runtime, id: str) -> None:
    """Take one target as far as it gets now. May run any number of times."""
    order = await _order_in(runtime, id)
    if order is None:
        return
    target_id, account_id, due_at = order
    assert runtime.holds is not None
    try:
        async with runtime.holds.hold(f"account:{account_id}"):
            async with runtime.database.begin() as db:
                found = await publish.load(db, target_id)
            if found is not None and not await _over_budget(runtime, *found):
                await _run(runtime, *found)
    except Busy:
        # Whoever has the account may have got on with this very target, which then is due when they say, if ever.
        unmoved = targets.c.due_at == due_at
        async with runtime.database.begin() as db:
            await store.change(db, target_id, unmoved, due_at=store.NOW + timedelta(seconds=1))


async def _over_budget(runtime: Runtime, row: store.Row, post: store.Row) -> bool:
    """Whether the platform's budget of calls is used up: then the target is due when there is room again.

    Waiting here would keep the account and a place in the worker from others. The sandbox has no budget.
    """
    if post.mode == "sandbox" or row.stage not in ("waiting", "preparing", "prepared"):
        return False
    wait = await usage.platform_budgets(runtime, row.platform).wait_for(row.account_id)
    if wait > 0:
        async with runtime.database.begin() as db:
            await store.change(db, row.id, due_at=store.NOW + timedelta(seconds=wait))
    return wait > 0


async def _run(runtime: Runtime, row: store.Row, post: store.Row) -> None:
    """A mistake of ours must not strand the target: it is tried again, and given up in the open."""
    try:
        await publish.Publication(runtime, row, post).run()
    except Exception as failure:
        _logger.exception("publishing went wrong", target=str(row.id), stage=row.stage)
        async with open_work(runtime, Caller(row.workspace_id, mode=post.mode)) as work:
            await _trouble(work, row, failure)


async def _trouble(work: Work, row: store.Row, failure: Exception) -> None:
    now = await store.target(work.db, row.id)
    if now is None or now.due_at is None:
        return
    if now.tries < MAX_TROUBLES:
        await store.change(work.db, row.id, tries=now.tries + 1, due_at=store.NOW + rules.backoff(now.tries))
        return
    if now.stage in ("submitting", "unknown", "sent"):
        evidence = f"an error of ours while looking for it: {type(failure).__name__}"
        refusal = Unconfirmed(platform=row.platform, account_id=row.account_id, evidence=evidence)
        await outcome.record(work, now, outcome.unconfirmed(refusal))
    else:
        await outcome.record(work, now, outcome.failed(Internal()))


async def _order_in(runtime: Runtime, id: str) -> tuple[UUID, str, datetime] | None:
    """The target, its account, and when it is due: as the sweep has written them, else as they are."""
    target, *known = id.split(" ")
    if known:
        return UUID(target), known[0], datetime.fromisoformat(known[1])
    async with runtime.database.begin() as db:
        found = await publish.load(db, UUID(target))
    return (found[0].id, found[0].account_id, found[0].due_at) if found is not None else None


def _order(row: store.Row) -> tuple[str, str, str]:
    """What the job is given, under which key, for which platform."""
    return f"{row.id} {row.account_id} {row.due_at.isoformat()}", f"{row.id}:{row.claims}", row.platform


@durable.every(0.5, nudged_by=DUE)
async def sweep_due(runtime: Runtime) -> None:
    """Start every target whose time has come. The claim and the start are one transaction.

    Of very many only as many as soon have their turn: whatever waits for longer than the lease is started again.
    """
    while True:
        async with runtime.database.begin() as db:
            work = Work(db, runtime, Caller(EVERYBODY))
            room = min(200, BACKLOG - await durable.queued(work, publish_target))
            due = await store.claim_due(db, timekeeping.LEASE, limit=room) if room > 0 else []
            await durable.start_many(work, publish_target, [_order(row) for row in due])
        if len(due) < 200:
            return


@durable.every(3600)
async def sweep_zone_rules(runtime: Runtime) -> None:
    """After an update of the zone rules, wall times may be other instants."""
    looked_at = timekeeping.BATCH
    while looked_at == timekeeping.BATCH:
        async with runtime.database.begin() as db:
            looked_at = await timekeeping.read_again(Work(db, runtime, Caller(EVERYBODY)))


@durable.job("account_is_back")
async def account_is_back(runtime: Runtime, id: str) -> None:
    """An account was reconnected: what waited for it goes on by itself."""
    async with runtime.database.begin() as db:
        work = Work(db, runtime, Caller(EVERYBODY))
        _, payload = await events.payload_of(work, UUID(id))
        if await store.release_waiting(db, payload["account_id"]):
            await work.nudge(DUE)


events.on("account.reconnected", account_is_back)
