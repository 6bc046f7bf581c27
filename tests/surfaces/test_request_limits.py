from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from api import Api
from hubbub.kit import clock
from hubbub.runtime.settings import Settings

pytestmark = pytest.mark.anyio

MOMENT = datetime(2026, 5, 6, 23, 58, 15, 500_000, UTC)


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    limits = getattr(request, "param", {"requests_per_minute": 3})
    return settings.model_copy(update=limits)


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: MOMENT)


async def test_what_is_left_is_told_and_one_too_many_is_refused(trial: Api) -> None:
    left = [(await trial.get("/v1/trial/numbers")).headers["x-ratelimit-remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    refused = await trial.get("/v1/trial/numbers")
    assert (refused.status, refused.code) == (429, "ratelimit.exceeded")
    assert refused.json["error"]["meta"] == {"limit": 3, "retry_after_seconds": 45}
    told = {name: value for name, value in refused.headers.items() if "rate" in name or "retry" in name}
    assert told == {
        "retry-after": "45",
        "x-ratelimit-limit": "3",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "45",
        "ratelimit-policy": '"minute";q=3;w=60',
        "ratelimit": '"minute";r=0;t=45',
    }


async def test_the_next_window_begins_anew(trial: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(4):
        last = await trial.get("/v1/trial/numbers")
    assert last.status == 429
    monkeypatch.setattr(clock, "now", lambda: MOMENT.replace(minute=59, second=0, microsecond=0))
    answer = await trial.get("/v1/trial/numbers")
    assert (answer.status, answer.headers["x-ratelimit-remaining"]) == (204, "2")


async def test_each_workspace_is_counted_for_itself_and_nobody_in_particular_not_at_all(trial: Api) -> None:
    other = await trial.elsewhere()
    for _ in range(3):
        await trial.get("/v1/trial/numbers")
    assert (await other.get("/v1/trial/numbers")).headers["x-ratelimit-remaining"] == "2"
    assert "x-ratelimit-limit" not in (await trial.get("/v1/trial/page")).headers
    assert "x-ratelimit-limit" not in (await trial.as_("").get("/v1/trial/numbers")).headers


async def test_a_refusal_counts_and_tells_too(trial: Api) -> None:
    answer = await trial.get("/v1/trial/missing/1")
    assert (answer.status, answer.headers["x-ratelimit-remaining"]) == (404, "2")


async def test_many_at_once_are_counted_one_by_one(trial: Api) -> None:
    answers = await asyncio.gather(*(trial.get("/v1/trial/numbers") for _ in range(30)))
    assert sorted(answer.status for answer in answers) == [204] * 3 + [429] * 27


@pytest.mark.parametrize("settings", [{"requests_per_minute": 9, "requests_per_day": 1}], indirect=True)
async def test_a_daily_limit_is_the_older_envelopes_own(trial: Api) -> None:
    first = await trial.get("/v1/trial/numbers")
    assert first.headers["ratelimit-policy"] == '"minute";q=9;w=60, "day";q=1;w=86400'
    assert first.headers["ratelimit"] == '"minute";r=8;t=45, "day";r=0;t=105'
    refused = await trial.get("/v1/trial/numbers", headers={"X-Error-Format": "flat"})
    assert (refused.status, refused.json["code"]) == (429, "rate_limit_exceeded")
    assert "retry-after" not in refused.headers
    assert refused.headers["x-ratelimit-reset"] == "105"


@pytest.mark.parametrize("settings", [{}], indirect=True)
async def test_by_default_nothing_is_counted(trial: Api) -> None:
    assert not [name for name in (await trial.get("/v1/trial/numbers")).headers if "rate" in name]


async def test_when_counting_fails_everybody_is_let_in(trial: Api) -> None:
    async with trial.work() as work:
        await work.db.exec_driver_sql("DELETE FROM request_counts")
    from hubbub.runtime import db

    async with db.as_owner(str(trial.runtime.settings.database_url)) as connection:
        await connection.exec_driver_sql("DROP TABLE request_counts")
    assert [(await trial.get("/v1/trial/numbers")).status for _ in range(5)] == [204] * 5
