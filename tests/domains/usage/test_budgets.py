"""A platform's budget holds for all processes of an installation together."""

from __future__ import annotations

import asyncio
import time

import pytest

from hubbub.connector.platform import Budget
from hubbub.connector.rate import Budgets
from hubbub.domains.usage.store import SharedLedger
from hubbub.runtime.process import Runtime

pytestmark = pytest.mark.anyio


def process(runtime: Runtime, calls: int, seconds: int, per: str = "app") -> Budgets:
    """What one process holds of a budget."""
    budget = Budget(calls=calls, seconds=seconds, per=per)  # pyright: ignore[reportArgumentType] - literals
    return Budgets("finch", [budget], SharedLedger(runtime.database))


async def test_two_processes_never_exceed_it_together(runtime: Runtime) -> None:
    one, other = process(runtime, 40, 3600), process(runtime, 40, 3600)

    async def as_many_as_it_gets(budgets: Budgets) -> int:
        made = 0
        while await budgets.wait_for("acct_1") == 0:
            await budgets.spend("acct_1")
            made += 1
        return made

    made = await asyncio.gather(as_many_as_it_gets(one), as_many_as_it_gets(other))

    assert sum(made) == 40
    assert all(made)


async def test_there_is_room_again_when_the_window_is_over(runtime: Runtime) -> None:
    budgets = process(runtime, 2, 1)
    began = time.monotonic()

    for _ in range(5):
        await budgets.spend("acct_1")

    assert time.monotonic() - began >= 2


async def test_an_accounts_budget_is_its_own(runtime: Runtime) -> None:
    budgets = process(runtime, 1, 3600, per="account")
    await budgets.spend("acct_1")

    assert await budgets.wait_for("acct_1") > 3000
    assert await budgets.wait_for("acct_2") == 0


async def test_a_share_that_nobody_used_in_time_lapses(runtime: Runtime) -> None:
    idle = process(runtime, 20, 3)
    assert await idle.wait_for("acct_1") == 0
    await asyncio.sleep(3.3)

    taken = await SharedLedger(runtime.database).take("finch/0/", 20, 20, 3.15)

    assert taken.calls == 20
    assert await idle.wait_for("acct_1") > 0


async def test_what_is_over_is_forgotten(runtime: Runtime) -> None:
    ledger = SharedLedger(runtime.database)
    await ledger.take("finch/0/gone", 1, 1, 0.01)
    kept = await ledger.take("finch/0/here", 1, 1, 3600)
    await asyncio.sleep(0.05)

    await ledger.forget()

    assert kept.calls == 1
    assert (await ledger.take("finch/0/gone", 1, 1, 0.01)).calls == 1
    assert (await ledger.take("finch/0/here", 1, 1, 3600)).calls == 0
