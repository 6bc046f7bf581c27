"""The catalogue as data for other programs, and as a page for people."""

from __future__ import annotations

import dataclasses
import types
import typing
from functools import cache
from itertools import groupby
from typing import Any, cast

from hubbub.errors.refusal import Action, Refusal, category_of, placeholders, registry, retired, title_of

BEGIN, END = "<!-- generated -->", "<!-- /generated -->"

ADVICE: dict[str, str] = {
    Action.FIX_REQUEST: "change what was sent, or the state it meets",
    Action.RECONNECT: "sign the account in again",
    Action.WAIT: "send the same again, later",
    Action.CHANGE_PLAN: "change the plan, or use less",
    Action.CONTACT_PLATFORM: "look at the platform, or ask it",
    Action.REPORT: "report it with the request id",
}

NAMESPACES: dict[str, str] = {
    "account": "a connected account",
    "auth": "who is calling, and what they may do",
    "billing": "the plan",
    "brand": "a brand",
    "byok": "app credentials of your own",
    "conversation": "a conversation",
    "http": "the request as HTTP",
    "inbox": "the inbox",
    "invite": "an invitation",
    "media": "the media library",
    "others": "things whose codes have one part only",
    "platform": "what a platform answered; the second part of the code is its name",
    "post": "a post",
    "publishing": "delivering a post",
    "ratelimit": "our own limit of requests",
    "resource": "anything with an id",
    "system": "the server itself",
    "telegram": "Telegram alone",
    "validation": "what was sent",
    "whatsapp": "WhatsApp alone",
}

JSON_TYPES: dict[Any, dict[str, Any]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    Any: {},
}


def catalogue() -> dict[str, Any]:
    """Every refusal, sorted by code: the content of `contract/errors.json`."""
    entries = [entry_of(refusal) for _, refusal in sorted(registry.items())]
    return {"errors": entries, "retired": sorted(retired)}


def entry_of(refusal: type[Refusal]) -> dict[str, Any]:
    """One refusal as JSON. `meta` is a JSON Schema; `fills` are fields only the sentence or the code uses."""
    title, explanation = title_of(refusal)
    schemas = field_schemas(refusal)
    unseen = refusal.hidden | placeholders(refusal.code)
    required = sorted(refusal.wire_names.get(name, name) for name in required_fields(refusal) - unseen)
    shown = {refusal.wire_names.get(n, n): schema for n, schema in schemas.items() if n not in unseen}
    return {
        "code": refusal.code,
        "status": refusal.status,
        "status_varies": refusal.http_status is not Refusal.http_status,
        "action": str(refusal.action),
        "category": str(category_of(refusal.code, refusal.status)),
        "title": title,
        "explanation": explanation,
        "message": refusal.message,
        "meta": {"type": "object", "properties": shown, "required": required},
        "fills": {name: schema for name, schema in schemas.items() if name in unseen},
    }


def required_fields(refusal: type[Refusal]) -> set[str]:
    """The fields that always have a value: those without a default, or with one that is not None."""
    return {field.name for field in dataclasses.fields(cast(Any, refusal)) if field.default is not None}


@cache
def field_schemas(refusal: type[Refusal]) -> dict[str, dict[str, Any]]:
    """A JSON Schema for each field, by its name in the class."""
    hints = typing.get_type_hints(refusal)
    return {name: schema_of(hints[name]) for name in refusal.field_names()}


def schema_of(annotation: Any) -> dict[str, Any]:
    """The JSON Schema of a field's type. Raises KeyError for a type that no field should have."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is list:
        return {"type": "array", "items": schema_of(arguments[0])}
    if origin is dict:
        return {"type": "object"}
    if origin in (types.UnionType, typing.Union):
        choices = [schema_of(each) for each in arguments if each is not types.NoneType]
        return choices[0] if len(choices) == 1 else {"anyOf": choices}
    return JSON_TYPES[annotation]


def page(catalogue: dict[str, Any]) -> str:
    """What stands between the markers of `docs/reference/errors.md`: an overview, then every code."""
    entries = sorted(catalogue["errors"], key=lambda entry: (namespace_of(entry["code"]), entry["code"]))
    parts = ["| Action | What to do |", "|---|---|"]
    parts += [f"| `{action}` | {advice} |" for action, advice in ADVICE.items()]
    for namespace, group in groupby(entries, key=lambda entry: namespace_of(entry["code"])):
        members = list(group)
        parts += ["", f"## {namespace}", "", f"About {NAMESPACES[namespace]}.", ""]
        parts += ["| HTTP | Code | Action |", "|---|---|---|"]
        parts += [row_of(entry) for entry in members]
        for entry in members:
            parts += ["", *section_of(entry)]
    return "\n".join(parts) + "\n"


def row_of(entry: dict[str, Any]) -> str:
    """One code's line in the table of its namespace."""
    code = entry["code"]
    status = "varies" if entry["status_varies"] else entry["status"]
    return f"| {status} | [`{shown(code)}`](#{anchor(code)}) | `{entry['action']}` |"


def section_of(entry: dict[str, Any]) -> list[str]:
    """One code's part of the page."""
    lines = [f'<a id="{anchor(entry["code"])}"></a>', "", f"### `{shown(entry['code'])}`", ""]
    lines += [f"**{entry['title']}**", ""]
    lines += [entry["explanation"], ""] if entry["explanation"] else []
    lines += [f"> {entry['message']}"]
    properties, required = entry["meta"]["properties"], entry["meta"]["required"]
    if properties:
        words = [f"`{name}`" + ("" if name in required else " (at times)") for name in properties]
        lines += ["", f"In `meta`: {', '.join(words)}."]
    return lines


def anchor(code: str) -> str:
    """Where on the page a code is explained; the envelope's `docs` link ends with it."""
    return code.replace("{", "").replace("}", "")


def shown(code: str) -> str:
    """A code with its placeholders as people write them."""
    return code.replace("{", "<").replace("}", ">")


def namespace_of(code: str) -> str:
    """The first part of a code; "others" for the few codes that have only one."""
    head, dot, _ = code.partition(".")
    return head if dot else "others"


def between(document: str, generated: str) -> str:
    """The document with what stands between its markers replaced. Raises ValueError without the markers."""
    head, begin, rest = document.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the document needs a line {BEGIN} and a line {END}")
    return f"{head}{BEGIN}\n{generated}{END}{tail}"
