"""Makers of small media files for tests. Every maker writes `path` and returns it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from PIL import Image


def _picture(width: int, height: int, shade: int = 0) -> Image.Image:
    """A gradient, so that no two sizes or shades compress to the same bytes."""
    across = Image.linear_gradient("L").resize((width, height))
    return Image.merge("RGB", (across, across.rotate(180), Image.new("L", (width, height), shade % 256)))


def jpeg(path: Path, width: int = 64, height: int = 48, *, orientation: int = 1, shade: int = 0) -> Path:
    exif = Image.Exif()
    exif[0x0112] = orientation
    _picture(width, height, shade).save(path, "JPEG", exif=exif)
    return path


def png(path: Path, width: int = 64, height: int = 48, *, shade: int = 0) -> Path:
    _picture(width, height, shade).save(path, "PNG")
    return path


def webp(path: Path, width: int = 64, height: int = 48, *, shade: int = 0) -> Path:
    _picture(width, height, shade).save(path, "WEBP")
    return path


def gif(path: Path, width: int = 64, height: int = 48, *, frames: int = 3, milliseconds: int = 100) -> Path:
    first, *rest = [_picture(width, height, 40 * n) for n in range(frames)]
    first.save(path, "GIF", save_all=True, append_images=rest, duration=milliseconds, loop=0)
    return path


def mp4(
    path: Path,
    width: int = 64,
    height: int = 48,
    *,
    seconds: float = 1.0,
    rate: int = 10,
    codec: str = "libx264",
    sound: bool = False,
    turned: int = 0,
) -> Path:
    """A film; the container follows from the suffix (.mp4, .mov, .webm with `codec="libvpx"`, .avi)."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        track: Any = container.add_stream("libopus" if path.suffix == ".webm" else "aac") if sound else None
        if track:
            track.sample_rate, track.layout = 48_000, "mono"
        for number in range(round(seconds * rate)):
            frame = av.VideoFrame(width, height, "yuv420p")
            for plane, base in zip(frame.planes, (16 + number * 7 % 200, 90, 160), strict=True):
                plane.update(bytes([base]) * plane.buffer_size)
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if track:
            _silence(container, track, seconds)
    if turned:
        _turn(path, turned)
    return path


def mp3(path: Path, *, seconds: float = 1.0) -> Path:
    """A sound; the codec follows from the suffix (.mp3, .m4a, .ogg, .wav, .flac)."""
    codecs = {".mp3": "libmp3lame", ".m4a": "aac", ".ogg": "libopus", ".wav": "pcm_s16le", ".flac": "flac"}
    with av.open(str(path), "w") as container:
        track: Any = container.add_stream(codecs[path.suffix], rate=48_000)
        track.layout = "mono"
        _silence(container, track, seconds)
    return path


def _silence(container: Any, track: Any, seconds: float) -> None:
    resampler = av.AudioResampler(
        format=track.format, layout="mono", rate=48_000, frame_size=track.frame_size or 0
    )
    total = round(seconds * 48_000)
    for start in range(0, total, 960):
        frame = av.AudioFrame(format="s16", layout="mono", samples=min(960, total - start))
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        frame.sample_rate, frame.pts, frame.time_base = 48_000, start, Fraction(1, 48_000)
        for piece in resampler.resample(frame):
            container.mux(track.encode(piece))
    for piece in resampler.resample(None):
        container.mux(track.encode(piece))
    container.mux(track.encode(None))


def _turn(path: Path, degrees: int) -> None:
    """Write a rotation into the picture track's matrix (`tkhd`), as a phone held upright does."""
    numbers = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}[degrees]
    raw = bytearray(path.read_bytes())
    at = raw.index(b"tkhd") + 4 + 4 + 20 + 16
    for place, number in zip((0, 4, 12, 16), numbers, strict=True):
        raw[at + place : at + place + 4] = (number * 0x10000).to_bytes(4, "big", signed=True)
    path.write_bytes(raw)
