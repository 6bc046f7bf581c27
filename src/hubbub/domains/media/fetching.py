"""Files that a request names by address: fetched before anything else is done, and kept like an upload."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import unquote

import anyio
import httpx2

from hubbub.domains.media import contents, rules
from hubbub.domains.media.store import MediaStore
from hubbub.errors import Refusal, Refused
from hubbub.errors.validation import FieldInvalid
from hubbub.kit import net
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import Caller, open_work

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
    if len(wanted) > ADDRESSES_MAX:
        problem = f"may name {ADDRESSES_MAX} addresses in all; this has {len(wanted)}."
        raise FieldInvalid(field="media", problem=problem, reason="too_many", max=ADDRESSES_MAX)
    kept: dict[str, str] = {}
    problems: dict[str, list[Refusal]] = {}
    turns = anyio.Semaphore(AT_ONCE)

    async def one(url: str, field: str) -> None:
        async with turns:
            try:
                kept[url] = await fetch(runtime, caller, url, field)
            except Refused as several:
                problems[url] = several.refusals
            except Refusal as refusal:
                problems[url] = [refusal]

    async with anyio.create_task_group() as tasks:
        for url, field in wanted.items():
            tasks.start_soon(one, url, field)
    if problems:
        raise Refused([refusal for url in wanted for refusal in problems.get(url, [])])
    return kept


async def fetch(runtime: Runtime, caller: Caller, url: str, field: str) -> str:
    """Fetch one file whole or not at all, and return its media id.

    Raises FieldInvalid about `field` when it cannot be had, is too large, or is no picture, film or sound;
    and what `contents.upload` raises.
    """
    most = runtime.settings.fetch_max_bytes
    try:
        with anyio.fail_after(runtime.settings.fetch_seconds):
            async with _asked(runtime, url, field) as response:
                _check(response, field, most)
                declared = rules.mime(response.headers.get("content-type", "")) or rules.UNKNOWN_TYPE
                media_id = await contents.upload(
                    runtime,
                    caller,
                    _name(response.url),
                    declared,
                    response.aiter_raw(),
                    field=field,
                    most=most,
                )
    except net.Blocked as blocked:
        raise _refused(field, f"must be an address on the public internet. {blocked}", "blocked") from None
    except (httpx2.HTTPError, httpx2.StreamError):
        raise _refused(field, "must answer with a file; the connection failed.", "unreachable") from None
    except TimeoutError:
        seconds = runtime.settings.fetch_seconds
        raise _refused(field, f"must be fetched within {seconds:g} seconds; it was not.", "timeout") from None
    async with open_work(runtime, caller) as work:
        media = await MediaStore(work).find(media_id)
        same = await MediaStore(work).same_content(media.sha256) if media and media.sha256 else None
    if media is not None and media.kind not in SEEN_AS:
        await contents.drop(runtime, caller, media_id)
        problem = f"must lead to a picture, film or sound; this is {media.content_type}."
        raise FieldInvalid(field=field, problem=problem, reason="type", actual=media.content_type)
    if same is not None and same != media_id:
        await contents.drop(runtime, caller, media_id)
        return str(same)
    return str(media_id)


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


def _refused(field: str, problem: str, reason: str) -> FieldInvalid:
    return FieldInvalid(field=field, problem=problem, reason=reason)
