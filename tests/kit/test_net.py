from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import httpcore2
import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hubbub.kit import net

pytestmark = pytest.mark.anyio

LITERAL = """
127.0.0.1 127.1 127.0.1 127.255.255.254 0x7f.1 0x7f000001 0X7F.0.0.1 2130706433 017700000001 0177.0.0.1
0177.1 127.0.0.01 0.0.0.0 0 0. 127.0.0.1. 10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.1.1
100.64.0.1 100.127.255.255 100.100.100.200 169.254.0.1 169.254.169.254 0xa9fea9fe 2852039166 0251.254.169.254
192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.7 224.0.0.1
239.255.255.255 240.0.0.1 255.255.255.255 168.63.129.16 1.2.3 256.256.256.256 1.2.3.4.5 0x 1.0x
[::1] [::] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::ffff:8.8.8.8] [::ffff:0:127.0.0.1]
[::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b::127.0.0.1] [64:ff9b:1::a00:1] [2002:7f00:1::] [2002:a9fe:a9fe::1]
[2001:0:7f00:1::] [2001::1] [2001:2::1] [2001:10::1] [2001:20::1] [2001:db8::1] [3fff::1] [fc00::1]
[fd00:ec2::254] [fe80::1] [fe80::1%eth0] [fe80::1%25eth0] [2606:4700::1%251] [fec0::1] [ff02::1] [100::1]
[5f00::1] [4000::1] [::ffff:169.254.169.254]
""".split()  # noqa: SIM905
URLS = [
    "http://user@example.com/",
    "http://user:password@example.com/",
    "http://127.0.0.1@example.com/",
    "http://example.com@127.0.0.1/",
    "http://127.0.0.1:80\\@example.com/",
    "http://127。0。0。1/",
    "http://１２７.0.0.1/",
    "http://①②⑦.0.0.1/",
    "http://exa mple.com/",
    "http://a..b/",
    "http://-a.example/",
    "http:///etc/passwd",
    "http://",
    "file:///etc/passwd",
    "ftp://example.com/",
    "gopher://example.com/",
    "ws://example.com/",
    "//example.com/",
    "/path",
    "http://[::1",
    "http://[1:2]/",
    "http://[v1.x]/",
]
NAMES = {
    "localhost": ["127.0.0.1", "::1"],
    "localhost.": ["127.0.0.1"],
    "LOCALHOST": ["127.0.0.1"],
    "metadata.google.internal": ["169.254.169.254"],
    "rebinding.example": ["93.184.215.14", "127.0.0.1"],
    "six.example": ["2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::1"],
    "mapped.example": ["::ffff:10.0.0.1"],
    "nat64.example": ["64:ff9b::a00:1"],
    "scoped.example": ["fe80::1%2"],
    "xn--bcher-kva.example": ["192.168.0.1"],
    "bücher.example": ["192.168.0.1"],
    "a_b.example": ["10.0.0.1"],
    "nowhere.example": [],
}


QUICK = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody; reading the real list of authorities takes 30 ms a test."""


class Recorder(httpcore2.AsyncNetworkBackend):
    """Stands where the network would be, and remembers what reaches it."""

    def __init__(self) -> None:
        self.reached: list[tuple[str, int]] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        self.reached.append((host, port))
        raise httpcore2.ConnectError("recorded")


async def names(host: str, port: int) -> list[str]:
    return {name.lower(): found for name, found in NAMES.items()}.get(host.lower(), ["93.184.215.14"])


def watched(client: httpx2.AsyncClient, recorder: Recorder) -> httpx2.AsyncClient:
    backend = client._transport._pool._network_backend  # type: ignore[attr-defined]
    backend._inner = recorder
    return client


@asynccontextmanager
async def server(context: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A listener on 127.0.0.1 that answers a redirect; its port and the requests it got."""
    seen: list[bytes] = []

    async def answer(stream: anyio.abc.ByteStream) -> None:
        async with stream:
            if context:
                from anyio.streams.tls import TLSStream

                stream = await TLSStream.wrap(
                    stream, ssl_context=context, server_side=True, standard_compatible=False
                )
            request = b""
            while b"\r\n\r\n" not in request:
                request += await stream.receive()
            seen.append(request)
            await stream.send(
                b"HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/\r\n"
                b"Content-Length: 0\r\nConnection: close\r\n\r\n"
            )

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, answer)
        yield listener.extra(anyio.abc.SocketAttribute.local_port), seen
        tasks.cancel_scope.cancel()


def test_the_corpus_is_large_enough() -> None:
    assert len(LITERAL) + len(URLS) + len(NAMES) > 100


@pytest.mark.parametrize(
    "url", [f"http://{host}:8080/x" for host in LITERAL] + URLS + [f"https://{name}/" for name in NAMES]
)
async def test_nothing_is_connected_to_but_the_public_internet(url: str) -> None:
    recorder = Recorder()
    async with watched(net.outbound(resolve=names, verify=QUICK), recorder) as client:
        with pytest.raises((net.Blocked, httpx2.InvalidURL, httpx2.ConnectError, httpx2.UnsupportedProtocol)):
            await client.get(url)
    assert recorder.reached == []


