"""Change one picture, in a process of its own: `python -m hubbub.kit.media_fix RECIPE < picture > changed`.

The picture is a stranger's, so there is little memory and little time, as in `media_probe`. Where it ends
with 3, the output is a sentence that says why the picture cannot be read, with 4 why it cannot be changed so;
with 5 there was no room for it.
The same picture and recipe give the same bytes. Nothing of the picture's metadata is kept but its colours'.
"""

from __future__ import annotations

import io
import json
import os
import resource
import struct
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any, BinaryIO

from hubbub.kit.media_frame import Frame, How, Ratio, framed, largest, reading, scaled

if TYPE_CHECKING:
    from PIL.Image import Image

MEMORY_BYTES = 2 << 30
CPU_SECONDS = 40
OUTPUT_BYTES = 256 << 20
UNREADABLE, UNFIXABLE, NO_ROOM = 3, 4, 5
PROFILE_BYTES = 128 << 10
"""A larger colour profile is applied and not kept."""
QUALITIES = (92, 85, 78, 70)
SCALE_MIN = 0.05
SHRINK = 0.9
"""At least by so much a picture shrinks that is still too large at the lowest quality."""
WHITE = (255, 255, 255)
COLOURED = ("RGB", "RGBA", "RGBX", "P", "PA")
"""Modes of pixels that a profile of red, green and blue is about."""

READS = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/avif": "AVIF",
    "image/tiff": "TIFF",
}
WRITES = {"image/jpeg": "JPEG", "image/png": "PNG"}
"""Not WebP: a large one takes minutes to write, and everybody takes one of these."""


@dataclass(frozen=True)
class Recipe:
    """What a picture has to become."""

    content_type: str
    """One of WRITES."""
    ratio: Ratio | None = None
    how: How = "pad"
    max_bytes: int | None = None
    min_pixels: tuple[int, int] | None = None
    """Width and height below which it does not shrink."""

    @property
    def words(self) -> str:
        """The recipe as text: equal for equal recipes."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def of(cls, words: str) -> Recipe:
        told: dict[str, Any] = json.loads(words)
        for name in ("ratio", "min_pixels"):
            told[name] = tuple(told[name]) if told[name] else None
        return cls(**told)


class Unreadable(Exception):
    """The file says it is a picture, film or sound but cannot be read as one; the message says why."""


class Unfixable(Exception):
    """The picture cannot become what the recipe says."""


def fix(source: BinaryIO, recipe: Recipe) -> bytes:
    """The picture as the recipe says. Raises Unreadable and Unfixable."""
    image, profile = _read(source)
    start = largest(*image.size, recipe.ratio, recipe.how)
    if start is None:
        raise Unfixable("Whole pixels do not come to such a shape.")
    scale = start[1]
    while True:
        size = scaled(*image.size, scale)
        frame = framed(*size, recipe.ratio, recipe.how)
        if frame is None or scale < SCALE_MIN or _is_too_small(frame, recipe):
            raise Unfixable(
                f"The picture would have to shrink to {size[0]} × {size[1]} pixels, which is too small."
            )
        written = b""
        for written in _written(_placed(image, size, frame), profile, recipe.content_type):
            if recipe.max_bytes is None or len(written) <= recipe.max_bytes:
                return written
        assert recipe.max_bytes is not None
        scale *= min(SHRINK, sqrt(recipe.max_bytes / len(written)))


def _is_too_small(frame: Frame, recipe: Recipe) -> bool:
    return recipe.min_pixels is not None and (
        frame.width < recipe.min_pixels[0] or frame.height < recipe.min_pixels[1]
    )


# Reading


def _read(source: BinaryIO) -> tuple[Image, bytes | None]:
    """The picture upright, in RGB or RGBA, and the profile its colours are in."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(source, formats=list(READS.values())) as image:
            _reduce(image)
            image.load()
            turned = _upright(image)
            return _in_colour(turned, image.info.get("icc_profile"))
    except (OSError, SyntaxError, ValueError, EOFError, TypeError, IndexError, struct.error) as failure:
        raise Unreadable(f"The picture cannot be read: {failure}") from None


