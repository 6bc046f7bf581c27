"""Use-cases of the library, and what posts and connectors need from it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from hubbub.domains.media import contents, rules, store
from hubbub.domains.media.copies import changed as changed
from hubbub.domains.media.fetching import LookedAt
from hubbub.domains.media.fetching import bring_in as bring_in
from hubbub.domains.media.fetching import bring_in_each as bring_in_each
from hubbub.domains.media.fetching import look_at_each as look_at_each
from hubbub.domains.media.links import Links, refused
from hubbub.domains.media.rules import Media, Usage
from hubbub.domains.media.store import MediaStore
from hubbub.errors import Refusal, Refused
from hubbub.errors.publishing import MediaUnavailable, UnsupportedSource
from hubbub.errors.resource import MediaInUse, MediaNotFound
from hubbub.errors.system import HttpError
from hubbub.errors.validation import FieldInvalid
from hubbub.kit import clock, ids
from hubbub.runtime.blobs import Missing
from hubbub.runtime.lists import invalid_cursor
from hubbub.runtime.process import Runtime
from hubbub.runtime.routes import Upload
from hubbub.runtime.work import Caller, Work
from hubbub.social.draft import File

in_use_checks: list[Callable[[Work, UUID], Awaitable[list[str]]]] = []
"""Asked before a file is deleted: the ids of what still needs it. Whoever uses media adds one."""


LINK_FOR_PLATFORMS = 3600.0
"""Seconds a platform has to fetch a file."""


@dataclass(frozen=True)
class MediaRef:
    """A file as a request names it."""

    source_type: str
    """`media_id`, `url` or `platform_attachment_id`."""
    source: str
    alt_text: str | None = None
    field: str = "media"
    """Where in the request it stands, as in `targets[1].media[0]`."""


@dataclass(frozen=True)
class Content:
    """A stored file, or a range of it, to be sent as it is."""

    media: Media
    chunks: AsyncIterator[bytes]
    span: tuple[int, int] | None = None
    """The first byte, and the one after the last."""


NOTHING_LOOKED_AT = LookedAt()


async def attach(work: Work, refs: Sequence[MediaRef], looked_at: LookedAt = NOTHING_LOOKED_AT) -> list[File]:
    """The files a post names, in its order; none of them can be deleted before the caller commits.

    Raises Refused with everything that is wrong: FieldInvalid for what is unknown, not ready or another
    workspace's and for a `url` that was not looked at (`bring_in` or `look_at_each` comes first),
    UnsupportedSource for a `platform_attachment_id`.
    """
    parsed = [(ref, ids.as_uuid(ref.source) if ref.source_type == "media_id" else None) for ref in refs]
    found = await MediaStore(work).keep({media_id for _, media_id in parsed if media_id})
    files: list[File] = []
    problems: list[Refusal] = []
    for ref, media_id in parsed:
        try:
            media = found.get(media_id) if media_id else None
            seen = as_file(media, alt=ref.alt_text or "") if media else _looked_at(ref, looked_at)
        except Refused as several:
            problems += several.refusals
        else:
            files.append(seen)
    if problems:
        raise Refused(problems)
    return files


def _looked_at(ref: MediaRef, looked_at: LookedAt) -> File:
    """Raises Refused."""
    is_address = ref.source_type == "url"
    file = looked_at.file(ref.source, ref.field, ref.alt_text or "") if is_address else None
    if file is None:
        raise Refused([_unusable(ref)])
    return file


def _unusable(ref: MediaRef) -> Refusal:
    if ref.source_type == "platform_attachment_id":
        return UnsupportedSource(field=ref.field)
    if ref.source_type == "url":
        problem = "must be an uploaded file; upload what is at this address first and name its media id."
        return FieldInvalid(field=ref.field, problem=problem, reason="unsupported", allowed=["media_id"])
    if ref.source_type != "media_id":
        problem = "must have a source_type that exists; this one does not."
        return FieldInvalid(field=ref.field, problem=problem, reason="unknown", allowed=["media_id"])
    problem = "must name a ready file of the media library; there is none with this id."
    return FieldInvalid(field=ref.field, problem=problem, reason="unknown", media_id=ref.source)


def as_file(media: Media, alt: str = "") -> File:
    return File(
        id=str(media.id),
        kind=media.kind or "file",
        content_type=media.content_type,
        size_bytes=media.size_bytes,
        width=media.width,
        height=media.height,
        seconds=media.seconds,
        alt=alt,
        filename=media.filename,
    )


def opener(runtime: Runtime) -> Callable[[File], AsyncIterator[bytes]]:
    """How connectors read files: the chunks of one, without a transaction held open meanwhile.

    The first step raises MediaUnavailable when the file or its content is gone.
    """

    async def read(file: File) -> AsyncIterator[bytes]:
        media_id = ids.as_uuid(file.id)
        async with runtime.database.begin() as db:
            media = await store.anyones(db, media_id) if media_id else None
        if media is None or media.status != "ready" or media.blob_key is None:
            raise MediaUnavailable(media_id=file.id)
        try:
            async for chunk in runtime.blobs.open(media.blob_key):
                yield chunk
        except Missing:
            raise MediaUnavailable(media_id=file.id) from None

    return read


def public_url(
    runtime: Runtime, file_id: str, seconds: float, now: Callable[[], datetime] = clock.now
) -> str:
    """An address at which a platform can fetch a file for so many seconds.

    Raises ValueError when `public_url` is not set: then nobody outside can reach us.
    """
    base = runtime.settings.public_url
    if base is None:
        raise ValueError("HUBBUB_PUBLIC_URL is not set, so platforms cannot fetch media from here")
    return Links(runtime.settings).address(base, "GET", UUID(file_id), "", now(), seconds)[0]


def linker(runtime: Runtime, now: Callable[[], datetime] = clock.now) -> Callable[[File], str]:
    """Where platforms that fetch media themselves find a file, for an hour from `now`.

    Raises MediaUnavailable when nobody outside can reach us, for want of a public address.
    """

    def link(file: File) -> str:
        try:
            return public_url(runtime, file.id, LINK_FOR_PLATFORMS, now)
        except ValueError:
            raise MediaUnavailable(media_id=file.id) from None

    return link


async def upload_url(work: Work, base_url: str, media_type: str, filename: str) -> tuple[UUID, str, datetime]:
    """A new pending file, and the address its content is to be PUT to until the moment given.

    Raises FieldInvalid for what is not a media type, and StorageQuota.
    """
    declared = rules.mime(media_type)
    if declared is None:
        problem = "must be a media type such as image/jpeg; this is none."
        raise FieldInvalid(field="media_type", problem=problem, reason="format")
    made, blobs = ids.new_uuid(), work.runtime.blobs
    incoming = rules.new_key(work.workspace_id, made)
    direct = await blobs.upload_address(incoming, rules.LINK_SECONDS)
    media_id = await contents.expect(
        work, filename, declared, media_id=made, incoming_key=incoming if direct else None
    )
    if direct:
        return media_id, direct, (work.now + timedelta(seconds=rules.LINK_SECONDS)).replace(microsecond=0)
    url, expires_at = Links(work.runtime.settings).address(
        base_url, "PUT", media_id, declared, work.now, rules.LINK_SECONDS
    )
    return media_id, url, expires_at


async def put_content(runtime: Runtime, media_id: str, expires: str, signature: str, upload: Upload) -> None:
    """Take what is PUT to a signed address.

    Raises HttpError: 403 for an address that is not ours or has expired, 415 for another type than was
    declared; and what `contents.write` raises.
    """
    media = await _signed_for(runtime, "PUT", media_id, expires, signature)
    if rules.mime(upload.content_type) != media.declared_type:
        problem = f"The Content-Type must be {media.declared_type}, as declared; this one is not."
        raise HttpError(status_code=415, problem=problem)
    await contents.write(runtime, Caller(workspace_id=media.workspace_id), media.id, upload.chunks)


async def read_content(
    runtime: Runtime, media_id: str, expires: str, signature: str, asked: str | None = None
) -> Content:
    """What is at a signed address, or the range of it that is `asked` for (a `Range` header).

    Raises HttpError 403 for an address that is not ours or has expired, 416 for a range that is not there;
    MediaNotFound when it is gone.
    """
    media = await _signed_for(runtime, "GET", media_id, expires, signature)
    if media.status != "ready" or media.blob_key is None:
        raise MediaNotFound(id=media_id)
    try:
        await runtime.blobs.size(media.blob_key)
        span = rules.byte_range(asked, media.size_bytes)
    except Missing:
        raise MediaNotFound(id=media_id) from None
    except IndexError:
        problem = f"A range must begin within the file's {media.size_bytes} bytes; this one does not."
        raise HttpError(status_code=416, problem=problem, max=media.size_bytes) from None
    return Content(media, runtime.blobs.open(media.blob_key, *(span or ())), span)


async def _signed_for(runtime: Runtime, purpose: str, text: str, expires: str, signature: str) -> Media:
    media_id = ids.as_uuid(text)
    if media_id is None:
        raise refused()
    async with runtime.database.begin() as db:
        media = await store.anyones(db, media_id)
    links = Links(runtime.settings)
    if purpose == "GET":
        links.check("GET", media_id, "", expires, signature, clock.now())
    elif media is not None:
        links.check("PUT", media_id, media.declared_type, expires, signature, clock.now())
    if media is None:
        raise MediaNotFound(id=text) if purpose == "GET" else refused()
    return media


async def verify(runtime: Runtime, caller: Caller, media_id: str) -> None:
    """Look at an uploaded file and make it ready. See `contents.verify`."""
    found = ids.as_uuid(media_id)
    if found is None:
        raise MediaNotFound(id=media_id)
    await contents.verify(runtime, caller, found, field="media_id")


async def library(
    work: Work, base_url: str, limit: int, cursor: str | None
) -> tuple[list[tuple[Media, str]], str | None]:
    """One page of ready files, newest first, each with an address to look at it; and where the next begins.

    Raises FieldInvalid for a cursor that is not a file of ours.
    """
    after = ids.as_uuid(cursor) if cursor else None
    found = await MediaStore(work).page(limit, after) if after or not cursor else None
    if found is None:
        raise invalid_cursor()
    links = Links(work.runtime.settings)
    shown = [
        (media, links.address(base_url, "GET", media.id, "", work.now, rules.LINK_SECONDS)[0])
        for media in found[:limit]
    ]
    return shown, str(found[limit - 1].id) if len(found) > limit else None


async def usage(work: Work) -> Usage:
    """What the workspace stores, and how much its plan allows."""
    return await contents.usage_of(work)


async def delete(work: Work, media_id: str) -> None:
    """Delete a file; its content goes after the commit. Raises MediaNotFound, and MediaInUse while needed."""
    found = ids.as_uuid(media_id)
    media = await MediaStore(work).find(found, lock=True) if found else None
    if media is None or media.source_id is not None:
        raise MediaNotFound(id=media_id)
    needed_by = [post_id for check in in_use_checks for post_id in await check(work, media.id)]
    if needed_by:
        raise MediaInUse(post_ids=needed_by, id=media_id)
    await MediaStore(work).delete(media.id)
    await work.nudge(contents.DELETED)
