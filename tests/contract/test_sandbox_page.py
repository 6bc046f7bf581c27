"""The sandbox's reference page names every control and every fault, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from hubbub.emulation.controls import NARROW, PACES, WIDE
from hubbub.emulation.emulator import HAPPENINGS
from hubbub.emulation.faults import KINDS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "sandbox.md").read_text()


def test_it_names_every_control() -> None:
    named = set(re.findall(r"^\| `(GET|POST) /_sandbox/?([^`?]*)", PAGE, re.MULTILINE))

    wanted = {(method, path) for method, path in WIDE}
    wanted |= {(method, f"{{platform}}/{path}") for method, path in NARROW}
    assert named == wanted


def test_it_names_every_fault() -> None:
    faults = PAGE[PAGE.index("## Faults") :]

    assert set(re.findall(r"^\| `(\w+)` \|", faults, re.MULTILINE)) == set(KINDS)


def test_it_names_every_happening_and_every_pace() -> None:
    assert all(f"`{word}`" in PAGE for word in (*HAPPENINGS, *PACES))
