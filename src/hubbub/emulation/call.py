"""One request as the platform sees it, and what it answers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
DISPOSITION = re.compile(r'(?<![\w*])(name|filename)="((?:[^"\\]|\\.)*)"')


class BadJson(ValueError):
    """The body is not JSON. Uncaught, it becomes `Emulator.bad_json`."""


@dataclass(frozen=True)
class Upload:
    """One file of a multipart body."""

    name: str
    filename: str
    content_type: str
    data: bytes


@dataclass(frozen=True)
class Call:
    """A request below the platform's mount; header names are lower case, paths and queries are decoded."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    base_url: str = ""
    raw_query: str = ""

    def many(self, name: str) -> list[str]:
        """Every value of a query parameter that may be repeated (`uris=a&uris=b`), in order."""
        return [v for k, v in parse_qsl(self.raw_query, keep_blank_values=True) if k == name]

    @cached_property
    def json(self) -> Any:
        """The body as JSON. Raises BadJson, also when it is empty."""
        try:
            return json.loads(self.body)
        except ValueError as broken:
            raise BadJson(str(broken)) from broken

    @cached_property
    def form(self) -> dict[str, str]:
        """The fields of an urlencoded or multipart body, without files; {} for any other body."""
        if self._kind == "application/x-www-form-urlencoded":
            return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))
        return {p.name: p.data.decode("utf-8", "replace") for p in self._parts if not p.filename}

    @cached_property
    def files(self) -> list[Upload]:
        """The files of a multipart body, in order; [] for any other body."""
        return [part for part in self._parts if part.filename]

    @property
    def _kind(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @cached_property
    def _parts(self) -> list[Upload]:
        boundary = BOUNDARY.search(self.headers.get("content-type", ""))
        if self._kind != "multipart/form-data" or boundary is None:
            return []
        mark = b"--" + boundary[1].encode()
        pieces = (b"\r\n" + self.body).split(b"\r\n" + mark)[1:]
        return [_part(piece[2:]) for piece in pieces if not piece.startswith(b"--")]


@dataclass
class Reply:
    """An answer: dict and list leave as JSON, str and bytes as they are, None as an empty body."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def content(self) -> tuple[bytes, str | None]:
        """The bytes and the content type they have unless a header says otherwise."""
        if self.body is None:
            return b"", None
        if isinstance(self.body, bytes):
            return self.body, "application/octet-stream"
        if isinstance(self.body, str):
            return self.body.encode(), "text/html; charset=utf-8"
        return json.dumps(
            self.body, ensure_ascii=False, separators=(",", ":")
        ).encode(), "application/json; charset=utf-8"


class Refuse(Exception):
    """Raised anywhere below a handler: answer with this reply and go no further."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def _part(piece: bytes) -> Upload:
    head, _, data = piece.partition(b"\r\n\r\n")
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    said = dict(DISPOSITION.findall(headers.get("content-disposition", "")))
    plain = {key: re.sub(r"\\(.)", r"\1", value) for key, value in said.items()}
    return Upload(
        plain.get("name", ""), plain.get("filename", ""), headers.get("content-type", "text/plain"), data
    )
