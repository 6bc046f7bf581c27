"""`RESULTS.md`, from what the benchmarks have kept as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

Row = dict[str, Any]
Runs = Sequence[Row]


BUSY = 1.0


def page(machine: dict[str, str], results: dict[str, Row], notes: str) -> str:
    """The whole page; what was not measured is left out."""
    parts = [
        "# Results",
        "",
        "Written by `make bench`; the figures of every run are in `results/`. Each value is the median of the runs, with the"
        " smallest and the largest behind it. Ratios are ours divided by the floor of the same repeat.",
        "",
        "| Machine | |\n|---|---|",
        *(f"| {name} | {value} |" for name, value in machine.items()),
        "",
    ]
    chapters = {
        "accept": ("(a) Accept", lambda it: _requests(it, "requests/s")),
        "list": ("(b) List", lambda it: _requests(it, "requests/s")),
        "storm": ("(c) Due storm", _storm),
        "resting": ("(d) Resting cost", _resting),
        "footprint": ("(e) Footprint", _footprint),
    }
    for name, (title, chapter) in chapters.items():
        if name in results:
            parts += [f"## {title}", "", *_warning(results[name]), *chapter(results[name]), ""]
    return "\n".join(parts) + "\n" + notes


def _warning(found: Row) -> Iterable[str]:
    """When the machine had other things to do."""
    if found["load_before"] > BUSY:
        yield f"**The machine was busy (load {found['load_before']:.1f} before it began): only the CPU columns mean much.**"
        yield ""


def _requests(found: Row, unit: str) -> Iterable[str]:
    rows = {(row["who"], row["connections"]): row["runs"] for row in found["rows"]}
    yield f"| Connections | | {unit} | p50 ms | p99 ms | CPU ms, server | CPU ms, database | Ratio | Goal {found['goal']} |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for who, connections in rows:
        runs = rows[who, connections]
        ratio = verdict = ""
        if who != "floor":
            ratios = _ratios(runs, rows["floor", connections])
            ratio, verdict = spread(ratios, 2), _verdict(median(ratios) >= found["goal"])
        cells = [spread(_all(runs, name), digits) for name, digits in REQUEST_COLUMNS]
        yield f"| {connections} | {who} | {' | '.join(cells)} | {ratio} | {verdict} |"
    yield ""
    busiest = max(median(_all(runs, "generator_cpu_ms")) for runs in rows.values())
    yield (
        f"The load generator is a process of its own on the same machine (bare asyncio, no HTTP library); a request costs it at"
        f" most {busiest:.2f} ms of CPU, so it is not what limits."
    )


REQUEST_COLUMNS = (("per_second", 0), ("p50_ms", 1), ("p99_ms", 1), ("cpu_ms", 2), ("database_cpu_ms", 2))


def _storm(found: Row) -> Iterable[str]:
    rows = {row["who"]: row["runs"] for row in found["rows"]}
    at_once = found["rows"][0]["connections"]
    yield f"{found['targets']:,} targets due in one second, the platform answers after 50 ms, {at_once} at once."
    yield ""
    yield "| | targets/s | start lag p50 ms | p99 ms | CPU ms, process | CPU ms, database | Lost | Twice | Ratio | Goal |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for who, runs in rows.items():
        ratios = _ratios(runs, rows["floor"])
        names = (
            ("per_second", 0),
            ("lag_p50_ms", 0),
            ("lag_p99_ms", 0),
            ("cpu_ms", 2),
            ("database_cpu_ms", 2),
        )
        cells = [spread(_all(runs, name), digits) for name, digits in names]
        lost, twice = sum(run["lost"] for run in runs), sum(run["twice"] for run in runs)
        goal = (
            f"{found['goal']}, 0 twice: {_verdict(median(ratios) >= found['goal'] and not twice)}"
            if who == "hubbub"
            else ""
        )
        yield f"| {who} | {' | '.join(cells)} | {lost} | {twice} | {spread(ratios, 2) if who != 'floor' else ''} | {goal} |"
    yield ""
    yield f"With SIGKILL to the worker after half of {found['killed_targets']:,} targets, and another started:"
    yield ""
    yield "| | targets/s, the stop included | Lost | Twice |\n|---|---|---|---|"
    for who, run in found["killed"].items():
        yield f"| {who} | {run['per_second']:.0f} | {run['lost']} | {run['twice']} |"


def _resting(found: Row) -> Iterable[str]:
    yield f"| | with {found['few']:,} posts waiting | with {found['many']:,} | Times slower | Goal {found['goal']} |"
    yield "|---|---|---|---|---|"
    for kind, unit in (("accept", "requests/s"), ("list", "requests/s"), ("storm", "targets/s")):
        few, many = (_all(found["rows"][name][kind], "per_second") for name in ("few", "many"))
        slower = median(few) / median(many)
        yield f"| {kind}, {unit} | {spread(few, 0)} | {spread(many, 0)} | {slower:.2f} | {_verdict(slower <= found['goal'])} |"
    for name, title in (("worker_percent", "idle worker"), ("database_percent", "idle database")):
        few, many = (_all(found["rows"][which]["idle"], name) for which in ("few", "many"))
        yield f"| {title}, % of a core | {spread(few, 1)} | {spread(many, 1)} | | |"


def _footprint(found: Row) -> Iterable[str]:
    runs = found["runs"]
    how = "in a fresh copy, packages from the cache" if found["fresh_copy"] else "in the environment at hand"
    yield "| | | Goal |\n|---|---|---|"
    yield f"| `make run` until it answers, {how}, s | {spread(_all(runs, 'answers_s'), 1)} | |"
    yield f"| … until the first post is published, s | {spread(_all(runs, 'first_post_s'), 1)} | |"
    memory = _all(runs, "memory_mb")
    verdict = f"< {found['goal']}: {_verdict(median(memory) < found['goal'])}"
    yield f"| memory at rest of all processes (PSS), MB | {spread(memory, 0)} | {verdict} |"
    yield f"| … API, worker and sandbox | {spread(_all(runs, 'hubbub_mb'), 0)} | |"
    yield f"| … PostgreSQL | {spread(_all(runs, 'database_mb'), 0)} | |"


def spread(values: Sequence[float], digits: int) -> str:
    """The median, and the smallest and largest."""
    if not values:
        return ""
    if len(values) == 1:
        return f"{values[0]:,.{digits}f}"
    return f"{median(values):,.{digits}f} ({min(values):,.{digits}f}–{max(values):,.{digits}f})"


def _all(runs: Runs, name: str) -> list[float]:
    return [run[name] for run in runs if name in run]


def _ratios(ours: Runs, floor: Runs) -> list[float]:
    return [one["per_second"] / other["per_second"] for one, other in zip(ours, floor, strict=True)]


def _verdict(is_reached: bool) -> str:
    return "reached" if is_reached else "**not reached**"
