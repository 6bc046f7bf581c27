"""How soon others go out when a worker is killed, with the settings as they come."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from faults.lane import Lane, Stuck, dies
from faults.runs import PLATFORMS
from faults.scenarios import Posted, judge, post_some
from faults.torture.planning import Surveys
from faults.victim import Fate, Point


@dataclass(frozen=True)
class Recovery:
    """Seconds from the kill until each was published and done."""

    platform: str
    another: float
    """A post to another account that falls due with the kill, published by a worker started at once."""
    in_hand: float
    """A post that the dead worker had taken already, behind the one it was at."""
    own: float
    """The post it was at."""
    verdicts: tuple[str, ...]


async def recover(lane: Lane, platform: str, point: Point) -> Recovery | None:
    """None when the worker did not come past the point."""
    behind = await post_some(lane, [platform, platform])
    elsewhere = "facebook" if platform == "bluesky" else "bluesky"
    doomed = await lane.start_worker(Fate(point))
    try:
        if not await dies(doomed, 20):
            return None
        killed = time.monotonic()
        new = asyncio.create_task(post_some(lane, [elsewhere]))
        await lane.start_worker()
        posted: Posted = {**behind, **await new}
        seconds: dict[str, float] = {}

        async def watch(post_id: str) -> None:
            await lane.once_over(post_id, 180, look_every=0.05)
            seconds[post_id] = time.monotonic() - killed

        async with asyncio.TaskGroup() as group:
            for post_id in posted:
                group.create_task(watch(post_id))
        came = await judge(lane, posted)
    finally:
        await lane.stop_workers()
    first, second, third = (seconds[post_id] for post_id in posted)
    verdicts = tuple(came.verdicts.elements())
    return Recovery(platform, third, min(first, second), max(first, second), verdicts)


async def recoveries(lanes: Sequence[Lane], surveys: Surveys, seed: int, each: int) -> list[Recovery]:
    """So many on every platform, at points that the seed picks."""
    chance = random.Random(seed)
    waiting = [
        (platform, point)
        for platform in PLATFORMS
        for point in chance.sample(list(surveys[platform, None]), each)
    ]
    found: list[Recovery] = []

    async def serve(lane: Lane) -> None:
        while waiting:
            platform, point = waiting.pop()
            if (recovery := await recover(lane, platform, point)) is not None:
                found.append(recovery)

    async with asyncio.TaskGroup() as group:
        for lane in lanes:
            group.create_task(serve(lane))
    if len(found) < each:
        raise Stuck(f"only {len(found)} workers were killed")
    return found
