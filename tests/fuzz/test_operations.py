"""Every operation of the description, with input that fits it and input that does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from vendor.place import Place

from .description import DESCRIPTION, SETTINGS, loaded
from .judging import Reached, taken_anyway
from .seeds import Seeds

NO_SUCCESS = {
    "GET /v1/accounts/{id}/boards": "is for a platform that the sandbox does not have",
    "GET /v1/accounts/{id}/creator-info": "is for a platform that the sandbox does not have",
    "GET /oauth/callback/{platform}": "is for browsers that a platform sends back",
    "POST /auth/password": "is for people, not for keys",
    "POST /auth/sign-in": "has no account to sign in to",
    "POST /auth/sign-up": "wants an invitation or a key that nobody holds",
    "POST /v1/media/ingest": "only fetches from public addresses",
    "POST /v1/posts/{pid}/retry": "wants a target that failed",
    "POST /v1/posts/{pid}/targets/{account_id}/resolve": "wants a target that is unconfirmed",
    "POST /v1/users/provision": "is for people, not for keys",
}
"""What succeeds in other tests only, and why."""


@pytest.fixture
def reached() -> Iterator[Reached]:
    """Fails a test that proved nothing, because its operation never did what it is for."""
    counted = Reached()
    yield counted
    for operation in counted.statuses:
        assert counted.successes(operation) or operation in NO_SUCCESS, counted


@loaded(DESCRIPTION).parametrize()
@SETTINGS
def test_every_answer_is_one_that_is_described(
    case: Any, place: Place, seeds: Seeds, session: requests.Session, reached: Reached
) -> None:
    seeds.fill(case)
    answer = case.call_and_validate(base_url=place.api, session=session, excluded_checks=taken_anyway(case))
    if case.method == case.operation.method.upper():
        reached.note(case.operation.label, answer.status_code)
