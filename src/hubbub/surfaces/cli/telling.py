"""Telling whoever started a process that it is ready: a person, a program, a file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from hubbub.runtime.home import Home, write_private
from hubbub.surfaces.cli.say import line


class Telling:
    """One process's announcements. Makes sure that no file of an earlier process says that this one is ready."""

    def __init__(self, ready_file: Path | None, home: Home, as_json: bool) -> None:
        self.ready_file = ready_file
        self.home = home
        self.as_json = as_json
        self.told = False
        if ready_file:
            ready_file.parent.mkdir(parents=True, exist_ok=True)
            ready_file.unlink(missing_ok=True)

    def ready(self, facts: Mapping[str, Any]) -> None:
        """Everything answers. The file appears whole or not at all, for its owner alone: it may hold a key."""
        if not self.told:
            self._say(facts)
        self.told = True
        if self.ready_file:
            write_private(self.ready_file, json.dumps(facts) + "\n")

    def _say(self, facts: Mapping[str, Any]) -> None:
        if self.as_json:
            line(json.dumps(facts))
        elif "key" in facts:
            from hubbub.surfaces.cli import first_steps

            line(first_steps.welcome(facts["api"], facts["sandbox"], facts["key"], self.home))
        else:
            line(_words(facts))

    def forget(self) -> None:
        """The process ends; its file goes, unless another process has written it since."""
        if self.ready_file is None:
            return
        with suppress(OSError, ValueError):
            if json.loads(self.ready_file.read_text())["pid"] == os.getpid():
                self.ready_file.unlink()


def _words(facts: Mapping[str, Any]) -> str:
    if "api" in facts:
        return f"API  {facts['api']}"
    if "sandbox" in facts:
        return f"Sandbox  {facts['sandbox']}"
    return "Working."
