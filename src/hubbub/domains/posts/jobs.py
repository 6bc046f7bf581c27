"""Start what is due, run it, and notice what is stuck."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from hubbub.domains.events import service as events
from hubbub.domains.posts import outcome, publish, rules, store, timekeeping
from hubbub.domains.posts.service import DUE
from hubbub.errors.publishing import Unconfirmed
from hubbub.errors.system import Internal
from hubbub.runtime import durable, log
from hubbub.runtime.durable import Busy
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import EVERYBODY, Caller, Work, open_work

MAX_TROUBLES = 20
"""Unexpected errors a target survives before a person has to look."""

_logger = log.logger("posts")


@durable.job("publish", per_platform=True)
async def publish_target(runtime: Runtime, id: str) -> None:
    """Take one target as far as it gets now. May run any number of times."""
    target_id = UUID(id)
    async with runtime.database.begin() as db:
        found = await publish.load(db, target_id)
    if found is None:
        return
    assert runtime.holds is not None
    try:
        async with runtime.holds.hold(f"account:{found[0].account_id}"):
            async with runtime.database.begin() as db:
                found = await publish.load(db, target_id)
            if found is not None and not await _over_budget(runtime, *found):
                await _run(runtime, *found)
    except Busy:
        async with runtime.database.begin() as db:
            await store.change(db, target_id, due_at=store.NOW + timedelta(seconds=1))


async def _over_budget(runtime: Runtime, row: store.Row, post: store.Row) -> bool:
    """Whether the platform's budget of calls is used up: then the target is due when there is room again.

    Waiting here would keep the account and a place in the worker from others. The sandbox has no budget.
    """
    budgets = runtime.budgets.get(row.platform)
    if budgets is None or post.mode == "sandbox" or row.stage not in ("waiting", "preparing", "prepared"):
        return False
    wait = budgets.wait_for(row.account_id)
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


@durable.every(0.5, nudged_by=DUE)
async def sweep_due(runtime: Runtime) -> None:
    """Start every target whose time has come. The claim and the start are one transaction."""
    while True:
        async with runtime.database.begin() as db:
            work = Work(db, runtime, Caller(EVERYBODY))
            due = await store.claim_due(db, timekeeping.LEASE, limit=200)
            await durable.start_many(
                work, publish_target, [(str(row.id), f"{row.id}:{row.claims}", row.platform) for row in due]
            )
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
