"""Usage and plans over HTTP (contract 5.14)."""

from __future__ import annotations

from hubbub.domains.usage import rules, service
from hubbub.domains.usage.schemas import PlanOut, PlansOut, UsageOut
from hubbub.runtime.routes import ANY_KEY, Router
from hubbub.runtime.work import Work

router = Router("/v1", "Usage")


@router.get("/usage", scope=ANY_KEY)
async def get_usage(work: Work) -> UsageOut:
    """Tell what the workspace has used in the current period, and what its plan allows.

    A limit of -1 is none. Posts count when they are scheduled, published or retried; drafts do not,
    and what certainly never went out is taken off again.
    """
    return UsageOut.of(await service.current(work))


@router.get("/billing/plans", scope=ANY_KEY)
async def list_plans() -> PlansOut:
    """List the plans, cheapest first. A price of -1 is by agreement, a limit of -1 is none."""
    return PlansOut([PlanOut.of(plan) for plan in rules.plans().values()])
