"""The load generator, a process of its own: keeps N connections busy and counts. Bare asyncio, no HTTP library.

`python -m bench.load` reads its orders as JSON from standard input and writes what it counted to standard output.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvloop

WARM_UP = 0.7
"""Seconds at the beginning that do not count."""


@dataclass(frozen=True)
class Orders:
    """`body` may hold `@N@`, which every request replaces by another number."""

    url: str
    key: str
    connections: int
    seconds: float
    method: str = "GET"
    body: str = ""
    first_number: int = 0
    keyed: bool = False
    """Whether every request has an `Idempotency-Key` of its own."""


@dataclass(frozen=True)
class Counted:
    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    failures: int
    cpu_ms: float
    """CPU of the generator itself for one request: whether it is what limits."""

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


class Connection(asyncio.Protocol):
    """One keep-alive connection: the next request leaves when the answer is whole."""

    def __init__(self, next_request: Callable[[], bytes], tell: Callable[[float, bool], None]) -> None:
        self.next_request = next_request
        self.tell = tell
        self.received = b""
        self.wanted = -1
        self.began = 0.0
        self.stopping = False
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.send()

    def send(self) -> None:
        self.received, self.wanted = b"", -1
        self.began = time.perf_counter()
        self.transport.write(self.next_request())

    def data_received(self, data: bytes) -> None:
        self.received += data
        if self.wanted < 0:
            head, found, _ = self.received.partition(b"\r\n\r\n")
            if not found:
                return
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            self.wanted = len(head) + 4 + int(length)
        if len(self.received) >= self.wanted:
            self.tell(time.perf_counter() - self.began, self.received[9:10] == b"2")
            self.transport.close() if self.stopping else self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)


async def _generate(orders: Orders) -> Counted:
    parts = urlsplit(orders.url)
    assert parts.hostname
    assert parts.port
    host, port = parts.hostname, parts.port
    numbers = itertools.count(orders.first_number)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    head = (
        f"{orders.method} {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {orders.key}\r\n"
    )

    def next_request() -> bytes:
        if not orders.body:
            return f"{head}\r\n".encode()
        number = next(numbers)
        body = orders.body.replace("@N@", str(number)).encode()
        key = f"Idempotency-Key: bench-{number}\r\n" if orders.keyed else ""
        return (
            f"{head}{key}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )

    took: list[float] = []
    failures = 0

    def tell(seconds: float, is_good: bool) -> None:
        nonlocal failures
        took.append(seconds)
        failures += not is_good

    loop = asyncio.get_running_loop()
    made: list[Connection] = []
    for _ in range(orders.connections):
        _, one = await loop.create_connection(lambda: Connection(next_request, tell), host, port)
        made.append(one)
    await asyncio.sleep(WARM_UP)
    took.clear()
    began, cpu = time.perf_counter(), _cpu()
    await asyncio.sleep(orders.seconds)
    seconds, cpu = time.perf_counter() - began, _cpu() - cpu
    counted = sorted(took)
    for one in made:
        one.stopping = True
    await asyncio.wait([one.closed for one in made], timeout=30)
    count = max(1, len(counted))
    return Counted(
        requests=len(counted),
        seconds=seconds,
        p50_ms=1000 * _quantile(counted, 0.50),
        p99_ms=1000 * _quantile(counted, 0.99),
        failures=failures,
        cpu_ms=1000 * cpu / count,
    )


def _quantile(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def generate(orders: Orders) -> Counted:
    """Run the generator in a process of its own until it has counted. Raises RuntimeError when a request failed."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=json.dumps(asdict(orders)).encode(),
        stdout=subprocess.PIPE,
        check=True,
        cwd=Path(__file__).parent.parent,
    )
    counted = Counted(**json.loads(done.stdout))
    if counted.failures:
        raise RuntimeError(f"{counted.failures} of {counted.requests} requests to {orders.url} failed")
    return counted


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(uvloop.run(_generate(Orders(**json.load(sys.stdin)))))))
