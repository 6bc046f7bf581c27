"""Refusals of files."""

from __future__ import annotations

import io
import uuid

from PIL import Image

from provoked.guest import Guest
from provoked.table import Seen, provokes


def picture() -> bytes:
    """A picture larger than what the server with little room stores."""
    stream = io.BytesIO()
    Image.effect_noise((64, 48), 80).save(stream, "PNG")
    return stream.getvalue()


def photograph() -> bytes:
    """A picture that every platform takes."""
    stream = io.BytesIO()
    Image.effect_noise((640, 480), 80).save(stream, "JPEG")
    return stream.getvalue()


@provokes("media.not_found", "id")
async def a_file_nobody_has(guest: Guest) -> Seen:
    return await guest.call("DELETE", f"/v1/media/{uuid.uuid4()}")


@provokes("media.in_use", "post_ids")
async def a_file_that_a_draft_needs(guest: Guest) -> Seen:
    media_id = await guest.media(picture())
    await guest.draft(media_ids=[media_id])
    return await guest.call("DELETE", f"/v1/media/{media_id}")


@provokes("billing.storage_quota", "plan", "max")
async def a_file_that_does_not_fit(guest: Guest) -> Seen:
    return await guest.on(await guest.stage.other("tight")).upload(picture())


@provokes("system.storage_full", "retry_after_seconds")
async def a_disk_that_is_full(guest: Guest) -> Seen:
    return await guest.on(await guest.stage.other("full")).upload(picture())


@provokes("validation.field_invalid", "field", "reason")
async def an_empty_file(guest: Guest) -> Seen:
    return await guest.upload(b"")


@provokes("validation.body_invalid")
async def an_upload_that_is_no_form(guest: Guest) -> Seen:
    return await guest.post("/v1/media/upload", {"file": "x"})


async def _upload_url(guest: Guest) -> str:
    made = await guest.get("/v1/media/upload-url?media_type=image/png&filename=a.png")
    return made.json["upload_url"].removeprefix(guest.stage.usual_url)


@provokes("http.415")
async def another_type_than_was_declared(guest: Guest) -> Seen:
    url = await _upload_url(guest)
    return await guest.call("PUT", url, content=b"x", headers={"Content-Type": "text/plain"})


@provokes("http.403")
async def an_address_with_another_signature(guest: Guest) -> Seen:
    url = (await _upload_url(guest)).replace("signature=", "signature=0")
    return await guest.call("PUT", url, content=b"x", headers={"Content-Type": "image/png"})


@provokes("resource.conflict", "resource", "reason")
async def content_for_a_file_that_is_done(guest: Guest) -> Seen:
    url = await _upload_url(guest)
    png = {"Content-Type": "image/png"}
    assert (await guest.call("PUT", url, content=picture(), headers=png)).status == 200
    media_id = url.split("/")[3]
    assert (await guest.post(f"/v1/media/{media_id}/verify")).status == 200
    return await guest.call("PUT", url, content=picture(), headers=png)
