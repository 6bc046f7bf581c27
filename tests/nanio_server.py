"""An S3 server for tests: nanio, which refuses every signature that is not right. Fixture: `bucket`."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

ACCESS_KEY, SECRET_KEY = "AKTEST", "test-secret-of-nanio"


@dataclass(frozen=True)
class Bucket:
    endpoint: str
    folder: Path
    name: str

    @property
    def url(self) -> str:
        """What HUBBUB_MEDIA_URL would be."""
        return f"s3://{self.name}/media?endpoint={self.endpoint}"

    def objects(self) -> list[str]:
        """Keys of everything that is stored, by what is on the server's disk."""
        root = self.folder / self.name
        found = (place.relative_to(root) for place in root.rglob("*") if place.is_file())
        return sorted(str(place) for place in found if not any(part.startswith(".") for part in place.parts))


@pytest.fixture(scope="session")
def s3_server() -> Iterator[tuple[str, Path]]:
    """Its address and its folder."""
    folder = Path(tempfile.mkdtemp(prefix="hubbub-nanio-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "nanio", "serve", "--data-dir", str(folder), "--host", "127.0.0.1",
               "--port", str(port), "--no-access-log", "--log-level", "error"]  # fmt: skip
    keys = {"NANIO_ACCESS_KEY": ACCESS_KEY, "NANIO_SECRET_KEY": SECRET_KEY}
    server = subprocess.Popen(command, env={**os.environ, **keys}, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, server)
        yield address, folder
    finally:
        server.terminate()
        server.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(400):
        assert server.poll() is None, "nanio did not start"
        try:
            httpx2.get(address, timeout=1)
            return
        except httpx2.TransportError:
            time.sleep(0.05)
    raise TimeoutError("nanio does not answer")


@pytest.fixture
def bucket(s3_server: tuple[str, Path]) -> Bucket:
    """A bucket of this test's own."""
    endpoint, folder = s3_server
    name = f"test-{uuid4().hex[:12]}"
    (folder / name).mkdir()
    return Bucket(endpoint, folder, name)
