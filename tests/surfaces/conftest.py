"""The API on a database of each test's own; `trial` is the API with routes that only exist here."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import httpx2
import pytest
import trial as trials

from api import *  # noqa: F403
from api import Api, make_workspace
from hubbub.runtime.process import Runtime
from hubbub.surfaces.api.app import create_app
from surfaces.declared import Declared


@pytest.fixture
async def trial(runtime: Runtime) -> AsyncGenerator[Api]:
    app = Declared(create_app(runtime, [trials.router]), [trials.router])
    workspace_id, key = await make_workspace(runtime)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://api.test") as client:
        yield Api(client, runtime, workspace_id, key)
