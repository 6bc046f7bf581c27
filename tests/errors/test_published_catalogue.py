"""The catalogue for programs and the page for people say what the classes say."""

import json
import re
from typing import Any

import pytest

from hubbub.errors import registry, retired
from hubbub.errors.publish import NAMESPACES, anchor, between, catalogue, namespace_of, page, schema_of


def entry(code: str) -> dict[str, Any]:
    return next(entry for entry in catalogue()["errors"] if entry["code"] == code)


def test_the_catalogue_holds_every_code_once_in_order() -> None:
    codes = [entry["code"] for entry in catalogue()["errors"]]
    assert codes == sorted(registry)
    assert catalogue()["retired"] == sorted(retired)


def test_the_catalogue_is_the_same_every_time_and_is_json() -> None:
    assert json.dumps(catalogue()) == json.dumps(catalogue())


def test_an_entry_says_what_meta_holds() -> None:
    assert entry("post.state_invalid")["meta"] == {
        "type": "object",
        "properties": {"status": {"type": "string"}, "id": {"type": "string"}},
        "required": ["status"],
    }
    assert entry("media.in_use")["meta"]["properties"]["post_ids"] == {
        "type": "array",
        "items": {"type": "string"},
    }
    assert entry("account.reconnection_required")["meta"]["required"] == ["account_id", "platform"]


def test_an_entry_keeps_apart_what_only_the_code_or_the_sentence_uses() -> None:
    family = entry("platform.{platform}.api_error")
    assert "platform" not in family["meta"]["properties"]
    assert set(family["fills"]) == {"platform", "said"}


def test_an_entry_says_when_the_status_varies() -> None:
    varying = {entry["code"] for entry in catalogue()["errors"] if entry["status_varies"]}
    assert varying == {"http.{status_code}", "platform.{platform}.{number}"}


def test_a_field_of_several_types_is_described_as_such() -> None:
    assert schema_of(float | str | None) == {"anyOf": [{"type": "number"}, {"type": "string"}]}


def test_a_field_of_a_type_that_json_lacks_is_refused() -> None:
    with pytest.raises(KeyError):
        schema_of(bytes)


def test_every_namespace_is_explained_and_used() -> None:
    assert {namespace_of(code) for code in registry} == set(NAMESPACES)


def test_the_page_has_one_place_for_every_code_and_every_link_leads_there() -> None:
    text = page(catalogue())
    places = re.findall(r'<a id="([^"]+)">', text)
    links = re.findall(r"\]\(#([^)]+)\)", text)
    assert sorted(places) == sorted(anchor(code) for code in registry)
    assert sorted(places) == sorted(links)
    assert len(set(places)) == len(places)


def test_the_page_is_made_from_the_catalogue_alone() -> None:
    assert page(json.loads(json.dumps(catalogue()))) == page(catalogue())


def test_what_stands_around_the_markers_stays() -> None:
    document = "# Errors\n\n<!-- generated -->\nold\n<!-- /generated -->\n\nThe end.\n"
    written = between(document, "new\n")
    assert written == "# Errors\n\n<!-- generated -->\nnew\n<!-- /generated -->\n\nThe end.\n"
    assert between(written, "new\n") == written


def test_a_document_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="generated"):
        between("# Errors\n", "new\n")
