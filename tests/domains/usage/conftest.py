"""The API's usage and keys, and one route that spends, on a database of each test's own."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import httpx2
import pytest

from api import *  # noqa: F403
from api import Api, make_workspace
from hubbub.domains.keys.routes import router as keys
from hubbub.domains.usage import service
from hubbub.domains.usage.routes import router as usage
from hubbub.domains.workspaces.routes import router as users
from hubbub.errors.billing import InteractionLimit, PostLimit
from hubbub.errors.resource import Conflict
from hubbub.runtime.process import Runtime
from hubbub.runtime.routes import Router
from hubbub.runtime.work import Work
from hubbub.surfaces.api.app import create_app
from surfaces.declared import Declared

spending = Router("/v1/spending", "Spending")


@spending.post("/{what}", scope="posts:write", raises=(PostLimit, InteractionLimit, Conflict))
async def spend(work: Work, what: str) -> None:
    """Spend one post or interaction; `fail` spends and then refuses."""
    if what == "interaction":
        await service.spend_interaction(work)
        return
    await service.spend_post(work)
    if what == "fail":
        raise Conflict(resource="trial")


@pytest.fixture
async def metered(runtime: Runtime) -> AsyncGenerator[Api]:
    routers = [keys, usage, users, spending]
    app = Declared(create_app(runtime, routers), routers)
    workspace_id, key = await make_workspace(runtime)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://api.test") as client:
        yield Api(client, runtime, workspace_id, key)
