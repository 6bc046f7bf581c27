"""A library on a database and a folder of its own, called directly or over HTTP."""

from __future__ import annotations

import pytest
from media_library import Library

from api import *  # noqa: F403
from api import make_workspace
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import Caller


@pytest.fixture
async def library(runtime: Runtime) -> Library:
    workspace_id, _ = await make_workspace(runtime)
    return Library(runtime, Caller(workspace_id=workspace_id), runtime.settings.data_dir / "media")
