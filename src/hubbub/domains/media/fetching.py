"""Files that a request names by address: fetched before anything else is done, and kept like an upload or only looked at."""

from __future__ import annotations

import errno
import re
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import unquote

import anyio
import httpx2

from hubbub.domains.media import contents, rules
from hubbub.domains.media.store import MediaStore
from hubbub.errors import Refusal, Refused
from hubbub.errors.system import StorageFull
from hubbub.errors.validation import FieldInvalid
from hubbub.kit import media as looking
from hubbub.kit import net
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import Caller, open_work
from hubbub.social.draft import File

T = TypeVar("T")

REDIRECTS_MAX = 3
ADDRESSES_MAX = 20
"""How many different addresses one request may name."""
AT_ONCE = 4
SEEN_AS = ("image", "video", "audio")


async def bring_in(runtime: Runtime, caller: Caller, wanted: Mapping[str, str]) -> dict[str, str]:
    """Fetch addresses, each named by a field of the request, and say under which media id each is kept.

    What is here already with the same content is not kept twice. Raises Refused with everything that went
    wrong; whatever did arrive stays in the library.
    """
    kept, problems = await bring_in_each(runtime, caller, wanted)
    if problems:
        raise Refused([refusal for url in wanted for refusal in problems.get(url, [])])
    return kept


async def bring_in_each(
    runtime: Runtime, caller: Caller, wanted: Mapping[str, str], most: int = ADDRESSES_MAX
) -> tuple[dict[str, str], dict[str, list[Refusal]]]:
    """The same, one by one: the media id of each address, or what is wrong with it."""

    async def keep(url: str, field: str) -> str:
        return await fetch(runtime, caller, url, field)

    return await _each(wanted, keep, most)


@dataclass(frozen=True)
class LookedAt:
    """What is at addresses that were looked at, and what is wrong with the others."""

    files: Mapping[str, File] = dataclass_field(default_factory=dict[str, File])
    problems: Mapping[str, list[Refusal]] = dataclass_field(default_factory=dict[str, list[Refusal]])

    def file(self, url: str, field: str, alt: str) -> File | None:
        """None for an address that was not looked at. Raises Refused about `field` for one that will not do."""
        if url in self.problems:
            raise Refused([_about(problem, field) for problem in self.problems[url]])
        found = self.files.get(url)
        return replace(found, alt=alt) if found else None


async def look_at_each(runtime: Runtime, wanted: Mapping[str, str], most: int = ADDRESSES_MAX) -> LookedAt:
    """What is at each address, or what is wrong with it. Nothing is kept. Raises FieldInvalid for too many."""

    async def look(url: str, field: str) -> File:
        return await _look(runtime, url, field)

    return LookedAt(*await _each(wanted, look, most))


async def _each(
    wanted: Mapping[str, str], get: Callable[[str, str], Awaitable[T]], most: int
) -> tuple[dict[str, T], dict[str, list[Refusal]]]:
    """A few at a time. Raises FieldInvalid for more than `most`."""
    if len(wanted) > most:
        problem = f"may name {most} addresses in all; this has {len(wanted)}."
        raise FieldInvalid(field="media", problem=problem, reason="too_many", max=most, actual=len(wanted))
    got: dict[str, T] = {}
    problems: dict[str, list[Refusal]] = {}
    turns = anyio.Semaphore(AT_ONCE)

    async def one(url: str, field: str) -> None:
        async with turns:
            try:
                got[url] = await get(url, field)
            except Refused as several:
                problems[url] = several.refusals
            except Refusal as refusal:
                problems[url] = [refusal]

    async with anyio.create_task_group() as tasks:
        for url, field in wanted.items():
            tasks.start_soon(one, url, field)
    return got, problems


async def fetch(runtime: Runtime, caller: Caller, url: str, field: str) -> str:
    """Fetch one file whole or not at all, and return its media id.

    Raises FieldInvalid about `field` when it cannot be had, is too large, or is no picture, film or sound;
    and what `contents.upload` raises.
    """
    most = runtime.settings.fetch_max_bytes
    async with _arriving(runtime, url, field) as arriving:
        media_id = await contents.upload(
            runtime, caller, arriving.name, arriving.declared, arriving.chunks, field=field, most=most
        )
    async with open_work(runtime, caller) as work:
        media = await MediaStore(work).find(media_id)
        same = await MediaStore(work).same_content(media.sha256) if media and media.sha256 else None
    if media is not None and media.kind not in SEEN_AS:
        await contents.drop(runtime, caller, media_id)
        raise _not_seen(field, media.content_type)
    if same is not None and same != media_id:
        await contents.drop(runtime, caller, media_id)
        return str(same)
    return str(media_id)


