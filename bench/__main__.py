"""`python -m bench [NAME …] [--taste] [--out FOLDER]`: measure, keep the figures, write the page."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench import accept, footprint, listing, machine, report, resting, storm
from bench.sizes import TASTE, WHOLE, Size
from bench.stage import Stage, open_stage

HERE = Path(__file__).parent
BENCHMARKS: dict[str, Callable[[Stage, Size], dict[str, Any]]] = {
    "accept": accept.measure,
    "list": listing.measure,
    "storm": storm.measure,
    "resting": resting.measure,
    "footprint": footprint.measure,
}


def run(names: list[str], size: Size, out: Path) -> None:
    """Each benchmark on a server of its own; what earlier runs have kept of others stays on the page."""
    kept = out / "results"
    kept.mkdir(parents=True, exist_ok=True)
    for name in names:
        began, load = time.monotonic(), machine.load()
        with open_stage() as stage:
            found = BENCHMARKS[name](stage, size)
        found |= {"took_s": round(time.monotonic() - began, 1), "load_before": round(load, 2)}
        (kept / f"{name}.json").write_text(
            json.dumps({"machine": machine.described(), **found}, indent=1) + "\n"
        )
        sys.stderr.write(f"{name}: {found['took_s']:.0f} s\n")
    results = {file.stem: json.loads(file.read_text()) for file in sorted(kept.glob("*.json"))}
    notes = (HERE / "notes.md").read_text()
    (out / "RESULTS.md").write_text(report.page(machine.described(), results, notes))


if __name__ == "__main__":
    asked = argparse.ArgumentParser(prog="bench")
    asked.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    asked.add_argument(
        "--taste", action="store_true", help="tiny sizes: whether everything runs, no figures worth reading"
    )
    asked.add_argument("--out", type=Path, default=HERE)
    asked.add_argument("--engines", action="store_true", help="with --taste: taste the other engines too")
    options = asked.parse_args()
    if unknown := set(options.names) - set(BENCHMARKS):
        asked.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    # So that whatever was started is ended, and what was written is removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    size = replace(TASTE, engines=options.engines) if options.taste else WHOLE
    run(options.names or list(BENCHMARKS), size, options.out)
