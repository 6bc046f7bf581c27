"""`hubbub check`: every platform's folder, all problems at once, and how far each is proven."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hubbub.surfaces.cli.say import PROBLEMS, AsJson, Failure, data, line

app = typer.Typer()

PROOFS = Path("contract/proofs.json")
SHOWN = 6
"""So many missing proofs are named to a person; `--json` has them all."""


@app.command()
def check(
    platform: Annotated[str | None, typer.Argument(help="One platform; all of them when left out.")] = None,
    proofs: Annotated[Path, typer.Option(help="What the conformance suite has recorded.")] = PROOFS,
    as_json: AsJson = False,
) -> None:
    """Say everything that is wrong with the platforms' folders, and how far each platform is proven."""
    from hubbub.connector import registry

    folders = registry.folders()
    if platform is not None:
        folders = [(module, folder) for module, folder in folders if folder.name == platform]
        if not folders:
            raise Failure(f"There is no platform {platform!r}: no folder of that name has a platform.toml.")
    reports = [_report(module, folder, proofs) for module, folder in folders]
    if as_json:
        data({"platforms": reports})
    else:
        for report in reports:
            _show(report)
    if any(report["problems"] for report in reports):
        raise typer.Exit(PROBLEMS)


def _report(module: str, folder: Path, proofs: Path) -> dict[str, Any]:
    from hubbub.connector.registry import Found
    from hubbub.surfaces.cli import checks, grades

    wrong = checks.problems(module, folder)
    report: dict[str, Any] = {"platform": folder.name, "problems": wrong, "grade": None}
    if not wrong:
        grade = grades.of(Found(module, folder), grades.load(proofs))
        report |= {"grade": grade.name, "lacking": grade.lacking, "proofs_are_stale": grade.stale}
    return report


def _show(report: dict[str, Any]) -> None:
    wrong = report["problems"]
    if wrong:
        line(f"{report['platform']}: {len(wrong)} problem{'s' if len(wrong) > 1 else ''}")
        for problem in wrong:
            line(f"  {problem}")
        return
    line(f"{report['platform']}: {report['grade']}")
    if report["proofs_are_stale"]:
        line("  its proofs are of other files: run `pytest tests/conformance --record-proofs`")
    elif report["lacking"]:
        first, more = report["lacking"][:SHOWN], len(report["lacking"]) - SHOWN
        line(f"  not proven: {', '.join(first)}{f' and {more} more' if more > 0 else ''}")
