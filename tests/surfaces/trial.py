"""A router that uses everything a route can use."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, Field

from hubbub.connector.refusals import RemoteRefusal
from hubbub.domains.workspaces import service as workspaces
from hubbub.errors import Refused
from hubbub.errors.auth import StateMismatch
from hubbub.errors.platform import PlatformApiError, PlatformRateLimit
from hubbub.errors.resource import Conflict, ResourceNotFound
from hubbub.errors.system import HttpError, RateLimitExceeded
from hubbub.errors.validation import FieldInvalid, FieldRequired
from hubbub.runtime.lists import ListQuery, Paged, page
from hubbub.runtime.routes import Page, Redirect, Reply, Router, Upload
from hubbub.runtime.work import Work

router = Router("/v1/trial", "Trial")


class Picture(BaseModel):
    kind: Literal["picture"]
    url: str


class Film(BaseModel):
    kind: Literal["film"]
    seconds: int


class Target(BaseModel):
    account_id: str
    note: str | None = None


class TrialIn(BaseModel):
    name: str
    targets: list[Target] = Field(default=[], max_length=3)
    attachment: Annotated[Picture | Film, Field(discriminator="kind")] | None = None
    mode: Literal["live", "sandbox"] = "live"
    size: int = Field(default=1, ge=1, le=10)
    share: float | None = None
    ok: bool = False
    title: str | None = Field(default=None, max_length=5)
    extra: dict[str, Any] = {}


class TrialQuery(ListQuery):
    limit: int = Field(default=2, ge=1, le=5)
    account_ids: list[str] | None = None
    flag: bool = False


class Seen(msgspec.Struct, frozen=True):
    name: str
    targets: list[str]
    at: datetime


@router.post(scope="posts:write")
async def take_body(body: TrialIn) -> Seen:
    """Take a body."""
    at = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone(timedelta(hours=2)))
    return Seen(body.name, [target.account_id for target in body.targets], at)


@router.get(scope="posts:read")
async def take_query(query: TrialQuery) -> Paged[str]:
    """Take a query."""
    query.position(1)
    return page([*(query.account_ids or []), str(query.flag)], query.limit, None)


@router.get("/{first}/of/{second}", scope="posts:read")
async def take_path(first: str, second: str, base_url: str) -> list[str]:
    """Take a path."""
    return [first, second, base_url]


@router.get("/unmapped")
async def unmapped() -> None:
    """Closed to restricted keys."""


@router.get("/numbers", scope="analytics:read")
async def numbers() -> None:
    """Closed to keys that are restricted to brands."""


@router.post("/brand/{name}", scope="accounts:manage", raises=(Conflict,))
async def brand_then_fail(work: Work, name: str) -> None:
    """Make a brand, then refuse: nothing may remain."""
    await workspaces.new_brand(work, name)
    raise Conflict(resource="trial")


@router.post("/fault/{name}", scope="accounts:manage")
async def brand_then_fault(work: Work, name: str) -> Any:
    """Make a brand, then return what cannot be sent."""
    await workspaces.new_brand(work, name)
    return object()


@router.get("/many", scope="posts:read", raises=(FieldInvalid, FieldRequired))
async def many() -> None:
    """Refuse twice."""
    raise Refused([FieldRequired(field="a"), FieldInvalid(field="b", problem="must be c.", allowed=["c"])])


@router.get("/wait/{seconds}", scope="posts:read", raises=(RateLimitExceeded,))
async def wait(seconds: str) -> None:
    """Refuse for a while."""
    raise RateLimitExceeded(limit=1, retry_after_seconds=int(seconds))


@router.get("/upstream", scope="posts:read", raises=(PlatformApiError, PlatformRateLimit, HttpError))
async def upstream() -> None:
    """Refuse as a platform did."""
    refusal = PlatformApiError(platform="finch", account_id=None, upstream_status=418, said="teapot")
    raise RemoteRefusal(refusal, certain=True, upstream={"code": 418, "message": "teapot"})


@router.get("/crash", scope="posts:read")
async def crash() -> None:
    """Break."""
    raise RuntimeError("the secret is sesame")


@router.get("/missing/{id}", scope="posts:read", raises=(ResourceNotFound,))
async def missing(id: str) -> None:
    """Find nothing."""
    raise ResourceNotFound(resource="trial", id=id)


@router.get("/page", auth="public", raises=(StateMismatch,))
async def show_page() -> Page:
    """Show a page."""
    return Page("<p>hello", status=200)


@router.get("/elsewhere", auth="public")
async def elsewhere() -> Redirect:
    """Go elsewhere."""
    return Redirect("https://example.com/?state=1")


@router.post("/accepted", scope="posts:write", status=201, also=(202,))
async def accepted() -> Reply[Seen]:
    """Answer with another status and headers."""
    return Reply(Seen("x", [], datetime.now(UTC)), status=202, headers={"X-Trial": "yes"})


@router.get("/stream", auth="public")
async def stream() -> Reply[AsyncIterator[bytes]]:
    """Stream bytes."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"x" * 1000

    return Reply(chunks(), headers={"Content-Type": "image/png"})


@router.post("/upload", scope="media:write", takes="multipart", status=201)
async def take_upload(upload: Upload) -> list[Any]:
    """Take a file."""
    return [upload.filename, upload.content_type, *await _measure(upload.chunks)]


@router.put("/raw", auth="public", takes="raw")
async def take_raw(upload: Upload) -> list[Any]:
    """Take a body as it is."""
    return [upload.filename, upload.content_type, *await _measure(upload.chunks)]


async def _measure(chunks: AsyncIterator[bytes]) -> list[Any]:
    digest, size = hashlib.sha256(), 0
    async for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
    return [size, digest.hexdigest()]
