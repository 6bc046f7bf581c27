"""Composition root: puts the domains and the ways in together, and is the `hubbub` command."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import hubbub
from hubbub.surfaces.cli import program

ROOT = Path(hubbub.__file__).parent


def load_domains() -> None:
    """Import every domain's tables and jobs: what runs in the background, and what hears whose events.

    Every process does this, also one that only answers requests: announcing an event starts the jobs that
    listen to it. A domain has jobs because its folder has a jobs.py.
    """
    for file in sorted([*ROOT.glob("domains/*/tables.py"), *ROOT.glob("domains/*/jobs.py")]):
        import_module(f"hubbub.domains.{file.parent.name}.{file.stem}")


def run() -> None:
    """The `hubbub` command. Ends the process."""
    program.run(load_domains)
