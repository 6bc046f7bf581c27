from __future__ import annotations

import json
from typing import Any

import pytest

from api import Answer, Api

pytestmark = pytest.mark.anyio


def wrong(answer: Answer) -> dict[str, str]:
    """Field → code of every error."""
    assert answer.status == 400
    error = answer.json["error"]
    return {each["meta"]["field"]: each["code"].split(".")[1] for each in error.get("errors", [error])}


async def send(trial: Api, raw: bytes, content_type: str = "application/json") -> Answer:
    return await trial.call("POST", "/v1/trial", content=raw, headers={"Content-Type": content_type})


async def test_everything_that_is_wrong_is_told_at_once(trial: Api) -> None:
    answer = await trial.post(
        "/v1/trial",
        {
            "targets": [{"account_id": "a"}, {"note": "x"}, {"account_id": 7}],
            "mode": "dead",
            "size": 11,
            "ok": "perhaps",
            "title": "too long",
            "extra": [],
        },
    )
    assert wrong(answer) == {
        "name": "field_required",
        "targets[1].account_id": "field_required",
        "targets[2].account_id": "field_invalid",
        "mode": "field_invalid",
        "size": "field_invalid",
        "ok": "field_invalid",
        "title": "field_invalid",
        "extra": "field_invalid",
    }
    assert answer.json["error"]["code"] == "validation.field_required"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x", "targets": [{"account_id": ""}]}, "targets[0].account_id"),
        ({"name": "x", "targets": [{"account_id": None}]}, "targets[0].account_id"),
        ({"name": "x", "attachment": {}}, "attachment.kind"),
        ({"name": "x", "attachment": {"kind": "picture"}}, "attachment.url"),
        ({"name": "x", "attachment": {"kind": "film"}}, "attachment.seconds"),
    ],
)
async def test_absent_null_and_empty_required_fields_are_required(trial: Api, body: Any, field: str) -> None:
    assert wrong(await trial.post("/v1/trial", body)) == {field: "field_required"}


@pytest.mark.parametrize(
    ("part", "field", "reason"),
    [
        ({"name": 5}, "name", "type"),
        ({"targets": {}}, "targets", "type"),
        ({"targets": ["a"]}, "targets[0]", "type"),
        ({"targets": [{"account_id": "a"}] * 4}, "targets", "too_many"),
        ({"size": 0}, "size", "too_small"),
        ({"size": 11}, "size", "too_large"),
        ({"size": "many"}, "size", "type"),
        ({"size": 1.5}, "size", "type"),
        ({"size": 10**25}, "size", "too_large"),
        ({"share": "half"}, "share", "type"),
        ({"title": "123456"}, "title", "too_long"),
        ({"mode": "dead"}, "mode", "unknown"),
        ({"attachment": {"kind": "song"}}, "attachment.kind", "unknown"),
        ({"attachment": 5}, "attachment", "type"),
        ({"attachment": {"kind": "film", "seconds": "x"}}, "attachment.seconds", "type"),
    ],
)
async def test_a_wrong_field_is_named_with_the_rule_it_breaks(
    trial: Api, part: Any, field: str, reason: str
) -> None:
    answer = await trial.post("/v1/trial", {"name": "x", **part})
    assert answer.code == "validation.field_invalid"
    meta = answer.json["error"]["meta"]
    assert (meta["field"], meta["reason"]) == (field, reason)
    assert answer.json["error"]["message"].startswith(field + " must")


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b'{"name": "a\\u0000b"}', "name"),
        (b'{"name": "a\\ud800b"}', "name"),
        (b'{"name": "x", "targets": [{"account_id": "\\udfff"}]}', "targets[0].account_id"),
        (b'{"name": "x", "extra": {"deep": [{"er": "\\u0000"}]}}', "extra.deep[0].er"),
        (b'{"name": "x", "extra": {"a\\u0000": 1}}', "extra"),
        (b'{"name": "x", "extra": {"n": NaN}}', "extra.n"),
        (b'{"name": "x", "extra": {"n": 1e999}}', "extra.n"),
        (b'{"name": "x", "extra": {"n": -Infinity}}', "extra.n"),
        (b'{"name": "x", "extra": {"n": ' + b"9" * 6000 + b"}}", "extra.n"),
        (b'{"name": "x", "extra": {"n": 9223372036854775808}}', "extra.n"),
    ],
)
async def test_what_cannot_be_stored_is_refused_by_name(trial: Api, raw: bytes, field: str) -> None:
    assert wrong(await send(trial, raw)) == {field: "field_invalid"}


