"""The API's description, from the routes alone: OpenAPI 3.1."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, get_type_hints

from hubbub.errors import Refusal
from hubbub.errors.auth import (
    DashboardOnly,
    EmptyToken,
    InsufficientScope,
    InvalidKey,
    InvalidToken,
    MissingHeader,
    NotProvisioned,
    UserNotFound,
)
from hubbub.errors.resource import Conflict
from hubbub.errors.system import HttpError, Internal, RateLimitExceeded
from hubbub.errors.validation import BodyInvalid, FieldInvalid, FieldRequired
from hubbub.runtime.routes import ANY_KEY, Auth, Route
from hubbub.surfaces.api import idempotency, linking
from hubbub.surfaces.api.schemas import Components, content, path_parameters, query_parameters, returns

OPENAPI = "3.1.0"
IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": idempotency.HEADER,
    "in": "header",
    "required": False,
    "description": "Any text of your own. The same request with the same key within 72 hours has its effect once, and "
    "the same answer again, with `Idempotent-Replayed: true`.",
    "schema": {"type": "string", "minLength": 1, "maxLength": idempotency.KEY_MAX},
}


_PERMISSIONS: dict[Auth, list[type[Refusal]]] = {
    "any": [InsufficientScope, NotProvisioned],
    "admin": [InsufficientScope, NotProvisioned],
    "dashboard": [DashboardOnly, NotProvisioned],
    "person": [DashboardOnly],
}


def describe(routes: Sequence[Route]) -> dict[str, Any]:
    """The whole document. Raises TypeError when a route returns what has no form on the wire."""
    components = Components()
    paths: dict[str, dict[str, Any]] = {}
    for route in sorted(routes, key=lambda route: (route.path, route.method)):
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, components)
    linking.link(paths, components.schemas)
    return {
        "openapi": OPENAPI,
        "info": {
            "title": "Hubbub",
            "version": version("hubbub"),
            "description": "One HTTP API, self-hosted, for every social network.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.schemas.items())),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "bearerFormat": "sapi_key_…"}},
        },
        "tags": [{"name": name} for name in sorted({route.tag for route in routes})],
    }


def raised_by(route: Route) -> list[type[Refusal]]:
    """Everything a route may refuse with: what it declares, and what comes before it is called."""
    types = get_type_hints(route.handler)
    common: list[type[Refusal]] = [Internal]
    if route.auth not in ("public", "signed"):
        common += [MissingHeader, EmptyToken, InvalidKey, InvalidToken, UserNotFound, RateLimitExceeded]
        common += _PERMISSIONS[route.auth]
    if idempotency.applies_to(route):
        common += [FieldInvalid, Conflict, HttpError]
    if "body" in types or "query" in types:
        common += [FieldRequired, FieldInvalid]
    if route.takes in ("json", "multipart"):
        common += [BodyInvalid, FieldRequired, HttpError]
    if "{" in route.path:
        common += [HttpError]
    return list(dict.fromkeys([*route.raises, *common]))


def _operation(route: Route, components: Components) -> dict[str, Any]:
    types = get_type_hints(route.handler)
    summary, _, description = (inspect.getdoc(route.handler) or "").partition("\n\n")
    parameters = path_parameters(route.path)
    if "query" in types:
        parameters += query_parameters(types["query"], components)
    if idempotency.applies_to(route):
        parameters.append(IDEMPOTENCY_KEY)
    operation: dict[str, Any] = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": " ".join(summary.split()),
        "responses": {**_answers(route, components), **_refusals(route, components)},
        "security": [] if route.auth in ("public", "signed") else [{"key": []}],
    }
    if description:
        operation["description"] = description
    if parameters:
        operation["parameters"] = parameters
    if body := _body(route, types, components):
        operation["requestBody"] = body
    if route.scope and route.scope != ANY_KEY:
        operation["x-scope"] = route.scope
    if route.auth == "admin":
        operation["x-unrestricted-key"] = True
    return operation


def _body(route: Route, types: dict[str, Any], components: Components) -> dict[str, Any] | None:
    binary = {"type": "string", "format": "binary"}
    if route.takes == "multipart":
        form = {"type": "object", "properties": {"file": binary}, "required": ["file"]}
        return {"required": True, "content": {"multipart/form-data": {"schema": form}}}
    if route.takes == "raw":
        return {"required": True, "content": {"*/*": {"schema": binary}}}
    if "body" in types:
        model = types["body"]
        needed = any(field.is_required() for field in model.model_fields.values())
        return {"required": needed, "content": {"application/json": {"schema": components.taken(model)}}}
    return None


def _answers(route: Route, components: Components) -> dict[str, Any]:
    """The successes. Redirects are always 302, and what has no body is 204 unless the route says otherwise."""
    annotation = returns(route.handler)
    body = content(annotation, components)
    status = route.status
    if annotation in (None, type(None)):
        status = 204
    elif getattr(annotation, "__name__", "") == "Redirect":
        status = 302
    return {
        str(code): {"description": HTTPStatus(code).phrase, **({"content": body} if body else {})}
        for code in sorted({status, *route.also})
    }


def _refusals(route: Route, components: Components) -> dict[str, Any]:
    """One response per status, each a union of the errors with that status."""
    by_status: dict[str, list[type[Refusal]]] = {}
    for refusal in raised_by(route):
        varies = refusal.http_status is not Refusal.http_status
        by_status.setdefault("default" if varies else str(refusal.status), []).append(refusal)
    return {status: _refusal(status, by_status[status], components) for status in sorted(by_status)}


def _refusal(status: str, refusals: list[type[Refusal]], components: Components) -> dict[str, Any]:
    choices = [components.raised(refusal) for refusal in refusals]
    error: dict[str, Any] = choices[0] if len(choices) == 1 else {"oneOf": choices}
    if len(choices) > 1 and not any("{" in refusal.code for refusal in refusals):
        mapping = {refusal.code: choice["$ref"] for refusal, choice in zip(refusals, choices, strict=True)}
        error["discriminator"] = {"propertyName": "code", "mapping": mapping}
    schema = {
        "type": "object",
        "properties": {"error": error, "request_id": {"type": "string"}},
        "required": ["error", "request_id"],
    }
    phrase = (
        "Refused, with the status the code ends with"
        if status == "default"
        else HTTPStatus(int(status)).phrase
    )
    return {"description": phrase, "content": {"application/json": {"schema": schema}}}
