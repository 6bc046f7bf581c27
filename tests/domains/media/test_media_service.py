from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from media_library import Library

import samples
from api import make_workspace
from hubbub.domains.media import contents, service
from hubbub.domains.media.service import MediaRef
from hubbub.errors import Refused
from hubbub.errors.publishing import MediaUnavailable, UnsupportedSource
from hubbub.errors.resource import MediaInUse, MediaNotFound
from hubbub.errors.validation import FieldInvalid
from hubbub.runtime.work import Caller, Work, open_work

pytestmark = pytest.mark.anyio


async def test_attached_files_come_in_the_order_they_are_named(library: Library, tmp_path: Path) -> None:
    wide = await library.upload(samples.jpeg(tmp_path / "wide.jpg", 90, 30))
    film = await library.upload(samples.mp4(tmp_path / "film.mp4"))
    files = await library.attach(
        MediaRef("media_id", str(film)),
        MediaRef("media_id", str(wide), alt_text="A field."),
        MediaRef("media_id", str(film).upper()),
    )
    assert [file.id for file in files] == [str(film), str(wide), str(film)]
    picture = files[1]
    assert (picture.kind, picture.content_type, picture.width, picture.height) == (
        "image",
        "image/jpeg",
        90,
        30,
    )
    assert (picture.alt, picture.filename) == ("A field.", "wide.jpg")
    assert files[0].seconds == pytest.approx(1.0, abs=0.2)


async def test_everything_that_cannot_be_attached_is_named(library: Library, tmp_path: Path) -> None:
    good = await library.upload(samples.png(tmp_path / "a.png"))
    pending, deleted = await library.expect("image/png"), await library.upload(tmp_path / "a.png")
    await library.delete(deleted)
    stranger, _ = await make_workspace(library.runtime)
    foreign = Library(library.runtime, Caller(workspace_id=stranger), library.root)
    theirs = await foreign.upload(tmp_path / "a.png")
    bad = [str(uuid4()), str(pending), str(deleted), str(theirs), "not-an-id", ""]
    refs = [MediaRef("media_id", source, field=f"media[{n}]") for n, source in enumerate([str(good), *bad])]
    refs += [
        MediaRef("url", "https://example.com/a.png", field="media[7]"),
        MediaRef("platform_attachment_id", "123", field="media[8]"),
        MediaRef("else", "123", field="media[9]"),
    ]
    with pytest.raises(Refused) as refused:
        await library.attach(*refs)
    problems = refused.value.refusals
    assert [problem.meta["field"] for problem in problems] == [f"media[{n}]" for n in range(1, 10)]
    assert [problem.meta.get("media_id") for problem in problems[:6]] == bad
    assert [type(problem) for problem in problems[6:]] == [FieldInvalid, UnsupportedSource, FieldInvalid]


async def test_connectors_read_a_file_whole(library: Library, tmp_path: Path) -> None:
    place = samples.png(tmp_path / "a.png", 900, 900)
    file = (await library.attach(MediaRef("media_id", str(await library.upload(place)))))[0]
    read = service.opener(library.runtime)
    assert b"".join([chunk async for chunk in read(file)]) == place.read_bytes()


async def test_a_file_that_is_gone_is_unavailable_to_connectors(library: Library, tmp_path: Path) -> None:
    place = samples.png(tmp_path / "a.png")
    media_ids = [await library.upload(place) for _ in range(2)]
    files = await library.attach(*(MediaRef("media_id", str(media_id)) for media_id in media_ids))
    await library.delete(media_ids[0])
    media = await library.ready(media_ids[1])
    assert media.blob_key is not None
    await library.runtime.blobs.delete(media.blob_key)
    for file in files:
        with pytest.raises(MediaUnavailable):
            await anext(service.opener(library.runtime)(file))


async def test_a_deleted_file_is_gone_at_once_and_its_content_with_the_sweep(
    library: Library, tmp_path: Path
) -> None:
    media_id = await library.upload(samples.png(tmp_path / "a.png"))
    await library.delete(media_id)
    assert await library.find(media_id) is None
    with pytest.raises(MediaNotFound):
        await library.delete(media_id)
    await contents.sweep(library.runtime)
    assert library.stored() == []


async def test_what_a_post_needs_cannot_be_deleted(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed, free = [await library.upload(samples.png(tmp_path / "a.png")) for _ in range(2)]

    async def check(work: Work, media_id: UUID) -> list[str]:
        assert work.workspace_id == library.caller.workspace_id
        return ["post-1", "post-2"] if media_id == needed else []

    monkeypatch.setattr(service, "in_use_checks", [check])
    with pytest.raises(MediaInUse) as refused:
        await library.delete(needed)
    assert refused.value.post_ids == ["post-1", "post-2"]
    await library.ready(needed)
    await library.delete(free)


async def test_a_file_cannot_be_deleted_while_a_post_with_it_is_being_made(
    library: Library, tmp_path: Path
) -> None:
    media_id = await library.upload(samples.png(tmp_path / "a.png"))
    async with open_work(library.runtime, library.caller) as work:
        await service.attach(work, [MediaRef("media_id", str(media_id))])
        deleting = asyncio.create_task(library.delete(media_id))
        await asyncio.sleep(0.2)
        assert not deleting.done()
    await deleting


async def test_a_post_cannot_be_made_with_a_file_that_is_being_deleted(
    library: Library, tmp_path: Path
) -> None:
    media_id = await library.upload(samples.png(tmp_path / "a.png"))
    async with open_work(library.runtime, library.caller) as work:
        await service.delete(work, str(media_id))
        attaching = asyncio.create_task(library.attach(MediaRef("media_id", str(media_id))))
        await asyncio.sleep(0.2)
        assert not attaching.done()
    with pytest.raises(Refused):
        await attaching


async def test_a_public_address_needs_a_public_url(library: Library) -> None:
    file_id = str(uuid4())
    library.runtime.settings.public_url = "https://hubbub.example"
    address = service.public_url(library.runtime, file_id, 60)
    assert address.startswith(f"https://hubbub.example/v1/media/{file_id}/content?expires=")
    library.runtime.settings.public_url = None
    with pytest.raises(ValueError, match="HUBBUB_PUBLIC_URL"):
        service.public_url(library.runtime, file_id, 60)
