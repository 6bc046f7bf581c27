"""The ASGI application, put together from routes."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Sequence
from functools import cache
from typing import Any, cast

from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException
from litestar.response.base import ASGIResponse
from litestar.types import ASGIApp

from hubbub.domains.usage import service as usage
from hubbub.errors import Refusal
from hubbub.errors.system import HttpError
from hubbub.runtime.process import Runtime
from hubbub.runtime.routes import Reply, Route, Router
from hubbub.surfaces.api import adapter, answers, openapi
from hubbub.surfaces.api.encode import encode
from hubbub.surfaces.api.entry import Entry


def create_app(runtime: Runtime, routers: Sequence[Router]) -> ASGIApp:
    """Everything under one roof. The runtime's owner closes it; the app starts and stops nothing.

    Raises LookupError when the settings name a plan that does not exist.
    """
    usage.check_plan(runtime.settings.plan)
    routes = [route for router in routers for route in router.routes]

    def failed(request: Request[Any, Any, Any], failure: Exception) -> _Ready:
        scope = cast(dict[str, Any], request.scope)
        return _Ready(answers.to_response(adapter.refused(_ours(failure), scope, runtime)))

    everything = [*routes, *_described(routes).routes]
    by_pattern: dict[str, list[Route]] = {}
    for route in everything:
        by_pattern.setdefault(adapter.pattern(route), []).append(route)
    app = Litestar(
        [
            # First, because the framework makes one of its own for a path that has none yet.
            *(adapter.options(path, found) for path, found in by_pattern.items()),
            *(adapter.adapt(runtime, route) for route in everything),
        ],
        exception_handlers={Exception: cast(Any, failed)},
        openapi_config=None,
        logging_config=None,
        request_max_body_size=None,
    )
    return cast(ASGIApp, Entry(app, runtime))


class _Ready(Response[Any]):
    """What the framework wants from a handler of exceptions, around what it asks of it."""

    def __init__(self, response: ASGIResponse) -> None:
        super().__init__(None)
        self.ready = response

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIResponse:
        return self.ready


def _described(routes: Sequence[Route]) -> Router:
    """The description of these routes, as a route itself. Made when somebody asks: it takes a third of a second."""
    router = Router("/", "About")
    text = cache(lambda: encode(openapi.describe(routes)))

    @router.get("openapi.json", auth="public")
    async def openapi_json() -> Reply[bytes]:  # pyright: ignore[reportUnusedFunction]
        """The API's own description, as OpenAPI 3.1."""
        return Reply(await to_thread(text), headers={"Content-Type": "application/json"})

    return router


def _ours(failure: Exception) -> Exception:
    """The framework's refusals in our words."""
    match failure:
        case Refusal():
            return failure
        case MethodNotAllowedException():
            allowed = sorted(part.strip() for part in (failure.headers or {}).get("allow", "").split(","))
            return HttpError(
                status_code=405, problem="This address does not take this method.", allowed=allowed
            )
        case HTTPException(status_code=404):
            return HttpError(status_code=404, problem="Nothing has this address.")
        case HTTPException(status_code=status) if status < 500:
            return HttpError(status_code=status, problem=failure.detail)
        case _:
            return failure
