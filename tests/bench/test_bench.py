"""The benchmarks run: every one at a tiny size, whatever its figures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

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
    found = json.loads((tmp_path / "results" / f"{name}.json").read_text())
    assert found["goal"]
    assert "| Goal" in (tmp_path / "RESULTS.md").read_text()
    if name == "storm":
        assert_once(found)


def assert_once(storm: Any) -> None:
    """Nothing is lost or published twice, also where the worker was killed."""
    runs = [storm["killed"]["hubbub"], *(run for row in storm["rows"] for run in row["runs"])]
    assert [(run["lost"], run["twice"]) for run in runs] == [(0, 0)] * len(runs)
