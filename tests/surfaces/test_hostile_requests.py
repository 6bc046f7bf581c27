"""Requests that no well-meaning client sends, byte by byte over a socket."""

from __future__ import annotations

import asyncio
import itertools
import json
from urllib.parse import urlsplit

import pytest

from api import Api

pytestmark = pytest.mark.anyio

BODY = b'{"name": "x"}'
ODD_TEXT = [
    b"%00", b"%ff", b"%c3%28", b"%ed%a0%80", b"%f4%90%80%80", b"%", b"%zz", b"a%0d%0aX-Evil: 1", b"..%2f..%2f",
    b"%e2%80%ae", b"\xff\xfe", b"9" * 5000, b"'%22;--", b"{}[]|^`", b"//", b"%2e%2e/", b"nan", b"-1", b"\xc3\xa9",
]  # fmt: skip
ADDRESSES = [
    b"/v1/posts/",
    b"/v1/keys/",
    b"/v1/accounts/",
    b"/v1/platforms/",
    b"/docs/errors/",
    b"/v1/media/",
]
QUERIES = [
    b"/v1/posts?cursor=", b"/v1/posts?limit=", b"/v1/posts?search=", b"/v1/posts?from=", b"/v1/posts?account_ids=",
    b"/v1/posts?brand_id=", b"/v1/posts?page_id=", b"/v1/media?cursor=", b"/v1/accounts?brand_id=",
    b"/oauth/callback/bluesky?state=", b"/v1/posts/validate?platform=", b"/v1/oauth/url?platform=",
    b"/v1/posts?limit=1&limit=2&limit=", b"/v1/media/upload-url?media_type=image/png&filename=",
]  # fmt: skip
CURSORS = [
    b"W10",
    b"bnVsbA",
    b"WzFlOTk5LDFd",
    b"WyJcdWQ4MDAiLDFd",
    b"Wzk5OTk5OTk5OTk5OTk5OTk5OTk5OTksMV0",
    b"W1tdLHt9XQ",
]
"""[], null, [1e999,1], ["\\ud800",1], [99999999999999999999999,1], [[],{}]"""

LENGTHS: list[list[bytes]] = [
    [b"Content-Length: 5000"],
    [b"Content-Length: 2"],
    [b"Content-Length: -1"],
    [b"Content-Length: 1e3"],
    [b"Content-Length: " + b"9" * 30],
    [b"Content-Length: 13", b"Content-Length: 5"],
    [b"Content-Length: 13", b"Transfer-Encoding: chunked"],
    [b"Transfer-Encoding: chunked"],
    [b"Transfer-Encoding: gzip, chunked"],
    [],
]

HEADERS = [
    b"Content-Type: \xff\xfe",
    b"Content-Type: multipart/form-data; boundary=" + b"x" * 5000,
    b"Content-Type: application/json; charset=utf-7",
    b"Idempotency-Key: \xff\xfe",
    b"Idempotency-Key: a\x00b",
    b"Idempotency-Key: " + b"k" * 4000,
    b"X-Request-ID: a\tb",
    b"X-Request-ID: \xc3\xa9",
    b"X-Error-Format: \xff",
    b'Host: "><script>',
    b"Host: \xff",
    b"Range: bytes=-",
    b"Accept: \xff",
    b"Accept-Encoding: \xff",
    b"Cookie: \xff=\xff; ;;=",
    b"Expect: 100-continue",
    b"Expect: nonsense",
    b"Connection: Upgrade",
    b"X-Forwarded-For: \xff, 1.2.3.4.5",
    b"X-Forwarded-Proto: javascript",
    b"Authorization: Bearer \xff\xfe",
    b"Authorization: Bearer " + b"." * 5000,
    b"Authorization: Bearer e30.e30.e30",
    b"Authorization: Bearer sapi_key_\xc3\xa9",
]

METHODS = [b"TRACE", b"CONNECT", b"BREW", b"get", b"QUERY", b"PROPFIND"]
NO_REQUESTS = [
    b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"\x16\x03\x01\x02\x00",
    b"GET / HTTP/9.9\r\n\r\n",
    b"PRI * HTTP/2.0",
]


def request(method: bytes, target: bytes, *headers: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([method + b" " + target + b" HTTP/1.1", b"Host: x", *headers, b"", body])


async def exchange(api: Api, raw: bytes, *, hang_up: bool = False) -> tuple[int, dict[str, str], bytes]:
    """The status, headers and body of the first answer to these bytes; status 0 when there is none."""
    address = urlsplit(str(api.client.base_url))
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(raw)
        if hang_up:
            writer.write_eof()
        received = await asyncio.wait_for(reader.read(), 20)
    except ConnectionError:
        return 0, {}, b""
    finally:
        writer.close()
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return (int(first.split()[1]) if first else 0), headers, body


def bearer(api: Api) -> bytes:
    return b"Authorization: Bearer " + api.key.encode()


@pytest.mark.parametrize("starts", [ADDRESSES, QUERIES], ids=["path", "query"])
async def test_odd_text_in_an_address_is_a_refusal_or_an_answer(api_server: Api, starts: list[bytes]) -> None:
    for start, odd in itertools.product(starts, [*ODD_TEXT, *CURSORS]):
        raw = request(b"GET", start + odd, bearer(api_server), b"Connection: close")
        status, headers, body = await exchange(api_server, raw)
        assert 200 <= status < 500 or status == 501, (start + odd, status, body)
        assert "x-evil" not in headers


async def test_a_lie_about_the_length_breaks_nothing(api_server: Api) -> None:
    for headers in LENGTHS:
        how = [bearer(api_server), b"Content-Type: application/json", *headers]
        raw = request(b"POST", b"/v1/keys", *how, body=BODY)
        status, _, body = await exchange(api_server, raw, hang_up=True)
        assert status < 500, (headers, body)
    assert (await api_server.get("/v1/health")).status == 200


async def test_an_odd_header_breaks_nothing(api_server: Api) -> None:
    for header in HEADERS:
        own = [] if header.startswith(b"Authorization") else [bearer(api_server)]
        how = [*own, header, b"Connection: close", b"Content-Length: %d" % len(BODY)]
        status, headers, body = await exchange(api_server, request(b"POST", b"/v1/keys", *how, body=BODY))
        assert 100 <= status < 500, (header, body)
        if headers.get("content-type") == "application/json":
            json.loads(body)


async def test_a_method_that_nobody_has_is_refused(api_server: Api) -> None:
    for method, target in itertools.product(METHODS, [b"/v1/posts", b"/", b"/v1/posts/x/publish"]):
        raw = request(method, target, bearer(api_server), b"Connection: close")
        status, headers, _ = await exchange(api_server, raw)
        assert status in (400, 404, 405), (method, target)
        assert "allow" in headers or status != 405


async def test_what_is_no_request_at_all_breaks_nothing(api_server: Api) -> None:
    for raw in NO_REQUESTS:
        status, _, _ = await exchange(api_server, raw, hang_up=True)
        assert status < 500
    assert (await api_server.get("/v1/health")).status == 200
