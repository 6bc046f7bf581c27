"""Holds every answer in tests against the description: its status, its error code, its body."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import jsonschema

from hubbub.errors import class_of
from hubbub.errors.system import HttpError
from hubbub.runtime.routes import Route, Router
from hubbub.surfaces.api import openapi
from hubbub.surfaces.dialects.flat.envelope import everything

ANYWHERE = {"http.404", "http.405", "http.400"}
"""What the framework answers before any route is found."""


IN_FLAT = {(each["status"], each["body"].get("code")) for each in everything()["errors"]}
"""What the older envelope says; it stands beside the description."""


_validators: dict[int, Any] = {}
"""By the identity of a schema; `described` keeps the schemas."""


@cache
def described(routes: tuple[Route, ...]) -> dict[str, Any]:
    """Made once for all tests of the same routes."""
    return openapi.describe(routes)


class Declared:
    """An ASGI application around the one under test. Raises AssertionError for what is not declared."""

    def __init__(self, app: Any, routers: Sequence[Router]) -> None:
        self.app = app
        routes = [route for router in routers for route in router.routes]
        # What has no parameters first: it is what the API matches first.
        self.routes = sorted(routes, key=lambda route: route.path.count("{"))
        self.description = described(tuple(routes))
        self.wrong: list[str] = []
        """What was found; a real server keeps what its application raises to itself."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        status, body, is_json = 0, bytearray(), False

        async def watch(message: Any) -> None:
            nonlocal status, is_json
            if message["type"] == "http.response.start":
                status = message["status"]
                is_json = (b"content-type", b"application/json") in message["headers"]
            elif is_json:
                body.extend(message.get("body", b""))
            await send(message)

        await self.app(scope, receive, watch)
        if scope["type"] == "http" and scope["method"] not in ("OPTIONS", "HEAD"):
            try:
                self.check(scope["method"], scope["path"], status, json.loads(body) if body else None)
            except AssertionError as undeclared:
                self.wrong.append(str(undeclared))
                raise

    def check(self, method: str, path: str, status: int, body: Any) -> None:
        if isinstance(body, dict) and isinstance(body.get("error"), str):
            said = (status, body.get("code"))
            assert said in IN_FLAT or body.get("code") == "platform_error", f"{method} {path}: {said}"
            return
        route = self.route(method, path)
        code = (
            body["error"]["code"] if isinstance(body, dict) and isinstance(body.get("error"), dict) else None
        )
        if route is None or code in ANYWHERE:
            assert route is not None or code in ANYWHERE or path == "/openapi.json", (
                f"{method} {path}: {code}"
            )
            return
        where = f"{method} {route.path} answered {status} {code or ''}"
        responses = self.description["paths"][route.path][method.lower()]["responses"]
        if code is not None:
            refusal = class_of(code)
            assert refusal in openapi.raised_by(route), f"{where}: {code} is not in raises="
            response = (
                responses.get("default" if refusal is HttpError else str(status)) or responses["default"]
            )
        else:
            assert str(status) in responses, f"{where}: the status is not declared"
            response = responses[str(status)]
        if "application/json" in response.get("content", {}):
            schema = response["content"]["application/json"]["schema"]
            wrong = list(self._validator(schema).iter_errors(body))
            assert not wrong, f"{where}: {[f'{error.json_path}: {error.message}' for error in wrong[:3]]}"

    def _validator(self, schema: dict[str, Any]) -> Any:
        """Made once for each response of a description: the description itself is kept."""
        if id(schema) not in _validators:
            whole = {**schema, "components": self.description["components"]}
            _validators[id(schema)] = jsonschema.Draft202012Validator(whole)
        return _validators[id(schema)]

    def route(self, method: str, path: str) -> Route | None:
        bare = "/" + path.strip("/")
        for route in self.routes:
            if route.method == method and re.fullmatch(re.sub(r"{\w+}", "[^/]+", route.path), bare):
                return route
        return None
