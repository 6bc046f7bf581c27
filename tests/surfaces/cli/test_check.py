"""`hubbub check` names each mistake, and believes proofs only."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hubbub.connector.registry import Found
from hubbub.kit import clock
from hubbub.surfaces.cli import checks, grades, pattern

from .hubbub_process import ran

PATTERN = Path(pattern.__file__).parent
MODULE = pattern.__name__


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The pattern's folder, to be spoilt."""
    return Path(shutil.copytree(PATTERN, tmp_path / "finch", ignore=shutil.ignore_patterns("__pycache__")))


MISTAKES = [
    ("platform.toml", 'name    = "finch"', 'name    = "robin"', "name is 'robin', the folder is 'finch'"),
    ("platform.toml", "certainty", "certainity", "publish.certainty: Field required"),
    ("platform.toml", "[publish]", "[publish", "platform.toml is not TOML"),
    ("platform.toml", "2026-11-24", "2999-11-24", "in the future"),
    ("platform.toml", "https://example.com/finch/docs", "example.com", "docs must be an https address"),
    ("platform.toml", 'live = "https://', 'live = "http://', "hosts.api.live must be an https address"),
    ("platform.toml", "publish = []", 'publish = ["write"]', "auth.scopes does not ask for"),
    ("platform.toml", "delete  = []", "remove  = []", "[can] has 'remove'"),
    ("platform.toml", "delete  = []", "", "keeps the promise delete, and [can] does not say so"),
    ("platform.toml", "delete  = []", "delete  = []\nfirst_comment = []", "in [can] and in [exempt]"),
    (
        "platform.toml",
        "delete  = []",
        "delete  = []\nfirst_comment = []",
        "does not keep the promise first_comment",
    ),
    ("platform.toml", 'kind = "password"', 'kind = "oauth2"', "auth.authorize is missing"),
    ("platform.toml", 'kind = "password"', 'kind = "oauth2"', "consent_url, exchange missing"),
    ("platform.toml", 'kind = "password"', 'kind = "password"\nrefresh = "rotating"', "has no refresh"),
    ("platform.toml", "max = 300, ", "", "formats.text says nothing about the length of its text"),
    (
        "platform.toml",
        "[exempt]",
        'media = { kinds = ["image"], max = 1 }\n\n[exempt]',
        "formats.text takes image files and does not say which types, of what size",
    ),
    (
        "platform.toml",
        "[exempt]",
        '[options.tone]\ntype = "choice"\nhelp = "How."\nformats = ["film"]\n\n[exempt]',
        "options.tone is for a format that does not exist: film",
    ),
    (
        "platform.toml",
        "[exempt]",
        '[options.tone]\ntype = "choice"\nhelp = "How."\n\n[exempt]',
        "options.tone is a choice of nothing",
    ),
    (
        "platform.toml",
        "[exempt]",
        '[variants.big]\nwhen = { account = { tier = "big" } }\npublish = { submit_timeout = "x" }\n\n[exempt]',
        "variants.big: publish.submit_timeout",
    ),
    ("platform.toml", '"it sends none"', '""', "exempt.hooks gives no reason"),
    ("errors.toml", "platform.finch.auth", "platform.finch.outh", "there is no such code"),
    ("errors.toml", "platform.finch.auth", "platform.robin.auth", "speaks of another platform"),
    ("errors.toml", "retry_after_seconds", "retry_after", "take.retry_after"),
    ("errors.toml", '"platform.finch.auth"', '"ambiguous_post_id"', "cannot do without"),
    ("errors.toml", '"token_invalid"', '"bad_credentials"', "2 entries are called bad_credentials"),
    ("errors.toml", 'name   = "token_invalid"\n', "", "has no name"),
    ("errors.toml", "status = 429\n", "", "matches every answer"),
    ("errors.toml", '"5xx"', '"5x"', "has a status that is neither a number nor like 5xx"),
    ("notes.md", "https://", "", "notes.md names no source"),
]


