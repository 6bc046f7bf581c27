"""A small web site on this machine that files are fetched from."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Site(ThreadingHTTPServer):
    """A small web site: what is at a path, and what was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.files: dict[str, bytes] = {}
        self.moved: dict[str, str] = {}
        self.asked: list[str] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class Page(BaseHTTPRequestHandler):
    server: Site  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        path = self.path.partition("?")[0]
        if path in self.server.moved:
            self.send_response(302)
            self.send_header("Location", self.server.moved[path])
            self.end_headers()
            return
        content = self.server.files.get(path)
        self.send_response(200 if content is not None else 404)
        content = content or b""
        if "packed" in self.path:
            self.send_header("Content-Encoding", "gzip")
        if "unannounced" not in self.path:
            self.send_header("Content-Length", str(len(content) + ("cut" in self.path)))
        self.end_headers()
        try:
            self.wfile.write(content[:1000])
            self.wfile.flush()
            time.sleep(1 if "slow" in self.path else 0)
            self.wfile.write(content[1000:])
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def site() -> Iterator[Site]:
    server = Site()
    running = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    running.start()
    yield server
    server.shutdown()
    server.server_close()
    running.join()
