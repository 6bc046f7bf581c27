"""One suite over every platform: each test runs for every backend that a platform has."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx2
import pytest

from hubbub.connector.registry import Registry
from hubbub.emulation.testing import running_sandbox

from . import proofs
from .backends import Backend, RealPds, StandIn, transport_for
from .stage import Member, Stage

PLATFORMS = Registry()
REAL = {"bluesky": (RealPds, "pds")}
"""Platforms whose real server the suite can start: the backend, and the fixture that starts it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record-proofs", action="store_true", help="write contract/proofs.json")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.import_plugin("real.pds.fixtures")
    if config.getoption("--record-proofs", default=False):
        config.pluginmanager.register(proofs.Recorder())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`backend` is every platform's stand-in and real server, `stand_in` only the first, `found` the folder;
    `form` adds each format, `entry` each refusal."""
    wanted = set(metafunc.fixturenames)
    if "backend" in wanted:
        kinds = [(name, kind) for name in PLATFORMS for kind in _kinds(name)]
    elif "stand_in" in wanted:
        kinds = [(name, "stand-in") for name in PLATFORMS]
    else:
        kinds = [(name, "facts") for name in PLATFORMS]
    if "form" in wanted:
        cases = [(*kind, form) for kind in kinds for form in PLATFORMS[kind[0]].facts.formats]
        _parametrize(metafunc, ("which", "form"), cases)
    elif "entry" in wanted:
        cases = [(*kind, entry) for kind in kinds for entry in PLATFORMS[kind[0]].refusals.entries]
        _parametrize(metafunc, ("which", "entry"), cases)
    elif wanted & {"which", "found", "stage"}:
        _parametrize(metafunc, ("which",), kinds)


def _kinds(name: str) -> list[str]:
    return ["stand-in", "real"] if name in REAL else ["stand-in"]


def _parametrize(metafunc: pytest.Metafunc, names: tuple[str, ...], cases: list[tuple[Any, ...]]) -> None:
    values = [
        pytest.param(
            *((case[0], case[1]), *case[2:])[: len(names)],
            id="-".join(str(getattr(part, "name", part)) for part in case if part != "facts"),
            marks=[pytest.mark.real] if case[1] == "real" else [],
        )
        for case in cases
    ]
    metafunc.parametrize(names, values)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[str]:
    with running_sandbox() as root:
        yield root


@pytest.fixture
def found(which: tuple[str, str]) -> Any:
    return PLATFORMS[which[0]]


@pytest.fixture
def backend(which: tuple[str, str], request: pytest.FixtureRequest) -> Iterator[Backend]:
    """The platform as it is at the beginning: nobody there but those who always are, and no faults."""
    name, kind = which
    if kind == "real":
        made, fixture = REAL[name]
        backend: Backend = made(PLATFORMS[name], request.getfixturevalue(fixture))
    else:
        backend = StandIn(PLATFORMS[name], request.getfixturevalue("sandbox"))
    backend.reset()
    yield backend
    backend.close()


@pytest.fixture
def stand_in(which: tuple[str, str], sandbox: str) -> Iterator[StandIn]:
    made = StandIn(PLATFORMS[which[0]], sandbox)
    made.reset()
    yield made
    made.close()


@pytest.fixture
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    name = "backend" if "backend" in request.fixturenames else "stand_in"
    backend: Backend = request.getfixturevalue(name)
    async with httpx2.AsyncClient(
        transport=transport_for(backend), trust_env=False, follow_redirects=False
    ) as client:
        made = Stage(backend, client)
        async with made.shelf.served():
            yield made


@pytest.fixture
async def member(stage: Stage) -> Member:
    return await stage.sign_in()


@pytest.fixture
def nowhere() -> str:
    """An address on this machine where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
async def stranger() -> AsyncIterator[str]:
    """A server that answers everything with 200 and an empty JSON object."""
    async with answering(lambda request: (200, b"{}")) as url:
        yield url


@pytest.fixture
async def parrot() -> AsyncIterator[str]:
    """A server that refuses everything and repeats what it was sent, its headers or its body first."""
    async with answering(lambda request: (400, _repeated(request))) as url:
        yield url


def _repeated(request: bytes) -> bytes:
    head, _, body = request.partition(b"\r\n\r\n")
    secret_first = sorted(head.split(b"\r\n"), key=lambda line: not line.lower().startswith(b"authorization"))
    return b"\n".join([body, *secret_first] if b"authorization" not in head.lower() else secret_first)


@contextlib.asynccontextmanager
async def answering(say: Callable[[bytes], tuple[int, bytes]]) -> AsyncIterator[str]:
    """A server that gives every request a status and a body; `say` is given all of the request."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        status, body = say(head + await reader.readexactly(int(length[1]) if length else 0))
        writer.write(f"HTTP/1.1 {status} Said\r\ncontent-length: {len(body)}\r\n".encode())
        writer.write(b"connection: close\r\n\r\n" + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
def proves(which: tuple[str, str], request: pytest.FixtureRequest) -> Callable[..., None]:
    """Say first what a test proves, as `publishes:text`; it counts when every test that says so passes."""

    def claim(*names: str) -> None:
        request.node.user_properties.extend((proofs.PROPERTY, [*which, name]) for name in names)

    return claim
