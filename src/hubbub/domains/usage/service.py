"""Spend of an allowance, and tell what is left of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hubbub.connector.rate import Budgets
from hubbub.domains.usage import rules, store
from hubbub.domains.usage.rules import Counted, Plan, Window
from hubbub.domains.usage.store import SharedLedger, UsageStore
from hubbub.domains.workspaces import service as workspaces
from hubbub.errors.billing import InteractionLimit, PostLimit
from hubbub.kit import clock
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import Work

REFUSALS: Mapping[Counted, type[PostLimit | InteractionLimit]] = {
    "posts": PostLimit,
    "interactions": InteractionLimit,
}


@dataclass(frozen=True)
class Used:
    """What a workspace has used in the current period, and what its plan allows."""

    plan: Plan
    brands: int
    posts: int
    interactions: int
    period_start: datetime
    period_end: datetime


@dataclass(frozen=True)
class Storage:
    """How many bytes of media a workspace may keep (-1 is any amount), and the plan that says so."""

    plan: str
    limit_bytes: int


def platform_budgets(runtime: Runtime, platform: str) -> Budgets:
    """The calls that a platform allows everybody here together; one object for each process."""
    if platform not in runtime.budgets:
        facts = runtime.platforms[platform].facts
        runtime.budgets[platform] = Budgets(platform, facts.rate, SharedLedger(runtime.database))
    return runtime.budgets[platform]


def check_plan(name: str | None) -> None:
    """Raises LookupError for a plan that does not exist, so that it is found when the program starts."""
    if name is not None and name not in rules.plans():
        raise LookupError(f"there is no plan {name!r}; there are {', '.join(rules.plans())}")


async def spend_post(work: Work, amount: int = 1) -> None:
    """Count a post that is scheduled, published or retried, with the caller's transaction.

    Tells what is left in `work.headers` where there is a limit. Raises PostLimit when the plan allows no more.
    """
    await _spend(work, "posts", amount)


async def return_post(work: Work) -> None:
    """Take a post off the count again: one that certainly never went out, and one that is no longer meant to.

    It counts for the period that is now, whenever it was spent; a count never falls below 0.
    """
    subscription = await workspaces.subscription(work)
    counts = UsageStore(work, rules.period_of(subscription.since, work.now)[0])
    await counts.take_turns()
    if (await counts.used())["posts"] > 0:
        await counts.add("posts", -1)
    await _tell(work, subscription, "posts")


async def tell_posts(work: Work) -> None:
    """Tell what is left of the posts, where there is a limit, in the headers of an answer that spends none."""
    await _tell(work, await workspaces.subscription(work), "posts")


async def spend_interaction(work: Work, amount: int = 1) -> None:
    """Count a reply or message that goes out, as `spend_post` does. Raises InteractionLimit."""
    await _spend(work, "interactions", amount)


async def _spend(work: Work, counted: Counted, amount: int) -> None:
    subscription = await workspaces.subscription(work)
    plan = _plan(subscription)
    start, end = rules.period_of(subscription.since, work.now)
    counts = UsageStore(work, start)
    limit = plan.limits.of(counted)
    if limit >= 0:
        await counts.take_turns()
        used = (await counts.used())[counted]
        allowed = used + amount <= limit
        _say(work, counted, limit, used + (amount if allowed else 0))
        if not allowed:
            wait = rules.seconds_until(end, work.now)
            raise REFUSALS[counted](plan=plan.tier, max=limit, used=used, retry_after_seconds=wait)
    await counts.add(counted, amount)


async def _tell(work: Work, subscription: workspaces.Subscription, counted: Counted) -> None:
    limit = _plan(subscription).limits.of(counted)
    if limit >= 0:
        start, _ = rules.period_of(subscription.since, work.now)
        _say(work, counted, limit, (await UsageStore(work, start).used())[counted])


def _say(work: Work, counted: Counted, limit: int, used: int) -> None:
    word = counted.capitalize()
    work.headers[f"X-{word}-Limit"] = str(limit)
    work.headers[f"X-{word}-Remaining"] = str(max(0, limit - used))


async def current(work: Work) -> Used:
    """What has been used, and of what."""
    subscription = await workspaces.subscription(work)
    start, end = rules.period_of(subscription.since, work.now)
    used = await UsageStore(work, start).used()
    return Used(
        plan=_plan(subscription),
        brands=await workspaces.count_brands(work),
        posts=used["posts"],
        interactions=used["interactions"],
        period_start=start,
        period_end=end,
    )


async def storage(work: Work) -> Storage:
    """The setting's limit where there is one, else the plan's."""
    plan = _plan(await workspaces.subscription(work))
    by_setting = work.runtime.settings.storage_limit_bytes
    return Storage(plan.tier, by_setting if by_setting >= 0 else plan.limits.storage_bytes)


async def count_request(runtime: Runtime, workspace_id: UUID) -> list[Window]:
    """Count one request in every window that has a limit, at once and for good; none has one by default."""
    settings = runtime.settings
    limits = {"minute": settings.requests_per_minute, "day": settings.requests_per_day}
    limited = {name: limit for name, limit in limits.items() if limit > 0}
    if not limited:
        return []
    now = clock.now()
    began = {name: rules.window_start(rules.WINDOWS[name], now) for name in limited}
    async with runtime.database.begin() as connection:
        counted = await store.count_request(connection, workspace_id, began)
    return [
        Window(
            name=name,
            seconds=rules.WINDOWS[name],
            limit=limit,
            used=counted[name],
            resets_in_seconds=max(1, rules.WINDOWS[name] - int((now - began[name]).total_seconds())),
        )
        for name, limit in limited.items()
    ]


def _plan(subscription: workspaces.Subscription) -> Plan:
    """Raises LookupError when the workspace is on a plan that does not exist."""
    check_plan(subscription.plan)
    return rules.plans()[subscription.plan]
