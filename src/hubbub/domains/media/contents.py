"""Content coming in: written, looked at, and refused without a trace. Never inside one long transaction."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import anyio

from hubbub.domains.media import rules, store
from hubbub.domains.media.store import MediaStore
from hubbub.domains.workspaces.service import PLAN
from hubbub.errors import Refusal
from hubbub.errors.billing import StorageQuota
from hubbub.errors.resource import Conflict, MediaNotFound
from hubbub.errors.system import HttpError
from hubbub.errors.validation import FieldInvalid
from hubbub.kit import clock, ids
from hubbub.kit import media as looking
from hubbub.runtime import log
from hubbub.runtime.blobs import Blobs, DiskBlobs, Missing
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import Caller, Work, open_work

SWEPT_AT_ONCE = 100

_logger = log.logger("media")


async def expect(work: Work, name: str, declared_type: str) -> UUID:
    """A new pending file. Raises StorageQuota when there is no room for even one byte."""
    usage = await MediaStore(work).usage(work.runtime.settings.storage_limit_bytes)
    if usage.room_bytes == 0:
        raise over_quota(usage)
    media_id = ids.new_uuid()
    await MediaStore(work).add(media_id, filename=rules.filename(name), declared_type=declared_type)
    return media_id


async def upload(
    runtime: Runtime, caller: Caller, name: str, declared_type: str, chunks: AsyncIterator[bytes]
) -> UUID:
    """Take a whole file in; it is ready when this returns, and nothing of it is kept when this raises.

    Raises FieldInvalid for a file that is too large, empty or damaged, StorageQuota, and HttpError 507 for a
    full disk.
    """
    most = runtime.settings.max_upload_bytes
    too_large = FieldInvalid(
        field="file", problem=f"must not be larger than {most} bytes; this one is.",
        reason="too_large", max=most, unit="bytes",
    )  # fmt: skip
    async with open_work(runtime, caller) as work:
        media_id = await expect(work, name, rules.mime(declared_type) or rules.UNKNOWN_TYPE)
    try:
        await write(runtime, caller, media_id, _up_to(most, too_large, chunks))
        await verify(runtime, caller, media_id, field="file")
    except BaseException:
        with anyio.CancelScope(shield=True):
            await _discard(runtime, caller, media_id)
        raise
    return media_id


async def write(runtime: Runtime, caller: Caller, media_id: UUID, chunks: AsyncIterator[bytes]) -> None:
    """Store the content of a pending file; what it had before is replaced. A failure changes nothing.

    Raises Conflict when the file no longer waits for content, StorageQuota as soon as too much has arrived,
    and HttpError 507 for a full disk.
    """
    async with open_work(runtime, caller) as work:
        files = MediaStore(work)
        usage = await files.usage(runtime.settings.storage_limit_bytes)
        key = rules.new_key(work.workspace_id, media_id)
        before = await files.find(media_id)
        if not await files.expect(media_id, key):
            raise _not_waiting(media_id)
    if usage.room_bytes is not None:
        chunks = _up_to(usage.room_bytes, over_quota(usage), chunks)
    size = await _put(runtime, media_id, key, chunks)
    async with open_work(runtime, caller) as work:
        replaced = await MediaStore(work).replace_content(media_id, key, size)
    if not replaced:
        await _remove(runtime, media_id, [key])
        raise _not_waiting(media_id)
    if before is not None and before.blob_key is not None:
        await _remove(runtime, media_id, [before.blob_key])


async def _put(runtime: Runtime, media_id: UUID, key: str, chunks: AsyncIterator[bytes]) -> int:
    """Write one object, whole or not at all, and return its size in bytes."""
    try:
        return await runtime.blobs.put(key, chunks)
    except BaseException as failure:
        with anyio.CancelScope(shield=True):
            await _remove(runtime, media_id, [key])
        if isinstance(failure, OSError) and failure.errno in (errno.ENOSPC, errno.EDQUOT):
            _logger.error("no room for media", because=failure.strerror)
            raise HttpError(
                status_code=507, problem="A file needs room on the server; its disk is full."
            ) from None
        raise


async def verify(runtime: Runtime, caller: Caller, media_id: UUID, *, field: str) -> None:
    """Look at the content of a pending file and make it ready. Harmless to repeat.

    Content that is missing, empty or damaged (FieldInvalid about `field`) or that exceeds the quota
    (StorageQuota) fails the file for good, and is removed. Raises MediaNotFound, and Conflict when new
    content came in meanwhile.
    """
    async with open_work(runtime, caller) as work:
        media = await MediaStore(work).find(media_id)
    if media is None:
        raise MediaNotFound(id=str(media_id))
    if media.status == "ready":
        return
    refusal = (
        await _settle(runtime, caller, media, field)
        if media.status == "pending"
        else _no_content(media_id, field)
    )
    if refusal is None:
        return
    if isinstance(refusal, Conflict):
        async with open_work(runtime, caller) as work:
            now_is = await MediaStore(work).find(media_id)
        if now_is is not None and now_is.status == "ready":
            return
        raise refusal
    async with open_work(runtime, caller) as work:
        failed = await MediaStore(work).fail(media_id, media.blob_key)
    if failed:
        await _remove(runtime, media_id, media.objects)
    raise refusal


async def _settle(runtime: Runtime, caller: Caller, media: rules.Media, field: str) -> Refusal | None:
    """Probe the content and record what was found, or say what is wrong."""
    if media.blob_key is None:
        return _no_content(media.id, field)
    try:
        async with _local(runtime.blobs, media.blob_key) as place:
            found = await looking.probe(place)
    except (Missing, FileNotFoundError):
        return _no_content(media.id, field)
    except looking.Unreadable as why:
        return FieldInvalid(
            field=field, problem=f"must be a whole file; this one is not. {why}",
            reason="unreadable", media_id=str(media.id),
        )  # fmt: skip
    if found.size_bytes == 0:
        return FieldInvalid(
            field=field,
            problem="must not be empty; there are no bytes in it.",
            reason="empty",
            media_id=str(media.id),
        )
    async with open_work(runtime, caller) as work:
        files = MediaStore(work)
        limit = runtime.settings.storage_limit_bytes
        if limit >= 0:
            await files.take_turns()
            usage = await files.usage(limit)
            if not usage.has_room_for(found.size_bytes):
                return over_quota(usage)
        content_type = rules.settled_type(media.declared_type, found)
        if await files.make_ready(media.id, media.blob_key, content_type, found):
            return None
    return _not_waiting(media.id)


async def sweep(runtime: Runtime) -> None:
    """Forget uploads nobody completed within a day, and remove every object that nobody needs."""
    now = clock.now()
    before = now - rules.UNFINISHED_FOR
    async with runtime.database.begin() as db:
        await store.give_up_unfinished(db, now, before)
    more = True
    while more:
        async with runtime.database.begin() as db:
            removable = await store.with_objects_nobody_needs(db, before, SWEPT_AT_ONCE)
        for media in removable:
            live = media.status == "ready" and media.deleted_at is None
            await _remove(runtime, media.id, list(media.stray_keys) if live else media.objects)
        more = len(removable) == SWEPT_AT_ONCE
    if isinstance(runtime.blobs, DiskBlobs):
        await runtime.blobs.sweep(rules.UNFINISHED_FOR.total_seconds(), now.timestamp())


async def _discard(runtime: Runtime, caller: Caller, media_id: UUID) -> None:
    """Take back an upload that was refused or broken off."""
    async with open_work(runtime, caller) as work:
        media = await MediaStore(work).find(media_id)
        await MediaStore(work).fail(media_id, media.blob_key if media else None)
        await MediaStore(work).delete(media_id)
    if media is not None:
        await _remove(runtime, media_id, media.objects)


async def _remove(runtime: Runtime, media_id: UUID, keys: list[str]) -> None:
    """Remove objects, then their names. In this order, so that no object is ever without a name."""
    for key in keys:
        await runtime.blobs.delete(key)
    async with runtime.database.begin() as db:
        await store.forget_objects(db, media_id, keys)


@asynccontextmanager
async def _local(blobs: Blobs, key: str) -> AsyncGenerator[Path]:
    """A blob as a file on this machine. Raises Missing."""
    await blobs.size(key)
    place = blobs.path(key)
    if place is not None:
        yield place
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "content"
        async with await anyio.open_file(copy, "wb") as target:
            async for chunk in blobs.open(key):
                await target.write(chunk)
        yield copy


async def _up_to(most: int, refusal: Refusal, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes; raises the refusal instead of the first one too many."""
    arrived = 0
    async for chunk in chunks:
        arrived += len(chunk)
        if arrived > most:
            raise refusal
        yield chunk


def over_quota(usage: rules.Usage) -> StorageQuota:
    return StorageQuota(plan=PLAN, max=usage.limit_bytes, used=usage.used_bytes)


def _no_content(media_id: UUID, field: str) -> FieldInvalid:
    return FieldInvalid(
        field=field, problem="must have been uploaded; there is no content. Ask for a new upload URL.",
        reason="missing", media_id=str(media_id),
    )  # fmt: skip


def _not_waiting(media_id: UUID) -> Conflict:
    return Conflict(
        resource="media", id=str(media_id), reason="not_pending",
        problem="takes content only until it is verified; this one no longer waits for any.",
    )  # fmt: skip
