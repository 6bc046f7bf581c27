"""Every pair of fixtures of every platform: their side and ours, each made from the other by one function.

`fixtures/<function>.<case>.theirs.json` and `….ours.json` name a function of the platform's `shapes`. One
whose name ends in `_out` makes theirs from ours: ours are its arguments by name. Any other makes ours from
theirs: its one argument, or its arguments by name.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from hubbub.connector.registry import Registry
from hubbub.kit.clock import from_wire
from hubbub.kit.secret import Secret
from hubbub.social.draft import Draft, File

PAIRS = [
    pytest.param(found.module, path, id=f"{name}-{path.name.removesuffix('.theirs.json')}")
    for name, found in Registry().items()
    for path in sorted((found.folder / "fixtures").glob("*.theirs.json"))
]
DOCS = [
    pytest.param(path, id=f"{name}-{path.stem}")
    for name, found in Registry().items()
    for path in sorted((found.folder / "fixtures" / "docs").glob("*.json"))
]


@pytest.mark.parametrize(("module", "path"), PAIRS)
def test_a_pair_of_fixtures_agrees(module: str, path: Path) -> None:
    function = function_of(module, path)
    theirs, ours = read(path), read(ours_of(path))
    if function.__name__.endswith("_out"):
        assert jsonable(function(**arguments(function, ours))) == theirs
    else:
        assert jsonable(given(function, theirs)) == ours


def test_no_fixture_is_alone() -> None:
    for found in Registry().values():
        fixtures = found.folder / "fixtures"
        theirs = {path.name.removesuffix(".theirs.json") for path in fixtures.glob("*.theirs.json")}
        ours = {path.name.removesuffix(".ours.json") for path in fixtures.glob("*.ours.json")}
        assert theirs == ours
        assert theirs


@pytest.mark.parametrize("path", DOCS)
def test_an_example_from_the_documentation_names_its_source(path: Path) -> None:
    example = read(path)
    assert example["source"].startswith("https://")
    assert example["answer"]


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def ours_of(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".theirs.json") + ".ours.json")


def function_of(module: str, path: Path) -> Callable[..., Any]:
    return getattr(importlib.import_module(f"{module}.shapes"), path.name.partition(".")[0])


def given(function: Callable[..., Any], theirs: Any) -> Any:
    parameters = inspect.signature(function).parameters
    return function(theirs) if len(parameters) == 1 else function(**theirs)


def arguments(function: Callable[..., Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    kinds = get_type_hints(function)
    return {name: built(kinds[name], value) for name, value in ours.items()}


def built(kind: Any, value: Any) -> Any:
    if kind is datetime:
        return from_wire(value)
    if kind is Draft:
        return Draft(**{**value, "files": tuple(File(**file) for file in value.get("files", ()))})
    return value


def jsonable(value: Any) -> Any:
    """A result as its fixture writes it: fields that are None left out, sets sorted, secrets open."""
    if dataclasses.is_dataclass(value):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {name: jsonable(inner) for name, inner in fields.items() if inner not in (None, {})}
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return {name: jsonable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(inner) for inner in value]
    return value
