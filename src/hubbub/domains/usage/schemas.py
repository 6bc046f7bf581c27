"""Usage and plans as the API shows them (contract 4.22)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from hubbub.domains.usage.rules import Plan
from hubbub.domains.usage.service import Used


class UsageOut(msgspec.Struct, frozen=True):
    plan: str
    brands_used: int
    brands_limit: int
    posts_used: int
    posts_limit: int
    interactions_used: int
    interactions_limit: int
    period_start: datetime
    period_end: datetime
    profile_units_used: int
    profile_units_limit: int
    page_allowance: int
    page_billing_exempt: bool

    @classmethod
    def of(cls, used: Used) -> UsageOut:
        limits = used.plan.limits
        return cls(
            plan=used.plan.tier,
            brands_used=used.brands,
            brands_limit=limits.profiles,
            posts_used=used.posts,
            posts_limit=limits.posts_per_month,
            interactions_used=used.interactions,
            interactions_limit=limits.interactions_per_month,
            period_start=used.period_start,
            period_end=used.period_end,
            profile_units_used=used.brands,
            profile_units_limit=limits.profiles,
            page_allowance=-1,
            page_billing_exempt=True,
        )


class PlanLimitsOut(msgspec.Struct, frozen=True):
    profiles: int
    posts_per_month: int
    interactions_per_month: int
    storage_bytes: int
    event_retention_days: int
    exports_per_month: int


class PlanOut(msgspec.Struct, frozen=True):
    tier: str
    name: str
    tagline: str
    monthly_price_usd: int
    annual_price_usd: int
    popular: bool
    limits: PlanLimitsOut

    @classmethod
    def of(cls, plan: Plan) -> PlanOut:
        shown = {name: getattr(plan.limits, name) for name in PlanLimitsOut.__struct_fields__}
        return cls(
            tier=plan.tier,
            name=plan.name,
            tagline=plan.tagline,
            monthly_price_usd=plan.monthly_price_usd,
            annual_price_usd=plan.annual_price_usd,
            popular=plan.popular,
            limits=PlanLimitsOut(**shown),
        )


class PlansOut(msgspec.Struct, frozen=True):
    plans: list[PlanOut]
