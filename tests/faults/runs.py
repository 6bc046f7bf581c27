"""A run: one post under one misfortune, and what was left when it was over."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa

from faults.lane import RECOVERS_WITHIN, Lane, Stuck, dies, new_pipe
from faults.victim import Fate, Point
from hubbub.domains.posts.publish import Publication

PLATFORMS = ("bluesky", "facebook", "instagram")
VISIBLE_CALL = {
    "bluesky": "POST /xrpc/com.atproto.repo.createRecord",
    "facebook": "POST /{page}/feed",
    "instagram": "POST /{ig}/media_publish",
}
COMMENTED = ("facebook", "instagram")
"""Where a first comment is written, which is seen by people too."""
PART = ("take_fence", "send", "submit", "keep_receipt", "notice_lost_answer", "look")
"""What happens around the visible call: making it, missing its answer, looking for it."""

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Mishap:
    """What becomes of the visible call and its answer: a fault of the sandbox, under a name for people."""

    name: str
    then: str
    params: Mapping[str, Any] = field(default_factory=dict[str, Any], hash=False)
    is_slow: bool = False


def mishaps(seconds: float) -> tuple[Mishap, ...]:
    """All of them, with so many seconds of silence where there is silence."""
    silence = {"seconds": seconds}
    return (
        Mishap("accepted, then closed", "accept_then_drop"),
        Mishap("accepted, then reset", "accept_then_reset"),
        Mishap("accepted, then 500", "accept_then_500"),
        Mishap("accepted, then garbage", "accept_then_garbage", {"of": "bytes"}),
        Mishap("garbage, not accepted", "garbage"),
        Mishap("accepted, then silent", "accept_then_hang", silence, is_slow=True),
        Mishap("silent, then accepted", "slow", silence, is_slow=True),
    )


@dataclass(frozen=True)
class Run:
    platform: str
    die_at: Point | None = None
    mishap: Mishap | None = None
    then_die_at: Point | None = None
    """Where the one that takes over dies as well."""
    racing: bool = False
    """A second worker, which nobody kills, runs from the start."""
    clocks: tuple[float, float] = (0, 0)
    """How many seconds the clocks of the first worker and of its successors are ahead."""
    stepped_at: Point | None = None
    """Where the first worker's clock is set; from the beginning when None."""


Verdict = Literal["once", "unconfirmed", "lost", "twice"]


@dataclass(frozen=True)
class Ended:
    """What one run left behind."""

    verdict: Verdict
    status: str
    copies: int
    comments: int
    error: dict[str, Any] | None
    kills: int
    lost_answer: bool
    """Whether a look had to decide if the post was up."""
    seconds: float
    """From the last kill (or the start) to the end."""
    target: dict[str, Any]


async def carry_out(lane: Lane, run: Run, within: float = RECOVERS_WITHIN) -> Ended:
    """Publish once while it goes wrong, then recover. Raises Stuck when that does not end."""
    text = f"run {next(_numbers)} on {run.platform}"
    if run.mishap:
        await lane.next(
            run.platform, lane.call_of(VISIBLE_CALL[run.platform]), run.mishap.then, **run.mishap.params
        )
    post_id = await lane.post(run.platform, text)
    fates = [Fate(run.die_at, run.clocks[0], run.stepped_at)]
    fates += [Fate(run.then_die_at, run.clocks[1])] if run.then_die_at else []
    fates.append(Fate(ahead=run.clocks[1]))
    kills, began = 0, time.monotonic()
    try:
        for fate in fates:
            worker = await lane.start_worker(fate)
            if run.racing and kills == 0:
                await lane.start_worker(Fate(ahead=run.clocks[1]))
            if not await _dies_before_the_end(lane, worker, fate, post_id, within):
                break
            kills, began = kills + 1, time.monotonic()
        post = await lane.once_over(post_id, within)
    finally:
        await lane.stop_workers()
    return await _ended(lane, run.platform, text, post, kills, time.monotonic() - began)