@pytest.mark.parametrize(("file", "right", "wrong", "said"), MISTAKES, ids=[said for *_, said in MISTAKES])
def test_a_mistake_is_named(folder: Path, file: str, right: str, wrong: str, said: str) -> None:
    text = (folder / file).read_text()
    assert right in text
    (folder / file).write_text(text.replace(right, wrong))

    found = checks.problems(MODULE, folder)

    assert any(said in problem for problem in found), found


@pytest.mark.parametrize(
    "file", ["errors.toml", "connector.py", "shapes.py", "notes.md", "emulator.py", "platform.toml"]
)
def test_a_missing_file_is_named(folder: Path, file: str) -> None:
    (folder / file).unlink()

    assert any(problem.startswith(file) for problem in checks.problems(MODULE, folder))


def test_a_fixture_without_its_other_half_is_named(folder: Path) -> None:
    (folder / "fixtures" / "post_out.text.ours.json").unlink()

    assert "fixtures/post_out.text.ours.json is missing" in checks.problems(MODULE, folder)


def test_all_mistakes_are_named_at_once(folder: Path) -> None:
    (folder / "notes.md").unlink()
    facts = folder / "platform.toml"
    facts.write_text(facts.read_text().replace("2026-11-24", "2999-11-24").replace('"it sends none"', '""'))

    assert len(checks.problems(MODULE, folder)) == 3


def test_the_pattern_itself_has_none(folder: Path) -> None:
    assert checks.problems(MODULE, folder) == []


def proofs(folder: Path, *proved: str) -> dict[str, Any]:
    return {"finch": {"folder": grades.digest(folder), "proved": {"stand-in": list(proved)}}}


def test_a_grade_is_what_has_been_proven_and_nothing_else(folder: Path) -> None:
    found = Found(MODULE, folder)
    bronze = ["publishes:text", *(f"refuses:{entry.name}" for entry in found.refusals.entries)]
    silver = [*bronze, "expires", "reconnects", "once", "deletes"]
    all_here = [*silver, "can:publish", "can:delete"]

    assert grades.of(found, {}).name == "unproven"
    assert grades.of(found, proofs(folder, *bronze[1:])).lacking == ["publishes:text"]
    assert grades.of(found, proofs(folder, *bronze)).name == "bronze"
    assert grades.of(found, proofs(folder, *silver)).name == "silver"
    assert grades.of(found, proofs(folder, *all_here)) == grades.Grade("silver", ["live"])


def test_a_run_against_the_real_platform_counts_for_half_a_year(folder: Path) -> None:
    found = Found(MODULE, folder)
    names = ["publishes:text", *(f"refuses:{entry.name}" for entry in found.refusals.entries)]
    names += ["expires", "reconnects", "once", "deletes", "can:publish", "can:delete"]
    kept = proofs(folder, *names)
    kept["finch"]["proved"]["live"] = names

    for days, grade in ((179, "gold"), (181, "silver")):
        kept["finch"]["live_on"] = (clock.now().date() - timedelta(days=days)).isoformat()
        assert grades.of(found, kept).name == grade


def test_a_proof_of_other_files_does_not_count(folder: Path) -> None:
    found = Found(MODULE, folder)
    kept = proofs(folder, "publishes:text", *(f"refuses:{entry.name}" for entry in found.refusals.entries))

    (folder / "shapes.py").write_text((folder / "shapes.py").read_text() + "\n")

    assert grades.of(found, kept).name == "unproven"
    assert grades.of(found, kept).stale


def test_an_unknown_platform_is_one_sentence(tmp_path: Path) -> None:
    done = ran(tmp_path, "check", "nobody")

    assert done.returncode == 2
    assert "nobody" in done.stderr


def test_every_platform_is_in_order(tmp_path: Path) -> None:
    done = ran(tmp_path, "check", "--json")

    reports = json.loads(done.stdout)["platforms"]
    assert done.returncode == 0, done.stdout
    assert [report["problems"] for report in reports] == [[]] * len(reports)
