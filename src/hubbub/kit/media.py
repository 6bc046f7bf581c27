"""What a file is: type, size, pixels, seconds; by its content, never by its name."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

from hubbub.kit import media_fix
from hubbub.kit.media_fix import Recipe, Unfixable, Unreadable
from hubbub.kit.media_frame import fits

__all__ = ["Probe", "Recipe", "Unfixable", "Unreadable", "aside", "fix", "probe"]

T = TypeVar("T")

Kind = Literal["image", "video", "audio", "file"]
SECONDS_MAX = 30.0
AT_ONCE = 4
"""How many files one process looks at together; the others wait for their turn."""
FIX_SECONDS_MAX = 90.0
FIXED_AT_ONCE = 1
"""Changing a picture may take 800 MB of memory."""
_turns = RunVar[anyio.CapacityLimiter]("hubbub.kit.media.turns")
_fixing = RunVar[anyio.CapacityLimiter]("hubbub.kit.media.fixing")


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


async def fix(source: Path, into: Path, recipe: Recipe) -> Probe:
    """Write the picture at `source` to `into` as the recipe says, and look at what it has become.

    Raises Unreadable for what is no whole picture, Unfixable when it cannot become what the recipe says, and
    OSError when it cannot be written.
    """
    said = await _in_turn(_fixing, FIXED_AT_ONCE, _change, source, into, recipe)
    if said is not None:
        raise said
    made = await probe(into)
    is_kept = (
        made.content_type == recipe.content_type
        and (recipe.max_bytes is None or made.size_bytes <= recipe.max_bytes)
        and fits(made.width or 0, made.height or 0, recipe.ratio)
    )
    if not is_kept:
        raise Unfixable("The picture did not become what it should have.")
    return made


async def aside(work: Callable[..., T], *arguments: Any) -> T:
    """Do what starts a process in a thread, never more than AT_ONCE together."""
    return await _in_turn(_turns, AT_ONCE, work, *arguments)


async def _in_turn(
    turns: RunVar[anyio.CapacityLimiter], at_once: int, work: Callable[..., T], *arguments: Any
) -> T:
    limiter = turns.get(None)
    if limiter is None:
        limiter = anyio.CapacityLimiter(at_once)
        turns.set(limiter)
    return await anyio.to_thread.run_sync(work, *arguments, limiter=limiter)


def _digest(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _look(path: Path) -> dict[str, Any]:
    """Ask `media_probe`."""
    try:
        done = _run(["hubbub.kit.media_probe"], path, subprocess.PIPE, SECONDS_MAX)
    except subprocess.TimeoutExpired:
        return {"error": "The file takes too long to read."}
    if done.returncode != 0:
        return {"error": "The file cannot be read: reading it went wrong."}
    return json.loads(done.stdout)


def _change(path: Path, into: Path, recipe: Recipe) -> Unreadable | Unfixable | None:
    """Have `media_fix` write a picture, or say why not."""
    with into.open("wb") as target:
        try:
            done = _run(["hubbub.kit.media_fix", recipe.words], path, target, FIX_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            return Unreadable("The picture takes too long to change.")
    if done.returncode == 0:
        return None
    if done.returncode == media_fix.NO_ROOM:
        raise OSError(errno.ENOSPC, "there is no room for the changed picture")
    refusals = {media_fix.UNREADABLE: Unreadable, media_fix.UNFIXABLE: Unfixable}
    if done.returncode in refusals:
        return refusals[done.returncode](into.read_text(errors="replace"))
    return Unreadable("The picture cannot be changed: it took too much, or changing it went wrong.")


def _run(
    module: Sequence[str], path: Path, output: Any, seconds: float
) -> subprocess.CompletedProcess[bytes]:
    """Run a module of ours on a file, in a process that has none of our secrets and cannot outlive its time."""
    environment = {
        name: os.environ[name] for name in ("PATH", "PYTHONPATH", "SYSTEMROOT") if name in os.environ
    }
    with path.open("rb") as source:
        return subprocess.run(  # noqa: S603 - a module of ours
            [sys.executable, "-P", "-m", *module],
            stdin=source,
            stdout=output,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=seconds,
            check=False,
        )
