"""One request on its way to its handler: what it carries, and what the handler makes of it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from hubbub.runtime.process import Runtime
from hubbub.runtime.routes import Route, Upload
from hubbub.runtime.work import Caller, Work, open_work
from hubbub.surfaces.api import answers, reading


@dataclass
class Call:
    runtime: Runtime
    route: Route
    caller: Caller
    wanted: frozenset[str]
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    path: str
    query_string: bytes
    raw: bytes
    given: dict[str, Any]
    """What the handler may ask for, by name."""

    async def answer(self) -> answers.Answer:
        """The whole of it, in one transaction where the handler asks for one."""
        await self.prepare()
        if "work" not in self.wanted:
            return await self.go(None)
        async with open_work(self.runtime, self.caller, snapshot=self.route.snapshot) as work:
            return await self.go(work)

    async def prepare(self) -> None:
        """Read what the request carries. Raises Refused with everything that is wrong."""
        if self.query:
            self.given["query"] = reading.query_of(self.query_string, self.query)
        if self.body:
            self.given["body"] = reading.body_from(self.raw, self.body)
            if self.route.first is not None:
                self.given["body"] = await self.route.first(self.runtime, self.caller, self.given["body"])

    async def go(self, work: Work | None) -> answers.Answer:
        """Call the handler, and encode what it returns: what cannot be answered must not have happened."""
        if work is not None:
            self.given["work"] = work
        result = await self.route.handler(**{name: self.given[name] for name in self.wanted})
        return answers.of(result, self.route)


class Fingerprint:
    """What tells a request from another one with the same key: its query and its body, or its file."""

    def __init__(self, call: Call) -> None:
        self._digest = hashlib.sha256(call.query_string + b"\0" + call.raw)
        self._rest: AsyncIterator[bytes] | None = None
        upload: Upload | None = call.given.get("upload")
        if upload is not None:
            self._digest.update(f"{upload.filename}\0{upload.content_type}\0".encode())
            self._rest = self._passing(upload.chunks)
            call.given["upload"] = replace(upload, chunks=self._rest)

    async def _passing(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            self._digest.update(chunk)
            yield chunk
        self._rest = None

    @property
    def is_whole(self) -> bool:
        """Whether everything was read; a handler that refuses a file may not have read it to its end."""
        return self._rest is None

    async def digest(self) -> bytes:
        """Reads what was not read yet."""
        if self._rest is not None:
            async for _ in self._rest:
                pass
        return self._digest.digest()
