"""A platform's own fields (`platform_data`), checked against their description."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from hubbub.connector.platform import Option, Platform
from hubbub.errors import Refusal
from hubbub.errors.validation import FieldInvalid
from hubbub.social.draft import Draft


def _are_names(value: Any) -> bool:
    names = value.split(",") if isinstance(value, str) else value
    return isinstance(names, list) and all(isinstance(name, str) for name in cast("list[Any]", names))


TYPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "text": ("text", lambda value: isinstance(value, str)),
    "url": (
        "a URL with http or https",
        lambda value: isinstance(value, str) and value.startswith(("http://", "https://")),
    ),
    "choice": ("text", lambda value: isinstance(value, str)),
    "flag": ("true or false", lambda value: isinstance(value, bool)),
    "number": ("a number", lambda value: isinstance(value, int | float) and not isinstance(value, bool)),
    "list": ("a list", lambda value: isinstance(value, list)),
    "names": ("names, as a list or divided by commas", _are_names),
    "object": ("an object", lambda value: isinstance(value, Mapping)),
}


def check(facts: Platform, options: Mapping[str, Any], account_id: str | None = None) -> list[Refusal]:
    """What is wrong with the options; fields a platform does not know are ignored, as the contract says."""
    return [
        refusal
        for name, option in facts.options.items()
        if name in options and (refusal := _check(facts, name, option, options[name], account_id))
    ]


def unused(facts: Platform, format: str | None, draft: Draft) -> list[str]:
    """What will be lost, in words: what the post's format has no place for."""
    lost = [
        name
        for name, option in facts.options.items()
        if name in draft.options and option.formats and format not in option.formats
    ]
    form = facts.formats.get(format or "")
    if draft.title and not (form and form.has_title):
        lost.append("a title")
    if draft.first_comment and not ("first_comment" in facts.can and form and form.first_comment):
        lost.append("a first comment")
    return [f"{facts.title} has no place for {name} in this format; it is left out." for name in lost]


def check_visibility(facts: Platform, asked: str | None, account_id: str | None = None) -> list[Refusal]:
    """A platform that cannot keep a post from others must not be given it."""
    if asked is None or asked in facts.visibility:
        return []
    problem = f"must be {' or '.join(facts.visibility)} for {facts.title}; it has nothing else."
    return [
        FieldInvalid(
            field="visibility",
            problem=problem,
            reason="unsupported",
            platform=facts.name,
            account_id=account_id,
            allowed=list(facts.visibility),
        )
    ]


def _check(facts: Platform, name: str, option: Option, value: Any, account_id: str | None) -> Refusal | None:
    where = {"field": f"platform_data.{facts.name}.{name}", "platform": facts.name, "account_id": account_id}
    wanted, fits = TYPES[option.type]
    if not fits(value):
        return FieldInvalid(problem=f"must be {wanted}.", reason="type", **where)  # type: ignore[arg-type]
    if option.choices and value not in option.choices:
        problem = f"must be one of {', '.join(option.choices)}."
        return FieldInvalid(problem=problem, reason="unknown", allowed=list(option.choices), **where)  # type: ignore[arg-type]
    if option.max is not None and isinstance(value, str) and len(value) > option.max:
        problem = f"may have {option.max:,} characters; this has {len(value):,}."
        return FieldInvalid(problem=problem, reason="too_long", max=option.max, actual=len(value), **where)  # type: ignore[arg-type]
    return None
