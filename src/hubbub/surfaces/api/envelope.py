"""How a refusal is answered. The native envelope is one function; a dialect is another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hubbub.connector.refusals import LostAnswer, NotSent, RemoteRefusal
from hubbub.errors import Refusal, Refused
from hubbub.errors.system import HttpError, Internal

RETRY_AFTER_MAX = 60
"""Seconds. Longer waits are only in the body: a client of ours sleeps through the header twice before failing."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, and what the platform said about it."""

    refusal: Refusal
    upstream: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Refusing:
    """A refusal as it goes out: status, headers and a body still to be encoded."""

    status: int
    body: Any
    headers: Mapping[str, str]


Envelope = Callable[[Sequence[Problem], str, str], Refusing]
"""Of the problems (at least one, the leading one first), the request id, and the address we were reached at."""


def problems_of(failure: BaseException) -> list[Problem] | None:
    """What an exception means for the caller; None when it is a fault of ours."""
    match failure:
        case Refusal():
            return [Problem(failure)]
        case Refused(refusals=[_, *_]):
            return [Problem(refusal) for refusal in failure.refusals]
        case RemoteRefusal():
            return [Problem(failure.refusal, failure.upstream)]
        case NotSent() | LostAnswer():
            return [
                Problem(HttpError(status_code=502, problem="A platform must answer for this; it did not."))
            ]
        case _:
            return None


def internal() -> list[Problem]:
    """What is said about a fault of ours."""
    return [Problem(Internal())]


def native(problems: Sequence[Problem], request_id: str, base_url: str) -> Refusing:
    """The contract's envelope (2.11 and 11.1) with fields of ours beside its own."""
    described = [_described(problem, base_url) for problem in problems]
    error = described[0] if len(described) == 1 else {**described[0], "errors": described}
    refusal = problems[0].refusal
    return Refusing(
        refusal.http_status, {"error": error, "request_id": request_id}, headers_of(problems[0].refusal)
    )


def headers_of(refusal: Refusal) -> dict[str, str]:
    """The headers that HTTP asks for beside a status, whatever the envelope."""
    headers: dict[str, str] = {}
    wait = refusal.retry_after
    if wait is not None and wait <= RETRY_AFTER_MAX:
        headers["Retry-After"] = str(max(wait, 0))
    if refusal.http_status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(refusal, HttpError) and refusal.status_code == 405:
        headers["Allow"] = ", ".join(refusal.allowed or ())
    if isinstance(refusal, HttpError) and refusal.status_code == 416:
        headers["Content-Range"] = f"bytes */{refusal.max}"
    return headers


def _described(problem: Problem, base_url: str) -> dict[str, Any]:
    refusal = problem.refusal
    error: dict[str, Any] = {"code": refusal.wire_code, "message": refusal.sentence}
    if refusal.meta:
        error["meta"] = refusal.meta
    error["action"] = refusal.action
    if refusal.retry_after is not None:
        error["retry_after_seconds"] = refusal.retry_after
    error["docs"] = f"{base_url}/docs/errors/{refusal.wire_code}"
    if problem.upstream:
        error["upstream"] = dict(problem.upstream)
    return error
