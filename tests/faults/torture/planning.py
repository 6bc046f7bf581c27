"""Which runs there are: everything that must be, and what the seed adds."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from faults.runs import PLATFORMS, Mishap, Run, distinct, in_part, mishaps
from faults.victim import Point

SILENCE = 30.0
MISHAPS: tuple[Mishap | None, ...] = (None, *mishaps(SILENCE))
"""None is an answer that arrives."""
AGAIN = 0.15
"""How many of the added runs kill the successor too."""

Surveys = Mapping[tuple[str, Mishap | None], Sequence[Point]]


def name_of(mishap: Mishap | None) -> str:
    return mishap.name if mishap else "answer kept"


def musts(surveys: Surveys) -> list[Run]:
    """Every distinct point with the answer kept, and every mishap at each distinct point around the visible call."""
    runs = [Run(platform, point) for platform in PLATFORMS for point in distinct(surveys[platform, None])]
    for platform in PLATFORMS:
        for mishap in MISHAPS[1:]:
            around = in_part(distinct(surveys[platform, mishap]))
            runs += [Run(platform, point, mishap) for point in around]
            runs.append(Run(platform, None, mishap))
    return runs


def plan(surveys: Surveys, wanted: int, seed: int) -> list[Run]:
    """At least `wanted` runs; those that wait long come first, otherwise in the seed's order."""
    chance = random.Random(seed)
    runs = musts(surveys)
    known = set(runs)
    while len(runs) < wanted:
        platform, mishap = chance.choice(PLATFORMS), chance.choice(MISHAPS)
        if mishap and mishap.is_slow and chance.random() < 0.75:
            continue
        points = surveys[platform, mishap]
        then = chance.choice(points) if chance.random() < AGAIN else None
        run = Run(platform, chance.choice(points), mishap, then)
        if run not in known:
            known.add(run)
            runs.append(run)
    chance.shuffle(runs)
    return sorted(runs, key=lambda run: not (run.mishap and run.mishap.is_slow))
