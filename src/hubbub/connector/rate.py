"""Budgets: how many calls a platform allows, shared by every process of one installation.

The platform's own count is the truth and its 429 is honoured; this only keeps a burst of ours from
running into it at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hubbub.connector.platform import Budget

SHARES = 20
"""A process takes a twentieth of a window's calls at a time, so that a call seldom asks the ledger."""


@dataclass(frozen=True)
class Granted:
    """What the ledger gave: that many calls, or the seconds until it may have some."""

    calls: int
    wait_seconds: float = 0


class Ledger(Protocol):
    """Where all processes of an installation write down what they take."""

    async def take(self, name: str, calls: int, most: int, seconds: float) -> Granted:
        """Up to `calls` of the `most` that everybody together may take in any `seconds`."""
        ...


@dataclass
class Share:
    """Calls that this process took and has not made."""

    left: int
    until: float
    """On the monotonic clock; what is not used by then lapses, for the ledger forgets it soon after."""


class Budgets:
    """The windows of one platform, one per budget and spender."""

    def __init__(self, platform: str, budgets: Sequence[Budget], ledger: Ledger) -> None:
        self._platform = platform
        self._budgets = budgets
        self._ledger = ledger
        self._shares: dict[str, Share] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def spend(self, account_id: str) -> None:
        """Wait until every budget has room for one more call, then count it."""
        for number, budget in enumerate(self._budgets):
            name = self._name(number, budget, account_id)
            wait = await self._ensure(name, budget, spend=1)
            while wait > 0:
                await asyncio.sleep(wait)
                wait = await self._ensure(name, budget, spend=1)

    async def wait_for(self, account_id: str) -> float:
        """Seconds until every budget has room for one more call; nothing is spent."""
        waits = [
            await self._ensure(self._name(number, budget, account_id), budget, spend=0)
            for number, budget in enumerate(self._budgets)
        ]
        return max(waits, default=0)

    def _name(self, number: int, budget: Budget, account_id: str) -> str:
        return f"{self._platform}/{number}/{account_id if budget.per != 'app' else ''}"

    async def _ensure(self, name: str, budget: Budget, *, spend: int) -> float:
        """Have a call at hand, and spend it when asked: 0, or the seconds until there may be one."""
        async with self._asking.setdefault(name, asyncio.Lock()):
            share, lasts = self._shares.get(name), budget.seconds / SHARES
            if share is None or share.left < 1 or share.until <= time.monotonic():
                until = time.monotonic() + lasts
                granted = await self._ledger.take(
                    name, max(1, budget.calls // SHARES), budget.calls, budget.seconds + lasts
                )
                if granted.calls < 1:
                    return max(granted.wait_seconds, 0.05)
                share = self._shares[name] = Share(granted.calls, until)
            share.left -= spend
            return 0
