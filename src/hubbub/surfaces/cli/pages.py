"""Pages for people, written from the same data as the files for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hubbub.connector.limits import sentences
from hubbub.connector.platform import Option, Platform
from hubbub.connector.refusals import Entry
from hubbub.connector.registry import Found
from hubbub.errors.publish import anchor
from hubbub.errors.refusal import class_of

CERTAINTY = {
    "idempotent": "A repeated call cannot publish twice, so a lost answer is asked for again.",
    "findable": "After a lost answer the platform is asked whether the post is there, before anything else happens.",
    "blind": "After a lost answer nobody can tell whether the post is there: it ends as `unconfirmed`.",
}
SIGN_IN = {
    "oauth2": "The person is sent to the platform's own consent page and comes back.",
    "password": "The person types these into your form; they go to `metadata` of `POST /v1/accounts/connect`.",
    "token": "The person gives you a token; it goes to `metadata` of `POST /v1/accounts/connect`.",
}


def settings(catalogue: dict[str, Any]) -> str:
    """A section for each setting."""
    parts: list[str] = []
    for entry in catalogue["settings"]:
        default = "none" if entry["default"] is None else f"`{entry['default']}`"
        parts += [
            f"## `{entry['variable']}`",
            "",
            entry["meaning"],
            "",
            f"A {entry['type']}; default: {default}.",
            "",
        ]
    return "\n".join(parts)


def platforms(all_facts: Iterable[Platform]) -> str:
    """One line for each platform."""
    lines = ["| Platform | Name | Signs in with | Can | Formats |", "|---|---|---|---|---|"]
    for facts in all_facts:
        can = ", ".join(facts.can)
        link = f"[{facts.title}](../platforms/{facts.name}.md)"
        lines.append(f"| {link} | `{facts.name}` | {facts.auth.kind} | {can} | {', '.join(facts.formats)} |")
    return "\n".join(lines) + "\n"


def platform(found: Found, notes: str) -> str:
    """One platform's whole page: its facts, its refusals, then what its folder's notes say."""
    facts = found.facts
    parts = [
        f"# {facts.title}",
        "",
        f"<!-- Written from the folder platforms/{facts.name}; change it there. -->",
        "",
        f"Platform name: `{facts.name}`. Facts read at <{facts.docs}>, last checked {facts.checked}.",
        "",
        *_sign_in(facts),
        *_capabilities(facts),
        *_formats(facts),
        *_options(facts),
        *_refusals(found),
    ]
    return "\n".join([*parts, notes.strip(), ""])


def _sign_in(facts: Platform) -> Iterator[str]:
    yield from ("## Signing in", "", SIGN_IN[facts.auth.kind], "")
    if facts.auth.fields:
        yield from ("| Field | Title | What it is |", "|---|---|---|")
        for name, field in facts.auth.fields.items():
            optional = "" if field.required else " (may be left out)"
            yield f"| `{name}` | {field.title}{optional} | {field.help} |"
        yield ""
    if facts.auth.scopes:
        yield from (f"Permissions asked for: {', '.join(f'`{scope}`' for scope in facts.auth.scopes)}.", "")


def _capabilities(facts: Platform) -> Iterator[str]:
    yield from ("## What it can", "")
    for capability, scopes in facts.can.items():
        needs = f" (needs {', '.join(f'`{scope}`' for scope in scopes)})" if scopes else ""
        yield f"- {capability}{needs}"
    for capability, reason in facts.exempt.items():
        yield f"- not {capability}: {reason}"
    yield ""
    if facts.publish:
        yield from (CERTAINTY[facts.publish.certainty], "")


def _formats(facts: Platform) -> Iterator[str]:
    yield from ("## Formats", "")
    for name, form in facts.formats.items():
        yield from (f"### {form.title or name} (`{name}`)", "")
        yield from (f"- {sentence}" for sentence in sentences(form))
        yield ""


def _options(facts: Platform) -> Iterator[str]:
    if not facts.options:
        return
    yield from ("## Options", "", f"In `platform_data.{facts.name}`:", "")
    yield from ("| Field | Type | For | What it is |", "|---|---|---|---|")
    for name, option in facts.options.items():
        where = ", ".join(option.formats) or "all"
        yield f"| `{name}` | {_type(option)} | {where} | {option.help} |"
    yield ""


def _type(option: Option) -> str:
    if option.choices:
        return " or ".join(f"`{choice}`" for choice in option.choices)
    return f"{option.type}, up to {option.max:,} characters" if option.max else option.type


def _refusals(found: Found) -> Iterator[str]:
    yield from ("## What its refusals become", "", "First match wins.", "")
    yield from ("| When it answers | It becomes | Certain that nothing happened |", "|---|---|---|")
    for entry in found.refusals.entries:
        said = [f"HTTP {entry.status}"] if entry.status is not None else []
        said += [f"`{path}` {_matcher(wanted)}" for path, wanted in entry.when.items()]
        family = class_of(entry.means)
        code = f"[`{entry.means}`](../reference/errors.md#{anchor(family.code)})" if family else entry.means
        yield f"| {', '.join(said) or 'anything else'} | {code} | {_certainty(entry)} |"
    yield ""


def _certainty(entry: Entry) -> str:
    if entry.certain is None and entry.status is None:
        return "below HTTP 500"
    certain = entry.certain if entry.certain is not None else not str(entry.status).startswith("5")
    return "yes" if certain else "no"


def _matcher(wanted: Any) -> str:
    if isinstance(wanted, list):
        return "is one of " + ", ".join(f"`{value}`" for value in wanted)
    if isinstance(wanted, str) and wanted.startswith("~"):
        return f"contains “{wanted[1:]}”"
    return f"is `{wanted}`"
