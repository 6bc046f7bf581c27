"""Find the platforms: every folder with a `platform.toml` is one. Code is imported on first use."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from hubbub.connector.platform import Platform, load
from hubbub.connector.refusals import Refusals

if TYPE_CHECKING:
    from hubbub.connector.base import Connector

HOME = "hubbub.platforms"


class Found:
    """One platform's folder: its facts now, its refusals and its code when somebody asks."""

    def __init__(self, module: str, folder: Path) -> None:
        self.module = module
        self.folder = folder
        self.facts: Platform = load(folder)

    @cached_property
    def refusals(self) -> Refusals:
        return Refusals.load(self.facts.name, self.folder / "errors.toml")

    @cached_property
    def connector(self) -> type[Connector]:
        """The folder's one Connector class."""
        from hubbub.connector.base import Connector

        code = importlib.import_module(f"{self.module}.connector")
        own = [
            thing
            for _, thing in inspect.getmembers(code, inspect.isclass)
            if issubclass(thing, Connector) and thing.__module__.startswith(self.module)
        ]
        most_specific = [c for c in own if not any(o is not c and issubclass(o, c) for o in own)]
        if len(most_specific) != 1:
            raise TypeError(f"{self.module}.connector must hold exactly one Connector")
        return most_specific[0]

    def can(self, capability: str) -> bool:
        return capability in self.facts.can


class Registry(Mapping[str, Found]):
    """All platforms by name, in the order of their names."""

    def __init__(self, found: Mapping[str, Found] | None = None) -> None:
        self._found = dict(found) if found is not None else find()

    def __getitem__(self, name: str) -> Found:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def find() -> dict[str, Found]:
    """Every platform folder of ours, and those of installed packages that announce one."""
    found: dict[str, Found] = {}
    for module, folder in folders():
        platform = Found(module, folder)
        found[platform.facts.name] = platform
    return found


def folders() -> list[tuple[str, Path]]:
    """The module and the folder of every platform, sorted; nothing in them has been read."""
    return sorted([*_ours(), *_installed()])


def _ours() -> list[tuple[str, Path]]:
    home = find_spec(HOME)
    assert home is not None
    roots = [Path(place) for place in home.submodule_search_locations or ()]
    return [
        (f"{HOME}.{folder.name}", folder)
        for root in roots
        for folder in root.iterdir()
        if (folder / "platform.toml").is_file()
    ]


def _installed() -> list[tuple[str, Path]]:
    """Somebody else's connector is a package with the same files and an entry point naming its module."""
    places: list[tuple[str, Path]] = []
    for entry in entry_points(group=HOME):
        spec = find_spec(entry.value)
        if spec and spec.origin:
            places.append((entry.value, Path(spec.origin).parent))
    return places
