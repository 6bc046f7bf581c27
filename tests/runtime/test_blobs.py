from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import anyio
import pytest

from hubbub.runtime.blobs import CHUNK_BYTES, BadKey, Blobs, DiskBlobs, Missing

pytestmark = pytest.mark.anyio


@pytest.fixture
def blobs(tmp_path: Path) -> DiskBlobs:
    return DiskBlobs(tmp_path)


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def read(blobs: Blobs, key: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([chunk async for chunk in blobs.open(key, start, end)])


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


async def test_what_is_put_is_read_back(blobs: DiskBlobs, tmp_path: Path) -> None:
    assert await blobs.put("media/ab/photo.jpg", pieces(b"one", b"", b"two")) == 6
    assert await read(blobs, "media/ab/photo.jpg") == b"onetwo"
    assert await blobs.size("media/ab/photo.jpg") == 6
    assert blobs.path("media/ab/photo.jpg").read_bytes() == b"onetwo"
    assert files(tmp_path) == ["media/ab/photo.jpg"]


async def test_an_empty_blob_exists(blobs: DiskBlobs) -> None:
    assert await blobs.put("empty", pieces()) == 0
    assert await read(blobs, "empty") == b""


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, None), (2, 5), (0, 0), (9, 10), (5, 99), (99, None), (5, 3), (CHUNK_BYTES - 1, None)],
)
async def test_a_range_is_read_as_a_slice(blobs: DiskBlobs, start: int, end: int | None) -> None:
    content = os.urandom(CHUNK_BYTES + 10)
    await blobs.put("long", pieces(content))
    assert await read(blobs, "long", start, end) == content[start:end]


async def test_an_upload_that_fails_leaves_nothing(blobs: DiskBlobs, tmp_path: Path) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await blobs.put("a/b", failing())
    assert files(tmp_path) == []
    with pytest.raises(Missing):
        await blobs.size("a/b")


async def test_a_cancelled_upload_leaves_the_older_blob(blobs: DiskBlobs, tmp_path: Path) -> None:
    await blobs.put("a/b", pieces(b"old"))

    async def slow() -> AsyncIterator[bytes]:
        yield b"half"
        await anyio.sleep_forever()

    with anyio.move_on_after(0.05):
        await blobs.put("a/b", slow())
    assert await read(blobs, "a/b") == b"old"
    assert files(tmp_path) == ["a/b"]


async def test_a_reader_finishes_what_it_began_while_the_blob_is_replaced_and_deleted(
    blobs: DiskBlobs,
) -> None:
    old = os.urandom(3 * CHUNK_BYTES)
    await blobs.put("a", pieces(old))
    async with aclosing(blobs.open("a")) as chunks:  # type: ignore[type-var]
        got = await anext(chunks)
        await blobs.put("a", pieces(b"new"))
        await blobs.delete("a")
        got += b"".join([chunk async for chunk in chunks])
    assert got == old


async def test_deleting_takes_empty_folders_with_it_and_may_be_repeated(
    blobs: DiskBlobs, tmp_path: Path
) -> None:
    await blobs.put("a/b/c", pieces(b"x"))
    await blobs.put("a/d", pieces(b"x"))
    await blobs.delete("a/b/c")
    await blobs.delete("a/b/c")
    await blobs.delete("a/d/e")
    assert files(tmp_path) == ["a/d"]
    assert not (tmp_path / "a" / "b").exists()
    with pytest.raises(Missing):
        await read(blobs, "a/b/c")
    with pytest.raises(Missing):
        await read(blobs, "a")


async def test_many_writers_of_one_key_leave_one_whole_blob(blobs: DiskBlobs, tmp_path: Path) -> None:
    contents = [bytes([number]) * 10_000 for number in range(20)]
    async with anyio.create_task_group() as tasks:
        for content in contents:
            tasks.start_soon(blobs.put, "same/key", pieces(content[:5_000], content[5_000:]))
    assert await read(blobs, "same/key") in contents
    assert files(tmp_path) == ["same/key"]


@pytest.mark.parametrize(
    "key",
    [
        "", "/", "/etc/passwd", "..", "../up", "a/../../up", "a//b", "a/", "./a", "a/.", ".incoming/x",
        "a/.hidden", "a\0b", "a\\b", "a b", "ä", "a\n", "C:/x", "~root", "%2e%2e/x", "x" * 513, "x" * 201,
    ],
)  # fmt: skip
async def test_a_key_never_leaves_the_folder(blobs: DiskBlobs, tmp_path: Path, key: str) -> None:
    with pytest.raises(BadKey):
        await blobs.put(key, pieces(b"x"))
    with pytest.raises(BadKey):
        await read(blobs, key)
    with pytest.raises(BadKey):
        await blobs.delete(key)
    assert files(tmp_path) == []


async def test_one_key_is_not_the_folder_of_another(blobs: DiskBlobs, tmp_path: Path) -> None:
    await blobs.put("a/b", pieces(b"x"))
    for key in ("a", "a/b/c"):
        with pytest.raises(BadKey, match="in the way"):
            await blobs.put(key, pieces(b"x"))
    assert files(tmp_path) == ["a/b"]


async def test_what_a_killed_process_left_is_swept(blobs: DiskBlobs, tmp_path: Path) -> None:
    await blobs.put("kept", pieces(b"x"))
    left = tmp_path / ".incoming" / "left"
    left.write_bytes(b"half")
    os.utime(left, (time.time() - 7200, time.time() - 7200))
    young = tmp_path / ".incoming" / "young"
    young.write_bytes(b"half")
    assert await blobs.sweep(3600, time.time()) == 1
    assert files(tmp_path) == [".incoming/young", "kept"]


def test_disk_blobs_keep_the_protocol(blobs: DiskBlobs) -> None:
    kept: Blobs = blobs
    assert kept.path("a")
