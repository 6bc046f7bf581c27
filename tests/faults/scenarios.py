"""What happens to whole machines: the database goes away, clocks are wrong, sign-ins end, the disk is full.

Each scenario leads posts through it and says what became of them. The short and the long form share them.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import samples
from faults.connecting import connect
from faults.lane import Lane, Stuck, open_lane
from faults.runs import PLATFORMS, VISIBLE_CALL, verdict_on
from hubbub.emulation.testing import running_sandbox
from hubbub.runtime import migrate as migrations
from hubbub.runtime import postgres as embedded

ENDS_WITHIN = 240.0

_numbers = itertools.count(1)


@dataclass
class Came:
    """What a scenario came to: how many posts ended how, and what it saw."""

    verdicts: Counter[str] = field(default_factory=Counter[str])
    notes: list[str] = field(default_factory=list[str])
    broken: list[str] = field(default_factory=list[str])
    """What should have been otherwise, beside posts that were lost or made twice."""

    @property
    def is_well(self) -> bool:
        return not self.broken and not self.verdicts["lost"] and not self.verdicts["twice"]

    def and_also(self, other: Came) -> Came:
        return Came(self.verdicts + other.verdicts, self.notes + other.notes, self.broken + other.broken)


Posted = dict[str, tuple[str, str]]
"""Post id to platform and text."""


async def post_some(lane: Lane, platforms: Sequence[str], **more: Any) -> Posted:
    posted: Posted = {}
    for platform in platforms:
        text = f"scenario {next(_numbers)} on {platform}"
        posted[await lane.post(platform, text, **more)] = platform, text
    return posted


async def judge(lane: Lane, posted: Posted, within: float = ENDS_WITHIN) -> Came:
    """Wait until all of them are over, and count what is in the world."""
    came = Came()
    for post_id, (platform, text) in posted.items():
        try:
            post = await lane.once_over(post_id, within)
        except Stuck as stuck:
            came.verdicts["lost"] += 1
            came.broken.append(str(stuck))
            continue
        target = post["targets"][0]
        verdict = verdict_on(platform, target, *await lane.copies(platform, text))
        came.verdicts[verdict] += 1
        if verdict in ("lost", "twice"):
            came.broken.append(f"{verdict}: {target}")
    return came


# The database


class Fragile:
    """A durable server of its own that can be cut off and comes back under the same address."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._sockets = Path(tempfile.mkdtemp(prefix="hubbub-cut-"))
        self.url = f"postgresql+asyncpg://{embedded.SUPERUSER}@/postgres?host={self._sockets}/now&port=5432"
        self._running = self._start()

    def _start(self) -> embedded.Running:
        running = embedded.start(self.place / "data", self.place / "postgres.log")
        (self._sockets / "next").symlink_to(running.sockets)
        (self._sockets / "next").replace(self._sockets / "now")
        return running

    def cut_off(self) -> None:
        """Immediate shutdown: no goodbye and no checkpoint."""
        os.kill(self._running.pid, signal.SIGQUIT)
        self._running.stop()

    def come_back(self) -> None:
        self._running = self._start()

    def close(self) -> None:
        self._running.stop()
        shutil.rmtree(self._sockets, ignore_errors=True)


@asynccontextmanager
async def fragile_lane(place: Path, **settings: Any) -> AsyncGenerator[tuple[Lane, Fragile]]:
    server = await asyncio.to_thread(Fragile, place)
    try:
        await migrations.migrate(server.url)
        with running_sandbox() as sandbox:
            async with open_lane(server.url, sandbox, place, **settings) as lane:
                yield lane, server
    finally:
        await asyncio.to_thread(server.close)


