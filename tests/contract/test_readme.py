"""The README shows what really happens."""

from __future__ import annotations

import re
from pathlib import Path

from hubbub.runtime.home import Home
from hubbub.surfaces.cli import first_steps
from hubbub.surfaces.cli.program import app

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def test_the_first_lines_are_those_that_up_prints() -> None:
    home = Home(Path("/home/you/hubbub/.hubbub"))

    lines = first_steps.steps("http://127.0.0.1:8080", "http://127.0.0.1:8081", "sapi_key_7ab8…", home)

    assert "\n".join(lines) in README


def test_every_command_is_named() -> None:
    groups = [*app.registered_groups]
    commands = {
        command.name or command.callback.__name__
        for group in groups
        if group.typer_instance
        for command in group.typer_instance.registered_commands
        if command.callback
    }

    assert commands >= {"up", "serve", "work", "sandbox", "check", "doctor"}
    assert [name for name in commands if not re.search(rf"`(hubbub )?{name}\b", README)] == []


def test_every_place_it_names_is_there() -> None:
    places = re.findall(r"\]\(([^)]+)\)|`((?:src|docs|contract)/[^`]*)`", README)

    assert places
    assert [place for pair in places for place in pair if place and not (ROOT / place).exists()] == []
