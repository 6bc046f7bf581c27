"""Routes as data: what a domain offers over HTTP, without knowing the web framework.

`surfaces/api` turns these into handlers, permissions, documented responses and the OpenAPI page.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Generic, Literal

from typing_extensions import TypeVar

from hubbub.errors import Refusal

if TYPE_CHECKING:
    from hubbub.runtime.process import Runtime
    from hubbub.runtime.work import Caller

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Handler = Callable[..., Awaitable[Any]]
Auth = Literal["any", "admin", "dashboard", "person", "public", "signed"]
"""`any` valid key with the scope; `admin` never a restricted key; `dashboard` a person who signed in (and full-access
keys where the settings allow them); `person` the same without keys, also one who has no user yet; `public` nobody in
particular; `signed` the URL itself carries a signature, which the handler checks."""

ANY_KEY = "*"
"""The scope of what every valid key may do. A route with no scope at all is closed to restricted keys."""

T = TypeVar("T", default=Any)


@dataclass(frozen=True)
class Reply(Generic[T]):
    """An answer that is more than its body; annotate it as `Reply[BodyType]` so that it is described.

    A body of bytes, or an async iterator of bytes, is sent as it is: give its `Content-Type` in `headers`.
    """

    body: T | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Redirect:
    """Send a browser elsewhere."""

    to: str


@dataclass(frozen=True)
class Page:
    """A small page for a person."""

    html: str
    status: int = 200


@dataclass(frozen=True)
class Upload:
    """One file of a multipart form, or the raw body of a PUT, as it streams in."""

    filename: str
    content_type: str
    chunks: AsyncIterator[bytes]


@dataclass(frozen=True)
class Route:
    """One operation. Its handler's signature says the rest.

    Parameters are filled by name: `work`, path parameters, `body` (a pydantic model), `query` (a pydantic
    model), `upload` (one multipart file named `file`, or the raw body), `base_url` (how the caller reached us), `headers`
    (the request's, names in lower case).
    `work` is one transaction around the whole call. A handler that waits for a platform or for an upload takes
    `runtime` and `caller` instead and opens short ones with `open_work(runtime, caller)`.
    The return value is JSON (kind A–F of contract 2.2), None for an empty 204, a Reply, Redirect or Page.
    """

    method: Method
    path: str
    handler: Handler
    status: int
    raises: tuple[type[Refusal], ...]
    scope: str | None
    auth: Auth
    takes: Literal["json", "multipart", "raw", "nothing"]
    tag: str
    also: tuple[int, ...] = ()
    """Other statuses that a Reply of this route may carry, with the same body."""
    first: Callable[[Runtime, Caller, Any], Awaitable[Any]] | None = None
    """Takes the body and returns the one to use, before the transaction: for what has to wait for strangers."""
    snapshot: bool = False
    """Whether everything it reads is of one moment; for routes that only read, in several queries."""

    @property
    def name(self) -> str:
        return self.handler.__name__


class Router:
    """The routes of one domain, below one prefix."""

    def __init__(self, prefix: str, tag: str) -> None:
        self.prefix = prefix
        self.tag = tag
        self.routes: list[Route] = []

    def _declare(
        self,
        method: Method,
        path: str,
        *,
        status: int = 200,
        raises: tuple[type[Refusal], ...] = (),
        scope: str | None = None,
        auth: Auth = "any",
        takes: Literal["json", "multipart", "raw", "nothing"] | None = None,
        also: tuple[int, ...] = (),
        first: Callable[[Runtime, Caller, Any], Awaitable[Any]] | None = None,
        snapshot: bool = False,
    ) -> Callable[[Handler], Handler]:
        def declare(handler: Handler) -> Handler:
            kind = takes or ("json" if "body" in handler.__annotations__ else "nothing")
            full = str(PurePath("/", self.prefix.strip("/"), path.strip("/")))
            route = Route(
                method, full, handler, status, raises, scope, auth, kind, self.tag, also, first, snapshot
            )
            self.routes.append(route)
            return handler

        return declare

    def get(self, path: str = "", **how: Any) -> Callable[[Handler], Handler]:
        return self._declare("GET", path, **how)

    def post(self, path: str = "", **how: Any) -> Callable[[Handler], Handler]:
        return self._declare("POST", path, **how)

    def put(self, path: str = "", **how: Any) -> Callable[[Handler], Handler]:
        return self._declare("PUT", path, **how)

    def patch(self, path: str = "", **how: Any) -> Callable[[Handler], Handler]:
        return self._declare("PATCH", path, **how)

    def delete(self, path: str = "", **how: Any) -> Callable[[Handler], Handler]:
        return self._declare("DELETE", path, **how)
