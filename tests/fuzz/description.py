"""The API's own description as schemathesis reads it, what its inputs are drawn from, and what is checked."""

from __future__ import annotations

import copy
import os
import re
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, settings

from hubbub.surfaces.api import openapi, routers

from . import examples

EXAMPLES = int(os.environ.get("HUBBUB_TEST_FUZZ", "8"))
"""Random examples for each operation, and chains of linked calls; the description's boundaries come on top."""

SETTINGS = settings(
    max_examples=EXAMPLES,
    stateful_step_count=12,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
        HealthCheck.data_too_large,
    ],
)

DRAWN: dict[str, tuple[str, float]] = {
    "path.pid": ("posts", 0.9),
    "path.account_id": ("accounts", 0.9),
    "path.page_id": ("pages", 0.9),
    "path.media_id": ("pictures", 0.9),
    "path.connection_id": ("connections", 0.9),
    "path.platform": ("platforms", 0.7),
    "query.platform": ("platforms", 0.7),
    "query.account_id": ("accounts", 0.5),
    "query.media_type": ("media types", 0.7),
    "body.platform": ("sign-ins", 0.8),
    "body.code": ("consents", 0.8),
    "body.url": ("addresses", 0.5),
    "body.text": ("texts", 0.6),
    "body.scheduled_at": ("times", 0.7),
    "body.platforms[*]": ("platforms", 0.7),
    "body.account_id": ("accounts", 0.8),
    "body.account_ids[*]": ("accounts", 0.8),
    "body.page_ids[*]": ("places", 0.8),
    "body.media_ids[*]": ("pictures", 0.9),
    "body.media[*].source": ("pictures", 0.8),
    "body.brand_id": ("brands", 0.5),
    "body.brand_ids[*]": ("brands", 0.9),
    "body.scopes[*]": ("scopes", 0.9),
    "body.targets[*].account_id": ("accounts", 0.9),
    "body.targets[*].page_id": ("pages", 0.5),
    "body.targets[*].scheduled_at": ("times", 0.8),
}
"""Which words a parameter or field is drawn from, and how often; else it is anything that fits."""

IDS = {"^/v1/accounts/": "accounts", "^/v1/keys/": "keys"}

CONFIG: dict[str, Any] = {
    "seed": 20270328,
    "dictionaries": {name: {"values": words} for name, words in examples.WORDS.items()},
    "parameters": {
        where: {"dictionary": words, "probability": often} for where, (words, often) in DRAWN.items()
    },
    "operations": [
        *(
            {"include-path-regex": path, "parameters": {"path.id": {"dictionary": words, "probability": 0.9}}}
            for path, words in IDS.items()
        ),
        # Any bytes are a file.
        {
            "include-path-regex": "/(import|upload|content)$",
            "checks": {"negative_data_rejection": {"enabled": False}},
        },
    ],
    "checks": {
        # The contract refuses with 400 what fits and makes no sense, as a time that is past.
        "positive_data_acceptance": {"enabled": False},
        # What a platform does not have is a 501 of the contract; every other 5xx is a fault here.
        "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", "501"]},
    },
    # The key comes with every request; without one it is tried by the check `ignored_auth`.
    "generation": {"with-security-parameters": False},
    # Only the links that the description has.
    "phases": {"stateful": {"inference": {"algorithms": []}}},
}


def described() -> dict[str, Any]:
    """The description with the examples of these tests."""
    return examples.add_to(openapi.describe([route for router in routers.found() for route in router.routes]))


def loaded(description: dict[str, Any]) -> Any:
    """As schemathesis takes it."""
    return schemathesis.openapi.from_dict(description, config=schemathesis.Config.from_dict(CONFIG))


def part_of(description: dict[str, Any], paths: str) -> dict[str, Any]:
    """Only what is below these paths (a regular expression), with the links that stay within."""
    kept = {
        path: copy.deepcopy(operations)
        for path, operations in description["paths"].items()
        if re.match(paths, path)
    }
    names = {operation["operationId"] for operations in kept.values() for operation in operations.values()}
    for operations in kept.values():
        for operation in operations.values():
            for response in operation["responses"].values():
                links = response.get("links", {})
                response["links"] = {name: link for name, link in links.items() if name in names}
    return {**description, "paths": kept}


DESCRIPTION = described()
