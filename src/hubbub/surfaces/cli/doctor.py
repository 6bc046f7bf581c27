"""`hubbub doctor`: what is misconfigured, and how to mend it."""

from __future__ import annotations

import asyncio
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hubbub.surfaces.cli.say import PROBLEMS, AsJson, data, line

if TYPE_CHECKING:
    from hubbub.surfaces.cli.findings import Finding

app = typer.Typer()
SIGNS = {"ok": "✓", "note": "·", "problem": "✗"}


@app.command()
def doctor(
    context: typer.Context,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="The data folder; HUBBUB_DATA_DIR or .hubbub when left out.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what is misconfigured, each with its remedy."""
    from hubbub.surfaces.cli import given
    from hubbub.surfaces.cli.findings import examine

    settings = given.settings(data_dir)

    async def collect() -> list[Finding]:
        return [finding async for finding in examine(settings, os.environ)]

    found = asyncio.run(collect())
    if as_json:
        data({"findings": [asdict(finding) for finding in found]})
    else:
        for finding in found:
            line(f"{SIGNS[finding.state]} {finding.about}: {finding.says}")
            if finding.fix:
                line(f"    {finding.fix}")
    if any(finding.state == "problem" for finding in found):
        raise typer.Exit(PROBLEMS)