@pytest.mark.parametrize(
    "raw",
    [
        b"[]",
        b"null",
        b'"text"',
        b"3",
        b"{",
        b'{"name": }',
        b'{"name": "\xff"}',
        b"name=x",
        b'{"extra": ' + b'{"a":' * 100 + b"1" + b"}" * 101,
        b"[" * 100_000,
    ],
)
async def test_a_body_that_is_no_json_object_is_invalid(trial: Api, raw: bytes) -> None:
    answer = await send(trial, raw)
    assert (answer.status, answer.code) == (400, "validation.body_invalid")


async def test_the_content_type_does_not_matter_when_the_body_is_json(trial: Api) -> None:
    assert (await send(trial, b'{"name": "x"}', "text/plain")).status == 200
    assert (
        await send(trial, b"name=x", "application/x-www-form-urlencoded")
    ).code == "validation.body_invalid"


@pytest.mark.parametrize("raw", [b"", b"  \n"])
async def test_an_absent_body_counts_as_an_empty_object(trial: Api, raw: bytes) -> None:
    assert wrong(await send(trial, raw)) == {"name": "field_required"}


async def test_unknown_fields_are_ignored(trial: Api) -> None:
    answer = await trial.post("/v1/trial", {"name": "x", "surprise": {"a": 1}})
    assert answer.status == 200
    assert answer.json == {"name": "x", "targets": [], "at": "2026-01-02T01:04:05Z"}


async def test_a_body_above_the_limit_is_refused_however_it_arrives(trial: Api) -> None:
    most = trial.runtime.settings.max_body_bytes
    large = json.dumps({"name": "x" * most}).encode()
    announced = await send(trial, large)
    assert (announced.status, announced.code) == (413, "http.413")
    assert announced.json["error"]["meta"]["max"] == most

    async def pieces() -> Any:
        for start in range(0, len(large), 65536):
            yield large[start : start + 65536]

    chunked = await trial.call("POST", "/v1/trial", content=pieces())
    assert (chunked.status, chunked.code) == (413, "http.413")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=6", "limit"),
        ("limit=-1", "limit"),
        ("limit=many", "limit"),
        ("limit=", "limit"),
        ("limit=1e2", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=WzEsMl0", "cursor"),
        ("cursor=%00", "cursor"),
        ("cursor=%ff", "cursor"),
        ("cursor=%ed%a0%80", "cursor"),
        ("flag=perhaps", "flag"),
    ],
)
async def test_a_wrong_query_is_refused_by_name(trial: Api, query: str, field: str) -> None:
    answer = await trial.get(f"/v1/trial?{query}")
    assert wrong(answer) == {field: "field_invalid"}


async def test_raw_bytes_in_a_query_are_refused(trial: Api) -> None:
    assert wrong(await trial.get("/v1/trial?cursor=é")) == {"cursor": "field_invalid"}


async def test_lists_in_a_query_are_joined_by_commas_or_repeated(trial: Api) -> None:
    answer = await trial.get("/v1/trial?account_ids=a,b&account_ids=c&flag=true&unknown=1")
    assert answer.json["data"] == ["a", "b", "c", "True"]
    assert answer.json["count"] == 4
    assert answer.json["pagination"] == {"limit": 2, "has_more": False, "next_cursor": ""}
    assert "next_cursor" not in answer.json
