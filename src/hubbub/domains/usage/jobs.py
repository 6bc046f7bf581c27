"""What is done about usage without being asked."""

from __future__ import annotations

from hubbub.domains.usage.store import SharedLedger
from hubbub.runtime import durable
from hubbub.runtime.process import Runtime


@durable.every(3600)
async def sweep_budget_shares(runtime: Runtime) -> None:
    """Forget what accounts took that have not called since."""
    await SharedLedger(runtime.database).forget()
