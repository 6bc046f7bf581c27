"""All commands together."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

import typer

from hubbub.surfaces.cli import check, contract, doctor, keys, new, start, tokens
from hubbub.surfaces.cli.say import Failure, complain

app = typer.Typer(
    help="One HTTP API, self-hosted, for every social network.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for group in (start, keys, tokens, doctor, check, contract, new):
    app.add_typer(group.app)


def run(load_domains: Callable[[], None]) -> NoReturn:
    """Do what the command line says, and end the process. `load_domains` is for commands that need them."""
    try:
        app(obj=load_domains)
    except Failure as failure:
        complain(str(failure))
        sys.exit(failure.code)
    sys.exit(0)
