from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from media_library import Library, pieces

import samples
from api import make_workspace
from hubbub.domains.media import contents
from hubbub.errors import Refusal
from hubbub.errors.billing import StorageQuota
from hubbub.errors.resource import Conflict, MediaNotFound
from hubbub.errors.system import StorageFull
from hubbub.errors.validation import FieldInvalid
from hubbub.runtime.blobs import DiskBlobs

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("name", "declared", "kind", "content_type"),
    [
        ("a.jpg", "image/jpeg", "image", "image/jpeg"),
        ("a.png", "image/jpeg", "image", "image/png"),
        ("a.gif", "text/html", "image", "image/gif"),
        ("a.webp", "", "image", "image/webp"),
        ("a.mp4", "image/png", "video", "video/mp4"),
        ("a.mp3", "video/mp4", "audio", "audio/mpeg"),
    ],
)
async def test_an_upload_is_known_by_its_content(
    library: Library, tmp_path: Path, name: str, declared: str, kind: str, content_type: str
) -> None:
    makers = {".jpg": samples.jpeg, ".mp4": samples.mp4, ".mp3": samples.mp3}
    place = tmp_path / name
    makers.get(place.suffix, getattr(samples, place.suffix[1:], None))(place)
    media = await library.ready(await library.upload(place, declared))
    assert (media.kind, media.content_type) == (kind, content_type)
    assert media.size_bytes == place.stat().st_size
    assert media.filename == name
    if kind != "audio":
        assert (media.width, media.height) == (64, 48)
    if kind != "image":
        assert media.seconds == pytest.approx(1.0, abs=0.2)


async def test_what_is_no_picture_film_or_sound_is_kept_as_a_file(library: Library, tmp_path: Path) -> None:
    place = tmp_path / "table.csv"
    place.write_text("a,b\n1,2\n")
    media = await library.ready(await library.upload(place, "text/csv"))
    assert (media.kind, media.content_type, media.width, media.seconds) == ("file", "text/csv", None, None)


