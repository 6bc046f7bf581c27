"""Fetching a picture or film from its URL, and whether Instagram would take it."""

from __future__ import annotations

import hashlib
import io
import struct
from typing import Any

import httpx2
from PIL import Image, UnidentifiedImageError

from hubbub.emulation.graph.errors import GraphError, bad_parameter

from .site import refused

AGENT = "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"
FETCH_SECONDS = 20.0
IMAGE_BYTES = 8 * 1024 * 1024
VIDEO_BYTES = 300 * 1024 * 1024
NARROWEST, WIDEST = 0.8, 1.91
FEED_SECONDS = (3.0, 900.0)
STORY_SECONDS = (3.0, 60.0)


async def fetch(url: str, limit: int) -> bytes:
    """Raises GraphError 9004/2207052 when nothing can be had there."""
    if not url.startswith(("http://", "https://")):
        raise bad_parameter("The media URI must be a valid URL")
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
        sentence = "The media could not be fetched from this URI."
        raise refused(9004, 2207052, sentence, title="Media could not be fetched") from failed
    return bytes(found)


async def picture(url: str, *, any_shape: bool) -> dict[str, Any]:
    """Size, kind and dimensions. Raises GraphError for a file that Instagram would not take.

    https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/media
    """
    data = await fetch(url, IMAGE_BYTES)
    if len(data) > IMAGE_BYTES:
        raise refused(36000, 2207004, "The image is too large to download. It should be less than 8 MiB.")
    try:
        with Image.open(io.BytesIO(data)) as image:
            kind, (width, height) = image.format or "", image.size
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as broken:
        raise _not_a_jpeg() from broken
    if kind != "JPEG":
        raise _not_a_jpeg()
    if not any_shape and not NARROWEST <= round(width / height, 3) <= WIDEST:
        raise refused(36003, 2207009, "The submitted image with aspect ratio cannot be published.")
    return {"type": "IMAGE", "width": width, "height": height, **_digest(data)}


def _not_a_jpeg() -> GraphError:
    return refused(36001, 2207005, "The image format is not supported. Supported formats are: JPEG.")


async def film(url: str, *, story: bool) -> tuple[dict[str, Any], int | None]:
    """What is known of a film, and the number its processing will fail with, if it will."""
    try:
        data = await fetch(url, VIDEO_BYTES)
    except GraphError:
        return {"type": "VIDEO", "size": 0, "sha256": None}, 2207077
    seconds = length_of(data)
    known = {"type": "VIDEO", "seconds": seconds, **_digest(data)}
    least, most = STORY_SECONDS if story else FEED_SECONDS
    if data[4:8] != b"ftyp" or len(data) > VIDEO_BYTES or seconds is None or not least <= seconds <= most:
        return known, 2207026
    return known, None


def length_of(data: bytes) -> float | None:
    """The seconds in the header of an MP4 or MOV (ISO 14496-12, `mvhd`), rounded up to a tenth."""
    at = data.find(b"mvhd")
    if at < 0:
        return None
    try:
        if data[at + 4] == 1:
            scale, length = struct.unpack_from(">IQ", data, at + 24)
        else:
            scale, length = struct.unpack_from(">II", data, at + 16)
    except struct.error:
        return None
    return round(length / scale + 0.04, 1) if scale else None


def _digest(data: bytes) -> dict[str, Any]:
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
