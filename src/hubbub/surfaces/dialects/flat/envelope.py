"""The flat envelope, and everything it can say."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from hubbub.errors import Refusal, registry
from hubbub.surfaces.api.envelope import Problem, Refusing, headers_of
from hubbub.surfaces.dialects import table

STATUSES_OF_HTTP = (400, 403, 404, 405, 409, 413, 415, 416, 431, 502, 503, 507)
"""Members of the family `http.<status>` that are listed one by one."""


@cache
def names() -> table.Table:
    return table.load(__package__ or "hubbub.surfaces.dialects.flat")


def flat(problems: Sequence[Problem], request_id: str, base_url: str) -> Refusing:
    """The leading problem's word and status; the sentences of all. The request id is in the header only."""
    refusal = problems[0].refusal
    name, _ = names().name_of(type(refusal), refusal.wire_code)
    status = name.status or refusal.http_status
    body = {"error": " ".join(problem.refusal.sentence for problem in problems)}
    headers = headers_of(refusal)
    headers.pop("WWW-Authenticate", None)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Refusing(status, {**body, **({"code": name.code} if name.code else {})}, headers)


def everything() -> dict[str, Any]:
    """Every refusal as this envelope says it: the content of `contract/dialects/flat.json`."""
    return {"errors": [_entry(*one) for refusal in _sorted() for one in _members(refusal)]}


def _sorted() -> list[type[Refusal]]:
    return [refusal for _, refusal in sorted(registry.items())]


def _members(refusal: type[Refusal]) -> list[tuple[type[Refusal], str, int]]:
    """A refusal with its code and status on the wire; the family of plain HTTP statuses one by one."""
    if refusal.code == "http.{status_code}":
        return [(refusal, f"http.{status}", status) for status in STATUSES_OF_HTTP]
    return [(refusal, refusal.code, refusal.status)]


def _entry(refusal: type[Refusal], code: str, status: int) -> dict[str, Any]:
    name, entry = names().name_of(refusal, code)
    body = {"error": refusal.message, **({"code": name.code} if name.code else {})}
    return {"native": code, "status": name.status or status, "body": body, "by": entry}
