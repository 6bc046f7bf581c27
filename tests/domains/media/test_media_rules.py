from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from hubbub.domains.media import rules
from hubbub.kit.media import Probe


@pytest.mark.parametrize(
    ("declared", "found", "stored"),
    [
        ("image/png", "image/jpeg", "image/jpeg"),
        ("image/png", "text/plain", "text/plain"),
        ("image/png", "application/octet-stream", "application/octet-stream"),
        ("video/mp4", "application/zip", "application/zip"),
        ("text/csv", "text/plain", "text/csv"),
        ("text/html", "text/plain", "text/plain"),
        ("image/svg+xml", "text/plain", "text/plain"),
        ("application/vnd.example", "application/octet-stream", "application/vnd.example"),
        ("text/plain", "text/html", "text/html"),
        ("application/pdf", "application/pdf", "application/pdf"),
    ],
)
def test_content_decides_the_type_and_a_declaration_only_completes_it(
    declared: str, found: str, stored: str
) -> None:
    probe = Probe(content_type=found, kind="file", size_bytes=1, sha256="")
    assert rules.settled_type(declared, probe) == stored


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("image/JPEG", "image/jpeg"),
        (" video/mp4; codecs=avc1 ", "video/mp4"),
        ("image", None),
        ("", None),
        ("image/", None),
        ("image/png\r\nX: y", None),
        ("a" * 200 + "/b", None),
    ],
)
def test_a_media_type_is_read_without_its_parameters(given: str, read: str | None) -> None:
    assert rules.mime(given) == read


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("cat.jpg", "cat.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\pictures\\cat.jpg", "cat.jpg"),
        ("Kätzchen 猫.jpg", "Kätzchen 猫.jpg"),
        ("a\x00b\nc\ud800.png", "abc.png"),
        ("", "file"),
        ("..", "file"),
        ("/", "file"),
    ],
)
def test_a_filename_keeps_what_can_be_stored_and_shown(given: str, kept: str) -> None:
    assert rules.filename(given) == kept


def test_a_long_filename_is_cut_before_its_suffix() -> None:
    cut = rules.filename("x" * 400 + ".jpeg")
    assert len(cut) == 255
    assert cut.endswith("x.jpeg")


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (None, None), ("", None), ("bytes=0-", (0, 10)), ("bytes=0-0", (0, 1)), ("bytes=3-5", (3, 6)),
        ("bytes=3-99", (3, 10)), ("Bytes = 9-", (9, 10)), ("bytes=-3", (7, 10)), ("bytes=-99", (0, 10)),
        ("bytes=5-3", None), ("bytes=-", None), ("bytes=0-1,3-4", None), ("lines=0-1", None), ("bytes=a-b", None),
    ],
)  # fmt: skip
def test_a_range_of_bytes_is_understood(header: str | None, span: tuple[int, int] | None) -> None:
    assert rules.byte_range(header, 10) == span


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_a_range_that_is_not_there_is_none(header: str) -> None:
    with pytest.raises(IndexError):
        rules.byte_range(header, 10)


def _media(kind: str, content_type: str, filename: str) -> rules.Media:
    now = datetime.now(UTC)
    return rules.Media(
        id=uuid4(), workspace_id=uuid4(), filename=filename, declared_type=content_type, content_type=content_type,
        status="ready", kind=kind, size_bytes=1, width=None, height=None, seconds=None, blob_key="k",
        sha256=None, incoming_key=None, stray_keys=(), created_at=now, deleted_at=None, source_id=None,
    )  # fmt: skip


def test_only_pictures_films_and_sounds_are_shown_in_a_browser() -> None:
    shown = {
        kind: rules.disposition(_media(kind, content_type, "a")).split(";")[0]
        for kind, content_type in [("image", "image/png"), ("video", "video/mp4"), ("file", "text/html")]
    }
    assert shown == {"image": "inline", "video": "inline", "file": "attachment"}
    assert rules.disposition(_media("image", "image/svg+xml", "a")).startswith("attachment")


def test_a_filename_cannot_break_out_of_the_header() -> None:
    header = rules.disposition(_media("image", "image/png", 'a"; x=\\"é猫.png'))
    assert (
        header
        == "inline; filename=\"a_; x=____.png\"; filename*=UTF-8''a%22%3B%20x%3D%5C%22%C3%A9%E7%8C%AB.png"
    )
    assert header.isascii()


def test_room_counts_what_waits_and_use_does_not() -> None:
    usage = rules.Usage(used_bytes=60, waiting_bytes=30, count=1, limit_bytes=100, plan="free")
    assert usage.room_bytes == 10
    assert usage.has_room_for(40)
    assert not usage.has_room_for(41)
    unlimited = rules.Usage(used_bytes=60, waiting_bytes=30, count=1, limit_bytes=-1, plan="pro")
    assert unlimited.room_bytes is None
    assert unlimited.has_room_for(1 << 60)
