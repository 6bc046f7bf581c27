from __future__ import annotations

import re
from typing import Any

import pytest
import structlog

from api import Api
from hubbub.errors import registry

pytestmark = pytest.mark.anyio


async def test_an_error_has_the_contracts_fields_and_ours(trial: Api) -> None:
    answer = await trial.get("/v1/trial/missing/7")
    assert answer.status == 404
    assert answer.json == {
        "error": {
            "code": "resource.not_found",
            "message": "The trial must be one of yours; none of them is 7.",
            "meta": {"resource": "trial", "id": "7"},
            "action": "fix_request",
            "docs": "http://api.test/docs/errors/resource.not_found",
        },
        "request_id": answer.headers["x-request-id"],
    }


async def test_several_errors_are_listed_and_the_first_leads(trial: Api) -> None:
    error = (await trial.get("/v1/trial/many")).json["error"]
    assert error["code"] == "validation.field_required"
    assert [each["meta"]["field"] for each in error["errors"]] == ["a", "b"]
    assert error["errors"][1]["meta"]["allowed"] == ["c"]


@pytest.mark.parametrize(("seconds", "header"), [(0, "0"), (60, "60"), (61, None), (86400, None)])
async def test_only_short_waits_are_in_the_header(trial: Api, seconds: int, header: str | None) -> None:
    answer = await trial.get(f"/v1/trial/wait/{seconds}")
    assert answer.status == 429
    assert answer.headers.get("retry-after") == header
    assert answer.json["error"]["retry_after_seconds"] == seconds
    assert answer.json["error"]["meta"]["retry_after_seconds"] == seconds


async def test_what_the_platform_said_is_passed_on(trial: Api) -> None:
    answer = await trial.get("/v1/trial/upstream")
    assert (answer.status, answer.code) == (502, "platform.finch.api_error")
    assert answer.json["error"]["upstream"] == {"code": 418, "message": "teapot"}


async def test_a_fault_of_ours_is_logged_under_its_request_id_and_tells_nothing(trial: Api) -> None:
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        answer = await trial.get("/v1/trial/crash", headers={"X-Request-ID": "find-me"})
    assert (answer.status, answer.code) == (500, "system.internal")
    assert "sesame" not in answer.content.decode()
    (fault,) = [line for line in lines if line["event"] == "fault"]
    assert fault["request_id"] == "find-me"
    assert "sesame" in fault["exception"]


async def test_the_access_log_has_no_secrets(trial: Api) -> None:
    with structlog.testing.capture_logs() as lines:
        await trial.get("/v1/trial/missing/hidden-part?token=hidden-query")
    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["status"], line["code"], line["method"]) == (404, "resource.not_found", "GET")
    assert "hidden" not in str(line)
    assert trial.key not in str(lines)


@pytest.mark.parametrize("given", ["a", "A-b_9", "x" * 64])
async def test_an_acceptable_request_id_is_kept(trial: Api, given: str) -> None:
    answer = await trial.get("/v1/trial", headers={"X-Request-ID": given})
    assert answer.headers["x-request-id"] == given
    refused = await trial.get("/v1/nothing", headers={"X-Request-ID": given})
    assert refused.json["request_id"] == refused.headers["x-request-id"] == given


@pytest.mark.parametrize("given", [None, "", "x" * 65, "a b", "a\tb", "ä", "a;b"])
async def test_any_other_request_id_is_replaced(trial: Api, given: str | None) -> None:
    headers = {"X-Request-ID": given.encode("latin-1")} if given is not None else {}
    answer = await trial.get("/v1/trial/many", headers=headers)
    assert re.fullmatch(r"[0-9a-f]{8}", answer.json["request_id"])
    assert answer.headers["x-request-id"] == answer.json["request_id"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/trial/page"), ("GET", "/v1/trial"), ("OPTIONS", "/v1/trial"), ("PUT", "/v1/x")],
)
async def test_every_answer_has_one_request_id(trial: Api, method: str, path: str) -> None:
    assert len((await trial.call(method, path)).headers.get_list("x-request-id")) == 1


async def test_every_code_has_a_page(api: Api) -> None:
    for code in ["resource.not_found", "http.404", "platform.finch.auth"]:
        answer = await api.get(f"/docs/errors/{code}")
        assert answer.status == 200
        assert code in answer.content.decode()
    assert (await api.get("/docs/errors/no.such_code")).status == 404


def test_the_catalogue_has_no_code_that_cannot_be_one_path_part() -> None:
    assert not [code for code in registry if re.search(r"[/?#%]", code)]


async def test_the_whole_answer_is_one_json_object(trial: Api) -> None:
    answers: list[Any] = [await trial.get(path) for path in ("/v1/trial/many", "/v1/none", "/v1/trial/crash")]
    assert [set(answer.json) for answer in answers] == [{"error", "request_id"}] * 3
