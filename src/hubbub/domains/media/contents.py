"""Content coming in: written, looked at, and refused without a trace. Never inside one long transaction."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID

import anyio

from hubbub.domains.media import rules, store
from hubbub.domains.media.store import MediaStore
from hubbub.domains.usage import service as plans
from hubbub.errors import Refusal
from hubbub.errors.billing import StorageQuota
from hubbub.errors.resource import Conflict, MediaNotFound
from hubbub.errors.system import StorageFull
from hubbub.errors.validation import FieldInvalid
from hubbub.kit import clock, ids
from hubbub.kit import media as looking
from hubbub.runtime import log
from hubbub.runtime.blobs import Blobs, DiskBlobs, Missing
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import Caller, Work, open_work

SWEPT_AT_ONCE = 100
DELETED = "media_deleted"
"""The channel that wakes the removal of a deleted file's content."""

_logger = log.logger("media")


async def usage_of(work: Work) -> rules.Usage:
    """What the workspace stores, and how much its plan allows."""
    allowed = await plans.storage(work)
    return await MediaStore(work).usage(allowed.limit_bytes, allowed.plan)


async def expect(
    work: Work,
    name: str,
    declared_type: str,
    *,
    media_id: UUID | None = None,
    incoming_key: str | None = None,
) -> UUID:
    """A new pending file. Raises StorageQuota when there is no room for even one byte."""
    usage = await usage_of(work)
    if usage.room_bytes == 0:
        raise over_quota(usage)
    media_id = media_id or ids.new_uuid()
    await MediaStore(work).add(
        media_id, filename=rules.filename(name), declared_type=declared_type, incoming_key=incoming_key
    )
    return media_id


async def upload(
    runtime: Runtime,
    caller: Caller,
    name: str,
    declared_type: str,
    chunks: AsyncIterator[bytes],
    *,
    field: str = "file",
    most: int | None = None,
) -> UUID:
    """Take a whole file in; it is ready when this returns, and nothing of it is kept when this raises.

    Raises FieldInvalid about `field` for a file that is too large (`most` bytes), empty or damaged,
    StorageQuota, and StorageFull.
    """
    most = runtime.settings.max_upload_bytes if most is None else most
    too_large = FieldInvalid(
        field=field, problem=f"must not be larger than {most} bytes; this one is.",
        reason="too_large", max=most, unit="bytes",
    )  # fmt: skip
    async with open_work(runtime, caller) as work:
        media_id = await expect(work, name, rules.mime(declared_type) or rules.UNKNOWN_TYPE)
    try:
        await write(runtime, caller, media_id, up_to(most, too_large, chunks))
        await verify(runtime, caller, media_id, field=field)
    except BaseException:
        with anyio.CancelScope(shield=True):
            await discard(runtime, caller, media_id)
        raise
    return media_id


async def write(runtime: Runtime, caller: Caller, media_id: UUID, chunks: AsyncIterator[bytes]) -> None:
    """Store the content of a pending file; what it had before is replaced. A failure changes nothing.

    Raises Conflict when the file no longer waits for content, StorageQuota as soon as too much has arrived,
    and StorageFull.
    """
    await _store(runtime, caller, media_id, chunks)


async def _store(
    runtime: Runtime, caller: Caller, media_id: UUID, source: AsyncIterator[bytes] | str
) -> None:
    """Of chunks, or of what is under another key (which raises Missing when nothing is)."""
    async with open_work(runtime, caller) as work:
        files = MediaStore(work)
        usage = await usage_of(work)
        key = rules.new_key(work.workspace_id, media_id)
        before = await files.find(media_id)
        if not await files.expect(media_id, key):
            raise _not_waiting(media_id)
    if isinstance(source, str):
        size = await _copy(runtime, media_id, source, key)
    else:
        room = usage.room_bytes
        chunks = source if room is None else up_to(room, over_quota(usage), source)
        size = await put(runtime, media_id, key, chunks)
    async with open_work(runtime, caller) as work:
        replaced = await MediaStore(work).replace_content(media_id, key, size)
    if not replaced:
        await remove(runtime, media_id, [key])
        raise _not_waiting(media_id)
    if before is not None and before.blob_key is not None:
        await remove(runtime, media_id, [before.blob_key])


async def put(runtime: Runtime, media_id: UUID, key: str, chunks: AsyncIterator[bytes]) -> int:
    """Write one object, whole or not at all, and return its size in bytes."""
    try:
        return await runtime.blobs.put(key, chunks)
    except BaseException as failure:
        with anyio.CancelScope(shield=True):
            await remove(runtime, media_id, [key])
        if isinstance(failure, OSError) and failure.errno in (errno.ENOSPC, errno.EDQUOT):
            _logger.error("no room for media", because=failure.strerror)
            raise StorageFull() from None
        raise


