"""What a handler returns, as an HTTP answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from litestar.response.base import ASGIResponse
from litestar.response.streaming import ASGIStreamingResponse

from hubbub.runtime.routes import Page, Redirect, Reply, Route
from hubbub.surfaces.api.encode import encode
from hubbub.surfaces.api.envelope import Refusing

JSON = "application/json"
PAGE_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}


@dataclass(frozen=True)
class Answer:
    """Ready to be sent: nothing in it can fail any more, unless it is a stream."""

    status: int
    body: bytes | AsyncIterator[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    content_type: str = JSON


def of(result: Any, route: Route) -> Answer:
    """The answer to what a route's handler returned. Raises TypeError for what cannot be encoded."""
    match result:
        case None:
            return Answer(204)
        case Redirect():
            return Answer(302, headers={"location": result.to, "referrer-policy": "no-referrer"})
        case Page():
            return Answer(result.status, result.html.encode(), PAGE_HEADERS)
        case Reply():
            headers = {name.lower(): value for name, value in result.headers.items()}
            status = result.status or (route.status if result.body is not None else 204)
            return Answer(status, _body(result.body), headers)
        case _:
            return Answer(route.status, encode(result))


def of_refusal(refusing: Refusing) -> Answer:
    return Answer(refusing.status, encode(refusing.body), refusing.headers)


def without_body(answer: Answer) -> Answer:
    """What HEAD gets of a stream: its headers. The stream is never begun."""
    return answer if isinstance(answer.body, bytes) else replace(answer, body=b"")


def to_response(answer: Answer) -> ASGIResponse:
    """The framework's form of an answer."""
    headers = {"x-content-type-options": "nosniff", **answer.headers}
    if answer.status == 204 or answer.status == 304:
        return ASGIResponse(status_code=answer.status, headers=headers)
    if isinstance(answer.body, bytes):
        return ASGIResponse(
            body=answer.body, status_code=answer.status, headers=headers, media_type=answer.content_type
        )
    return ASGIStreamingResponse(
        iterator=answer.body, status_code=answer.status, headers=headers, media_type=answer.content_type
    )


def _body(body: Any) -> bytes | AsyncIterator[bytes]:
    if body is None:
        return b""
    return body if isinstance(body, bytes | AsyncIterator) else encode(body)
