"""A bad line between a client and the API: it passes requests on and loses answers."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import httpx2

Trouble = Literal["late", "cut", "bad gateway"]
"""What happens to an answer: it never comes, the connection ends without it, a gateway answers instead."""

OF_A_CONNECTION = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}


@dataclass
class Line:
    to: str
    browser: httpx2.Client
    url: str = ""
    passed: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    """Every request that reached the API, as "METHOD /path", and the status it was answered with."""
    troubles: list[tuple[str, Trouble]] = field(default_factory=list[tuple[str, Trouble]])
    closing: threading.Event = field(default_factory=threading.Event)

    def lose(self, request: str, how: Trouble) -> None:
        """Lose the answer to the next such request ("METHOD /path")."""
        self.troubles.append((request, how))

    def answers(self, request: str) -> list[int]:
        """The statuses the API answered such requests with, in order."""
        return [status for seen, status in self.passed if seen == request]

    def trouble_with(self, request: str) -> Trouble | None:
        for trouble in self.troubles:
            if trouble[0] == request:
                self.troubles.remove(trouble)
                return trouble[1]
        return None


@contextlib.contextmanager
def bad_line(to: str, browser: httpx2.Client) -> Generator[Line]:
    line = Line(to, browser)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(line))
    line.url = f"http://127.0.0.1:{server.server_port}"
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    serving.start()
    try:
        yield line
    finally:
        line.closing.set()
        server.shutdown()
        serving.join()
        server.server_close()


def _handler(line: Line) -> type[BaseHTTPRequestHandler]:
    class Passing(BaseHTTPRequestHandler):
        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {
                name: value for name, value in self.headers.items() if name.lower() not in OF_A_CONNECTION
            }
            answer = line.browser.request(self.command, line.to + self.path, content=body, headers=headers)
            request = f"{self.command} {self.path.partition('?')[0]}"
            trouble = line.trouble_with(request)
            line.passed.append((request, answer.status_code))
            if trouble == "late":
                line.closing.wait(60)
            elif trouble is None:
                self.reply(answer.status_code, answer.headers, answer.content)
            elif trouble == "bad gateway":
                self.reply(502, {"content-type": "text/html"}, b"<h1>Bad Gateway</h1>")

        do_GET = do_POST = do_DELETE = do_PATCH = pass_on  # noqa: N815 - the base class looks them up

        def reply(self, status: int, headers: Any, body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in OF_A_CONNECTION:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Passing
