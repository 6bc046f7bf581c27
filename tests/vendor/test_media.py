"""Uploading with the vendor's client, both ways."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import socialapi

from .conftest import OpenClient
from .either import done, every
from .place import Accounts, Place, unheard

pytestmark = pytest.mark.anyio


async def item(client: Any, media_id: str) -> Any:
    return next((one for one in await every(client.media.list()) if one.id == media_id), None)


@pytest.mark.parametrize("content_type", [None, "image/jpeg"], ids=["by_its_name", "declared"])
async def test_an_uploaded_file_is_ready_at_once(
    client: Any, place: Place, picture: bytes, content_type: str | None
) -> None:
    name = unheard("holiday") + ".jpg"

    made = await done(client.media.upload(content=picture, filename=name, content_type=content_type))
    listed = await item(client, made.media_id)
    preview = place.browser.get(listed.url)

    assert (listed.filename, listed.content_type, listed.status) == (name, "image/jpeg", "ready")
    assert listed.size_bytes == len(picture)
    assert preview.content == picture


@pytest.mark.parametrize("part", ["media", "publishing"])
async def test_a_file_goes_to_an_upload_address_and_is_verified(
    client: Any, place: Place, picture: bytes, part: str
) -> None:
    resource = getattr(client, part)
    verify = client.media.verify if part == "media" else client.publishing.verify_upload

    given = await done(resource.get_upload_url(media_type="image/jpeg", filename="beach & sea.jpg"))
    put = place.browser.put(given.upload_url, content=picture, headers={"Content-Type": "image/jpeg"})
    before = await item(client, given.media_id)
    await done(verify(given.media_id))
    await done(verify(given.media_id))
    after = await item(client, given.media_id)
    await done(after.verify())

    assert timedelta(minutes=14) < given.expires_at - datetime.now(UTC) <= timedelta(minutes=15)
    assert (put.status_code, put.text) == (200, "")
    assert before is None
    assert (after.filename, after.status, after.size_bytes) == ("beach & sea.jpg", "ready", len(picture))


async def test_verifying_what_never_arrived_is_refused(client: Any) -> None:
    given = await done(client.media.get_upload_url(media_type="image/jpeg", filename="never.jpg"))

    with pytest.raises(socialapi.BadRequestError) as refused:
        await done(client.media.verify(given.media_id))

    assert refused.value.code == "validation.field_invalid"


@pytest.mark.parametrize("bound", [False, True], ids=["by_id", "bound"])
async def test_a_deleted_file_is_gone_and_no_longer_counted(client: Any, picture: bytes, bound: bool) -> None:
    before = await done(client.media.get_storage_usage())
    made = await done(client.media.upload(content=picture, filename="gone.jpg"))
    during = await done(client.media.get_storage_usage())
    listed = await item(client, made.media_id)

    gone = await done(listed.delete() if bound else client.media.delete(made.media_id))
    after = await done(client.media.get_storage_usage())

    assert gone is None
    assert (during.count, during.used_bytes) == (before.count + 1, before.used_bytes + len(picture))
    assert after == before
    assert after.limit_bytes == -1
    with pytest.raises(socialapi.NotFoundError):
        await done(client.media.delete(made.media_id))


async def test_a_file_that_a_draft_needs_stays(
    open_client: OpenClient, picture: bytes, accounts: Accounts
) -> None:
    client = await open_client(max_retries=0)
    made = await done(client.media.upload(content=picture, filename="needed.jpg"))
    target = {"account_id": accounts.bluesky}
    draft = await done(client.publishing.create(text="draft", media_ids=[made.media_id], targets=[target]))

    with pytest.raises(socialapi.ConflictError) as refused:
        await done(client.media.delete(made.media_id))
    await done(draft.delete())
    await done(client.media.delete(made.media_id))

    assert refused.value.code == "media.in_use"


async def test_iterating_over_pages_of_files_yields_each_once_and_ends(client: Any, picture: bytes) -> None:
    made = [await done(client.media.upload(content=picture, filename=f"{n}.jpg")) for n in range(9)]

    listed = [one.id for one in await every(client.media.list(limit=2))]

    assert listed[:9] == [one.media_id for one in reversed(made)]
    assert len(listed) == len(set(listed))
    assert listed == [one.id for one in await every(client.media.list())]
