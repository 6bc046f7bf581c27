"""How the command speaks: words for people, JSON for programs, one sentence when something is wrong."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Console

PROBLEMS = 1
CANNOT = 2

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")]


class Failure(Exception):
    """Ends the command. The message is a sentence that says what to do."""

    def __init__(self, sentence: str, code: int = CANNOT) -> None:
        super().__init__(sentence)
        self.code = code


def complain(sentence: str) -> None:
    """Say what is wrong on standard error."""
    Console(stderr=True, highlight=False).print(f"[bold red]hubbub:[/] {_plain(sentence)}", soft_wrap=True)


def line(text: str = "") -> None:
    """A line exactly as it is, never wrapped: people copy it."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def data(thing: Any) -> None:
    """A thing as JSON."""
    line(json.dumps(thing, indent=2, ensure_ascii=False, default=str))


def rows(titles: Sequence[str], content: Sequence[Sequence[str]]) -> None:
    """A table of words; nothing but the titles when it is empty. Cells are never cut: people copy them."""
    table = [titles, *content]
    widths = [max(len(row[column]) for row in table) for column in range(len(titles))]
    for row in table:
        line("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _plain(text: str) -> str:
    return text.replace("[", "\\[")