async def database_restarts(
    place: Path, platforms: Sequence[str], times: int = 1, away: float = 1.0, **settings: Any
) -> Came:
    """The database is stopped at once while posts are under way, and started again; workers go on by themselves."""
    async with fragile_lane(place, **settings) as (lane, server):
        posted = await post_some(lane, platforms)
        workers = [await lane.start_worker(), await lane.start_worker()]
        for cut in range(1, times + 1):
            await _until_out(lane, posted, len(posted) * cut // (times + 2))
            await asyncio.to_thread(server.cut_off)
            await asyncio.sleep(away)
            await asyncio.to_thread(server.come_back)
        back = time.monotonic()
        came = await judge(lane, posted)
        came.notes.append(
            f"{times} × stopped for {away:g} s; all done {time.monotonic() - back:.0f} s after the last"
        )
        if not all(worker.is_alive() for worker in workers):
            came.broken.append("a worker did not survive")
        await lane.stop_workers()
        return came


async def _until_out(lane: Lane, posted: Posted, wanted: int) -> None:
    """Wait until so many of the posts are in the world."""
    texts = {text for _, text in posted.values()}
    deadline = time.monotonic() + ENDS_WITHIN
    while time.monotonic() < deadline:
        worlds = [await lane.control(f"/_sandbox/{platform}/world") for platform in PLATFORMS]
        if sum(post["text"] in texts for world in worlds for post in world["posts"]) >= wanted:
            return
        await asyncio.sleep(0.05)
    raise Stuck("nothing goes out")


# The sign-in


async def sign_in_ends(lane: Lane, platforms: Sequence[str], how: str) -> Came:
    """`expire_token` or `revoke` hits the visible call, after everything was prepared.

    Where the sign-in can be renewed, the post goes out; where not, it waits, and goes out by itself when the
    account is connected again.
    """
    came = Came()
    for platform in platforms:
        await lane.next(platform, lane.call_of(VISIBLE_CALL[platform]), how)
        posted = await post_some(lane, [platform])
        await lane.start_worker()
        if await _waits_for_somebody(lane, next(iter(posted))):
            copies, _ = await lane.copies(platform, next(iter(posted.values()))[1])
            if copies:
                came.broken.append(f"{platform}: it is up, and waits")
            came.notes.append(f"{platform} waited for its account")
            await connect(lane)
        elif how == "revoke":
            came.broken.append(f"{platform}: a revoked account was used")
        else:
            came.notes.append(f"{platform} renewed its token")
        came = came.and_also(await judge(lane, posted))
        await lane.stop_workers()
    return came


async def _waits_for_somebody(lane: Lane, post_id: str) -> bool:
    """Whether it comes to wait for its account; False when it is over instead."""
    deadline = time.monotonic() + ENDS_WITHIN
    while time.monotonic() < deadline:
        target = (await lane.call("GET", f"/v1/posts/{post_id}"))["targets"][0]
        if (target["error"] or {}).get("code") == "account.reconnection_required":
            return True
        if await lane.is_over(post_id):
            return False
        await asyncio.sleep(0.1)
    raise Stuck(f"{post_id} neither waits nor ends")


# The disk


class NotHere(Exception):
    """This machine does not let us make a small disk."""


@contextmanager
def small_disk(place: Path, size: str = "4m") -> Generator[Path]:
    """A file system of its own, in memory. Raises NotHere where mounting is not allowed."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "hubbub-test", str(place)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as refused:
        raise NotHere(str(refused)) from None
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True, capture_output=True)


async def disk_is_full(
    disk: Path, database: Callable[[], str], platforms: Sequence[str], **settings: Any
) -> Came:
    """Not one byte is left for media: uploads are refused whole, and what was stored goes out all the same."""
    with running_sandbox() as sandbox:
        async with open_lane(database(), sandbox, disk, **settings) as lane:
            posted = await post_some(lane, platforms)
            _fill(disk / "ballast")
            files, listed = _files(disk), await lane.call("GET", "/v1/media")
            refused = [await _upload(lane, disk.parent) for _ in range(3)]
            came = Came()
            if any(answer != (507, "system.storage_full") for answer in refused):
                came.broken.append(f"uploads on a full disk were answered {refused}")
            if _files(disk) != files or await lane.call("GET", "/v1/media") != listed:
                came.broken.append("something of a refused upload was kept")
            await lane.start_worker()
            came = came.and_also(await judge(lane, posted))
            await lane.stop_workers()
            (disk / "ballast").unlink()
            if (again := await _upload(lane, disk.parent)) != (201, None):
                came.broken.append(f"with room again an upload was answered {again}")
            came.notes.append(f"{len(refused)} uploads refused with 507, none of them half stored")
            return came


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue


def _files(disk: Path) -> dict[str, int]:
    return {str(file): file.stat().st_size for file in disk.rglob("*") if file.is_file()}


async def _upload(lane: Lane, elsewhere: Path) -> tuple[int, str | None]:
    picture = samples.jpeg(elsewhere / "another.jpg", shade=next(_numbers)).read_bytes()
    answer = await lane.client.post(
        "/v1/media/upload", files={"file": ("another.jpg", picture, "image/jpeg")}
    )
    code = answer.json().get("error", {}).get("code")
    return answer.status_code, code