def _reduce(image: Any) -> None:
    """Read a very large JPEG at a part of its size. Raises Unreadable, before anything is decoded."""
    kind = (image.format or "").replace("MPO", "JPEG")
    if kind != "JPEG" and int(getattr(image, "n_frames", 1)) > 1:
        raise Unreadable("The picture has several frames; only one would be left.")
    width, height = image.size
    read = reading(f"image/{kind.lower()}", width, height)
    if read is None:
        raise Unreadable(f"The picture has {width} × {height} pixels, more than can be changed.")
    part, _ = read
    if part > 1:
        image.draft(None, (width // part, height // part))


def _upright(image: Image) -> Image:
    """The picture as it is meant to be shown. https://exiftool.org/TagNames/EXIF.html, 0x0112"""
    from PIL.Image import Transpose

    methods = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    method = methods.get(image.getexif().get(0x0112, 1))
    return image if method is None else image.transpose(method)


def _in_colour(image: Image, profile: bytes | None) -> tuple[Image, bytes | None]:
    """Eight bits of red, green, blue, and of transparency where there is any."""
    mode = "RGBA" if image.has_transparency_data else "RGB"
    space = profile[16:20] if profile else b""
    if image.mode == "I" or image.mode.startswith("I;16"):  # sixteen bits of grey, as PNG has them
        return image.convert("I").point(lambda grey: grey * (1 / 256)).convert("L").convert("RGB"), None
    if profile and not (space == b"RGB " and len(profile) <= PROFILE_BYTES and image.mode in COLOURED):
        image, profile = _applied(image, profile) or image, None
    return (image if image.mode == mode else image.convert(mode)), profile


def _applied(image: Image, profile: bytes) -> Image | None:
    """The picture with the colours of the web; None when the profile is of no use."""
    from PIL import ImageCms

    if image.mode not in ("RGB", "CMYK", "L"):
        return None
    try:
        ours = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        return ImageCms.profileToProfile(
            image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ours, outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


# Writing


def _placed(image: Image, size: tuple[int, int], frame: Frame) -> Image:
    """The picture at a size, in its frame: on white where it does not fill it, and free of metadata."""
    from PIL.Image import Resampling, new

    if size != image.size:
        image = image.resize(size, Resampling.LANCZOS, reducing_gap=3.0)
    canvas = new(image.mode, (frame.width, frame.height), WHITE)
    canvas.paste(image.crop(frame.box), frame.at)
    return canvas


def _written(image: Image, profile: bytes | None, content_type: str) -> Iterator[bytes]:
    """The picture as a file, at one quality after another where the format has any."""
    if content_type == "image/jpeg" and image.mode == "RGBA":
        from PIL.Image import new

        flat = new("RGB", image.size, WHITE)
        flat.paste(image, mask=image.getchannel("A"))
        image = flat
    ways: list[dict[str, Any]] = [{"quality": quality} for quality in QUALITIES]
    if content_type == "image/png":
        ways = [{}]
    for way in ways:
        into = io.BytesIO()
        if profile:
            way["icc_profile"] = profile
        image.save(into, WRITES[content_type], **way)
        yield into.getvalue()


def main() -> None:
    """Limit ourselves, change standard input, print."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    if sys.platform.startswith("linux"):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (OUTPUT_BYTES, OUTPUT_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        answer, code = fix(sys.stdin.buffer, Recipe.of(sys.argv[1])), 0
    except Unreadable as broken:
        answer, code = str(broken).encode(), UNREADABLE
    except Unfixable as why:
        answer, code = str(why).encode(), UNFIXABLE
    except MemoryError:
        answer, code = b"The picture needs too much memory to be changed.", UNREADABLE
    try:
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()
    except OSError:
        os._exit(NO_ROOM)  # nothing more is to be written, not even at the end
    sys.exit(code)


if __name__ == "__main__":
    main()
