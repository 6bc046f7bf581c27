"""Look into one file, in a process of its own: `python -m hubbub.kit.media_probe < file` prints JSON.

The file is a stranger's. So: no network and no other file (containers are chosen by us, never guessed by
the demuxer, and read through standard input), little memory, little time. Whoever starts this process
treats any end but a clean one as "unreadable". The answer has the fields of `hubbub.kit.media.Probe`
that need a look inside, or `{"error": "…"}`.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

MEMORY_BYTES = 2 << 30
CPU_SECONDS = 20
PIXELS_MAX = 250_000_000
PIXELS_DECODED = 50_000_000
FRAMES_MAX = 5_000
HEAD_BYTES = 4_096

# https://mp4ra.org/registered-types/brands
BRANDS = {
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"3gp": "video/3gpp",
    b"3g2": "video/3gpp2",
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"heim": "image/heic",
    b"mif1": "image/heic",
    b"msf1": "image/heic",
}
# Type by first bytes, and the demuxer that reads it (None: Pillow).
MAGIC: list[tuple[int, bytes, str, str | None]] = [
    (0, b"\xff\xd8\xff", "image/jpeg", None),
    (0, b"\x89PNG\r\n\x1a\n", "image/png", None),
    (0, b"GIF87a", "image/gif", None),
    (0, b"GIF89a", "image/gif", None),
    (8, b"WEBP", "image/webp", None),
    (0, b"II*\0", "image/tiff", None),
    (0, b"MM\0*", "image/tiff", None),
    (4, b"moov", "video/quicktime", "mov"),
    (4, b"mdat", "video/quicktime", "mov"),
    (4, b"wide", "video/quicktime", "mov"),
    (0, b"\x1aE\xdf\xa3", "video/x-matroska", "matroska"),
    (8, b"AVI ", "video/x-msvideo", "avi"),
    (8, b"WAVE", "audio/wav", "wav"),
    (0, b"OggS", "video/ogg", "ogg"),
    (0, b"fLaC", "audio/flac", "flac"),
    (0, b"FLV\x01", "video/x-flv", "flv"),
    (0, b"0&\xb2u\x8ef\xcf\x11", "video/x-ms-wmv", "asf"),
    (0, b"\0\0\x01\xba", "video/mpeg", "mpeg"),
    (0, b"#!AMR", "audio/amr", "amr"),
    (0, b"ID3", "audio/mpeg", "mp3"),
    (0, b"\xff\xf1", "audio/aac", "aac"),
    (0, b"\xff\xf9", "audio/aac", "aac"),
    (0, b"\xff\xfb", "audio/mpeg", "mp3"),
    (0, b"\xff\xfa", "audio/mpeg", "mp3"),
    (0, b"\xff\xf3", "audio/mpeg", "mp3"),
    (0, b"\xff\xf2", "audio/mpeg", "mp3"),
]
Facts = dict[str, Any]


class Broken(Exception):
    """The file claims to be a picture, film or sound, and is not a whole one."""


def look(source: BinaryIO) -> Facts:
    """What this seekable file is. Raises Broken when it is not what its first bytes say."""
    head = source.read(HEAD_BYTES)
    source.seek(0)
    content_type, demuxer = _sort(head)
    if content_type == "image/heic":
        return {"kind": "image", "content_type": content_type} | _still_in_container(source)
    if content_type.startswith("image/") and content_type != "image/svg+xml":
        return {"kind": "image", "content_type": content_type} | _image(source)
    if demuxer is None:
        return {"kind": "file", "content_type": content_type}
    if demuxer == "mov":
        _whole_boxes(source)
    return _stream(source, content_type, demuxer)


def _sort(head: bytes) -> tuple[str, str | None]:
    """Content type and demuxer by the first bytes."""
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return BRANDS.get(brand) or BRANDS.get(brand[:3]) or "video/mp4", "mov"
    if head[:1] == b"\x47" and head[188:189] == b"\x47" and head[376:377] == b"\x47":
        return "video/mp2t", "mpegts"
    for offset, magic, content_type, demuxer in MAGIC:
        if head[offset : offset + len(magic)] == magic and (offset != 8 or head[:4] == b"RIFF"):
            if demuxer == "matroska" and b"webm" in head[:64]:
                content_type = "video/webm"
            return content_type, demuxer
    return _other(head), None


def _other(head: bytes) -> str:
    """The type of something we only pass on."""
    import puremagic

    try:
        text = head.decode("utf-8") if len(head) < HEAD_BYTES else head[:-4].decode("utf-8", "ignore")
        if (
            text
            and len(text.encode()) >= len(head) - 8
            and all(c.isprintable() or c in "\t\r\n\f" for c in text)
        ):
            start = text.lstrip("\ufeff \t\r\n").lower()
            if start.startswith(("<!doctype html", "<html")):
                return "text/html"
            if start.startswith("<svg") or (
                start.startswith(("<?xml", "<!--", "<!doctype svg")) and "<svg" in start
            ):
                return "image/svg+xml"
            return "text/plain"
    except UnicodeDecodeError:
        pass
    try:
        return puremagic.from_string(head, mime=True) or "application/octet-stream"
    except (puremagic.PureError, ValueError):
        return "application/octet-stream"


def _image(source: BinaryIO) -> Facts:
    """Displayed size, and the playing time when it moves."""
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(source, formats=["JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF"]) as image:
            width, height = image.size
            if width * height > PIXELS_MAX:
                raise Broken(f"The picture has {width} × {height} pixels, more than can be read.")
            turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
            facts: Facts = (
                {"width": height, "height": width} if turned else {"width": width, "height": height}
            )
            facts["codec"] = (image.format or "").lower().replace("mpo", "jpeg")
            frames = int(getattr(image, "n_frames", 1))
            if facts["codec"] in ("gif", "png", "webp", "avif") and frames > 1:
                return facts | _moving(image, frames)
            image.draft("RGB", (1, 1))
            if image.size[0] * image.size[1] <= PIXELS_DECODED:
                image.load()
        if facts["codec"] == "png":
            source.seek(0)
            Image.open(source, formats=["PNG"]).verify()
        return facts
    except UnidentifiedImageError:
        raise Broken("The picture cannot be read.") from None
    except (OSError, SyntaxError, ValueError, EOFError, TypeError, IndexError) as failure:
        raise Broken(f"The picture cannot be read: {failure}") from None


def _moving(image: Any, frames: int) -> Facts:
    if frames > FRAMES_MAX:
        raise Broken(f"The picture has {frames} frames, more than can be read.")
    milliseconds = 0.0
    for index in range(frames):
        image.seek(index)
        image.load()
        milliseconds += float(image.info.get("duration", 0) or 0)
    seconds = milliseconds / 1000
    return {"seconds": seconds, "frame_rate": frames / seconds if seconds else None, "frames": frames}


def _whole_boxes(source: BinaryIO) -> None:
    """Raise Broken when an MP4's top-level boxes promise more bytes than there are (a cut upload)."""
    size = source.seek(0, os.SEEK_END)
    at = 0
    while at + 8 <= size:
        source.seek(at)
        header = source.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if length == 0:
            break
        if length < 8 or at + length > size:
            raise Broken("The file ends too early.")
        at += length
    source.seek(0)


