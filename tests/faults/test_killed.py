"""Killed anywhere, raced, or left without an answer: every post is up exactly once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from faults.lane import Ended, Lane, chosen, distinct
from faults.victim import Point

pytestmark = [pytest.mark.anyio, pytest.mark.faults]

PLATFORMS = ("bluesky", "facebook", "instagram")
VISIBLE_CALL = {
    "bluesky": "POST /xrpc/com.atproto.repo.createRecord",
    "facebook": "POST /{page}/feed",
    "instagram": "POST /{ig}/media_publish",
}


Run = tuple[str, Point | None, dict[str, Any]]
"""A platform, where to kill, and what else happens."""


async def run_all(lanes: Sequence[Lane], runs: Sequence[Run]) -> list[Ended]:
    """Every run on whichever lane is free."""
    waiting = list(enumerate(runs))
    ended: dict[int, Ended] = {}

    async def serve(lane: Lane) -> None:
        while waiting:
            number, (platform, point, how) = waiting.pop(0)
            ended[number] = await lane.run(platform, point, **how)

    async with asyncio.TaskGroup() as group:
        for lane in lanes:
            group.create_task(serve(lane))
    return [ended[number] for number in range(len(runs))]


def wrong(runs: Sequence[Run], ended: Sequence[Ended]) -> list[str]:
    """Every run that lost a post, made it twice, or did not say how it ended."""
    return [
        f"{platform} killed at {point} with {how}: {end}"
        for (platform, point, how), end in zip(runs, ended, strict=True)
        if (end.status, end.copies) != ("published", 1) or end.comments != (platform != "bluesky")
    ]


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_worker_killed_at_any_point_loses_nothing_and_repeats_nothing(
    lanes: list[Lane], platform: str
) -> None:
    points = chosen(await lanes[0].survey(platform))

    await judge(lanes, [(platform, point, {}) for point in points])


@pytest.mark.parametrize("fault", ["accept_then_drop", "accept_then_500"])
@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_lost_answer_and_then_a_kill_anywhere_in_the_search_for_it(
    lanes: list[Lane], platform: str, fault: str
) -> None:
    how = {"fault": fault, "on": VISIBLE_CALL[platform]}
    undisturbed = {place for place, _ in distinct(await lanes[0].survey(platform))}
    searching = [
        point for point in chosen(await lanes[0].survey(platform, **how)) if point.place not in undisturbed
    ]

    await judge(lanes, [(platform, point, how) for point in searching])


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_two_workers_race_and_one_of_them_dies(lanes: list[Lane], platform: str) -> None:
    points = chosen(await lanes[0].survey(platform))[::8]

    ended = await run_all(lanes, runs := [(platform, point, {"racing": True}) for point in points])

    assert not wrong(runs, ended)


def report(line: str) -> None:
    """Add a line to the file that HUBBUB_TEST_REPORT names, for whoever wants the figures."""
    if file := os.environ.get("HUBBUB_TEST_REPORT"):
        with Path(file).open("a") as lines:
            lines.write(line + "\n")


async def judge(lanes: Sequence[Lane], runs: Sequence[Run]) -> None:
    """All runs must end well, and nearly all must really have been killed."""
    ended = await run_all(lanes, runs)

    killed = sum(end.was_killed for end in ended)
    slowest = max(end.seconds for end in ended)
    report(f"{runs[0][0]} {runs[0][2]}: {len(runs)} runs, {killed} killed, slowest recovery {slowest:.1f} s")
    assert not wrong(runs, ended)
    assert killed >= len(runs) * 0.9
