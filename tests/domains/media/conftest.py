"""A library on a database and a folder of its own, called directly or over HTTP."""

from __future__ import annotations

from uuid import uuid4

import pytest
from media_library import Library

from api import *  # noqa: F403
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import Caller


@pytest.fixture
def library(runtime: Runtime) -> Library:
    return Library(runtime, Caller(workspace_id=uuid4()), runtime.settings.data_dir / "media")
