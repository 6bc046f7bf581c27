"""Budgets: how many calls a platform allows, kept within one process.

The platform's own count is the truth and its 429 is honoured; this only keeps a burst of ours from
running into it at once.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque

from hubbub.connector.platform import Budget


class Budgets:
    """Sliding windows for one platform, one per budget and spender."""

    def __init__(self, budgets: list[Budget]) -> None:
        self._budgets = budgets
        self._spent: dict[tuple[int, str], deque[float]] = {}

    async def spend(self, account_id: str) -> None:
        """Wait until every budget has room for one more call, then count it."""
        for index, budget in enumerate(self._budgets):
            window = self._window(index, budget, account_id)
            # Each caller takes its place at once, so a crowd of them is spread out and not released together.
            wait = self._wait(window, budget)
            window.append(time.monotonic() + wait)
            if wait > 0:
                await asyncio.sleep(wait)

    def wait_for(self, account_id: str) -> float:
        """Seconds until every budget has room for one more call; nothing is spent."""
        return max(
            (self._wait(self._window(*one, account_id), one[1]) for one in enumerate(self._budgets)),
            default=0,
        )

    def _window(self, index: int, budget: Budget, account_id: str) -> deque[float]:
        spender = account_id if budget.per != "app" else ""
        return self._spent.setdefault((index, spender), deque())

    @staticmethod
    def _wait(window: deque[float], budget: Budget) -> float:
        now = time.monotonic()
        while window and window[0] <= now - budget.seconds:
            window.popleft()
        return window[-budget.calls] + budget.seconds - now if len(window) >= budget.calls else 0
