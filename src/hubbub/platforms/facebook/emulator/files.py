"""Getting hold of a photo or video: from the request, or from a URL that the platform fetches."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import httpx2
from PIL import Image, UnidentifiedImageError

from hubbub.emulation.graph.ask import Ask
from hubbub.emulation.graph.errors import GraphError, bad_parameter

AGENT = "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"
PHOTO_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
}
PHOTO_LIMIT = 10 * 1024 * 1024
VIDEO_LIMIT = 1024 * 1024 * 1024
FETCH_SECONDS = 20.0
CONTAINERS = (
    (4, b"ftyp"),
    (4, b"moov"),
    (4, b"mdat"),
    (0, b"\x1aE\xdf\xa3"),
    (8, b"AVI "),
    (0, b"FLV"),
    (0, b"OggS"),
    (0, b"\x00\x00\x01\xba"),
    (0, b"G@"),
    (0, b"0&\xb2u\x8ef\xcf\x11"),
)


async def received(ask: Ask, url: str, limit: int) -> bytes:
    """The bytes of the multipart part `source`, or of the URL in parameter `url`.

    Raises GraphError 324 when there is neither and 389 when the URL cannot be fetched.
    """
    for name in ("source", "source0", "video_file_chunk"):
        if name in ask.uploads:
            return ask.uploads[name].data
    if not ask.given(url):
        raise GraphError(324, "(#324) Requires upload file")
    return await fetch(ask.text(url), limit)


async def fetch(url: str, limit: int) -> bytes:
    """Raises GraphError 389 when nothing can be had there."""
    if not url.startswith(("http://", "https://")):
        raise bad_parameter("url should represent a valid URL")
    found = bytearray()
    try:
        async with (
            httpx2.AsyncClient(follow_redirects=True, timeout=FETCH_SECONDS, trust_env=False) as client,
            client.stream("GET", url, headers={"user-agent": AGENT}) as answer,
        ):
            answer.raise_for_status()
            async for piece in answer.aiter_bytes():
                found += piece
                if len(found) > limit:
                    break
    except (httpx2.HTTPError, httpx2.InvalidURL) as failed:
        raise unfetchable() from failed
    return bytes(found)


def unfetchable() -> GraphError:
    return GraphError(
        389,
        "(#389) Unable to fetch video file from URL.",
        title="Couldn't Get File",
        sentence="The file could not be fetched from its URL.",
    )


def photo_facts(data: bytes) -> dict[str, Any]:
    """Size, kind and dimensions. Raises GraphError 100/1366046 when Facebook would not take the file."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            kind, (width, height) = image.format or "", image.size
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as broken:
        raise photo_refused() from broken
    if kind not in PHOTO_TYPES or len(data) > PHOTO_LIMIT:
        raise photo_refused()
    return facts(data) | {"content_type": PHOTO_TYPES[kind], "width": width, "height": height}


def photo_refused() -> GraphError:
    """The envelope was seen in https://github.com/facebookarchive/php-graph-sdk/issues/315"""
    return GraphError(
        100,
        "Invalid parameter",
        subcode=1366046,
        transient=False,
        title="Can't Read Files",
        sentence="Photos must be JPG, PNG, GIF, BMP or TIFF files below 10 MB.",
    )


def check_video(head: bytes, size: int) -> None:
    """`head` are the first bytes. Raises GraphError 382 (empty) or 6000 (not a video, or too large)."""
    if size == 0:
        raise GraphError(382, "(#382) The video file you tried to upload is too small. Please try again.")
    if size > VIDEO_LIMIT or not any(head[at : at + len(mark)] == mark for at, mark in CONTAINERS):
        message = "(#6000) There was a problem uploading your video file. Please try again with another file."
        raise GraphError(
            6000, message, subcode=1363024, transient=False, title="Video Upload Is Not Supported"
        )


def facts(data: bytes) -> dict[str, Any]:
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