@pytest.mark.parametrize("how", ["empty", "cut", "too large"])
async def test_a_refused_upload_leaves_nothing(library: Library, tmp_path: Path, how: str) -> None:
    whole = samples.png(tmp_path / "a.png").read_bytes()
    content = {"empty": b"", "cut": whole[: len(whole) // 2], "too large": whole}[how]
    if how == "too large":
        library.runtime.settings.max_upload_bytes = len(whole) - 1
    with pytest.raises(FieldInvalid) as refused:
        await contents.upload(library.runtime, library.caller, "a.png", "image/png", pieces(content))
    assert refused.value.field == "file"
    assert refused.value.reason == {"cut": "unreadable"}.get(how, how.replace(" ", "_"))
    assert (library.stored(), await library.rows()) == ([], 0)


async def test_an_upload_of_exactly_the_largest_size_is_taken(library: Library, tmp_path: Path) -> None:
    place = samples.png(tmp_path / "a.png")
    library.runtime.settings.max_upload_bytes = place.stat().st_size
    await library.ready(await library.upload(place))


async def test_an_upload_whose_sender_goes_away_leaves_nothing(library: Library) -> None:
    async def broken_off() -> AsyncIterator[bytes]:
        yield b"\xff\xd8\xff" + bytes(200_000)
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        await contents.upload(library.runtime, library.caller, "a.jpg", "image/jpeg", broken_off())
    assert (library.stored(), await library.rows()) == ([], 0)


async def test_an_upload_that_is_cancelled_leaves_nothing(library: Library) -> None:
    started = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield bytes(100_000)
        started.set()
        await asyncio.sleep(60)

    uploading = asyncio.create_task(
        contents.upload(library.runtime, library.caller, "a.jpg", "image/jpeg", endless())
    )
    await started.wait()
    uploading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await uploading
    assert (library.stored(), await library.rows()) == ([], 0)


class FullDisk(DiskBlobs):
    """A disk that is full after the first chunk."""

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> int:
        async def cut_short() -> AsyncIterator[bytes]:
            async for chunk in chunks:
                yield chunk
                raise OSError(errno.ENOSPC, "No space left on device")

        return await super().put(key, cut_short())


async def test_a_full_disk_is_a_refusal_and_leaves_nothing(library: Library, tmp_path: Path) -> None:
    library.runtime.blobs = FullDisk(library.root)
    waiting = await library.expect("image/png")
    for attempt in (library.upload(samples.png(tmp_path / "a.png")), library.write(waiting, b"x")):
        with pytest.raises(StorageFull) as refused:
            await attempt
        assert refused.value.http_status == 507
    assert (library.stored(), await library.rows()) == ([], 1)
    media = await library.find(waiting)
    assert media is not None
    assert (media.status, media.objects) == ("pending", [])


async def test_verifying_makes_an_uploaded_file_ready_and_may_be_repeated(
    library: Library, tmp_path: Path
) -> None:
    media_id = await library.expect("video/mp4", "film.mp4")
    await library.write(media_id, samples.mp4(tmp_path / "a.mp4", seconds=2).read_bytes())
    await library.verify(media_id)
    await library.verify(media_id)
    media = await library.ready(media_id)
    assert (media.kind, media.width, media.height) == ("video", 64, 48)
    assert media.seconds == pytest.approx(2.0, abs=0.2)


async def test_verifying_at_the_same_time_succeeds_for_all(library: Library, tmp_path: Path) -> None:
    media_id = await library.expect("image/png")
    await library.write(media_id, samples.png(tmp_path / "a.png").read_bytes())
    await asyncio.gather(*(library.verify(media_id) for _ in range(4)))
    await library.ready(media_id)


async def test_verifying_what_never_arrived_fails_the_file_for_good(library: Library, tmp_path: Path) -> None:
    media_id = await library.expect("image/png")
    for _ in range(2):
        with pytest.raises(FieldInvalid) as refused:
            await library.verify(media_id)
        assert (refused.value.field, refused.value.reason) == ("media_id", "missing")
    media = await library.find(media_id)
    assert media is not None
    assert media.status == "failed"
    with pytest.raises(Conflict):
        await library.write(media_id, samples.png(tmp_path / "a.png").read_bytes())
    assert library.stored() == []


async def test_verifying_what_vanished_from_the_disk_fails_the_file(library: Library, tmp_path: Path) -> None:
    media_id = await library.expect("image/png")
    await library.write(media_id, samples.png(tmp_path / "a.png").read_bytes())
    library.stored()[0].unlink()
    with pytest.raises(FieldInvalid):
        await library.verify(media_id)


async def test_damaged_content_fails_at_verification_and_is_removed(library: Library, tmp_path: Path) -> None:
    media_id = await library.expect("video/mp4")
    whole = samples.mp4(tmp_path / "a.mp4").read_bytes()
    await library.write(media_id, whole[: len(whole) // 2])
    with pytest.raises(FieldInvalid) as refused:
        await library.verify(media_id)
    assert refused.value.reason == "unreadable"
    assert library.stored() == []


async def test_a_second_upload_before_verification_replaces_the_first(
    library: Library, tmp_path: Path
) -> None:
    media_id = await library.expect("image/png")
    await library.write(media_id, samples.png(tmp_path / "a.png", 10, 10).read_bytes())
    await library.write(media_id, samples.png(tmp_path / "b.png", 20, 30).read_bytes())
    assert len(library.stored()) == 1
    await library.verify(media_id)
    media = await library.ready(media_id)
    assert (media.width, media.height) == (20, 30)


async def test_a_verified_file_takes_no_other_content(library: Library, tmp_path: Path) -> None:
    first = samples.png(tmp_path / "a.png")
    media_id = await library.upload(first)
    with pytest.raises(Conflict):
        await library.write(media_id, samples.png(tmp_path / "b.png", 9, 9).read_bytes())
    assert [place.read_bytes() for place in library.stored()] == [first.read_bytes()]


async def test_content_that_arrives_while_the_file_is_verified_does_not_become_its_content(
    library: Library, tmp_path: Path
) -> None:
    first, second = samples.png(tmp_path / "a.png", 10, 10), samples.png(tmp_path / "b.png", 20, 20)
    media_id = await library.expect("image/png")
    await library.write(media_id, first.read_bytes())

    async def slowly() -> AsyncIterator[bytes]:
        yield second.read_bytes()
        await library.verify(media_id)

    with pytest.raises(Conflict):
        await contents.write(library.runtime, library.caller, media_id, slowly())
    assert (await library.ready(media_id)).width == 10
    assert [place.read_bytes() for place in library.stored()] == [first.read_bytes()]


async def test_the_quota_is_enforced_at_every_step(library: Library, tmp_path: Path) -> None:
    place = samples.png(tmp_path / "a.png")
    size = place.stat().st_size
    waiting = await library.expect("image/png")
    await library.write(waiting, place.read_bytes())
    await library.upload(place)
    library.runtime.settings.storage_limit_bytes = 2 * size - 1
    attempts = [
        library.upload(place),
        library.expect("image/png"),
        library.write(waiting, place.read_bytes()),
        library.verify(waiting),
    ]
    for attempt in attempts:
        with pytest.raises(StorageQuota) as refused:
            await attempt
        assert (refused.value.max, refused.value.used) == (2 * size - 1, size)
    assert len(library.stored()) == 1
    media = await library.find(waiting)
    assert media is not None
    assert media.status == "failed"


async def test_uploads_at_the_same_time_cannot_exceed_the_quota_together(
    library: Library, tmp_path: Path
) -> None:
    place = samples.png(tmp_path / "a.png")
    library.runtime.settings.storage_limit_bytes = 3 * place.stat().st_size
    outcomes = await asyncio.gather(*(library.upload(place) for _ in range(6)), return_exceptions=True)
    assert all(isinstance(outcome, StorageQuota) for outcome in outcomes if isinstance(outcome, Exception))
    kept = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    assert len(kept) == len(library.stored()) <= 3


async def test_another_workspace_cannot_verify_or_write(library: Library, tmp_path: Path) -> None:
    media_id = await library.expect("image/png")
    foreign = type(library.caller)(workspace_id=(await make_workspace(library.runtime))[0])
    with pytest.raises(MediaNotFound):
        await contents.verify(library.runtime, foreign, media_id, field="media_id")
    with pytest.raises(Refusal):
        await contents.write(library.runtime, foreign, media_id, pieces(b"x"))


async def test_the_sweep_forgets_old_unfinished_uploads_and_their_content(
    library: Library, tmp_path: Path
) -> None:
    content = samples.png(tmp_path / "a.png").read_bytes()
    old, young = await library.expect("image/png"), await library.expect("image/png")
    for media_id in (old, young):
        await library.write(media_id, content)
    kept = await library.upload(tmp_path / "a.png")
    await library.run(
        f"UPDATE media SET updated_at = now() - interval '25 hours' WHERE id IN ('{old}', '{kept}')"
    )
    await contents.sweep(library.runtime)
    assert await library.find(old) is None
    assert await library.find(young) is not None
    await library.ready(kept)
    assert (len(library.stored()), await library.rows()) == (2, 2)


async def test_the_sweep_removes_what_a_killed_process_left(library: Library, tmp_path: Path) -> None:
    media_id = await library.upload(samples.png(tmp_path / "a.png"))
    stray = f"{library.caller.workspace_id}/{media_id}/stray"
    await library.runtime.blobs.put(stray, pieces(b"x"))
    await library.run(
        f"UPDATE media SET stray_keys = ARRAY['{stray}'], updated_at = now() - interval '25 hours'"
    )
    await contents.sweep(library.runtime)
    assert len(library.stored()) == 1
    assert (await library.ready(media_id)).stray_keys == ()


async def test_the_sweep_works_through_more_than_one_batch(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "SWEPT_AT_ONCE", 2)
    for _ in range(5):
        await library.expect("image/png")
    await library.run("UPDATE media SET updated_at = now() - interval '25 hours'")
    await contents.sweep(library.runtime)
    assert await library.rows() == 0
