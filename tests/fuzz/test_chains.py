"""Calls that follow one another along the links of the description: made, read, changed, deleted."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
import requests
from hypothesis.errors import FlakyStrategyDefinition
from schemathesis.specs.openapi.checks import ensure_resource_availability

from vendor.place import Place

from .description import DESCRIPTION, EXAMPLES, SETTINGS, loaded, part_of
from .judging import Reached, taken_anyway
from .seeds import Seeds

SCENARIOS = EXAMPLES * 2

NOT_SO = [ensure_resource_availability]
"""It takes a post for lost that was unpublished everywhere, or deleted by way of a list. MUST_SUCCEED asks instead."""

PATHS = {
    "posts": r"^/v1/posts(/{|$)",
    "keys": "^/v1/keys(/{|$)",
    "media": "^/v1/media",
    "accounts": "^/v1/accounts/(connect|{id})($|/)",
    "sign-ins": "^/v1/(oauth/exchange|accounts/(pending|{id}/pages))",
}
"""Which operations make chains together."""

MUST_SUCCEED = {
    "posts": {("create_post", "get_post"), ("create_post", "update_post"), ("create_post", "delete_post")},
    "keys": {("create_key", "change_key"), ("create_key", "rotate_key"), ("create_key", "revoke_key")},
    "media": {("upload_media", "verify_media"), ("upload_media", "delete_media")},
    "accounts": {("connect_account", "disconnect_account")},
    "sign-ins": {("exchange_code", "list_pages")},
}
"""Links that have to be followed with success: chains that end in 404 prove nothing."""


@pytest.mark.parametrize("subject", list(PATHS))
def test_linked_calls_get_answers_that_are_described(
    place: Place, seeds: Seeds, session: requests.Session, subject: str
) -> None:
    reached = Reached()
    schema = loaded(part_of(DESCRIPTION, PATHS[subject]))
    chain = _chain(schema.as_state_machine(), place, seeds, session, reached)

    seed = 0
    # What is drawn depends a little on ids, which are new each time: go on until everything was followed once.
    while not reached.wrong and (
        reached.scenarios < SCENARIOS
        or (MUST_SUCCEED[subject] - set(reached.links) and reached.scenarios < SCENARIOS * 5)
    ):
        seed += 1
        try:
            hypothesis.seed(seed)(chain).run(settings=hypothesis.settings(SETTINGS, derandomize=False))
        except FlakyStrategyDefinition:
            continue  # what could be chosen depended on ids and times, which are never the same twice
        except Exception:
            if not reached.wrong:
                raise
    if reached.wrong:
        raise reached.wrong[0]

    assert not MUST_SUCCEED[subject] - set(reached.links), reached


def _chain(machine: Any, place: Place, seeds: Seeds, session: requests.Session, reached: Reached) -> Any:
    class Chain(machine):
        def __init__(self) -> None:
            super().__init__()
            reached.scenarios += 1

        def before_call(self, case: Any) -> None:
            seeds.fill(case)
            if case.method == "DELETE":
                case.query.pop("platform", None)  # removes one platform's copy and leaves the post

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"base_url": place.api, "session": session}

        def after_call(self, response: Any, case: Any) -> None:
            super().after_call(response, case)
            reached.note(case.operation.label, response.status_code)

        def validate_response(self, response: Any, case: Any, *_: Any, **transport: Any) -> None:
            try:
                case.validate_response(
                    response,
                    excluded_checks=[*taken_anyway(case), *NOT_SO],
                    transport_kwargs=transport,
                    recorder=self.recorder,
                )
            except Exception as failure:
                # Kept, because running the chain again may end in another way.
                reached.wrong.append(failure)
                raise

        def step(self, input: Any) -> Any:
            output = super().step(input)
            if input.transition is not None and input.is_applied and output.response.status_code < 300:
                parent = self.recorder.cases[input.transition.parent_id].value
                reached.links[_name(parent), _name(output.case)] += 1
            return output

    return Chain


def _name(case: Any) -> str:
    return case.operation.definition.raw["operationId"]