async def _copy(runtime: Runtime, media_id: UUID, source: str, key: str) -> int:
    """Copy one object, whole or not at all, and return its size in bytes. Raises Missing."""
    try:
        await runtime.blobs.copy(source, key)
        return await runtime.blobs.size(key)
    except BaseException:
        with anyio.CancelScope(shield=True):
            await remove(runtime, media_id, [key])
        raise


async def verify(runtime: Runtime, caller: Caller, media_id: UUID, *, field: str) -> None:
    """Look at the content of a pending file and make it ready. Harmless to repeat.

    Content that is missing, empty or damaged (FieldInvalid about `field`) or that exceeds the quota
    (StorageQuota) fails the file for good, and is removed. Raises MediaNotFound, and Conflict when new
    content came in meanwhile.
    """
    async with open_work(runtime, caller) as work:
        media = await MediaStore(work).find(media_id)
    if media is None or media.source_id is not None:
        raise MediaNotFound(id=str(media_id))
    if media.status == "ready":
        return
    media = await _arrived(runtime, caller, media)
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
        await remove(runtime, media_id, media.objects)
    raise refusal


async def _arrived(runtime: Runtime, caller: Caller, media: rules.Media) -> rules.Media:
    """The file with what was uploaded straight to the store: copied to where nobody can replace it any more."""
    if media.status != "pending" or media.incoming_key is None:
        return media
    try:
        await _store(runtime, caller, media.id, media.incoming_key)
    except (Missing, Conflict):
        return media
    await runtime.blobs.delete(media.incoming_key)
    async with open_work(runtime, caller) as work:
        return await MediaStore(work).find(media.id) or media


async def _settle(runtime: Runtime, caller: Caller, media: rules.Media, field: str) -> Refusal | None:
    """Probe the content and record what was found, or say what is wrong."""
    if media.blob_key is None:
        return _no_content(media.id, field)
    try:
        async with local(runtime.blobs, media.blob_key) as place:
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
        if (await plans.storage(work)).limit_bytes >= 0:
            await files.take_turns()
            usage = await usage_of(work)
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
            await remove(runtime, media.id, list(media.stray_keys) if live else media.objects)
        more = len(removable) == SWEPT_AT_ONCE
    await _close_addresses(runtime, before)
    if isinstance(runtime.blobs, DiskBlobs):
        await runtime.blobs.sweep(rules.UNFINISHED_FOR.total_seconds(), now.timestamp())


async def _close_addresses(runtime: Runtime, before: datetime) -> None:
    """Remove what was written to upload addresses that stopped working long ago."""
    more = True
    while more:
        async with runtime.database.begin() as db:
            old = await store.with_old_addresses(db, before, SWEPT_AT_ONCE)
        for media in old:
            if media.incoming_key is not None:
                await runtime.blobs.delete(media.incoming_key)
            async with runtime.database.begin() as db:
                await store.forget_incoming(db, media.id)
        more = len(old) == SWEPT_AT_ONCE


async def drop(runtime: Runtime, caller: Caller, media_id: UUID) -> None:
    """Take back a ready file that nobody was told of; its content goes at the next sweep."""
    async with open_work(runtime, caller) as work:
        await MediaStore(work).delete(media_id)
        await work.nudge(DELETED)


async def discard(runtime: Runtime, caller: Caller, media_id: UUID) -> None:
    """Take back an upload that was refused or broken off."""
    async with open_work(runtime, caller) as work:
        media = await MediaStore(work).find(media_id)
        await MediaStore(work).fail(media_id, media.blob_key if media else None)
        await MediaStore(work).delete(media_id)
    if media is not None:
        await remove(runtime, media_id, media.objects)


async def remove(runtime: Runtime, media_id: UUID, keys: list[str]) -> None:
    """Remove objects, then their names. In this order, so that no object is ever without a name."""
    for key in keys:
        await runtime.blobs.delete(key)
    async with runtime.database.begin() as db:
        await store.forget_objects(db, media_id, keys)


@asynccontextmanager
async def local(blobs: Blobs, key: str) -> AsyncGenerator[Path]:
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


async def up_to(most: int, refusal: Refusal, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes; raises the refusal instead of the first one too many."""
    arrived = 0
    async for chunk in chunks:
        arrived += len(chunk)
        if arrived > most:
            raise refusal
        yield chunk


def over_quota(usage: rules.Usage) -> StorageQuota:
    return StorageQuota(plan=usage.plan, max=usage.limit_bytes, used=usage.used_bytes)


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
