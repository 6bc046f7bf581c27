"""What the API says about itself: where to begin, whether it works, what an error code means."""

from __future__ import annotations

from html import escape
from typing import Any

import msgspec

from hubbub.connector import publish
from hubbub.errors import Refusal, class_of
from hubbub.errors.refusal import title_of
from hubbub.errors.resource import ResourceNotFound
from hubbub.errors.system import HttpError
from hubbub.kit import clock
from hubbub.runtime.lists import Listed, listed
from hubbub.runtime.process import Runtime
from hubbub.runtime.routes import ANY_KEY, Page, Router

router = Router("/", "About")


class Index(msgspec.Struct, frozen=True):
    name: str
    api: str
    openapi: str
    health: str


class Health(msgspec.Struct, frozen=True):
    status: str
    time: str


@router.get("/", auth="public")
async def about(base_url: str) -> Index:
    """Say where the API and its description are."""
    return Index(
        name="Hubbub",
        api=f"{base_url}/v1",
        openapi=f"{base_url}/openapi.json",
        health=f"{base_url}/v1/health",
    )


@router.get("/v1/health", auth="public", raises=(HttpError,))
async def health(runtime: Runtime) -> Health:
    """Say whether requests can be answered: the database is asked."""
    try:
        async with runtime.database.begin() as connection:
            await connection.exec_driver_sql("SELECT 1")
    except Exception as failure:
        raise HttpError(status_code=503, problem="The database must answer; it does not.") from failure
    return Health(status="ok", time=clock.to_wire(clock.now()))


@router.get("/v1/platforms", scope=ANY_KEY)
async def list_platforms(runtime: Runtime) -> Listed[dict[str, Any]]:
    """List every platform: how to connect it, what it can do, what it allows, what is peculiar to it."""
    return listed(publish.catalogue(found.facts for found in runtime.platforms.values())["platforms"])


@router.get("/v1/platforms/{platform}", scope=ANY_KEY, raises=(ResourceNotFound,))
async def get_platform(runtime: Runtime, platform: str) -> dict[str, Any]:
    """Get one platform's facts."""
    found = runtime.platforms.get(platform)
    if found is None:
        raise ResourceNotFound(resource="platform", id=platform)
    return publish.entry_of(found.facts)


@router.get("/docs/errors/{code}", auth="public", raises=(ResourceNotFound,))
async def explain_error(code: str) -> Page:
    """Explain an error code to a person; the `docs` link of every error leads here."""
    refusal = class_of(code)
    if refusal is None:
        raise ResourceNotFound(resource="error", id=code)
    return Page(_page(code, refusal))


def _page(code: str, refusal: type[Refusal]) -> str:
    title, rest = title_of(refusal)
    paragraphs = "".join(f"<p>{escape(' '.join(part.split()))}</p>" for part in rest.split("\n\n"))
    return (
        f"<!doctype html><meta charset=utf-8><title>{escape(code)}</title>"
        "<style>body{font:16px/1.5 sans-serif;max-width:40em;margin:3em auto;padding:0 1em}</style>"
        f"<h1><code>{escape(code)}</code></h1><p><strong>{escape(title)}</strong></p>{paragraphs}"
    )
