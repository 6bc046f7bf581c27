from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import samples
from hubbub.kit import media
from hubbub.kit.media import Probe, Unreadable, probe

pytestmark = pytest.mark.anyio


def facts(found: Probe) -> tuple[object, ...]:
    return found.kind, found.content_type, found.width, found.height


@pytest.mark.parametrize(
    ("maker", "content_type"),
    [(samples.jpeg, "image/jpeg"), (samples.png, "image/png"), (samples.webp, "image/webp")],
)
async def test_a_picture_is_known_by_its_content_and_never_by_its_name(
    tmp_path: Path, maker: object, content_type: str
) -> None:
    path = maker(tmp_path / "holiday.txt", 64, 48)  # type: ignore[operator]
    found = await probe(path)
    assert facts(found) == ("image", content_type, 64, 48)
    assert found.size_bytes == path.stat().st_size
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.seconds is None


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_a_turned_photo_has_the_size_it_is_shown_in(tmp_path: Path, orientation: int) -> None:
    found = await probe(samples.jpeg(tmp_path / "a.jpg", 64, 48, orientation=orientation))
    assert (found.width, found.height) == ((48, 64) if orientation >= 5 else (64, 48))


async def test_a_moving_picture_has_a_playing_time(tmp_path: Path) -> None:
    found = await probe(samples.gif(tmp_path / "a.gif", frames=5, milliseconds=200))
    assert facts(found) == ("image", "image/gif", 64, 48)
    assert (found.frames, found.seconds, found.frame_rate) == (5, 1.0, 5.0)


async def test_a_film_has_pixels_seconds_and_codecs(tmp_path: Path) -> None:
    found = await probe(samples.mp4(tmp_path / "a.mp4", 96, 64, seconds=2, rate=10, sound=True))
    assert facts(found) == ("video", "video/mp4", 96, 64)
    assert found.seconds == pytest.approx(2.0, abs=0.1)
    assert (found.frame_rate, found.codec, found.audio_codec) == (10.0, "h264", "aac")


@pytest.mark.parametrize(
    ("name", "codec", "content_type"),
    [
        ("a.mov", "mpeg4", "video/quicktime"),
        ("a.webm", "libvpx", "video/webm"),
        ("a.mkv", "libx264", "video/x-matroska"),
        ("a.avi", "mpeg4", "video/x-msvideo"),
    ],
)
async def test_other_containers_are_told_apart(
    tmp_path: Path, name: str, codec: str, content_type: str
) -> None:
    found = await probe(samples.mp4(tmp_path / name, codec=codec))
    assert facts(found) == ("video", content_type, 64, 48)
    assert found.seconds == pytest.approx(1.0, abs=0.11)


@pytest.mark.parametrize(("degrees", "size"), [(90, (48, 64)), (180, (64, 48)), (270, (48, 64))])
async def test_a_film_from_a_phone_held_upright_is_upright(
    tmp_path: Path, degrees: int, size: tuple[int, int]
) -> None:
    found = await probe(samples.mp4(tmp_path / "a.mp4", turned=degrees))
    assert (found.width, found.height) == size


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.mp3", "audio/mpeg"),
        ("a.m4a", "audio/mp4"),
        ("a.ogg", "audio/ogg"),
        ("a.wav", "audio/wav"),
        ("a.flac", "audio/flac"),
    ],
)
async def test_a_sound_has_seconds_and_no_pixels(tmp_path: Path, name: str, content_type: str) -> None:
    found = await probe(samples.mp3(tmp_path / name))
    assert facts(found) == ("audio", content_type, None, None)
    assert found.seconds == pytest.approx(1.0, abs=0.11)


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "application/pdf"),
        ("Grüße\n".encode(), "text/plain"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
        (b"<!DOCTYPE html><title>x</title>", "text/html"),
        (b"", "application/octet-stream"),
        (bytes(range(128, 256)) * 4, "application/octet-stream"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "text/plain"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "text/plain"),
    ],
)
async def test_anything_else_is_a_file(tmp_path: Path, content: bytes, content_type: str) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    found = await probe(path)
    assert facts(found) == ("file", content_type, None, None)
    assert found.size_bytes == len(content)


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.gif", "a.mp4"])
async def test_a_cut_upload_is_unreadable(tmp_path: Path, name: str, part: float) -> None:
    path = tmp_path / name
    {"jpg": samples.jpeg, "png": samples.png, "gif": samples.gif, "mp4": samples.mp4}[name[2:]](path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(Unreadable):
        await probe(path)


@pytest.mark.parametrize(
    "start",
    [
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"\0\0\0\x18ftypmp42",
        b"\x1aE\xdf\xa3",
        b"OggS",
        b"fLaC",
        b"ID3",
    ],
)
async def test_noise_after_a_good_start_is_unreadable(tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "noise"
    path.write_bytes(start + hashlib.shake_128(start).digest(4096))
    with pytest.raises(Unreadable):
        await probe(path)


async def test_a_picture_that_would_fill_the_memory_is_refused_unopened(tmp_path: Path) -> None:
    path = samples.png(tmp_path / "bomb.png")
    raw = bytearray(path.read_bytes())
    raw[16:24] = (60_000).to_bytes(4, "big") * 2
    path.write_bytes(raw)
    with pytest.raises(Unreadable, match=r"60000 × 60000 pixels|cannot be read"):
        await probe(path)


async def test_a_file_that_hangs_its_reader_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "SECONDS_MAX", 0.001)
    with pytest.raises(Unreadable, match="too long"):
        await probe(samples.jpeg(tmp_path / "a.jpg"))


async def test_no_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await probe(tmp_path / "none")


async def test_the_reader_knows_none_of_our_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    spy = tmp_path / "hubbub" / "kit"
    spy.mkdir(parents=True)
    for folder in (spy.parent, spy):
        (folder / "__init__.py").write_text("")
    (spy / "media_probe.py").write_text(
        "import json, os; print(json.dumps({'kind': 'file', 'content_type': ' '.join(sorted(os.environ))}))"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    path = tmp_path / "a"
    path.write_bytes(b"x")
    found = await probe(path)
    assert found.content_type
    assert set(found.content_type.split()) <= {"PATH", "PYTHONPATH", "LC_CTYPE"}


async def test_a_film_of_two_gigabytes_is_read_at_constant_memory(tmp_path: Path) -> None:
    path = samples.mp4(tmp_path / "a.mp4")
    size = 2 << 30
    hole = size - path.stat().st_size
    with path.open("r+b") as film:
        film.seek(0, os.SEEK_END)
        film.write(b"\0\0\0\x01free" + hole.to_bytes(8, "big"))
        film.truncate(size)
    began = time.monotonic()
    script = (
        "import resource, subprocess, sys; "
        "subprocess.run([sys.executable, '-m', 'hubbub.kit.media_probe'], stdin=open(sys.argv[1], 'rb')); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    answer, peak = done.stdout.rsplit("}", 1)
    assert '"video/mp4"' in answer
    assert int(peak) < 200_000, "kilobytes; about 70 MB of them are the libraries"
    assert time.monotonic() - began < 30
