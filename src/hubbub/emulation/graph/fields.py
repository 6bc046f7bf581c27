"""The `fields` language of Graph: names, braces for nesting, dots for arguments."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from hubbub.emulation.graph.errors import GraphError

NAME = re.compile(r"\w+")
ARGUMENT = re.compile(r"\(([^()]*)\)")


@dataclass
class Field:
    """`comments.limit(5).order(reverse_chronological){id,from}` is name, arguments and children."""

    name: str
    arguments: dict[str, str] = field(default_factory=dict[str, str])
    children: list[Field] = field(default_factory=lambda: list[Field]())

    def text(self) -> str:
        """As a client would have written it."""
        arguments = "".join(f".{name}({value})" for name, value in self.arguments.items())
        inner = ",".join(child.text() for child in self.children)
        return self.name + arguments + (f"{{{inner}}}" if inner else "")


def parse(text: str) -> list[Field]:
    """The fields asked for; none for an empty text, which clients send when they ask for nothing.

    Raises GraphError 2500 when the text cannot be read.
    https://developers.facebook.com/docs/graph-api/guides/field-expansion
    """
    found, rest = _list(text.strip(), 0)
    if rest != len(text.strip()):
        raise _unreadable(text.strip(), rest)
    return found


def _list(text: str, at: int) -> tuple[list[Field], int]:
    found: list[Field] = []
    while at < len(text) and text[at] != "}":
        one, at = _field(text, at)
        found.append(one)
        at = _blank(text, at)
        if at < len(text) and text[at] == ",":
            at = _blank(text, at + 1)
        elif at < len(text) and text[at] != "}":
            raise _unreadable(text, at)
    return found, at


def _field(text: str, at: int) -> tuple[Field, int]:
    name, at = _name(text, _blank(text, at))
    one = Field(name)
    while at < len(text) and text[at] == ".":
        argument, at = _name(text, at + 1)
        value = ARGUMENT.match(text, at)
        if value is None:
            raise _unreadable(text, at)
        one.arguments[argument] = value.group(1).strip().strip("\"'")
        at = value.end()
    if at < len(text) and text[at] == "{":
        one.children, at = _list(text, at + 1)
        if at >= len(text):
            raise _unreadable(text, at)
        at += 1
    return one, at


def _name(text: str, at: int) -> tuple[str, int]:
    found = NAME.match(text, at)
    if found is None:
        raise _unreadable(text, at)
    return found.group(), found.end()


def _blank(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _unreadable(text: str, at: int) -> GraphError:
    what = f'Unexpected "{text[at]}"' if at < len(text) else "Unexpected end"
    return GraphError(2500, f"Syntax error: {what} at character {at}: {text}")
