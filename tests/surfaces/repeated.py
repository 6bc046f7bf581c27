"""Routes whose effects can be counted, and a server of them to be killed: `python repeated.py` with its settings."""

from __future__ import annotations

import asyncio
import sys

import uvicorn
from pydantic import BaseModel

from hubbub.domains.workspaces import service as workspaces
from hubbub.errors.resource import Conflict, ResourceNotFound
from hubbub.errors.system import RateLimitExceeded
from hubbub.runtime.process import Runtime
from hubbub.runtime.routes import Reply, Router, Upload
from hubbub.runtime.settings import Settings
from hubbub.runtime.work import Caller, Work, open_work
from hubbub.surfaces.api.app import create_app

router = Router("/v1/repeated", "Repeated")


class BrandIn(BaseModel):
    name: str
    seconds: float = 0
    outcome: str = "made"


class Count(BaseModel):
    count: int


def _say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def _count(work: Work) -> int:
    return await workspaces.count_brands(work)


@router.post(scope="posts:write", status=201, raises=(Conflict, ResourceNotFound, RateLimitExceeded))
async def make_brand(work: Work, body: BrandIn) -> Reply[dict[str, str]]:
    """Make a brand in one transaction, slowly if asked, then say so, refuse or break."""
    made = await workspaces.new_brand(work, body.name)
    _say("made")
    await asyncio.sleep(body.seconds)
    return await _end(body, str(made.id))


@router.post(
    "/apart", scope="posts:write", status=201, raises=(Conflict, ResourceNotFound, RateLimitExceeded)
)
async def make_brand_apart(runtime: Runtime, caller: Caller, body: BrandIn) -> Reply[dict[str, str]]:
    """The same in a transaction of its own, after waiting."""
    _say("claimed")
    await asyncio.sleep(body.seconds)
    async with open_work(runtime, caller) as work:
        made = await workspaces.new_brand(work, body.name)
    return await _end(body, str(made.id))


async def _fetch(runtime: Runtime, caller: Caller, body: BrandIn) -> BrandIn:
    await asyncio.sleep(body.seconds)
    return body.model_copy(update={"name": f"fetched {body.name}"})


@router.post("/fetched", scope="posts:write", status=201, raises=(Conflict,), first=_fetch)
async def make_brand_fetched(work: Work, body: BrandIn) -> dict[str, str]:
    """Fetch something first."""
    return {"id": str((await workspaces.new_brand(work, body.name)).id), "name": body.name}


@router.post("/file", scope="media:write", takes="multipart", status=201)
async def take_file(upload: Upload, runtime: Runtime, caller: Caller) -> list[int]:
    """Take a file, and make a brand."""
    size = 0
    async for chunk in upload.chunks:
        size += len(chunk)
    async with open_work(runtime, caller) as work:
        await workspaces.new_brand(work, upload.filename)
        return [size, await _count(work)]


@router.post("/bare", scope="posts:write")
async def make_brand_without_body(work: Work) -> Count:
    """Make a brand; there is no body."""
    await workspaces.new_brand(work, "bare")
    return Count(count=await _count(work))


@router.get(scope="posts:read")
async def count_brands(work: Work) -> Count:
    """Count the brands."""
    return Count(count=await _count(work))


@router.patch(scope="posts:write")
async def patch_brand(work: Work) -> Count:
    """Make a brand by another method."""
    await workspaces.new_brand(work, "patched")
    return Count(count=await _count(work))


async def _end(body: BrandIn, id: str) -> Reply[dict[str, str]]:
    match body.outcome:
        case "conflict":
            raise Conflict(resource="trial")
        case "wait":
            raise RateLimitExceeded(limit=1, retry_after_seconds=5)
        case "break":
            raise RuntimeError("broken")
        case _:
            return Reply({"id": id}, headers={"X-Trial": "yes"})


async def _serve(settings: Settings) -> None:
    runtime = Runtime.build(settings)
    config = uvicorn.Config(create_app(runtime, [router]), port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    _say(server.servers[0].sockets[0].getsockname()[1])
    await serving


if __name__ == "__main__":
    database_url, data_dir, encryption_key, takeover = sys.argv[1:]
    given = {
        "database_url": database_url,
        "data_dir": data_dir,
        "encryption_key": encryption_key,
        "takeover_seconds": takeover,
    }
    asyncio.run(_serve(Settings.model_validate(given)))
