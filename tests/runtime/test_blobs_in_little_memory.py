"""A file of two gigabytes passes through at constant memory, measured on a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SIZE = 2 << 30
MOST_KILOBYTES = 48 * 1024

READS = """
import sys
from pathlib import Path
import anyio
from hubbub.kit.media import probe
from hubbub.runtime.blobs import CHUNK_BYTES, DiskBlobs

def peak():
    # Not ru_maxrss: that begins with the peak of whoever started this process.
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])

async def pieces():
    for _ in range(1024):
        yield bytes(CHUNK_BYTES)

async def main(root, size):
    blobs = DiskBlobs(root)
    await blobs.put("warm", pieces())
    before = peak()
    with (root / "film").open("wb") as film:
        film.truncate(size)
    read = 0
    async for chunk in blobs.open("film"):
        read += len(chunk)
    found = await probe(root / "film")
    await blobs.put("again", blobs.open("film", size - 200_000_000))
    print(read, found.size_bytes, peak() - before, before)

anyio.run(main, Path(sys.argv[1]), int(sys.argv[2]))
"""


def test_two_gigabytes_are_read_looked_at_and_copied_in_little_memory(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", READS, str(tmp_path), str(SIZE)], capture_output=True, text=True, check=True
    )
    read, found, grown, before = (int(word) for word in ran.stdout.split())
    assert (read, found) == (SIZE, SIZE)
    assert grown < MOST_KILOBYTES
    assert before < 200 * 1024
