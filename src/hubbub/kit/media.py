"""What a file is: type, size, pixels, seconds; by its content, never by its name."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

T = TypeVar("T")

Kind = Literal["image", "video", "audio", "file"]
SECONDS_MAX = 30.0
AT_ONCE = 4
"""How many files one process looks at together; the others wait for their turn."""
_turns = RunVar[anyio.CapacityLimiter]("hubbub.kit.media.turns")


class Unreadable(Exception):
    """The file says it is a picture, film or sound but cannot be read as one; the message says why."""


@dataclass(frozen=True)
class Probe:
    """What was found. `width` and `height` are as displayed: after rotation, in square pixels."""

    content_type: str
    kind: Kind
    size_bytes: int
    sha256: str
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    frame_rate: float | None = None
    codec: str | None = None
    """The name of the picture codec, or of the sound codec when there is no picture."""
    audio_codec: str | None = None
    frames: int | None = None
    """Of a moving picture (GIF, WebP, PNG, AVIF)."""


async def probe(path: Path) -> Probe:
    """Look at a local file of any size, at constant memory.

    A file of an unknown type is of kind "file". Takes about 0.1 s plus the time to read the file once.
    Raises Unreadable for a corrupt or cut file, and OSError when there is none.
    """
    facts: dict[str, Any] = {}
    digest = ""

    async def inside() -> None:
        facts.update(await aside(_look, path))

    async def whole() -> None:
        nonlocal digest
        digest = await anyio.to_thread.run_sync(_digest, path)

    size = (await anyio.Path(path).stat()).st_size
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(inside)
        tasks.start_soon(whole)
    if "error" in facts:
        raise Unreadable(facts["error"])
    return Probe(size_bytes=size, sha256=digest, **facts)


async def aside(work: Callable[..., T], *arguments: Any) -> T:
    """Do what starts a process in a thread, never more than AT_ONCE together."""
    turns = _turns.get(None)
    if turns is None:
        turns = anyio.CapacityLimiter(AT_ONCE)
        _turns.set(turns)
    return await anyio.to_thread.run_sync(work, *arguments, limiter=turns)


def _digest(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _look(path: Path) -> dict[str, Any]:
    """Ask `media_probe` in a process that has none of our secrets and cannot outlive its time."""
    environment = {
        name: os.environ[name] for name in ("PATH", "PYTHONPATH", "SYSTEMROOT") if name in os.environ
    }
    with path.open("rb") as source:
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-m", "hubbub.kit.media_probe"],
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                timeout=SECONDS_MAX,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return {"error": "The file takes too long to read."}
    if done.returncode != 0:
        return {"error": "The file cannot be read: reading it went wrong."}
    return json.loads(done.stdout)
