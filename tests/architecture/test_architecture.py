"""What import contracts cannot say."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import hubbub

SOURCE = Path(hubbub.__file__).parent
ROOT = SOURCE.parent.parent
PLATFORMS = sorted(file.parent.name for file in SOURCE.glob("platforms/*/platform.toml"))
CODE = sorted(SOURCE.rglob("*.py"))
EMULATOR = re.compile(r"platforms/\w+/emulator")
LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 40


def test_the_import_contracts_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


def test_no_platform_is_named_outside_its_folder() -> None:
    elsewhere = [file for file in CODE if file.relative_to(SOURCE).parts[0] not in ("platforms", "errors")]

    named = [
        f"{file.relative_to(SOURCE)}:{node.lineno} {node.value!r}"
        for file in elsewhere
        for node in text_of(ast.parse(file.read_text()))
        if node.value in PLATFORMS
    ]

    assert PLATFORMS
    assert named == []


def test_an_emulator_imports_nothing_of_ours_but_its_frame_and_its_own_files() -> None:
    emulators = [
        file
        for file in CODE
        if file.relative_to(SOURCE).parts[0] == "platforms" and "emulator" in (file.stem, file.parent.name)
    ]

    strangers = [
        f"{file.relative_to(SOURCE)} imports {module}"
        for file in emulators
        for module in imports_of(file)
        if module.startswith("hubbub.")
        and not module.startswith(("hubbub.emulation", "hubbub.kit", emulator_of(file)))
    ]

    assert emulators
    assert strangers == []


def test_a_domain_asks_another_only_through_its_service_and_its_events() -> None:
    shortcuts = [
        f"{file.relative_to(SOURCE)} imports {module}"
        for file in CODE
        if file.relative_to(SOURCE).parts[0] == "domains"
        for module in imports_of(file)
        if module.startswith("hubbub.domains.")
        and not module.startswith(package_of(file))
        and module.split(".")[3:4] not in ([], ["service"], ["events"])
    ]

    assert shortcuts == []


@pytest.mark.parametrize("file", CODE, ids=lambda file: str(file.relative_to(SOURCE)))
def test_files_and_functions_stay_small(file: Path) -> None:
    text = file.read_text()

    long = [
        f"{node.name} has {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > LINES_OF_A_FUNCTION
    ]

    assert text.count("\n") <= LINES_OF_A_FILE
    assert long == []


def text_of(tree: ast.Module) -> Iterator[ast.Constant]:
    """Every string of the code; not the documentation, which stands alone as a statement."""
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node


def package_of(file: Path) -> str:
    return ".".join(["hubbub", *file.relative_to(SOURCE).parent.parts])


def imports_of(file: Path) -> Iterator[str]:
    """Every module a file imports; of `from package import name`, the name as well."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = package_of(file).split(".")
            home = [*package[: len(package) - node.level + 1], *([node.module] if node.module else [])]
            whole = ".".join(home) if node.level else str(node.module)
            yield from (f"{whole}.{name.name}" for name in node.names)


def emulator_of(file: Path) -> str:
    """The module, or package, of the emulator that a file of a platform belongs to."""
    return ".".join(["hubbub", *file.relative_to(SOURCE).parts[:2], "emulator"])
