"""A new platform works before anybody has changed a line of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hubbub.surfaces.cli.new import NAME

from .hubbub_process import environment, ran

TESTS = Path(__file__).resolve().parents[2]
PLUGIN = '''
import hubbub.platforms

hubbub.platforms.__path__.append({folder!r})


def pytest_collection_finish():
    """It enforces every limit it has, so the suite's list of exceptions has nothing to say about it."""
    from conformance.limits import NOT_ENFORCED

    NOT_ENFORCED.setdefault("red_robin", {{}})
'''
COMMAND = "import added; from hubbub.main import run; run()"


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A folder with one new platform in it, and a module that adds the folder to the platforms'."""
    folder = tmp_path / "platforms"
    done = ran(tmp_path, "new", "platform", "red_robin", "--into", str(folder))
    assert done.returncode == 0, done.stderr
    (tmp_path / "added.py").write_text(PLUGIN.format(folder=str(folder)))
    return tmp_path


def test_it_passes_the_check_at_once(made: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "check", "red_robin"],
        env=environment(PYTHONPATH=str(made)),
        cwd=made,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("red_robin: ")


def test_it_passes_the_conformance_suite_at_once(made: Path) -> None:
    where = [str(TESTS / "conformance"), str(TESTS / "shapes")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "added", *where, "-k", "red_robin", "-q", "-p", "no:randomly"],
        env=environment(PYTHONPATH=str(made)),
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-3000:]


def test_nothing_of_the_pattern_is_left_in_it(made: Path) -> None:
    texts = [file.read_text() for file in (made / "platforms").rglob("*") if file.is_file()]

    assert texts
    assert not [text for text in texts if "finch" in text.lower()]


def test_a_name_that_is_taken_or_cannot_be_one_is_refused(made: Path) -> None:
    taken = ran(made, "new", "platform", "red_robin", "--into", str(made / "platforms"))
    impossible = ran(made, "new", "platform", "Red-Robin", "--into", str(made / "platforms"))

    assert taken.returncode == impossible.returncode == 2
    assert "exists already" in taken.stderr
    assert NAME.fullmatch("Red-Robin") is None
