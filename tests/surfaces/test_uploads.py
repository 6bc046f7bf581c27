from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from api import Api

pytestmark = pytest.mark.anyio

BOUNDARY = "----xyz"


def form(*parts: bytes, end: bool = True) -> bytes:
    body = b"".join(b"--" + BOUNDARY.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    return body + (b"--" + BOUNDARY.encode() + b"--\r\n" if end else b"")


def part(name: str, content: bytes, filename: str | None = None, kind: str = "image/png") -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"'
    if filename is not None:
        head += f'; filename="{filename}"\r\nContent-Type: {kind}'
    return head.encode() + b"\r\n\r\n" + content


async def send(trial: Api, content: Any, **headers: str) -> Any:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", **headers}
    return await trial.call("POST", "/v1/trial/upload", content=content, headers=headers)


async def test_a_file_arrives_whole_with_its_name_and_type(trial: Api) -> None:
    content = bytes(range(256)) * 1000
    answer = await trial.call("POST", "/v1/trial/upload", files={"file": ("ä.png", content, "image/png")})
    assert answer.status == 201
    assert answer.json == ["ä.png", "image/png", len(content), hashlib.sha256(content).hexdigest()]


async def test_other_fields_before_and_after_the_file_do_not_matter(trial: Api) -> None:
    answer = await send(
        trial, form(part("note", b"hi"), part("file", b"abc", "a.png"), part("more", b"x" * 99))
    )
    assert answer.json[2] == 3


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
async def test_the_size_of_the_pieces_does_not_matter(trial: Api, size: int) -> None:
    whole = form(part("file", b"--\r\n" + b"abc\r\n--" * 50, "a.png"))

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(whole), size):
            yield whole[start : start + size]

    assert (await send(trial, pieces())).json[2] == 4 + 7 * 50


@pytest.mark.parametrize(
    ("given", "kept"),
    [("C:\\temp\\a.png", "a.png"), ("../../etc/passwd", "passwd"), ("", "upload"), ("x" * 400, "x" * 255)],
)
async def test_only_the_last_part_of_a_name_is_kept(trial: Api, given: str, kept: str) -> None:
    assert (await send(trial, form(part("file", b"abc", given)))).json[0] == kept


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"", "application/json", "validation.body_invalid"),
        (b"{}", "application/json", "validation.body_invalid"),
        (b"x", "multipart/form-data", "validation.body_invalid"),
        (b"x", "multipart/form-data; boundary=", "validation.body_invalid"),
        (b"no form at all", f"multipart/form-data; boundary={BOUNDARY}", "validation.body_invalid"),
        (form(part("other", b"x")), f"multipart/form-data; boundary={BOUNDARY}", "validation.field_required"),
        (form(part("file", b"x", "a"), end=False)[:-4], f"multipart/form-data; boundary={BOUNDARY}",
         "validation.body_invalid"),
    ],
)  # fmt: skip
async def test_what_is_no_form_with_a_file_is_refused(
    trial: Api, body: bytes, content_type: str, code: str
) -> None:
    answer = await send(trial, body, **{"Content-Type": content_type})
    assert (answer.status, answer.code) == (400, code)


async def test_a_file_above_the_limit_is_refused_announced_or_not(trial: Api) -> None:
    trial.runtime.settings.max_upload_bytes = 1000
    large = form(part("file", b"x" * 200_000, "a.png"))
    assert (await send(trial, large)).code == "validation.field_invalid"

    async def pieces() -> AsyncIterator[bytes]:
        yield large[:500]
        yield large[500:]

    assert (await send(trial, pieces())).code == "validation.field_invalid"
    assert (await send(trial, form(part("file", b"x" * 1000, "a.png")))).status == 201
    assert (await send(trial, form(part("file", b"x" * 1001, "a.png")))).code == "validation.field_invalid"


async def test_a_raw_body_streams_through(trial: Api) -> None:
    answer = await trial.put("/v1/trial/raw", b"x" * 5000, headers={"Content-Type": "video/mp4"})
    assert answer.json == ["", "video/mp4", 5000, hashlib.sha256(b"x" * 5000).hexdigest()]


async def test_a_large_file_does_not_stay_in_memory(trial: Api) -> None:
    trial.runtime.settings.max_upload_bytes = 30_000_000
    head = form(part("file", b"", "a.bin"), end=False)[:-2]

    async def pieces() -> AsyncIterator[bytes]:
        yield head
        for _ in range(320):
            yield b"x" * 65_536
        yield b"\r\n--" + BOUNDARY.encode() + b"--\r\n"

    tracemalloc.start()
    try:
        answer = await send(trial, pieces())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert answer.json[2] == 320 * 65_536
    assert peak < 8_000_000


async def test_answers_come_over_a_real_socket_even_when_the_body_is_not_read(api_server: Api) -> None:
    large = b"x" * 20_000_000
    assert (await api_server.as_("").call("POST", "/v1/keys", content=large)).code == "auth.missing_header"
    assert (await api_server.call("POST", "/v1/keys", content=large)).code == "http.413"
    assert (await api_server.get("/v1/users/me")).status == 200


async def test_odd_requests_over_a_real_socket_get_the_envelope(api_server: Api) -> None:
    for path in ("/v1/keys/%00", "/v1/keys/%ff", "/v1/keys/%zz"):
        answer = await api_server.call("PATCH", path, json={})
        assert answer.status == 404
        assert answer.json["request_id"]
    host = await api_server.client.get("/v1/users/me", headers={"Host": "a b"})
    assert host.status_code == 400
    head = await api_server.call("HEAD", "/v1/health")
    assert (head.status, head.content) == (200, b"")
    assert isinstance(api_server.client, httpx2.AsyncClient)
