"""Whole machines fail, each in its way: every post is up exactly once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from faults import scenarios
from faults.lane import Lane
from faults.runs import PLATFORMS, Run, distinct, survey
from faults.scenarios import Came, NotHere
from faults.test_killed import judge
from pg import Server

pytestmark = [pytest.mark.anyio, pytest.mark.faults]

HOUR = 3600.0


def assert_well(came: Came, posts: int) -> None:
    assert not came.broken
    assert came.verdicts == {"once": posts}


async def test_workers_carry_on_by_themselves_when_the_database_was_away(tmp_path: Path) -> None:
    came = await scenarios.database_restarts(tmp_path, PLATFORMS * 3, takeover_seconds=1)

    assert_well(came, 9)


async def test_two_workers_race_and_one_of_them_dies(lanes: list[Lane]) -> None:
    runs = [
        Run(platform, point, racing=True)
        for platform in PLATFORMS
        for point in [None, *distinct(await survey(lanes[0], platform))[::16]]
    ]

    await judge(lanes, runs)


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
async def test_nothing_depends_on_the_clocks_of_workers(lanes: list[Lane], ahead: float) -> None:
    runs: list[Run] = []
    for platform in PLATFORMS:
        points = distinct(await survey(lanes[0], platform))
        middle = points[len(points) // 2]
        runs += [
            Run(platform, clocks=(ahead, 0), stepped_at=middle),
            Run(platform, points[len(points) // 3], clocks=(ahead, -ahead)),
            Run(platform, middle, clocks=(0, ahead)),
        ]

    await judge(lanes, runs)


@pytest.mark.parametrize("how", ["expire_token", "revoke"])
async def test_a_sign_in_that_ends_between_prepare_and_submit_costs_no_post(
    lanes: list[Lane], how: str
) -> None:
    came = await scenarios.sign_in_ends(lanes[0], PLATFORMS, how)

    assert_well(came, len(PLATFORMS))


async def test_a_full_disk_refuses_uploads_and_holds_up_no_post(
    postgres: Server, migrate: Callable[[str], None], tmp_path: Path
) -> None:
    url = postgres.create_database(postgres.template(migrate))
    try:
        with scenarios.small_disk(tmp_path / "disk") as disk:
            came = await scenarios.disk_is_full(disk, lambda: url, PLATFORMS, takeover_seconds=1)
    except NotHere as because:
        pytest.skip(f"no small disk here: {because}")
    finally:
        postgres.drop_database(url)

    assert_well(came, len(PLATFORMS))