async def _look(runtime: Runtime, url: str, field: str) -> File:
    """Fetch one file, look at it and throw it away. Raises as `fetch` does, but for what keeping it could raise."""
    most = runtime.settings.fetch_max_bytes
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "content"
        async with _arriving(runtime, url, field) as arriving:
            try:
                async with await anyio.open_file(place, "wb") as target:
                    async for chunk in contents.up_to(most, _too_large(field, most), arriving.chunks):
                        await target.write(chunk)
            except OSError as failure:
                if failure.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise StorageFull() from None
                raise
        try:
            found = await looking.probe(place)
        except looking.Unreadable as why:
            raise _refused(field, f"must be a whole file; this one is not. {why}", "unreadable") from None
    if found.size_bytes == 0:
        raise _refused(field, "must not be empty; there are no bytes in it.", "empty")
    content_type = rules.settled_type(arriving.declared, found)
    if found.kind not in SEEN_AS:
        raise _not_seen(field, content_type)
    return File(
        id=url, kind=found.kind, content_type=content_type, size_bytes=found.size_bytes,
        width=found.width, height=found.height, seconds=found.seconds, filename=arriving.name,
    )  # fmt: skip


@dataclass(frozen=True)
class Arriving:
    """A file on its way in."""

    name: str
    declared: str
    chunks: AsyncIterator[bytes]


@asynccontextmanager
async def _arriving(runtime: Runtime, url: str, field: str) -> AsyncGenerator[Arriving]:
    """What is at an address. Raises FieldInvalid when it cannot be had, or is taking too long."""
    try:
        with anyio.fail_after(runtime.settings.fetch_seconds):
            async with _asked(runtime, url, field) as response:
                _check(response, field, runtime.settings.fetch_max_bytes)
                declared = rules.mime(response.headers.get("content-type", "")) or rules.UNKNOWN_TYPE
                yield Arriving(_name(response.url), declared, response.aiter_raw())
    except net.Blocked as blocked:
        raise _refused(field, f"must be an address on the public internet. {blocked}", "blocked") from None
    except (httpx2.HTTPError, httpx2.StreamError):
        raise _refused(field, "must answer with a file; the connection failed.", "unreachable") from None
    except TimeoutError:
        seconds = runtime.settings.fetch_seconds
        raise _refused(field, f"must be fetched within {seconds:g} seconds; it was not.", "timeout") from None


@asynccontextmanager
async def _asked(runtime: Runtime, url: str, field: str) -> AsyncGenerator[httpx2.Response]:
    """The answer behind at most REDIRECTS_MAX redirects, each address checked anew when it is connected to."""
    client, allow = runtime.outbound, runtime.settings.allow_private_networks
    for _ in range(REDIRECTS_MAX + 1):
        net.examine(url, allow)
        request = client.build_request("GET", url, headers={"Accept": "*/*", "Accept-Encoding": "identity"})
        response = await client.send(request, stream=True)
        try:
            if response.next_request is None:
                yield response
                return
            url = str(response.next_request.url)
        finally:
            await response.aclose()
    raise _refused(field, f"must not be redirected more than {REDIRECTS_MAX} times.", "redirects")


def _check(response: httpx2.Response, field: str, most: int) -> None:
    if response.status_code != 200:
        status = response.status_code
        raise FieldInvalid(
            field=field, problem=f"must answer with a file; it answered {status}.",
            reason="unreachable", actual=status,
        )  # fmt: skip
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise _refused(field, "must answer with the file itself; it answered with a packed one.", "encoding")
    announced = response.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most:
        raise FieldInvalid(
            field=field, problem=f"must not be larger than {most} bytes; this one is.",
            reason="too_large", max=most, actual=int(announced), unit="bytes",
        )  # fmt: skip


def _name(url: httpx2.URL) -> str:
    return re.sub(r"[\x00-\x1f]", "", unquote(url.path).rsplit("/", 1)[-1]) or "file"


def _about(problem: Refusal, field: str) -> Refusal:
    """The same problem, told of another field."""
    return replace(cast(Any, problem), field=field) if isinstance(problem, FieldInvalid) else problem


def _too_large(field: str, most: int) -> FieldInvalid:
    return FieldInvalid(
        field=field, problem=f"must not be larger than {most} bytes; this one is.",
        reason="too_large", max=most, unit="bytes",
    )  # fmt: skip


def _not_seen(field: str, content_type: str) -> FieldInvalid:
    problem = f"must lead to a picture, film or sound; this is {content_type}."
    return FieldInvalid(field=field, problem=problem, reason="type", actual=content_type)


def _refused(field: str, problem: str, reason: str) -> FieldInvalid:
    return FieldInvalid(field=field, problem=problem, reason=reason)
