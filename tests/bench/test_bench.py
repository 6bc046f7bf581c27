"""The benchmarks run: every one at a tiny size, whatever its figures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["accept", "list", "storm", "resting", "footprint"])
def test_a_benchmark_runs_and_its_figures_are_kept(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--taste", "--out", str(tmp_path), name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads((tmp_path / "results" / f"{name}.json").read_text())["goal"]
    assert "| Goal" in (tmp_path / "RESULTS.md").read_text()


def test_nothing_is_lost_or_published_twice_when_the_worker_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", "--taste", "--out", str(tmp_path), "storm"]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)

    found = json.loads((tmp_path / "results" / "storm.json").read_text())

    runs = [found["killed"]["hubbub"], *(run for row in found["rows"] for run in row["runs"])]
    assert [(run["lost"], run["twice"]) for run in runs] == [(0, 0)] * len(runs)
