"""Media for drafts: every type a platform may accept, at any size in bytes."""

from __future__ import annotations

import asyncio
import contextlib
import io
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from functools import cache
from pathlib import Path

from PIL import Image

import samples
from hubbub.connector.platform import Format, Kind
from hubbub.social.draft import File

WIDTH, HEIGHT = 64, 48
PIECE = 60_000
SECONDS = 3.0
"""What the films last, which every platform takes."""
PICTURES = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/bmp": "BMP",
    "image/tiff": "TIFF",
}
FILMS = {
    "video/mp4": ("mp4", "libx264"),
    "video/quicktime": ("mov", "libx264"),
    "video/x-msvideo": ("avi", "libx264"),
    "video/x-matroska": ("mkv", "libx264"),
    "video/webm": ("webm", "libvpx"),
}


class Shelf:
    """The files of one test. `open` is what a connector reads them with."""

    def __init__(self) -> None:
        self._content: dict[str, bytes] = {}
        self._served_at = ""
        self.is_reachable = True

    def put(self, content_type: str, *, size: int | None = None, alt: str = "", shade: int = 0) -> File:
        """A new file of this type; `size` pads it to so many bytes."""
        content = picture(content_type, shade) if content_type in PICTURES else film(content_type)
        return self.put_bytes(content.ljust(size or 0, b"\0"), content_type, alt=alt)

    def put_bytes(self, content: bytes, content_type: str, *, alt: str = "") -> File:
        number = len(self._content) + 1
        is_film = content_type.startswith("video/")
        made = File(
            id=f"media_{number}",
            kind="video" if is_film else "image",
            content_type=content_type,
            size_bytes=len(content),
            width=WIDTH,
            height=HEIGHT,
            seconds=SECONDS if is_film else None,
            alt=alt,
            filename=f"file-{number}.{content_type.partition('/')[2]}",
        )
        self._content[made.id] = content
        return made

    async def open(self, file: File) -> AsyncIterator[bytes]:
        content = self._content[file.id]
        for start in range(0, len(content), PIECE):
            yield content[start : start + PIECE]

    def link(self, file: File) -> str:
        """Where a platform fetches it. Raises AssertionError outside `served`."""
        assert self._served_at
        return f"{self._served_at}/{file.id}"

    @contextlib.asynccontextmanager
    async def served(self) -> AsyncGenerator[None]:
        """Inside: every file can be fetched at its link, unless `is_reachable` is false."""
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        async with server:
            self._served_at = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        content = self._content.get(head.split(b" ", 2)[1].decode().lstrip("/"))
        known = content is not None and self.is_reachable
        status = b"200 OK" if known else b"404 Not Found"
        body = content if known and content is not None else b""
        writer.write(b"HTTP/1.1 %s\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % (status, len(body)))
        writer.write(body)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    def few(self, form: Format, count: int | None = None) -> tuple[File, ...]:
        """As many files as the format needs (or `count`), all different, of the first type it takes."""
        if form.media is None:
            return ()
        kind = form.media.kinds[0]
        wanted = form.media.min if count is None else count
        return tuple(
            self.put(types_of(form, kind)[0], alt=f"Picture {n}", shade=20 * n) for n in range(1, wanted + 1)
        )


def types_of(form: Format, kind: Kind) -> list[str]:
    """The file types a format takes for this kind."""
    rule = form.video if kind == "video" else form.image
    return rule.types if rule else []


@cache
def picture(content_type: str, shade: int) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (WIDTH, HEIGHT), (shade % 256, 120, 200)).save(made, PICTURES[content_type])
    return made.getvalue()


@cache
def film(content_type: str) -> bytes:
    suffix, codec = FILMS[content_type]
    with tempfile.TemporaryDirectory() as folder:
        return samples.mp4(Path(folder) / f"film.{suffix}", codec=codec, seconds=SECONDS).read_bytes()
