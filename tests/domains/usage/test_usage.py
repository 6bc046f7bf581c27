from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api import Api
from hubbub.domains.usage import rules, service
from hubbub.domains.workspaces import service as workspaces
from hubbub.kit import clock
from hubbub.runtime.process import Runtime
from hubbub.runtime.settings import Settings
from hubbub.surfaces.api.app import create_app

pytestmark = pytest.mark.anyio

FREE = pytest.mark.parametrize("settings", [{"plan": "free"}], indirect=True)


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    return settings.model_copy(update=getattr(request, "param", {}))


async def used(api: Api) -> Any:
    return (await api.get("/v1/usage")).json


async def test_whoever_hosts_it_himself_has_no_limits_but_everything_is_counted(metered: Api) -> None:
    async with metered.work() as work:
        await workspaces.new_brand(work, "One")
    for what in ("post", "post", "interaction"):
        answer = await metered.post(f"/v1/spending/{what}")
        assert not [name for name in answer.headers if name.startswith(("x-posts", "x-interactions"))]
    usage = await used(metered)
    start, end = (datetime.fromisoformat(usage.pop(name)) for name in ("period_start", "period_end"))
    assert end - start == timedelta(days=30)
    assert start <= clock.now() < end
    assert usage == {
        "plan": "enterprise", "brands_used": 1, "brands_limit": -1, "posts_used": 2, "posts_limit": -1,
        "interactions_used": 1, "interactions_limit": -1, "profile_units_used": 1, "profile_units_limit": -1,
        "page_allowance": -1, "page_billing_exempt": True,
    }  # fmt: skip


@FREE
async def test_the_eleventh_post_of_the_free_plan_is_refused(metered: Api) -> None:
    left = [(await metered.post("/v1/spending/post")).headers["x-posts-remaining"] for _ in range(10)]
    assert left == [str(number) for number in range(9, -1, -1)]
    refused = await metered.post("/v1/spending/post")
    assert (refused.status, refused.code) == (429, "billing.post_limit")
    assert (refused.headers["x-posts-limit"], refused.headers["x-posts-remaining"]) == ("10", "0")
    meta = refused.json["error"]["meta"]
    assert (meta["plan"], meta["max"], meta["used"]) == ("free", 10, 10)
    assert 29 * 86400 < meta["retry_after_seconds"] <= 30 * 86400
    assert "retry-after" not in refused.headers
    usage = await used(metered)
    assert (usage["plan"], usage["posts_used"], usage["posts_limit"]) == ("free", 10, 10)
    assert (await metered.get("/v1/users/me")).json["plan"] == "free"
    assert (await (await metered.elsewhere()).post("/v1/spending/post")).status == 204


@FREE
async def test_the_allowance_starts_anew_with_the_next_period(metered: Api) -> None:
    for _ in range(10):
        await metered.post("/v1/spending/post")
    async with metered.work() as work:
        work.now += timedelta(days=30)
        await service.spend_post(work)
        assert work.headers["X-Posts-Remaining"] == "9"
        assert (await service.current(work)).posts == 1


@FREE
async def test_many_at_once_do_not_get_more_than_the_plan_allows(metered: Api) -> None:
    answers = await asyncio.gather(*(metered.post("/v1/spending/post") for _ in range(25)))
    assert sorted(answer.status for answer in answers) == [204] * 10 + [429] * 15
    assert (await used(metered))["posts_used"] == 10


async def test_what_is_refused_afterwards_costs_nothing(metered: Api) -> None:
    assert (await metered.post("/v1/spending/fail")).status == 409
    assert (await used(metered))["posts_used"] == 0


@FREE
async def test_what_is_returned_can_be_spent_again_and_a_count_never_falls_below_nothing(
    metered: Api,
) -> None:
    async with metered.work() as work:
        await service.spend_post(work, 10)
        await service.return_post(work)
        assert work.headers["X-Posts-Remaining"] == "1"
    assert (await metered.post("/v1/spending/post")).status == 204
    async with metered.work() as work:
        work.now += timedelta(days=30)
        await service.return_post(work)
        assert work.headers["X-Posts-Remaining"] == "10"
    assert (await used(metered))["posts_used"] == 10


@FREE
async def test_interactions_have_an_allowance_of_their_own(metered: Api) -> None:
    async with metered.work() as work:
        await service.spend_interaction(work, 49)
    assert (await metered.post("/v1/spending/interaction")).headers["x-interactions-remaining"] == "0"
    assert (await metered.post("/v1/spending/interaction")).code == "billing.interaction_limit"
    assert (await metered.post("/v1/spending/post")).status == 204


async def test_every_key_may_see_usage_and_plans(metered: Api) -> None:
    narrow = metered.as_(await metered.new_key(scopes=["media:read"]))
    assert (await narrow.get("/v1/usage")).status == 200
    assert (await narrow.get("/v1/billing/plans")).status == 200


async def test_plans_are_listed_cheapest_first(metered: Api) -> None:
    plans = (await metered.get("/v1/billing/plans")).json["plans"]
    assert [plan["tier"] for plan in plans] == ["free", "starter", "pro", "business", "enterprise"]
    assert [plan["monthly_price_usd"] for plan in plans] == [0, 29, 109, 349, -1]
    assert [plan["limits"]["profiles"] for plan in plans] == [2, 10, 50, 200, -1]
    assert plans[0]["limits"] == {
        "profiles": 2, "posts_per_month": 10, "interactions_per_month": 50, "storage_bytes": 104_857_600,
        "event_retention_days": 1, "exports_per_month": 2,
    }  # fmt: skip


async def test_storage_is_the_plans_unless_a_setting_says_otherwise(metered: Api) -> None:
    for plan, by_setting, limit in (("free", -1, 104_857_600), ("pro", -1, -1), ("free", 5, 5)):
        changed = {"plan": plan, "storage_limit_bytes": by_setting}
        metered.runtime.settings = metered.runtime.settings.model_copy(update=changed)
        async with metered.work() as work:
            assert await service.storage(work) == service.Storage(plan, limit)


async def test_a_plan_that_does_not_exist_is_refused_at_the_start(runtime: Runtime) -> None:
    runtime.settings = runtime.settings.model_copy(update={"plan": "gold"})
    with pytest.raises(LookupError, match="'gold'; there are free, starter, pro, business, enterprise"):
        create_app(runtime, [])


def test_periods_follow_each_other_from_the_first_day() -> None:
    since = datetime(2026, 1, 31, 12, tzinfo=UTC)
    first, second = rules.period_of(since, since), rules.period_of(since, since + timedelta(days=30))
    assert first == (since, since + timedelta(days=30))
    assert second[0] == first[1]
    assert rules.period_of(since, first[1] - timedelta(microseconds=1)) == first
