"""How far a platform is proven: bronze, silver, gold. Read from what tests have recorded, never from claims."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from hubbub.connector.registry import Found
from hubbub.kit import clock

STAND_IN = "stand-in"
LIVE = "live"
LIVE_STAYS_GOOD = timedelta(days=180)


@dataclass(frozen=True)
class Grade:
    """What a platform has reached, and what it lacks for the next step; `stale` proofs are not counted."""

    name: str
    lacking: list[str]
    stale: bool = False


def of(found: Found, proofs: Mapping[str, Any]) -> Grade:
    """The grade of a folder as it is now."""
    kept = proofs.get(found.facts.name)
    stale = kept is not None and kept["folder"] != digest(found.folder)
    proved: Mapping[str, list[str]] = kept["proved"] if kept is not None and not stale else {}
    if kept is not None and not _is_recent(kept.get("live_on")):
        proved = {backend: names for backend, names in proved.items() if backend != LIVE}
    reached = "unproven"
    for name, wanted in LADDER:
        lacking = [proof for proof in wanted(found) if not _holds(proof, proved)]
        if lacking:
            return Grade(reached, lacking, stale)
        reached = name
    return Grade(reached, [], stale)


def load(file: Path) -> Mapping[str, Any]:
    """What the conformance suite has recorded; nothing when it never has."""
    return json.loads(file.read_text()) if file.is_file() else {}


def digest(folder: Path) -> str:
    """SHA-256 over a folder's files, names and bytes: a proof counts for what was proven and nothing else."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    lines = (
        f"{file.relative_to(folder).as_posix()} {hashlib.sha256(file.read_bytes()).hexdigest()}\n"
        for file in files
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _is_recent(live_on: str | None) -> bool:
    return live_on is not None and clock.now().date() - date.fromisoformat(live_on) <= LIVE_STAYS_GOOD


def _holds(proof: str, proved: Mapping[str, list[str]]) -> bool:
    """`live` needs the real platform; everything else the stand-in, and a real test server where there is one."""
    if proof == LIVE:
        return bool(proved.get(LIVE))
    return proof in proved.get(STAND_IN, [])


def _bronze(found: Found) -> list[str]:
    """Publishes every format to its stand-in; every refusal it knows is mapped."""
    formats = [f"publishes:{name}" for name in found.facts.formats]
    return [*formats, *(f"refuses:{entry.name or entry.means}" for entry in found.refusals.entries)]


def _silver(found: Found) -> list[str]:
    """Survives expiry and comes back; a lost answer never posts twice; deletes."""
    wanted = ["expires", "reconnects", "once"]
    return [*wanted, *(["deletes"] if "delete" in found.facts.can else [])]


def _gold(found: Found) -> list[str]:
    """Everything it can; what it sends us; the real platform within the last half year."""
    wanted = [f"can:{capability}" for capability in found.facts.can]
    return [*wanted, *([] if "hooks" in found.facts.exempt else ["hooks"]), LIVE]


LADDER: tuple[tuple[str, Callable[[Found], list[str]]], ...] = (
    ("bronze", _bronze),
    ("silver", _silver),
    ("gold", _gold),
)
