"""What must be true of a platform's folder. Every check yields sentences; all of them are run."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from hubbub.connector.auth.oauth2 import OAuth2
from hubbub.connector.platform import Format, Option, Platform
from hubbub.connector.promises import PROMISES, Refreshes, SignsInByConsent, SignsInWithFields
from hubbub.connector.refusals import Entry
from hubbub.connector.registry import Found
from hubbub.emulation import mounts
from hubbub.errors import Refusal, class_of
from hubbub.errors.refusal import placeholders

FILES = ("platform.toml", "errors.toml", "connector.py", "shapes.py", "notes.md")
ALWAYS_KNOWN = frozenset({"platform", "account_id", "upstream_status", "said"})
"""Refusal fields that are filled in whatever the platform answered."""

Check = Callable[[Found], Iterator[str]]


def problems(module: str, folder: Path) -> list[str]:
    """Everything that is wrong with one folder, in the order in which one would mend it."""
    wrong = list(_files(folder))
    try:
        found = Found(module, folder)
    except FileNotFoundError:
        return wrong
    except tomllib.TOMLDecodeError as broken:
        return [*wrong, f"platform.toml is not TOML: {broken}"]
    except ValidationError as invalid:
        return [*wrong, *(f"platform.toml: {said}" for said in _said(invalid))]
    return [*wrong, *(problem for check in CHECKS for problem in check(found))]


def _said(invalid: ValidationError) -> Iterator[str]:
    for error in invalid.errors():
        yield f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}"


def _files(folder: Path) -> Iterator[str]:
    for name in FILES:
        if not (folder / name).is_file():
            yield f"{name} is missing"
    if not any((folder / place).is_file() for place in ("emulator.py", "emulator/__init__.py")):
        yield "emulator.py (or emulator/) is missing"
    theirs = {file.name.removesuffix(".theirs.json") for file in folder.glob("fixtures/*.theirs.json")}
    ours = {file.name.removesuffix(".ours.json") for file in folder.glob("fixtures/*.ours.json")}
    if not theirs & ours:
        yield "fixtures/ has no pair: <case>.theirs.json and <case>.ours.json"
    for alone in sorted(theirs ^ ours):
        yield f"fixtures/{alone}.{'ours' if alone in theirs else 'theirs'}.json is missing"


def _identity(found: Found) -> Iterator[str]:
    facts = found.facts
    if facts.name != found.folder.name:
        yield f"platform.toml: name is {facts.name!r}, the folder is {found.folder.name!r}"
    if facts.checked > datetime.now(UTC).date():
        yield f"platform.toml: checked is in the future ({facts.checked})"
    if not facts.docs.startswith("https://"):
        yield "platform.toml: docs must be an https address"
    notes = found.folder / "notes.md"
    if notes.is_file() and "https://" not in notes.read_text():
        yield "notes.md names no source: give the addresses the facts were read at"


def _hosts(found: Found) -> Iterator[str]:
    facts = found.facts
    if not facts.hosts:
        yield "platform.toml: [hosts] is empty"
    for name, host in facts.hosts.items():
        if not host.live.startswith("https://"):
            yield f"platform.toml: hosts.{name}.live must be an https address"
        if host.sandbox and not host.sandbox.startswith("/"):
            yield f"platform.toml: hosts.{name}.sandbox must be a path that begins with /"
    for key, address in (("authorize", facts.auth.authorize), ("token", facts.auth.token)):
        if address and address.partition(":")[0] not in facts.hosts:
            yield f"platform.toml: auth.{key} begins with a host that [hosts] does not have"


def _sign_in(found: Found) -> Iterator[str]:
    auth = found.facts.auth
    if auth.kind == "oauth2":
        for key in ("authorize", "token"):
            if getattr(auth, key) is None:
                yield f"platform.toml: auth.{key} is missing; kind is oauth2"
    elif not any(field.required for field in auth.fields.values()):
        yield f"platform.toml: auth.fields names nothing that must be typed; kind is {auth.kind}"
    needed = {scope for scopes in found.facts.can.values() for scope in scopes}
    for scope in sorted(needed - set(auth.scopes)):
        yield f"platform.toml: [can] needs the scope {scope!r}, which auth.scopes does not ask for"


def _formats(found: Found) -> Iterator[str]:
    facts = found.facts
    if "publish" not in facts.can:
        return
    if facts.publish is None:
        yield "platform.toml: [publish] is missing; [can] has publish"
    if not facts.formats:
        yield "platform.toml: there is no [formats.…]; [can] has publish"
    for name, form in facts.formats.items():
        yield from (f"platform.toml: formats.{name} {wrong}" for wrong in _format(form))


def _format(form: Format) -> Iterator[str]:
    if form.text.max is None:
        yield "says nothing about the length of its text"
    if form.media is None:
        return
    if form.media.min > form.media.max:
        yield "needs more files than it allows"
    for kind, rule in (("image", form.image), ("video", form.video)):
        if kind in form.media.kinds and (rule is None or not rule.types or rule.max_bytes is None):
            yield f"takes {kind} files and does not say which types, of what size"
        if kind not in form.media.kinds and rule is not None:
            yield f"has rules for {kind} files and takes none"


def _options(found: Found) -> Iterator[str]:
    for name, option in found.facts.options.items():
        yield from (f"platform.toml: options.{name} {wrong}" for wrong in _option(option, found.facts))


def _option(option: Option, facts: Platform) -> Iterator[str]:
    if option.type == "choice" and not option.choices:
        yield "is a choice of nothing"
    if option.type != "choice" and option.choices:
        yield f"has choices and is of type {option.type}"
    if option.default is not None and option.choices and option.default not in option.choices:
        yield f"has a default that is not one of its choices: {option.default!r}"
    if not option.help.strip():
        yield "has no help"
    for form in option.formats:
        if form not in facts.formats:
            yield f"is for a format that does not exist: {form}"


def _variants(found: Found) -> Iterator[str]:
    for name, variant in found.facts.variants.items():
        try:
            found.facts.for_account(variant.when.get("account", {}))
        except ValidationError as invalid:
            yield from (f"platform.toml: variants.{name}: {said}" for said in _said(invalid))


def _exemptions(found: Found) -> Iterator[str]:
    for name, reason in found.facts.exempt.items():
        if name in found.facts.can:
            yield f"platform.toml: {name} is in [can] and in [exempt]"
        if not reason.strip():
            yield f"platform.toml: exempt.{name} gives no reason"


def _refusals(found: Found) -> Iterator[str]:
    try:
        entries = found.refusals.entries
    except FileNotFoundError:
        return
    except tomllib.TOMLDecodeError as broken:
        yield f"errors.toml is not TOML: {broken}"
        return
    except ValidationError as invalid:
        yield from (f"errors.toml: {said}" for said in _said(invalid))
        return
    if not entries:
        yield "errors.toml explains no refusal"
    counted = Counter(entry.name or entry.means for entry in entries)
    for name, times in counted.items():
        if times > 1:
            yield f"errors.toml: {times} entries are called {name}; give each a name of its own"
    for entry in entries:
        title = f"errors.toml: {entry.name or entry.means}"
        if entry.name is None:
            yield f"{title} has no name"
        if entry.status is None and not entry.when and entry is not entries[-1]:
            yield f"{title} matches every answer, so that those below it never count"
        yield from (f"{title} {wrong}" for wrong in _entry(entry, found.facts.name))


def _entry(entry: Entry, platform: str) -> Iterator[str]:
    if isinstance(entry.status, str) and not re.fullmatch(r"[1-5][0-9x]{2}", entry.status):
        yield f"has a status that is neither a number nor like 5xx: {entry.status}"
    refusal = class_of(entry.means)
    if refusal is None:
        yield f"is {entry.means!r}, and there is no such code"
        return
    parts = entry.means.split(".")
    if "platform" in placeholders(refusal.code) and parts[1:2] != [platform]:
        yield f"speaks of another platform: {entry.means}"
    fields = set(refusal.field_names())
    for key, names in (("take", entry.take), ("give", entry.give)):
        for name in names:
            if name not in fields:
                yield f"has {key}.{name}, and {entry.means} has no such field"
    for name in sorted(_required(refusal) - ALWAYS_KNOWN - set(entry.give)):
        yield f"does not give {name}, which {entry.means} cannot do without"


def _required(refusal: type[Refusal]) -> set[str]:
    nothing = dataclasses.MISSING
    return {
        field.name
        for field in dataclasses.fields(cast(Any, refusal))
        if field.default is nothing and field.default_factory is nothing
    }


def _connector(found: Found) -> Iterator[str]:
    try:
        connector = found.connector
    except Exception as failure:  # noqa: BLE001 - whatever the folder's code does, the others are checked too
        yield f"connector.py: {type(failure).__name__}: {failure}"
        return
    for capability in found.facts.can:
        if capability not in PROMISES:
            yield f"platform.toml: [can] has {capability!r}; there are {', '.join(PROMISES)}"
        elif not issubclass(connector, PROMISES[capability]):
            lacking = sorted(set(_verbs(PROMISES[capability])) - set(dir(connector)))
            yield f"connector.py does not keep the promise {capability}: {', '.join(lacking)} missing"
    for capability, promise in PROMISES.items():
        if capability not in found.facts.can and issubclass(connector, promise):
            yield f"connector.py keeps the promise {capability}, and [can] does not say so"
    yield from _signs_in(found, connector)


def _signs_in(found: Found, connector: type) -> Iterator[str]:
    auth = found.facts.auth
    wanted: type = SignsInByConsent if auth.kind == "oauth2" else SignsInWithFields
    if not issubclass(connector, wanted):
        lacking = sorted(set(_verbs(wanted)) - set(dir(connector)))
        yield f"connector.py cannot sign in ({auth.kind}): {', '.join(lacking)} missing"
    if auth.refresh == "rotating" and not issubclass(connector, Refreshes):
        yield "connector.py has no refresh; auth.refresh is rotating"
    if auth.kind != "oauth2" and issubclass(connector, OAuth2):
        yield f"connector.py signs in by consent; auth.kind is {auth.kind}"


def _verbs(promise: type) -> list[str]:
    return [name for name in vars(promise) if not name.startswith("_")]


def _emulator(found: Found) -> Iterator[str]:
    mount = mounts.find([found.folder.name]).get(found.folder.name)
    if mount is None:
        return
    try:
        emulator = mount.load()
    except Exception as failure:  # noqa: BLE001 - as above
        yield f"emulator: {type(failure).__name__}: {failure}"
        return
    if getattr(emulator, "name", None) != found.facts.name:
        yield f"emulator: its name is not {found.facts.name!r}"
    if not emulator.routes:
        yield "emulator: it answers nothing"


CHECKS: tuple[Check, ...] = (
    _identity,
    _hosts,
    _sign_in,
    _formats,
    _options,
    _variants,
    _exemptions,
    _refusals,
    _connector,
    _emulator,
)
