"""The library over HTTP (contract 5.6)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from uuid import UUID

from hubbub.domains.media import contents, fetching, rules, schemas, service
from hubbub.errors.billing import StorageQuota
from hubbub.errors.resource import Conflict, MediaInUse, MediaNotFound
from hubbub.errors.system import HttpError, StorageFull
from hubbub.errors.validation import BodyInvalid, FieldInvalid, FieldRequired
from hubbub.runtime import lists
from hubbub.runtime.process import Runtime
from hubbub.runtime.routes import Reply, Router, Upload
from hubbub.runtime.work import Caller, Work

router = Router("/v1/media", "Media")


@router.get(scope="media:read", raises=(FieldInvalid,))
async def list_media(
    work: Work, query: schemas.MediaQuery, base_url: str
) -> Reply[lists.Paged[schemas.MediaItem]]:
    """List the files of the library, newest first.

    Only files that are ready are shown. Each `url` works for 15 minutes and is meant for a preview.
    """
    shown, following = await service.library(work, base_url, query.limit, query.cursor)
    items = [schemas.MediaItem.of(media, url) for media, url in shown]
    headers = schemas.storage_headers(await service.usage(work))
    return Reply(lists.page(items, query.limit, following), headers=headers)


@router.get("/storage", scope="media:read")
async def show_storage(work: Work) -> Reply[schemas.Storage]:
    """Say how much is stored, and how much may be. A limit of -1 is none."""
    usage = await service.usage(work)
    return Reply(schemas.Storage.of(usage), headers=schemas.storage_headers(usage))


@router.get("/upload-url", scope="media:write", raises=(FieldRequired, FieldInvalid, StorageQuota))
async def create_upload_url(work: Work, query: schemas.UploadUrlQuery, base_url: str) -> schemas.UploadUrl:
    """Get an address to upload a file of any size to.

    PUT the bytes there within 15 minutes, with the same `Content-Type`, then verify the file.
    """
    made = await service.upload_url(work, base_url, query.media_type, query.filename)
    return schemas.UploadUrl(*made)


@router.post(
    "/upload",
    status=201,
    scope="media:write",
    takes="multipart",
    raises=(FieldRequired, FieldInvalid, BodyInvalid, StorageQuota, StorageFull),
)
async def upload_media(runtime: Runtime, caller: Caller, upload: Upload) -> schemas.Uploaded:
    """Upload one file as the multipart field `file`; it is ready at once.

    For large files ask for an upload URL instead.
    """
    media_id = await contents.upload(runtime, caller, upload.filename, upload.content_type, upload.chunks)
    return schemas.Uploaded(media_id)


@router.put(
    "/{media_id}/content", auth="signed", takes="raw", raises=(Conflict, StorageQuota, StorageFull, HttpError)
)
async def put_content(
    runtime: Runtime, media_id: str, query: schemas.SignedQuery, upload: Upload
) -> Reply[None]:
    """Upload the bytes of a file to the address that was given for it.

    Until the file is verified, a second upload replaces the first.
    """
    await service.put_content(runtime, media_id, query.expires, query.signature, upload)
    return Reply(status=200)


@router.post(
    "/ingest",
    status=201,
    scope="media:write",
    raises=(FieldRequired, FieldInvalid, StorageQuota, StorageFull),
)
async def ingest_media(runtime: Runtime, caller: Caller, body: schemas.IngestIn) -> schemas.Uploaded:
    """Fetch a picture, film or sound from a public address into the library; it is ready at once.

    At most three redirects are followed. The same content is kept once. Posts may name an address themselves.
    """
    return schemas.Uploaded(UUID(await fetching.fetch(runtime, caller, body.url, "url")))


@router.get("/{media_id}/content", auth="signed", also=(206,), raises=(MediaNotFound, HttpError))
async def read_content(
    runtime: Runtime, media_id: str, query: schemas.SignedQuery, headers: Mapping[str, str]
) -> Reply[AsyncIterator[bytes]]:
    """Download a file, or one range of it, from the address that was given for it."""
    asked = None if "if-range" in headers else headers.get("range")
    content = await service.read_content(runtime, media_id, query.expires, query.signature, asked)
    size = content.media.size_bytes
    start, end = content.span or (0, size)
    ranged = {"Content-Range": f"bytes {start}-{end - 1}/{size}"} if content.span else {}
    return Reply(
        content.chunks,
        status=206 if content.span else 200,
        headers={
            **ranged,
            "Accept-Ranges": "bytes",
            "Content-Type": content.media.content_type,
            "Content-Length": str(end - start),
            "Content-Disposition": rules.disposition(content.media),
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "private, max-age=300",
        },
    )


@router.post(
    "/{media_id}/verify", scope="media:write", raises=(MediaNotFound, FieldInvalid, StorageQuota, Conflict)
)
async def verify_media(runtime: Runtime, caller: Caller, media_id: str) -> schemas.Verified:
    """Say that the upload is complete: the file is looked at and becomes ready. Harmless to repeat."""
    await service.verify(runtime, caller, media_id)
    return schemas.Verified(success=True)


@router.delete("/{media_id}", status=204, scope="media:write", raises=(MediaNotFound, MediaInUse))
async def delete_media(work: Work, media_id: str) -> None:
    """Delete a file that no draft, scheduled or publishing post needs."""
    await service.delete(work, media_id)
