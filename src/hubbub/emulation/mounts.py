"""Finding the platforms that have a stand-in: every folder with an `emulator.py` or an `emulator/`."""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hubbub import platforms
from hubbub.emulation.emulator import Emulator


@dataclass(frozen=True)
class Mount:
    """A platform's stand-in, not imported before somebody calls it."""

    name: str
    load: Callable[[], type[Emulator]]
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    refusals: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


def find(only: Collection[str] | None = None) -> dict[str, Mount]:
    """Every platform with a stand-in, by name; `only` keeps those named."""
    found: dict[str, Mount] = {}
    for place in map(Path, platforms.__path__):
        for folder in sorted(place.iterdir()):
            wanted = only is None or folder.name in only
            if wanted and any((folder / file).is_file() for file in ("emulator.py", "emulator/__init__.py")):
                found[folder.name] = _mount(folder)
    return found


def _mount(folder: Path) -> Mount:
    name = folder.name
    refusals = _toml(folder / "errors.toml").get("on", [])
    return Mount(name, lambda: _emulator_of(name), _toml(folder / "platform.toml"), refusals)


def _emulator_of(name: str) -> type[Emulator]:
    module = importlib.import_module(f"{platforms.__name__}.{name}.emulator")
    made = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Emulator) and value.__module__ == module.__name__
    ]
    if len(made) != 1:
        raise TypeError(f"{module.__name__} must define exactly one Emulator, not {len(made)}")
    return made[0]


def _toml(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
