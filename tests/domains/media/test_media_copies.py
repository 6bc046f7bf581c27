"""Copies that are made for a platform: once, outside the library, gone with their source."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from media_library import Library

import samples
from api import Api
from hubbub.domains.media import contents, rules, service
from hubbub.domains.media.store import MediaStore
from hubbub.errors.publishing import MediaUnavailable
from hubbub.errors.resource import MediaNotFound
from hubbub.errors.system import StorageFull
from hubbub.kit import media
from hubbub.kit.media import Recipe, Unfixable
from hubbub.runtime.blobs import DiskBlobs
from hubbub.runtime.work import Caller, open_work

pytestmark = pytest.mark.anyio

SQUARE = Recipe("image/jpeg", (1.0, 1.0))


async def make(library: Library, media_id: UUID, recipe: Recipe = SQUARE) -> rules.Media:
    return await service.changed(library.runtime, library.caller, str(media_id), recipe)


async def upload(library: Library, tmp_path: Path, shade: int = 0) -> UUID:
    return await library.upload(samples.png(tmp_path / "holiday.png", 90, 30, shade=shade))


async def test_a_copy_is_a_file_of_its_own(library: Library, tmp_path: Path) -> None:
    source = await upload(library, tmp_path)

    copy = await make(library, source)

    assert copy.id != source
    assert (copy.source_id, copy.status, copy.kind) == (source, "ready", "image")
    assert (copy.content_type, copy.width, copy.height) == ("image/jpeg", 90, 90)
    assert (copy.filename, copy.stray_keys) == ("holiday.jpg", ())
    reading = service.opener(library.runtime)(service.as_file(copy))
    assert len(b"".join([chunk async for chunk in reading])) == copy.size_bytes
    assert (await library.ready(source)).content_type == "image/png"


async def test_the_same_copy_is_found_again_and_another_recipe_makes_another(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = await upload(library, tmp_path)
    copy = await make(library, source)
    other = await make(library, source, Recipe("image/png", (1.0, 1.0), "crop"))

    monkeypatch.setattr(media, "FIX_SECONDS_MAX", 0.0)  # nothing could be made any more
    again = await make(library, source)

    assert again == copy
    assert other.id != copy.id
    assert (await library.rows(), len(library.stored())) == (3, 3)


async def test_several_who_want_the_same_copy_get_the_same(library: Library, tmp_path: Path) -> None:
    source = await upload(library, tmp_path)

    copies = await asyncio.gather(*(make(library, source) for _ in range(4)))

    assert len({(copy.id, copy.blob_key) for copy in copies}) == 1
    assert len(library.stored()) == 2
    assert (await library.ready(copies[0].id)).stray_keys == ()


async def test_who_ended_halfway_is_followed_by_somebody_who_begins_again(
    library: Library, tmp_path: Path
) -> None:
    """A process that is killed leaves a named object, written or not, and no copy."""
    source = await upload(library, tmp_path)
    copy_id = rules.copy_id(source, SQUARE.words)
    left = rules.new_key(library.caller.workspace_id, copy_id)
    async with open_work(library.runtime, library.caller) as work:
        found = await library.ready(source)
        assert await MediaStore(work).expect_copy(copy_id, found, "holiday.jpg", "image/jpeg", left)

    async def half() -> AsyncIterator[bytes]:
        yield b"half"

    await library.runtime.blobs.put(left, half())

    copy = await make(library, source)

    assert copy.id == copy_id
    assert copy.stray_keys == (left,)
    await library.run("UPDATE media SET updated_at = now() - interval '2 days'")
    await contents.sweep(library.runtime)
    assert (await library.ready(copy_id)).stray_keys == ()
    assert len(library.stored()) == 2


async def test_what_was_given_up_and_swept_is_made_again(library: Library, tmp_path: Path) -> None:
    source = await upload(library, tmp_path)
    with pytest.raises(Unfixable):
        await make(library, source, Recipe("image/jpeg", max_bytes=1))
    impossible = rules.copy_id(source, Recipe("image/jpeg", max_bytes=1).words)
    await library.run(f"UPDATE media SET updated_at = now() - interval '2 days' WHERE id = '{impossible}'")
    await library.run(f"UPDATE media SET deleted_at = now() WHERE id = '{impossible}'")

    with pytest.raises(Unfixable):
        await make(library, source, Recipe("image/jpeg", max_bytes=1))
    assert await library.find(impossible) is not None
    await library.run(f"UPDATE media SET updated_at = now() - interval '2 days' WHERE id = '{impossible}'")
    await contents.sweep(library.runtime)

    assert await library.find(impossible) is None
    assert (await library.rows(), len(library.stored())) == (1, 1)


async def test_a_copy_goes_with_its_source(library: Library, tmp_path: Path) -> None:
    source, other = await upload(library, tmp_path), await upload(library, tmp_path, shade=9)
    copy, kept = await make(library, source), await make(library, other)

    await library.delete(source)
    await contents.sweep(library.runtime)

    assert await library.find(copy.id) is None
    assert await library.find(kept.id) is not None
    assert len(library.stored()) == 2
    with pytest.raises(MediaUnavailable):
        await make(library, source)


class Slow(DiskBlobs):
    """A disk on which everything happens after something else."""

    def __init__(self, root: Path, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__(root)
        self.meanwhile = meanwhile

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> int:
        await self.meanwhile()
        return await super().put(key, chunks)


async def test_a_source_that_is_deleted_meanwhile_leaves_nothing(library: Library, tmp_path: Path) -> None:
    source = await upload(library, tmp_path)
    library.runtime.blobs = Slow(library.root, lambda: library.delete(source))
    with pytest.raises(MediaUnavailable):
        await make(library, source)
    await contents.sweep(library.runtime)

    assert library.stored() == []


async def test_nobody_makes_a_copy_of_what_is_not_his(library: Library, tmp_path: Path) -> None:
    source = await upload(library, tmp_path)
    for file_id in (str(uuid4()), "none", "https://example.com/a.png"):
        with pytest.raises(MediaUnavailable):
            await service.changed(library.runtime, library.caller, file_id, SQUARE)
    with pytest.raises(MediaUnavailable):
        await service.changed(library.runtime, Caller(workspace_id=uuid4()), str(source), SQUARE)


async def test_a_damaged_or_missing_source_is_unavailable(library: Library, tmp_path: Path) -> None:
    source = await upload(library, tmp_path)
    [place] = library.stored()
    place.write_bytes(place.read_bytes()[:50])
    with pytest.raises(MediaUnavailable) as damaged:
        await make(library, source)
    place.unlink()
    with pytest.raises(MediaUnavailable):
        await make(library, source)
    assert damaged.value.media_id == str(source)
    assert library.stored() == []


class FullDisk(DiskBlobs):
    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


async def test_a_full_disk_is_told_and_leaves_nothing(library: Library, tmp_path: Path) -> None:
    source = await upload(library, tmp_path)
    library.runtime.blobs = FullDisk(library.root)
    with pytest.raises(StorageFull):
        await make(library, source)
    assert len(library.stored()) == 1


# Outside the library


async def test_a_copy_takes_nothing_of_the_quota_and_is_no_file_to_name(
    library: Library, tmp_path: Path
) -> None:
    source = await upload(library, tmp_path)
    async with open_work(library.runtime, library.caller) as work:
        before = await service.usage(work)

    copy = await make(library, source)

    async with open_work(library.runtime, library.caller) as work:
        assert await service.usage(work) == before
        assert copy.sha256 is not None
        assert await MediaStore(work).same_content(copy.sha256) is None
        assert await MediaStore(work).keep([copy.id]) == {}
        with pytest.raises(MediaNotFound):
            await service.delete(work, str(copy.id))
    with pytest.raises(MediaNotFound):
        await service.verify(library.runtime, library.caller, str(copy.id))


async def test_the_library_shows_no_copies(api: Api, tmp_path: Path) -> None:
    place = samples.png(tmp_path / "a.png", 90, 30)
    sent = await api.post("/v1/media/upload", files={"file": ("a.png", place.read_bytes(), "image/png")})
    caller = Caller(workspace_id=api.workspace_id)

    copy = await service.changed(api.runtime, caller, sent.json["media_id"], SQUARE)

    shown = (await api.get("/v1/media")).json["data"]
    assert [item["id"] for item in shown] == [sent.json["media_id"]]
    assert (await api.get("/v1/media/storage")).json["count"] == 1
    assert (await api.delete(f"/v1/media/{copy.id}")).code == "media.not_found"
