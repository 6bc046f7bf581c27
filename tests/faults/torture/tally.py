"""Counting: what became of the runs, and whether that is good enough."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from faults.lane import Stuck
from faults.runs import Ended, Mishap, Run
from faults.scenarios import Came
from faults.torture.recovering import Recovery

RESOLVED_AT_LEAST = 0.95
NEXT_WITHIN = 5.0
KILLED_AT_LEAST = 0.9


@dataclass
class Row:
    """What became of some runs."""

    runs: int = 0
    doomed: int = 0
    """Runs in which a worker was to be killed."""
    killed: int = 0
    kills: int = 0
    lost: int = 0
    twice: int = 0
    ambiguous: int = 0
    """Runs in which the answer to the visible call was lost, or its sender."""
    unconfirmed: int = 0
    seconds: list[float] = field(default_factory=list[float])
    """From the last kill to the end, of the runs with one."""

    @property
    def resolved(self) -> int:
        return self.ambiguous - self.unconfirmed

    def add(self, run: Run, end: Ended | Stuck) -> None:
        self.runs += 1
        is_doomed = run.die_at is not None and not run.racing
        self.doomed += is_doomed
        if isinstance(end, Stuck):
            self.lost += 1
            return
        self.killed += end.kills > 0
        self.kills += end.kills
        self.lost += end.verdict == "lost"
        self.twice += end.verdict == "twice"
        self.unconfirmed += end.verdict == "unconfirmed"
        self.ambiguous += end.lost_answer or end.verdict == "unconfirmed"
        if end.kills:
            self.seconds.append(end.seconds)


Done = list[tuple[Run, Ended | Stuck]]


@dataclass
class Results:
    """Everything one long form found out."""

    seed: int
    points: dict[str, tuple[int, int]]
    """By platform: distinct points, and all that one run passes."""
    done: Done
    scenarios: dict[str, Came]
    recoveries: list[Recovery]
    minutes: float
    not_here: list[str] = field(default_factory=list[str])
    """Scenarios that this machine does not allow."""
    remark: str = ""
    """What whoever reads the figures should know of the machine."""

    @property
    def raced(self) -> Done:
        return [(run, end) for run, end in self.done if run.racing]

    @property
    def wrong_clocks(self) -> Done:
        return [(run, end) for run, end in self.done if any(run.clocks)]

    def plain(self, platform: str, mishap: Mishap | None) -> Done:
        """Those with one worker after the other, and right clocks."""
        wanted = (platform, mishap, False, (0, 0))
        return [
            (run, end)
            for run, end in self.done
            if (run.platform, run.mishap, run.racing, run.clocks) == wanted
        ]

    def shortcomings(self) -> list[str]:
        """Why this is not good enough; nothing when it is."""
        row = row_of(self.done)
        wrong = [
            f"{run}: {end}"
            for run, end in self.done
            if isinstance(end, Stuck) or end.verdict in ("lost", "twice")
        ]
        wrong += [f"{name}: {why}" for name, came in self.scenarios.items() for why in came.broken]
        wrong += [f"{one}" for one in self.recoveries if set(one.verdicts) != {"once"}]
        if row.resolved < RESOLVED_AT_LEAST * row.ambiguous:
            wrong.append(f"only {row.resolved} of {row.ambiguous} lost answers were resolved")
        if row.killed < KILLED_AT_LEAST * row.doomed:
            wrong.append(f"only {row.killed} of {row.doomed} workers were killed where they should have been")
        slowest = max(one.another for one in self.recoveries)
        if slowest > NEXT_WITHIN:
            wrong.append(f"the next post went out only {slowest:.1f} s after a kill")
        return wrong


def row_of(done: Iterable[tuple[Run, Ended | Stuck]]) -> Row:
    row = Row()
    for run, end in done:
        row.add(run, end)
    return row


def middle_and_most(seconds: Sequence[float]) -> str:
    """Median and maximum, as a page shows them."""
    return f"{statistics.median(seconds):.1f} / {max(seconds):.1f}" if seconds else "–"
