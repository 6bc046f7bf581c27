"""The outermost layer: request ids, the access log, HEAD, and the answer to what nothing else caught."""

from __future__ import annotations

import re
import secrets
import time
import traceback
from collections.abc import Mapping
from typing import Any, cast

import structlog
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from hubbub.runtime import log
from hubbub.runtime.process import Runtime
from hubbub.surfaces.api import answers
from hubbub.surfaces.api.envelope import internal
from hubbub.surfaces.api.formats import envelope_of

ACCEPTED = re.compile(r"[a-zA-Z0-9_-]{1,64}")

_logger = log.logger("access")


def request_id_of(scope: dict[str, Any]) -> str:
    """The caller's own request id where it is acceptable, else eight hex characters; the same all through."""
    if "hubbub.request_id" not in scope:
        given = header(scope, b"x-request-id")
        scope["hubbub.request_id"] = given if ACCEPTED.fullmatch(given) else secrets.token_hex(4)
    return scope["hubbub.request_id"]


def answer_headers(scope: dict[str, Any]) -> dict[str, str]:
    """Headers that the answer to this request carries, whatever it is; to be added to."""
    return scope.setdefault("hubbub.headers", {})


def header(scope: dict[str, Any], name: bytes) -> str:
    """A request header, or an empty string."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def base_url(runtime: Runtime, scope: dict[str, Any]) -> str:
    """The address we are reached at, without a trailing slash: as configured, else as this caller wrote it."""
    if runtime.settings.public_url:
        return runtime.settings.public_url.rstrip("/")
    host = header(scope, b"host") or ":".join(str(part) for part in scope.get("server") or ("localhost",))
    return f"{scope.get('scheme', 'http')}://{host}"


def log_fault(logger: Any, failure: Exception) -> None:
    """Log where something of ours broke, under the request id."""
    # Formatted here: renderers that are given the exception itself may print local variables, keys among them.
    logger.error("fault", exception="".join(traceback.format_exception(failure)))


class Entry:
    """Wraps the framework's application."""

    def __init__(self, inner: ASGIApp, runtime: Runtime) -> None:
        self.inner = inner
        self.runtime = runtime

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        notes = cast(dict[str, Any], scope)
        request_id = request_id_of(notes)
        answering = Answering(send, request_id, answer_headers(notes), without_body=notes["method"] == "HEAD")
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            began = time.perf_counter()
            try:
                await self.inner(scope, receive, answering)
            except Exception as failure:
                log_fault(_logger, failure)
                if answering.status:
                    raise
                refusing = envelope_of(notes)(internal(), request_id, base_url(self.runtime, notes))
                await answers.to_response(answers.of_refusal(refusing))(scope, receive, answering)
            _logger.info(
                "request",
                method=notes["method"],
                # The template, not the path: paths carry invitations and other people's ids.
                route=notes.get("path_template") or None,
                status=answering.status,
                code=notes.get("hubbub.code"),
                milliseconds=round((time.perf_counter() - began) * 1000, 1),
            )


class Answering:
    """The sending side of one request."""

    def __init__(
        self, send: Send, request_id: str, headers: Mapping[str, str], *, without_body: bool
    ) -> None:
        self.status = 0
        self._headers = headers
        self._send = send
        self._request_id = request_id
        self._without_body = without_body

    async def __call__(self, message: Message) -> None:
        sent = cast(dict[str, Any], message)
        if sent["type"] == "http.response.start":
            self.status = sent["status"]
            ours = {"X-Request-ID": self._request_id, **self._headers}
            added = [(name.lower().encode(), value.encode()) for name, value in ours.items()]
            sent["headers"] = [*sent["headers"], *added]
        elif sent["type"] == "http.response.body" and self._without_body:
            sent = {**sent, "body": b""}
        await self._send(cast(Message, sent))
