"""Killed anywhere, raced, or left without an answer: every post is up exactly once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from faults.lane import Lane, Stuck
from faults.runs import PLATFORMS, Ended, Run, distinct, in_part, mishaps, on_all_lanes, survey
from faults.victim import Point

pytestmark = [pytest.mark.anyio, pytest.mark.faults]

BY_KIND = {mishap.then: mishap for mishap in mishaps(3)}


async def judge(lanes: Sequence[Lane], runs: Sequence[Run]) -> None:
    """All runs must end well, and nearly all that are to be killed must really have been."""
    ended = await on_all_lanes(lanes, runs)

    doomed = [end for run, end in zip(runs, ended, strict=True) if run.die_at and not run.racing]
    killed = sum(isinstance(end, Ended) and end.kills > 0 for end in doomed)
    report(f"{runs[0].platform} {runs[0].mishap}: {len(runs)} runs, {killed} killed")
    assert not [
        f"{run}: {end}"
        for run, end in zip(runs, ended, strict=True)
        if isinstance(end, Stuck) or end.verdict != "once"
    ]
    assert killed >= len(doomed) * 0.9


def report(line: str) -> None:
    """Add a line to the file that HUBBUB_TEST_REPORT names, for whoever wants the figures."""
    if file := os.environ.get("HUBBUB_TEST_REPORT"):
        with Path(file).open("a") as lines:
            lines.write(line + "\n")


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_worker_killed_at_any_point_loses_nothing_and_repeats_nothing(
    lanes: list[Lane], platform: str
) -> None:
    points = distinct(await survey(lanes[0], platform))

    await judge(lanes, [Run(platform, point) for point in points])


@pytest.mark.parametrize("kind", ["accept_then_drop", "accept_then_500"])
@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_lost_answer_and_then_a_kill_anywhere_in_the_search_for_it(
    lanes: list[Lane], platform: str, kind: str
) -> None:
    undisturbed = {point.place for point in await survey(lanes[0], platform)}
    searching = [
        point
        for point in distinct(await survey(lanes[0], platform, BY_KIND[kind]))
        if point.place not in undisturbed
    ]

    await judge(lanes, [Run(platform, point, BY_KIND[kind]) for point in searching])


async def test_whatever_becomes_of_the_answer_the_post_is_up_once(lanes: list[Lane]) -> None:
    runs: list[Run] = []
    for platform in PLATFORMS:
        call = next(point for point in in_part(await survey(lanes[0], platform)) if is_a_call(point))
        runs += [Run(platform, None, BY_KIND[kind]) for kind in ("accept_then_reset", "accept_then_garbage")]
        runs += [Run(platform, call, BY_KIND[kind]) for kind in ("slow", "accept_then_hang")]
    runs += [Run(platform, None, BY_KIND["garbage"]) for platform in ("bluesky", "facebook")]

    await judge(lanes, runs)


def is_a_call(point: Point) -> bool:
    """Whether the sandbox is being asked for something, and the answer is still to come."""
    return "connector/http.py" in point.place and point.phase == "before"
