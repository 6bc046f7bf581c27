"""The API on a database of each test's own, and a person of its workspace."""

from __future__ import annotations

import pytest
from person import PASSWORD, Person

from api import *  # noqa: F403
from api import Api


@pytest.fixture
async def owner(api: Api) -> Person:
    """The owner of the API's workspace, signed in."""
    body = {"email": "Ada@Example.com", "password": PASSWORD, "api_key": api.key}
    answer = await api.as_("").post("/auth/sign-up", body)
    assert answer.status == 201, answer.json
    return Person("ada@example.com", answer.json["access_token"])
