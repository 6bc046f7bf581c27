"""`hubbub contract write` and `check`: every file that is derived from the code, in step with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from hubbub.surfaces.cli.say import PROBLEMS, AsJson, Failure, data, line

app = typer.Typer()
commands = typer.Typer(help="Write the files that are derived from the code, or check that they are in step.")
app.add_typer(commands, name="contract")

Root = Annotated[Path, typer.Option("--root", help="Hubbub's source folder.")]


@commands.command()
def write(context: typer.Context, root: Root = Path(), as_json: AsJson = False) -> None:
    """Write every derived file that is not as it should be."""
    from hubbub.runtime.home import write_whole
    from hubbub.surfaces.cli import derived

    wanted = _wanted(context.find_root().obj, root)
    changed = _drifted(wanted)
    for file in changed:
        write_whole(file, wanted[file])
    gone = derived.leftovers(root, wanted)
    for file in gone:
        file.unlink()
    _tell([*changed, *gone], root, "written", as_json)


@commands.command("check")
def compare(context: typer.Context, root: Root = Path(), as_json: AsJson = False) -> None:
    """Name every derived file that is not as it should be."""
    from hubbub.surfaces.cli import derived

    wanted = _wanted(context.find_root().obj, root)
    drifted = [*_drifted(wanted), *derived.leftovers(root, wanted)]
    _tell(drifted, root, "drifted", as_json)
    if drifted:
        raise Failure(
            "These files do not say what the code says. `hubbub contract write` writes them.", PROBLEMS
        )


def _wanted(load_domains: Callable[[], None], root: Path) -> dict[Path, str]:
    from hubbub.surfaces.cli import derived

    if not (root / "pyproject.toml").is_file():
        raise Failure(f"{root.resolve()} is not Hubbub's source folder; go there, or name it with --root.")
    load_domains()
    return derived.files(root)


def _drifted(wanted: dict[Path, str]) -> list[Path]:
    return [file for file, text in wanted.items() if not file.is_file() or file.read_text() != text]


def _tell(files: list[Path], root: Path, done: str, as_json: bool) -> None:
    names = [file.relative_to(root).as_posix() for file in files]
    if as_json:
        data({done: names})
        return
    for name in names:
        line(name)
