"""`hubbub new platform`: a folder that works at once, to be changed into the platform it is named after."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from hubbub.surfaces.cli.say import AsJson, Failure, data, line

PATTERN = Path(__file__).with_name("pattern")
NAME = re.compile(r"[a-z][a-z0-9_]*")

app = typer.Typer()
commands = typer.Typer(help="Write what a new part begins with.")
app.add_typer(commands, name="new")


@commands.callback()
def new() -> None:
    """Write what a new part begins with."""


@commands.command()
def platform(
    name: Annotated[str, typer.Argument(help="Lower case, as it will be written in the API.")],
    into: Annotated[
        Path | None,
        typer.Option(help="Where its folder goes; beside the others when left out.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a new platform's folder: it publishes texts to its own stand-in and passes `hubbub check`."""
    from hubbub import platforms

    if not NAME.fullmatch(name):
        raise Failure(
            f"{name!r} cannot be a platform's name: lower-case letters, digits and _, a letter first."
        )
    place = (into or Path(platforms.__path__[0])) / name
    if place.exists():
        raise Failure(f"{place} exists already. Choose another name, or remove it.")
    written = _copy(place, name)
    if as_json:
        data({"platform": name, "files": [str(file) for file in written]})
        return
    for file in written:
        line(str(file))
    line(f"Now `hubbub check {name}`, and docs/decisions for what you decide on the way.")


def _copy(place: Path, name: str) -> list[Path]:
    """The pattern's files with the new name in place of its own."""
    words = name.split("_")
    written: list[Path] = []
    for source in sorted(PATTERN.rglob("*")):
        if not source.is_file() or "__pycache__" in source.parts:
            continue
        title = ("" if source.suffix == ".py" else " ").join(word.capitalize() for word in words)
        target = place / source.relative_to(PATTERN)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text().replace("finch", name).replace("Finch", title)
        if source.name == "__init__.py":
            text = f'"""{title}."""\n'
        target.write_text(text)
        written.append(target)
    return written
