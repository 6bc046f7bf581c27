"""Files under keys: on the local disk here, in a bucket in `bucket`."""

from __future__ import annotations

import contextlib
import os
import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO, Protocol

from anyio import to_thread

CHUNK_BYTES = 256 * 1024
KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
KEY_MAX = 512
SEGMENT_MAX = 200


class BadKey(ValueError):
    """Not a key: 1–512 characters of `A-Z a-z 0-9 . _ -`, in parts divided by `/`, none starting with a dot.

    Nor may one key be the folder of another.
    """


class Missing(LookupError):
    """There is no blob under this key."""


class Blobs(Protocol):
    """Where files are kept. Every method raises BadKey for a key that is not one."""

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> int:
        """Store a whole blob and return its size in bytes; an older one under this key is replaced.

        All or nothing: when `chunks` raises or the caller is cancelled, the key is as it was before.
        When this returns the blob survives a power cut.
        """
        ...

    def open(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to, not including, `end`; what lies beyond the end is left out.

        The first step raises Missing when there is no such blob. A blob that is replaced or deleted
        meanwhile is still read to its end.
        """
        ...

    async def size(self, key: str) -> int:
        """Size in bytes. Raises Missing."""
        ...

    async def delete(self, key: str) -> None:
        """Forget a blob. Deleting what is not there is no error."""
        ...

    async def copy(self, key: str, to: str) -> None:
        """Store the same bytes under another key, without fetching them. Raises Missing."""
        ...

    async def upload_address(self, key: str, seconds: float) -> str | None:
        """An address that takes the bytes of a blob by PUT for so long; None when there is no such thing here.

        Whoever has it may replace the blob until it expires, so what counts is copied to another key.
        """
        ...

    def path(self, key: str) -> Path | None:
        """Where the blob is on this machine, or None when it is elsewhere. Says nothing about existence."""
        ...


class DiskBlobs:
    """Blobs as files below `root`. Uploads are written beside their place in `root/.incoming`."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._incoming = self._root / ".incoming"

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> int:
        place = self.path(key)
        fresh = self._incoming / uuid.uuid4().hex
        size = 0
        try:
            target = await to_thread.run_sync(_create, fresh)
            try:
                async for chunk in chunks:
                    size += await to_thread.run_sync(target.write, chunk)
                await to_thread.run_sync(_sync, target)
            finally:
                target.close()
            await to_thread.run_sync(_settle, fresh, place)
        finally:
            fresh.unlink(missing_ok=True)
        return size

    async def open(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        source = await to_thread.run_sync(_open, self.path(key), key)
        try:
            source.seek(start)
            left = None if end is None else max(0, end - start)
            while left is None or left > 0:
                wanted = CHUNK_BYTES if left is None else min(CHUNK_BYTES, left)
                chunk = await to_thread.run_sync(source.read, wanted)
                if not chunk:
                    return
                if left is not None:
                    left -= len(chunk)
                yield chunk
        finally:
            source.close()

    async def size(self, key: str) -> int:
        place = self.path(key)
        try:
            return (await to_thread.run_sync(place.stat)).st_size
        except (FileNotFoundError, NotADirectoryError):
            raise Missing(key) from None

    async def delete(self, key: str) -> None:
        await to_thread.run_sync(_delete, self.path(key), self._root)

    async def copy(self, key: str, to: str) -> None:
        await self.put(to, self.open(key))

    async def upload_address(self, key: str, seconds: float) -> str | None:
        return None

    def path(self, key: str) -> Path:
        return self._root / checked(key)

    async def sweep(self, older_than_seconds: float, now: float) -> int:
        """Remove uploads that a killed process left half written; `now` in seconds since 1970."""
        return await to_thread.run_sync(_sweep, self._incoming, now - older_than_seconds)


def checked(key: str) -> str:
    """The key itself. Raises BadKey."""
    if len(key) > KEY_MAX or not KEY.fullmatch(key):
        raise BadKey(key)
    if any(len(part) > SEGMENT_MAX for part in key.split("/")):
        raise BadKey(key)
    return key


def _create(fresh: Path) -> BinaryIO:
    fresh.parent.mkdir(parents=True, exist_ok=True)
    return fresh.open("xb")


def _sync(target: BinaryIO) -> None:
    target.flush()
    os.fsync(target.fileno())


def _settle(fresh: Path, place: Path) -> None:
    """Give a written file its name. A folder that a deletion takes away meanwhile is made again."""
    for _ in range(10):
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            fresh.replace(place)
            break
        except FileNotFoundError:
            continue
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise BadKey(f"{place.name}: another key is in the way") from None
    else:
        raise OSError(f"{place.parent} keeps vanishing")
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _open(place: Path, key: str) -> BinaryIO:
    try:
        return place.open("rb")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise Missing(key) from None


def _delete(place: Path, root: Path) -> None:
    """Remove a file, and the folders that held nothing else."""
    try:
        place.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return
    for folder in place.parents:
        if folder == root:
            return
        try:
            folder.rmdir()
        except OSError:
            return


def _sweep(incoming: Path, before: float) -> int:
    removed = 0
    for left in incoming.glob("*"):
        with contextlib.suppress(FileNotFoundError):
            if left.stat().st_mtime < before:
                left.unlink()
                removed += 1
    return removed