def _still_in_container(source: BinaryIO) -> Facts:
    """Size of a HEIC picture as far as the demuxer understands it; its tiles count as a picture too."""
    facts = _stream(source, "video/mp4", "mov")
    return {name: facts.get(name) for name in ("width", "height", "codec")}


def _stream(source: BinaryIO, content_type: str, demuxer: str) -> Facts:
    """Facts about a film or a sound."""
    import av
    import av.error
    import av.logging

    av.logging.set_level(av.logging.PANIC)
    try:
        with av.open(source, "r", format=demuxer, metadata_errors="ignore") as container:
            return _container(container, content_type)
    except (av.error.FFmpegError, ValueError, EOFError, IndexError) as failure:
        raise Broken(f"The file cannot be read: {getattr(failure, 'strerror', None) or failure}") from None


def _container(container: InputContainer, content_type: str) -> Facts:
    pictures = [s for s in container.streams.video if not _is_cover(s)]
    sounds = container.streams.audio
    if not pictures and not sounds:
        raise Broken("The file holds neither pictures nor sound.")
    facts: Facts = {
        "kind": "video" if pictures else "audio",
        "content_type": content_type if pictures else content_type.replace("video/", "audio/"),
        "audio_codec": sounds[0].codec_context.name if sounds else None,
        "codec": (pictures or sounds)[0].codec_context.name,
    }
    if pictures:
        facts |= _first_frame(container, pictures[0])
    facts["seconds"] = _seconds(container)
    return facts


def _is_cover(stream: VideoStream) -> bool:
    """Whether a stream of pictures is the cover of a song."""
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)


def _first_frame(container: InputContainer, stream: VideoStream) -> Facts:
    """Displayed size: after rotation and with square pixels. Raises Broken when nothing decodes."""
    stream.codec_context.thread_count = 1
    rate = stream.average_rate or stream.guessed_rate
    facts: Facts = {"frame_rate": float(rate) if rate else None}
    width, height, turned = stream.codec_context.width, stream.codec_context.height, False
    if width * height > PIXELS_MAX:
        raise Broken(f"The film has {width} × {height} pixels, more than can be read.")
    frame = next(container.decode(stream), None)
    if frame is None:
        raise Broken("The film has no picture.")
    width, height, turned = frame.width, frame.height, round(frame.rotation / 90) % 2 == 1
    shape = stream.sample_aspect_ratio
    if shape and shape > 0:
        width = round(width * shape)
    return facts | ({"width": height, "height": width} if turned else {"width": width, "height": height})


def _seconds(container: InputContainer) -> float | None:
    """Playing time; when the header does not tell (recorded in a browser), by walking to the end."""
    if container.duration and container.duration > 0:
        return container.duration / 1_000_000
    known = [float(s.duration * s.time_base) for s in container.streams if s.duration and s.time_base]
    if known:
        return max(known)
    container.seek(0)
    last = 0.0
    for packet in container.demux():
        if packet.pts is not None and packet.time_base:
            last = max(last, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    return last or None


def main() -> None:
    """Limit ourselves, look at standard input, print."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    if sys.platform.startswith("linux"):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        answer = look(sys.stdin.buffer)
    except Broken as broken:
        answer = {"error": str(broken)}
    except MemoryError:
        answer = {"error": "The file needs too much memory to be read."}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
