"""The PDS is installed once, and it leaves nothing behind when it stops."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .pds import process
from .pds.install import COMPLETE, InstallFailed, installed

pytestmark = pytest.mark.real

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A package that needs nothing, so that installing it needs no network."""
    folder = tmp_path / "manifest"
    folder.mkdir()
    root = {"name": "nothing", "version": "1.0.0"}
    lock = {**root, "lockfileVersion": 3, "packages": {"": root}}
    (folder / "package.json").write_text(json.dumps(root))
    (folder / "package-lock.json").write_text(json.dumps(lock))
    return folder


def eventually(true: Callable[[], bool], seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    return true()


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return state.rpartition(")")[2].split()[0] != "Z"


def test_asking_twice_installs_once(manifest: Path, tmp_path: Path) -> None:
    first = installed(manifest, tmp_path)
    (first / "untouched").touch()
    assert installed(manifest, tmp_path) == first
    assert (first / "untouched").exists()


def test_an_install_left_half_way_starts_over(manifest: Path, tmp_path: Path) -> None:
    folder = installed(manifest, tmp_path)
    (folder / COMPLETE).unlink()
    (folder / "leftover").touch()
    assert installed(manifest, tmp_path) == folder
    assert (folder / COMPLETE).exists()
    assert not (folder / "leftover").exists()


def test_another_lock_is_another_folder(manifest: Path, tmp_path: Path) -> None:
    first = installed(manifest, tmp_path)
    lock = manifest / "package-lock.json"
    lock.write_text(lock.read_text() + "\n")
    assert installed(manifest, tmp_path) != first


def test_a_failed_install_is_not_complete(manifest: Path, tmp_path: Path) -> None:
    (manifest / "package.json").write_text("not JSON")
    with pytest.raises(InstallFailed, match="npm ci"):
        installed(manifest, tmp_path)
    assert not list(tmp_path.glob(f"pds/*/{COMPLETE}"))


def test_two_processes_install_one_after_the_other(manifest: Path, tmp_path: Path) -> None:
    program = (
        "import sys, os, pathlib; from tests.real.pds import install;"
        "folder = install.installed(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]));"
        "print((folder / install.COMPLETE).stat().st_mtime_ns)"
    )
    command = [sys.executable, "-c", program, str(manifest), str(tmp_path)]
    both = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [one.communicate(timeout=60)[0] for one in both]
    assert said[0].strip().isdigit()
    assert said[0] == said[1]


def test_stopping_leaves_neither_a_process_nor_data() -> None:
    network = process.start({})
    assert network.data.exists()
    network.stop()
    network.stop()
    assert network.process.returncode == 0
    assert not network.data.exists()


def test_a_refused_setting_says_why() -> None:
    with pytest.raises(process.StartFailed, match="Invalid handle domain"):
        process.start({"PDS_SERVICE_HANDLE_DOMAINS": "test"})


def test_killing_the_tests_ends_the_servers_too() -> None:
    program = (
        "import time; from tests.real.pds import process; network = process.start({});"
        "print(network.process.pid, network.data, flush=True); time.sleep(60)"
    )
    tests = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    with tests:
        assert tests.stdout is not None
        pid, data = tests.stdout.readline().split()
        os.kill(tests.pid, signal.SIGKILL)
    assert eventually(lambda: not alive(int(pid)))
    assert eventually(lambda: not Path(data).exists())