async def _dies_before_the_end(lane: Lane, worker: Any, fate: Fate, post_id: str, within: float) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if await dies(worker, 0.1):
            return True
        if await lane.is_over(post_id):
            # Some points lie behind the end.
            return fate.die_at is not None and await dies(worker, 0.3)
    raise Stuck(f"still {(await lane.call('GET', f'/v1/posts/{post_id}'))['targets']}")


async def _ended(
    lane: Lane, platform: str, text: str, post: dict[str, Any], kills: int, seconds: float
) -> Ended:
    copies, comments = await lane.copies(platform, text)
    target = post["targets"][0]
    async with lane.runtime.database.begin() as db:
        query = sa.text("SELECT lost_at, submits FROM targets WHERE post_id = :id")
        row = (await db.execute(query, {"id": UUID(post["id"])})).one()
    verdict = verdict_on(platform, target, copies, comments)
    lost_answer = row.lost_at is not None or row.submits > 1
    return Ended(
        verdict, target["status"], copies, comments, target["error"], kills, lost_answer, seconds, target
    )


def verdict_on(platform: str, target: Mapping[str, Any], copies: int, comments: int) -> Verdict:
    """What the world says, against what we say. Only the world counts; we must not claim more than is there."""
    if copies > 1 or comments > 1:
        return "twice"
    said = str((target["error"] or {}).get("message", ""))
    if target["status"] == "unconfirmed" and "Lost answer" in said:
        return "unconfirmed"
    if target["status"] != "published" or copies != 1:
        return "lost"
    if platform in COMMENTED and not comments:
        return "unconfirmed" if any("first comment" in one for one in target["warnings"]) else "lost"
    return "once"


async def survey(lane: Lane, platform: str, mishap: Mishap | None = None) -> list[Point]:
    """Every point a run passes that nobody kills, in order."""
    text = f"survey {next(_numbers)} on {platform}"
    if mishap:
        await lane.next(platform, lane.call_of(VISIBLE_CALL[platform]), mishap.then, **mishap.params)
    ours, theirs = new_pipe()
    post_id = await lane.post(platform, text)
    await lane.start_worker(seen=theirs)
    points: list[Point] = []
    reading = asyncio.create_task(_read_all(ours, points))
    try:
        await lane.once_over(post_id, RECOVERS_WITHIN * 2)
        await asyncio.sleep(0.2)
    finally:
        await lane.stop_workers()
        theirs.close()
        reading.cancel()
    return points


async def _read_all(ours: Connection, points: list[Point]) -> None:
    while True:
        while ours.poll():
            try:
                points.append(ours.recv())
            except EOFError:
                return
        await asyncio.sleep(0.02)


def distinct(points: Sequence[Point]) -> list[Point]:
    """The first occurrence of every place, once before and once after its wait."""
    first = {(point.place, point.phase): point for point in reversed(points)}
    return list(first.values())[::-1]


def in_part(points: Sequence[Point]) -> list[Point]:
    """Those around the visible call."""
    return [point for point in points if any(spans(point.place) for spans in _SPANS)]


def _span(name: str) -> Callable[[str], bool]:
    lines, first = inspect.getsourcelines(getattr(Publication, name))
    inside = {f"domains/posts/publish.py:{number}" for number in range(first, first + len(lines))}
    return lambda place: not inside.isdisjoint(place.split(" > "))


_SPANS = tuple(_span(name) for name in PART)


async def on_all_lanes(
    lanes: Sequence[Lane], runs: Sequence[Run], within: float = RECOVERS_WITHIN
) -> list[Ended | Stuck]:
    """Every run, in order, on whichever lane is free; what is stuck is told in its place."""
    waiting = list(enumerate(runs))[::-1]
    ended: dict[int, Ended | Stuck] = {}

    async def serve(lane: Lane) -> None:
        while waiting:
            number, run = waiting.pop()
            try:
                ended[number] = await carry_out(lane, run, within)
            except Stuck as stuck:
                ended[number] = stuck

    async with asyncio.TaskGroup() as group:
        for lane in lanes:
            group.create_task(serve(lane))
    return [ended[number] for number in range(len(runs))]
