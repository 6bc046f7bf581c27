"""`make torture`: run everything, write the page, and end with an error when that was not good enough."""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from faults import scenarios
from faults.lane import Lane, Stuck
from faults.runs import PLATFORMS, Ended, Run, carry_out, distinct, survey
from faults.scenarios import Came, NotHere
from faults.torture import stand
from faults.torture.page import page
from faults.torture.planning import MISHAPS, Surveys, plan
from faults.torture.recovering import recoveries
from faults.torture.tally import Done, Results
from hubbub.runtime import log

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "torture.md"
ENDS_WITHIN = 400.0
"""Seconds that one run may take after its last kill; the longest wait by design is 64, and two may follow each other."""
HOUR = 3600.0
SETTINGS = {"takeover_seconds": 3}


def say(line: str) -> None:
    sys.stdout.write(f"{datetime.now(UTC):%H:%M:%S} {line}\n")
    sys.stdout.flush()


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make torture", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument(
        "--runs", type=int, default=1020, help="at least so many; the compulsory ones are more than 1,000"
    )
    parser.add_argument("--lanes", type=int, default=16, help="how many runs go on at the same time")
    parser.add_argument("--recoveries", type=int, default=16, help="on each platform")
    parser.add_argument("--minutes", type=float, default=45, help="after so many it has failed")
    parser.add_argument("--remark", default="", help="a sentence about the machine, for the page")
    parser.add_argument("--page", type=Path, default=PAGE, help="where to write what was found")
    return parser.parse_args()


async def look_around(lanes: Sequence[Lane]) -> Surveys:
    """Which points a run passes, on each platform with each mishap."""
    waiting = [(platform, mishap) for mishap in reversed(MISHAPS) for platform in PLATFORMS]
    found: dict[tuple[str, object], object] = {}

    async def serve(lane: Lane) -> None:
        while waiting:
            platform, mishap = waiting.pop(0)
            found[platform, mishap] = await survey(lane, platform, mishap)

    async with asyncio.TaskGroup() as group:
        for lane in lanes:
            group.create_task(serve(lane))
    return found  # type: ignore[return-value]


async def carry_all_out(lanes: Sequence[Lane], runs: Sequence[Run]) -> Done:
    waiting, done, began = list(runs)[::-1], Done(), time.monotonic()

    async def serve(lane: Lane) -> None:
        while waiting:
            run = waiting.pop()
            try:
                end: Ended | Stuck = await carry_out(lane, run, ENDS_WITHIN)
            except Exception as failure:  # noqa: BLE001 - one broken run is a result, and the others go on
                end = failure if isinstance(failure, Stuck) else Stuck(f"{type(failure).__name__}: {failure}")
            if isinstance(end, Stuck) or end.verdict != "once":
                say(f"  {run}: {end}")
            done.append((run, end))
            if len(done) % 50 == 0:
                say(f"  {len(done)} of {len(runs)} runs after {(time.monotonic() - began) / 60:.1f} minutes")

    async with asyncio.TaskGroup() as group:
        for lane in lanes:
            group.create_task(serve(lane))
    return done


def races(surveys: Surveys) -> list[Run]:
    return [
        Run(platform, point, racing=True)
        for platform in PLATFORMS
        for point in [None, None, *distinct(surveys[platform, None])[::6]]
    ]


def wrong_clocks(surveys: Surveys) -> list[Run]:
    """One worker or its successor an hour off, from the start or from some point on; or both, in opposite directions."""
    runs: list[Run] = []
    for platform in PLATFORMS:
        points = distinct(surveys[platform, None])
        for ahead in (HOUR, -HOUR):
            for point in points[::16]:
                runs += [
                    Run(platform, clocks=(ahead, 0), stepped_at=point),
                    Run(platform, point, clocks=(ahead, -ahead)),
                    Run(platform, point, clocks=(0, ahead)),
                ]
    return runs


async def run_scenarios(place: Path, lanes: Sequence[Lane], not_here: list[str]) -> dict[str, Came]:
    """Those that need a machine of their own, one after the other; the sign-ins meanwhile on two lanes."""
    (place / "restarts").mkdir()
    found = {
        "a token ends between prepare and submit": asyncio.create_task(
            scenarios.sign_in_ends(lanes[0], PLATFORMS * 2, "expire_token")
        ),
        "the account is revoked between prepare and submit": asyncio.create_task(
            scenarios.sign_in_ends(lanes[1], PLATFORMS * 2, "revoke")
        ),
        "PostgreSQL stopped at once and started, under load": asyncio.create_task(
            scenarios.database_restarts(place / "restarts", PLATFORMS * 10, times=3, away=3, **SETTINGS)
        ),
    }
    came = {name: await task for name, task in found.items()}
    full = "the disk for media is full"
    with stand.server(place / "full") as server:
        url = server.create_database(server.template(stand.migrate))
        try:
            with scenarios.small_disk(place / "disk") as disk:
                came[full] = await scenarios.disk_is_full(disk, lambda: url, PLATFORMS * 3, **SETTINGS)
        except NotHere:
            not_here.append(full)
    return came


async def everything(arguments: argparse.Namespace, place: Path) -> Results:
    began = time.monotonic()
    not_here: list[str] = []
    async with stand.lanes(place, arguments.lanes, **SETTINGS) as lanes:
        say(f"{len(lanes)} lanes are open; looking for the points")
        surveys = await look_around(lanes)
        others = [*races(surveys), *wrong_clocks(surveys)]
        runs = plan(surveys, arguments.runs - len(others), arguments.seed) + others
        say(f"{len(runs)} runs, and meanwhile the scenarios")
        came, done = await asyncio.gather(
            run_scenarios(place, lanes[:2], not_here), carry_all_out(lanes[2:], runs)
        )
        say("how soon the next post goes out")
        recovered = await recoveries(lanes[:2], surveys, arguments.seed, arguments.recoveries)
    points = {name: (len(distinct(surveys[name, None])), len(surveys[name, None])) for name in PLATFORMS}
    minutes = (time.monotonic() - began) / 60
    return Results(arguments.seed, points, done, came, recovered, minutes, not_here, arguments.remark)


async def bounded(arguments: argparse.Namespace, place: Path) -> Results:
    """Within the time it has; a polite signal ends it as the time does, with everything put away."""
    running = asyncio.current_task()
    assert running is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    async with asyncio.timeout(arguments.minutes * 60):
        return await everything(arguments, place)


def main() -> int:
    arguments = read_arguments()
    log.configure(level="critical")
    logging.disable(logging.CRITICAL)
    say(f"seed {arguments.seed}")
    place = Path(tempfile.mkdtemp(prefix="hubbub-torture-"))
    place.chmod(0o755)
    try:
        results = asyncio.run(bounded(arguments, place))
    finally:
        shutil.rmtree(place, ignore_errors=True)
    arguments.page.write_text(page(results, datetime.now(UTC).date()))
    short = results.shortcomings()
    for line in short:
        say(line)
    say("good" if not short else f"{len(short)} shortcomings")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
