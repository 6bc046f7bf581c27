"""A platform's data and its code say the same."""

from __future__ import annotations

import tomllib
from datetime import date, timedelta
from typing import Any

from hubbub.connector import options
from hubbub.connector.limits import sentences
from hubbub.connector.promises import PROMISES, Refreshes, SignsInByConsent, SignsInWithFields
from hubbub.connector.refusals import build
from hubbub.connector.registry import Found
from hubbub.errors import class_of

FACTS_STAY_GOOD = timedelta(days=365)


def test_each_capability_has_its_promise_and_each_promise_its_capability(found: Found) -> None:
    kept = {name for name, promise in PROMISES.items() if _keeps(found.connector, promise)}
    assert kept == set(found.facts.can) & set(PROMISES)


def test_every_scope_a_capability_needs_is_asked_for(found: Found) -> None:
    needed = {scope for scopes in found.facts.can.values() for scope in scopes}
    assert needed <= set(found.facts.auth.scopes)


def test_the_way_of_signing_in_is_the_one_that_is_declared(found: Found) -> None:
    auth, code = found.facts.auth, found.connector
    promise = SignsInByConsent if auth.kind == "oauth2" else SignsInWithFields
    assert _keeps(code, promise)
    assert (auth.refresh == "none") != _keeps(code, Refreshes)
    if auth.kind == "oauth2":
        hosts = {place.partition(":")[0] for place in (auth.authorize, auth.token) if place}
        assert hosts <= set(found.facts.hosts)
    else:
        assert any(field.secret for field in auth.fields.values())


def test_every_format_can_be_told_in_sentences(found: Found) -> None:
    assert found.facts.formats
    assert "publish" not in found.facts.can or found.facts.publish is not None
    for form in found.facts.formats.values():
        assert form.title
        assert sentences(form)


def test_every_format_has_a_fixture(found: Found) -> None:
    """Its name begins the case: `post_out.images_with_alt.theirs.json`."""
    cases = {path.name.split(".")[1] for path in (found.folder / "fixtures").glob("*_out.*.theirs.json")}
    without = {name for name in found.facts.formats if not any(case.startswith(name) for case in cases)}
    assert not without


def test_every_option_is_described_and_checked(found: Found) -> None:
    wrong: dict[str, Any] = dict.fromkeys(("text", "url", "choice", "flag", "list", "names", "object"), 7)
    for name, option in found.facts.options.items():
        assert option.help.endswith("."), name
        assert set(option.formats) <= set(found.facts.formats), name
        [refusal] = options.check(found.facts, {name: wrong.get(option.type, "seven")})
        assert refusal.meta["field"] == f"platform_data.{found.facts.name}.{name}"
        assert refusal.meta["reason"] == "type"


def test_an_option_fits_at_its_limit_and_not_one_past_it(found: Found) -> None:
    for name, option in found.facts.options.items():
        if option.max is None:
            continue
        start = "https://example.com/" if option.type == "url" else ""
        fits = start.ljust(option.max, "a")
        assert options.check(found.facts, {name: fits}) == []
        [refusal] = options.check(found.facts, {name: fits + "a"})
        assert refusal.meta["max"] == option.max


def test_every_refusal_in_the_table_can_be_built(found: Found) -> None:
    for entry in found.refusals.entries:
        kind = class_of(entry.means)
        assert kind is not None, entry.means
        assert {*entry.take, *entry.give} <= set(kind.field_names()), entry.name
        context = {"platform": found.facts.name, "account_id": "acc_1", "said": "no", **entry.give}
        assert build(entry.means, context).wire_code == entry.means


def test_the_names_in_the_table_are_all_different(found: Found) -> None:
    names = [entry.name for entry in found.refusals.entries]
    assert None not in names
    assert len(set(names)) == len(names)


def test_the_sources_are_named_and_dated(found: Found) -> None:
    assert found.facts.docs.startswith("https://")
    assert found.facts.checked <= date.today()
    assert date.today() - found.facts.checked < FACTS_STAY_GOOD
    for name in ("errors.toml", "notes.md"):
        assert "https://" in (found.folder / name).read_text()
    assert 20 <= len((found.folder / "notes.md").read_text().splitlines()) <= 80


def test_an_exemption_gives_its_reason(found: Found) -> None:
    facts = tomllib.loads((found.folder / "platform.toml").read_text())
    assert all(len(reason) > 10 for reason in facts.get("exempt", {}).values())


def _keeps(connector: type, promise: type) -> bool:
    verbs = [name for name in vars(promise) if not name.startswith("_") and callable(getattr(promise, name))]
    return all(hasattr(connector, verb) for verb in verbs)
