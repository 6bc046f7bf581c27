"""What no client sends on purpose: refused in the contract's words, never stored by half, never a fault of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from api import Answer
from hubbub.kit import paging
from provoked.guest import Guest
from provoked.stage import Stage

pytestmark = pytest.mark.anyio

JSON = {"Content-Type": "application/json"}
TAKE_BODIES = (
    ("POST", "/v1/posts"),
    ("POST", "/v1/accounts/connect"),
    ("POST", "/v1/oauth/exchange"),
    ("POST", "/v1/keys"),
)
A_UUID = "0b9a4f2e-7c1d-4f4e-9a52-3f1f0a4d8c77"


def text(value: str) -> bytes:
    return json.dumps({"text": value}).encode()


BODIES: dict[str, tuple[bytes, str]] = {
    "malformed": (b'{"text": "x"', "validation.body_invalid"),
    "a list": (b"[]", "validation.body_invalid"),
    "a string": (b'"x"', "validation.body_invalid"),
    "null": (b"null", "validation.body_invalid"),
    "two documents": (b"{}{}", "validation.body_invalid"),
    "half a character": (b'{"text": "\xff\xfe"}', "validation.body_invalid"),
    "a cut off character": (b'{"text": "\xe2\x82"}', "validation.body_invalid"),
    "another encoding": ('{"text": "ü"}'.encode("utf-16"), "validation.body_invalid"),
    "deep": (b'{"text": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", "validation.body_invalid"),
    "deeper than any stack": (
        b'{"platform_data": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
        "validation.body_invalid",
    ),
    "too large": (text("x" * 3_000_000), "http.413"),
}
FIELDS: dict[str, tuple[bytes, str]] = {
    "NUL": (text("a\0b"), "text"),
    "a lone surrogate": (b'{"text": "a\\ud800b"}', "text"),
    "NUL in a name": (b'{"platform_data": {"a\\u0000": 1}}', "platform_data"),
    "NUL far inside": (
        b'{"text": "x", "platform_data": {"x": [{"y": "\\u0000"}]}}',
        "platform_data.x[0].y",
    ),
    "a huge number": (b'{"text": "x", "platform_data": {"n": 1' + b"0" * 400 + b"}}", "platform_data.n"),
    "an endless number": (b'{"text": "x", "platform_data": {"n": 1e999}}', "platform_data.n"),
    "not a number": (b'{"text": "x", "platform_data": {"n": NaN}}', "platform_data.n"),
    "a number for text": (b'{"text": 7}', "text"),
    "the last of two": (b'{"text": "x", "text": 7}', "text"),
    "options that are no list": (
        b'{"text": "x", "platform_data": {"content_type": []}}',
        "platform_data",
    ),
    "a time before time": (b'{"text": "x", "scheduled_at": "0001-01-01T00:00:00+14:00"}', "scheduled_at"),
    "a time after time": (b'{"text": "x", "scheduled_at": "9999-12-31T23:59:59-14:00"}', "scheduled_at"),
    "a number for a time": (b'{"text": "x", "scheduled_at": 1e300}', "scheduled_at"),
    "too many targets": (
        json.dumps({"text": "x", "targets": [{"account_id": f"acc_{n}"} for n in range(101)]}).encode(),
        "targets",
    ),
    "a target that is none": (b'{"text": "x", "targets": [null]}', "targets[0]"),
}


async def stays(stage: Stage, before: dict[str, int]) -> None:
    assert await stage.rows() == before


def fields_of(answer: Answer) -> list[str]:
    error = answer.json["error"]
    return [one.get("meta", {}).get("field") for one in error.get("errors", [error])]


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize(("method", "path"), TAKE_BODIES, ids=lambda part: part.strip("/"))
async def test_a_body_that_is_none_is_refused_whole(guest: Guest, method: str, path: str, name: str) -> None:
    content, code = BODIES[name]
    before = await guest.stage.rows()
    answer = await guest.call(method, path, content=content, headers=JSON)
    assert answer.code == code
    await stays(guest.stage, before)


@pytest.mark.parametrize("name", FIELDS)
async def test_a_field_that_cannot_be_is_named(guest: Guest, name: str) -> None:
    content, field = FIELDS[name]
    before = await guest.stage.rows()
    answer = await guest.post("/v1/posts", content=content, headers=JSON)
    assert answer.status == 400, answer.content
    assert field in fields_of(answer)
    await stays(guest.stage, before)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "", "/"]
)
@pytest.mark.parametrize("content", [b"<post/>", b"text=x", b"--x--"])
async def test_another_content_type_is_refused_in_our_words(guest: Guest, kind: str, content: bytes) -> None:
    before = await guest.stage.rows()
    answer = await guest.post("/v1/posts", content=content, headers={"Content-Type": kind})
    assert answer.code in ("validation.body_invalid", "http.415")
    await stays(guest.stage, before)


@pytest.mark.parametrize("path", ["/v1/posts", "/v1/media"])
@pytest.mark.parametrize(
    "cursor",
    [
        "x", "%00", "%ff", "=", "e30", "\u2603", "x" * 5_000, "%ed%a0%80",
        paging.encode([]), paging.encode([1, 2]), paging.encode([None, None]), paging.encode(["x", "y"]),
        paging.encode(["2026-01-01T00:00:00+00:00", "x"]), paging.encode([{}, []]),
        paging.encode(["0001-01-01T00:00:00+14:00", A_UUID]),
    ],
)  # fmt: skip
async def test_a_cursor_that_is_not_ours_is_refused(guest: Guest, path: str, cursor: str) -> None:
    answer = await guest.get(f"{path}?cursor={cursor}")
    assert (answer.status, answer.code) == (400, "validation.field_invalid")
    assert fields_of(answer) == ["cursor"]


async def test_a_cursor_without_an_offset_is_read_as_utc(guest: Guest) -> None:
    cursor = paging.encode(["2026-01-01T00:00:00", A_UUID])
    assert (await guest.get(f"/v1/posts?cursor={cursor}")).status == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"), ("limit=101", "limit"), ("limit=x", "limit"), ("limit=1e9", "limit"),
        ("limit=" + "9" * 5_000, "limit"), ("limit=-1", "limit"), ("limit=", "limit"),
        ("status=gone", "status"), ("sort=up", "sort"), ("from=yesterday", "from"), ("to=2026", "to"),
        ("from=0001-01-01T00:00:00%2B14:00", "from"), ("hidden=perhaps", "hidden"),
        ("search=%00", "search"), ("account_ids=%00", "account_ids"), ("platform=%ed%a0%80", "platform"),
    ],
)  # fmt: skip
async def test_a_query_that_makes_no_sense_is_named(guest: Guest, query: str, field: str) -> None:
    answer = await guest.get(f"/v1/posts?{query}")
    assert answer.status == 400, answer.content
    assert fields_of(answer) == [field]


@pytest.mark.parametrize(
    "part", ["%00", "%ff", "%ed%a0%80", "%2e%2e", "a%2Fb", "x" * 5_000, "%F0%9F%8E%88", "'--"]
)
async def test_an_id_that_nothing_can_have_is_not_found(guest: Guest, part: str) -> None:
    for path in (f"/v1/posts/{part}", f"/v1/accounts/{part}/pages", f"/v1/accounts/pending/{part}"):
        answer = await guest.get(path)
        assert answer.status == 404, (path, answer.content)
    assert (await guest.call("DELETE", f"/v1/media/{part}")).status in (404, 405)


async def test_a_megabyte_of_text_is_either_kept_whole_or_refused(guest: Guest) -> None:
    whole = "ü" * 500_000
    made = await guest.post("/v1/posts", {"text": whole})
    assert made.status == 201
    assert (await guest.read(made.json["id"]))["text"] == whole
    before = await guest.stage.rows()
    refused = await guest.post(
        "/v1/posts", {"text": whole, "targets": [{"account_id": await guest.bluesky()}]}
    )
    assert refused.status == 400
    assert "text" in fields_of(refused)
    assert (await guest.stage.rows())["posts"] == before["posts"]


@pytest.mark.parametrize("value", ["x", "x" * 65, "a b", "\u00fc", "../..", "<script>"])
async def test_a_request_id_that_is_no_good_is_replaced(guest: Guest, value: str) -> None:
    answer = await guest.get("/v1/posts/x", headers={"X-Request-ID": value.encode()})
    assert (answer.json["request_id"] == value) == (value == "x")


async def test_every_option_takes_any_json_without_a_fault(guest: Guest) -> None:
    """The options of both platforms are looked at before anything is stored."""
    bluesky, facebook = await guest.bluesky(), await guest.facebook()
    names = {name for found in guest.stage.runtime.platforms.values() for name in found.facts.options} | {
        "content_type",
        "link",
    }
    before = (await guest.stage.rows())["targets"]
    junk: list[Any] = [None, True, 0, 1.5, "", "x", [], [None], [7], {}, {"a": []}]
    for name in sorted(names):
        for value in junk:
            data = {"bluesky": {name: value}, "facebook": {name: value}}
            targets = [{"account_id": bluesky}, {"account_id": facebook, "platform_data": {name: value}}]
            answer = await guest.post("/v1/posts", {"text": "x", "platform_data": data, "targets": targets})
            assert answer.status in (201, 400), (name, value)
            if answer.status == 400:
                assert all(
                    field.startswith("platform_data") or "platform_data" in field
                    for field in fields_of(answer)
                )
    assert (await guest.stage.rows())["targets"] % 2 == before % 2
