"""The older envelope: its thirteen rows to the letter, and a word for everything else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from api import Api
from hubbub.errors import Refusal, registry
from hubbub.errors.account import AccountNotFound, AlreadyLinked, ReconnectionRequired, UnsupportedPlatform
from hubbub.errors.auth import InvalidKey, MissingHeader, StateMismatch
from hubbub.errors.byok import CredentialsInvalid
from hubbub.errors.platform import PlatformApiError, PlatformAuth, PlatformBadCredentials, PlatformRateLimit
from hubbub.errors.resource import NotSupported, ResourceNotFound
from hubbub.errors.system import HttpError, Internal, RateLimitExceeded
from hubbub.errors.validation import FieldInvalid, FieldRequired
from hubbub.surfaces.api.envelope import Problem
from hubbub.surfaces.dialects.flat import envelope

pytestmark = pytest.mark.anyio

FLAT: Mapping[str, Any] = {"headers": {"X-Error-Format": "flat"}}
GOLDEN = Path(__file__).parents[2] / "contract" / "dialects" / "flat.json"
ROWS = [
    (400, "missing_metadata", FieldRequired(field="text")),
    (400, "unsupported_platform", UnsupportedPlatform(platform="finch")),
    (401, "unauthorized", MissingHeader()),
    (401, "unauthorized", InvalidKey()),
    (401, "invalid_token", PlatformAuth(platform="finch")),
    (401, "invalid_token", ReconnectionRequired(account_id="acc_1", platform="finch", reason="gone")),
    (401, "invalid_credentials", PlatformBadCredentials(platform="finch")),
    (401, "invalid_credentials", CredentialsInvalid(platform="finch")),
    (403, "unauthorized", StateMismatch()),
    (404, "account_not_found", AccountNotFound(id="acc_1")),
    (404, "not_found", ResourceNotFound(resource="key", id="1")),
    (404, "not_found", HttpError(status_code=404)),
    (409, "account_already_linked", AlreadyLinked(platform="finch")),
    (429, "rate_limit_exceeded", RateLimitExceeded(limit=1, retry_after_seconds=9)),
    (429, "platform_rate_limit", PlatformRateLimit(platform="finch")),
    (500, None, Internal()),
    (501, "not_supported", NotSupported(platform="finch")),
]


def said(*refusals: Refusal) -> Any:
    return envelope.flat([Problem(refusal) for refusal in refusals], "abc", "http://api.test")


@pytest.mark.parametrize(("status", "code", "refusal"), ROWS, ids=lambda value: str(value))
def test_its_rows_are_kept_to_the_letter(status: int, code: str | None, refusal: Refusal) -> None:
    answer = said(refusal)
    assert (answer.status, answer.body.get("code")) == (status, code)
    assert answer.body["error"] == refusal.sentence
    assert set(answer.body) <= {"error", "code"}
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


@pytest.mark.parametrize("refusal", [pytest.param(each, id=code) for code, each in sorted(registry.items())])
def test_every_refusal_has_a_word(refusal: type[Refusal]) -> None:
    name, _ = envelope.names().name_of(refusal, refusal.code)
    assert bool(name.code) == (refusal is not Internal)


def test_every_entry_of_the_table_is_about_something() -> None:
    table = envelope.names()
    assert set(table.codes) <= set(registry)
    everything = [entry["native"] for entry in envelope.everything()["errors"]]
    assert list(table.families)[-1] == "*"
    idle = [
        pattern for pattern in table.families if not any(fnmatchcase(code, pattern) for code in everything)
    ]
    assert idle == []


def test_nothing_is_called_by_the_last_resort() -> None:
    assert [each["native"] for each in envelope.everything()["errors"] if each["by"] == "*"] == []


def test_the_golden_file_says_all_of_it() -> None:
    assert json.loads(GOLDEN.read_text()) == envelope.everything()


def test_a_platforms_own_status_is_passed_on() -> None:
    refusal = PlatformApiError(platform="finch", upstream_status=418, said="teapot")
    assert (said(refusal).status, said(refusal).body["code"]) == (refusal.http_status, "platform_error")


def test_several_problems_are_told_in_one_sentence_after_the_other() -> None:
    answer = said(FieldRequired(field="a"), FieldInvalid(field="b", problem="must be c."))
    assert answer.body == {"error": "a is required. b must be c.", "code": "missing_metadata"}


async def test_whoever_asks_for_it_gets_it(trial: Api) -> None:
    answer = await trial.get("/v1/trial/missing/7", **FLAT)
    assert answer.status == 404
    assert answer.json == {
        "error": "The trial must be one of yours; none of them is 7.", "code": "not_found"
    }  # fmt: skip
    assert answer.headers["x-request-id"]
    assert (await trial.get("/v1/trial/wait/5", **FLAT)).headers["retry-after"] == "5"


async def test_it_is_there_before_anybody_is_known_and_after_everything_broke(trial: Api) -> None:
    assert (await trial.as_("").get("/v1/trial/numbers", **FLAT)).json["code"] == "unauthorized"
    assert (await trial.get("/v1/nothing", **FLAT)).json["code"] == "not_found"
    assert (await trial.call("PUT", "/v1/trial", **FLAT)).json["code"] == "method_not_allowed"
    broken = await trial.get("/v1/trial/crash", **FLAT)
    assert (broken.status, set(broken.json)) == (500, {"error"})


async def test_a_key_can_be_set_to_it(api: Api) -> None:
    made = (await api.post("/v1/keys", {"name": "old", "error_format": "flat"})).json
    assert made["error_format"] == "flat"
    old = api.as_(made["raw_key"])
    assert (await old.get("/v1/posts/x")).json["code"] == "not_found"
    native = await old.get("/v1/posts/x", headers={"X-Error-Format": "native"})
    assert native.code == "post.not_found"
    changed = await api.patch(f"/v1/keys/{made['id']}", {"error_format": "native"})
    assert changed.json["error_format"] == "native"
    assert (await old.get("/v1/posts/x")).code == "post.not_found"
    assert (await api.post("/v1/keys", {"name": "odd", "error_format": "xml"})).status == 400


async def test_an_unknown_format_is_not_minded(trial: Api) -> None:
    answer = await trial.get("/v1/trial/missing/7", headers={"X-Error-Format": "xml"})
    assert answer.code == "resource.not_found"
