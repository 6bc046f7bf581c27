"""Every file that is derived from the code says what the code says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hubbub.connector.registry import Registry
from hubbub.errors.publish import BEGIN, END
from hubbub.main import load_domains
from hubbub.runtime.settings import Settings
from hubbub.surfaces.cli import derived

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wanted() -> dict[Path, str]:
    load_domains()
    return derived.files(ROOT)


def test_no_derived_file_has_drifted(wanted: dict[Path, str]) -> None:
    drifted = [file.name for file, text in wanted.items() if not file.is_file() or file.read_text() != text]

    assert drifted == [], "run `hubbub contract write`"


def test_no_page_is_left_of_a_platform_that_is_gone(wanted: dict[Path, str]) -> None:
    assert derived.leftovers(ROOT, wanted) == []


def test_writing_twice_changes_nothing(wanted: dict[Path, str]) -> None:
    assert derived.files(ROOT) == wanted


def test_what_people_wrote_around_a_generated_part_stays(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "reference" / "settings.md"
    page.parent.mkdir(parents=True)
    page.write_text(f"Before.\n\n{BEGIN}\nOUTDATED\n{END}\n\nAfter.\n")

    text = derived.files(tmp_path)[page]

    assert text.startswith("Before.\n")
    assert text.endswith("\n\nAfter.\n")
    assert "OUTDATED" not in text


def test_every_setting_is_explained() -> None:
    settings = derived.settings_catalogue()["settings"]

    assert [one["name"] for one in settings] == list(Settings.model_fields)
    assert all(one["meaning"].endswith(".") for one in settings)
    json.dumps(settings)


def test_every_platform_has_a_page_that_names_its_formats_and_its_refusals(wanted: dict[Path, str]) -> None:
    for name, found in Registry().items():
        page = wanted[ROOT / "docs" / "platforms" / f"{name}.md"]
        assert all(f"(`{form}`)" in page for form in found.facts.formats)
        assert all(entry.means in page for entry in found.refusals.entries)
