"""One route of ours as one handler of the web framework."""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast, get_type_hints

from litestar import Request
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp
from pydantic import BaseModel

from hubbub.errors.system import HttpError
from hubbub.runtime import log
from hubbub.runtime.process import Runtime
from hubbub.runtime.routes import Route
from hubbub.runtime.work import Caller
from hubbub.surfaces.api import answers, idempotency, limits, reading, storable, upload
from hubbub.surfaces.api import caller as callers
from hubbub.surfaces.api.call import Call
from hubbub.surfaces.api.entry import answer_headers, base_url, log_fault, request_id_of
from hubbub.surfaces.api.envelope import internal, problems_of
from hubbub.surfaces.api.formats import envelope_of

GIVEN = frozenset({"work", "runtime", "caller", "body", "query", "upload", "base_url", "headers"})
PARAMETER = re.compile(r"{(\w+)}")

_logger = log.logger("api")


@dataclass(frozen=True)
class Operation:
    """A route with what its handler's signature asks for."""

    route: Route
    wanted: frozenset[str]
    path_names: tuple[str, ...]
    body: type[BaseModel] | None
    query: type[BaseModel] | None


def read(route: Route) -> Operation:
    """Raises TypeError for a handler that asks for something a request does not have."""
    wanted = frozenset(inspect.signature(route.handler).parameters)
    path_names = tuple(PARAMETER.findall(route.path))
    types = get_type_hints(route.handler)
    if strange := wanted - GIVEN - set(path_names):
        raise TypeError(f"{route.method} {route.path}: nothing gives {sorted(strange)} to {route.name}")
    if unread := set(path_names) - wanted:
        raise TypeError(f"{route.method} {route.path}: {route.name} does not take {sorted(unread)}")
    return Operation(route, wanted, path_names, types.get("body"), types.get("query"))


def adapt(runtime: Runtime, route: Route) -> HTTPRouteHandler:
    """The framework's handler for a route. A GET answers HEAD as well."""
    operation = read(route)

    async def handle(request: Request[Any, Any, Any]) -> ASGIApp:
        try:
            answer = await _answer(runtime, operation, request)
        except Exception as failure:  # noqa: BLE001 - whatever it was, the caller gets the envelope
            answer = refused(failure, cast(dict[str, Any], request.scope), runtime)
        return answers.to_response(answers.without_body(answer) if request.method == "HEAD" else answer)

    return HTTPRouteHandler(
        pattern(route), http_method=cast(Any, methods(route)), status_code=200, include_in_schema=False
    )(handle)


def options(path: str, routes: Sequence[Route]) -> HTTPRouteHandler:
    """What answers OPTIONS for all routes of one pattern: the methods, to anybody."""
    allowed = sorted({"OPTIONS", *(method for route in routes for method in methods(route))})

    async def handle() -> ASGIApp:
        return answers.to_response(answers.Answer(204, headers={"allow": ", ".join(allowed)}))

    declare = HTTPRouteHandler(
        path, http_method=cast(Any, ["OPTIONS"]), status_code=200, include_in_schema=False
    )
    return declare(handle)


def methods(route: Route) -> list[str]:
    return ["GET", "HEAD"] if route.method == "GET" else [route.method]


def pattern(route: Route) -> str:
    """The framework's path. Positions, not names: two routes may call the same part of one path differently."""
    numbers = itertools.count()
    return PARAMETER.sub(lambda _: f"{{p{next(numbers)}:str}}", route.path)


def refused(failure: Exception, scope: dict[str, Any], runtime: Runtime) -> answers.Answer:
    """Any failure as an answer, in the envelope the caller wants.

    A fault of ours is logged under the request id, and nothing of it is shown.
    """
    problems = problems_of(failure)
    if problems is None:
        log_fault(_logger, failure)
        problems = internal()
    scope["hubbub.code"] = problems[0].refusal.wire_code
    address = base_url(runtime, scope)
    return answers.of_refusal(envelope_of(scope)(problems, request_id_of(scope), address))


async def _answer(runtime: Runtime, operation: Operation, request: Request[Any, Any, Any]) -> answers.Answer:
    scope = cast(dict[str, Any], request.scope)
    values = _path_values(operation, request)
    caller = await _caller(runtime, operation.route, request)
    key = idempotency.key_of(operation.route, request.headers.get(idempotency.HEADER))
    call = await _call(runtime, operation, request, caller, values, keyed=key is not None)
    if key is not None:
        return await idempotency.once(call, key, lambda failure: refused(failure, scope, runtime))
    return await call.answer()


async def _call(
    runtime: Runtime,
    operation: Operation,
    request: Request[Any, Any, Any],
    caller: Caller,
    values: dict[str, Any],
    *,
    keyed: bool,
) -> Call:
    """Everything a request carries. Of one with a key the body is read also where no handler asks for it."""
    scope = cast(dict[str, Any], request.scope)
    given = {**values, "runtime": runtime, "caller": caller, "base_url": base_url(runtime, scope)}
    if "headers" in operation.wanted:
        given["headers"] = dict(request.headers)
    raw = b""
    if "upload" in operation.wanted:
        given["upload"] = await _upload(runtime, operation.route, request)
    elif operation.body or keyed:
        raw = await reading.whole(_stream(request), _length(request), runtime.settings.max_body_bytes)
    return Call(
        runtime=runtime,
        route=operation.route,
        caller=caller,
        wanted=operation.wanted,
        body=operation.body,
        query=operation.query,
        path="/" + scope["path"].strip("/"),
        query_string=scope["query_string"],
        raw=raw,
        given=given,
    )


async def _caller(runtime: Runtime, route: Route, request: Request[Any, Any, Any]) -> Caller:
    scope = cast(dict[str, Any], request.scope)
    request_id = request_id_of(scope)
    if route.auth in ("public", "signed"):
        return replace(callers.NOBODY, request_id=request_id, told=answer_headers(scope))
    caller = await callers.identify(runtime, request.headers.get("authorization"))
    scope["hubbub.error_format"] = caller.error_format
    await limits.admit(runtime, caller, answer_headers(scope))
    callers.permit(caller, route, runtime.settings)
    return replace(caller, request_id=request_id, told=answer_headers(scope))


def _path_values(operation: Operation, request: Request[Any, Any, Any]) -> dict[str, Any]:
    """Path parameters by our names. Text that no row can have is simply not found."""
    values = {name: request.path_params[f"p{number}"] for number, name in enumerate(operation.path_names)}
    if all(storable.clean(value) and "\ufffd" not in value for value in values.values()):
        return values
    raise HttpError(status_code=404, problem="Nothing has this address.")


async def _upload(runtime: Runtime, route: Route, request: Request[Any, Any, Any]) -> Any:
    content_type = request.headers.get("content-type", "")
    if route.takes == "raw":
        return upload.raw(_stream(request), content_type)
    most = runtime.settings.max_upload_bytes
    return await upload.from_form(_stream(request), content_type, _length(request), most)


async def _stream(request: Request[Any, Any, Any]) -> AsyncIterator[bytes]:
    """The body as it arrives. Raises ConnectionAbortedError when the caller goes away."""
    more = True
    while more:
        event = cast(dict[str, Any], await request.receive())
        if event["type"] == "http.disconnect":
            raise ConnectionAbortedError("the caller went away")
        if event.get("body"):
            yield event["body"]
        more = event.get("more_body", False)


def _length(request: Request[Any, Any, Any]) -> int | None:
    announced = request.headers.get("content-length", "")
    return int(announced) if announced.isdecimal() else None