@pytest.mark.parametrize("url", [f"https://{host}/" for host in LITERAL] + URLS)
def test_the_same_is_refused_when_it_is_entered(url: str) -> None:
    with pytest.raises(net.Blocked):
        net.examine(url)


@pytest.mark.parametrize(
    ("url", "reached"),
    [
        ("https://example.com/", ("93.184.215.14", 443)),
        ("http://8.8.8.8:81/", ("8.8.8.8", 81)),
        ("http://[2606:4700::1111]/", ("2606:4700::1111", 80)),
        ("https://1.example/", ("93.184.215.14", 443)),
        ("https://bücher.test/", ("93.184.215.14", 443)),
        ("http://172.32.0.1/", ("172.32.0.1", 80)),
        ("http://100.128.0.1/", ("100.128.0.1", 80)),
    ],
)
async def test_public_addresses_are_connected_to(url: str, reached: tuple[str, int]) -> None:
    recorder = Recorder()
    net.examine(url)
    async with watched(net.outbound(resolve=names, verify=QUICK), recorder) as client:
        with pytest.raises(httpx2.ConnectError, match="recorded"):
            await client.get(url)
    assert recorder.reached == [reached]


async def test_a_name_is_asked_for_once_and_the_answer_is_what_is_connected_to() -> None:
    answers = [["93.184.215.14"], ["127.0.0.1"]]
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    recorder = Recorder()
    async with watched(net.outbound(resolve=rebinding, verify=QUICK), recorder) as client:
        with pytest.raises(httpx2.ConnectError, match="recorded"):
            await client.get("https://rebinding.example/")
        with pytest.raises(net.Blocked):
            await client.get("https://rebinding.example/")
    assert recorder.reached == [("93.184.215.14", 443)]


async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    async def two(host: str, port: int) -> list[str]:
        return ["2606:4700::1111", "8.8.8.8"]

    recorder = Recorder()
    async with watched(net.outbound(resolve=two, verify=QUICK), recorder) as client:
        with pytest.raises(httpx2.ConnectError):
            await client.get("https://two.example/")
    assert [host for host, _ in recorder.reached] == ["2606:4700::1111", "8.8.8.8"]


async def test_a_real_listener_on_this_machine_is_not_reached() -> None:
    async with server() as (port, seen), net.outbound() as client:
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
            with pytest.raises(net.Blocked):
                await client.get(f"http://{host}:{port}/")
    assert seen == []


async def test_what_the_operator_allows_is_reached_and_redirects_are_left_to_the_caller() -> None:
    async with server() as (port, seen), net.outbound(allow=["127.0.0.0/8"]) as client:
        answer = await client.get(f"http://127.0.0.1:{port}/x")
        assert answer.status_code == 302
        with pytest.raises(net.Blocked):
            await client.get(f"http://127.0.0.1:{port}/x", follow_redirects=True)
        with pytest.raises(net.Blocked):
            await client.get("http://10.0.0.1/")
    assert len(seen) == 2
    net.examine("http://127.0.0.1/", allow=["127.0.0.0/8"])


async def test_everything_may_be_allowed() -> None:
    async with server() as (port, seen), net.outbound(allow_private=True) as client:
        assert (await client.get(f"http://localhost:{port}/")).status_code == 302
    assert len(seen) == 1


async def test_proxies_from_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with server() as (port, seen):
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{port}")
        recorder = Recorder()
        async with watched(net.outbound(resolve=names, verify=QUICK), recorder) as client:
            with pytest.raises(httpx2.ConnectError, match="recorded"):
                await client.get("http://example.com/")
    assert seen == []
    assert recorder.reached == [("93.184.215.14", 80)]


async def test_tls_and_host_keep_the_name_although_the_address_is_pinned(tmp_path: Path) -> None:
    certificate, key = certified(tmp_path, "hooks.example")
    ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ours.load_cert_chain(certificate, key)
    shown: list[str | None] = []
    ours.sni_callback = lambda _, name, __: shown.append(name)
    theirs = ssl.create_default_context(cafile=str(certificate))

    async def here(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async with (
        server(ours) as (port, seen),
        net.outbound(allow=["127.0.0.1"], verify=theirs, resolve=here) as client,
    ):
        assert (await client.get(f"https://hooks.example:{port}/x")).status_code == 302
        with pytest.raises(httpx2.ConnectError, match="certificate"):
            await client.get(f"https://other.example:{port}/x")
    assert shown[0] == "hooks.example"
    assert f"Host: hooks.example:{port}".encode().lower() in seen[0].lower()


def certified(folder: Path, name: str) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return paths


def test_the_table_agrees_with_the_standard_library_where_that_is_stricter() -> None:
    for text in ("8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450::1"):
        assert net.is_public(ipaddress.ip_address(text))
    for network in (*net.PRIVATE_V4, *net.PRIVATE_V6):
        assert not net.is_public(network[0])
        assert not net.is_public(network[-1])
