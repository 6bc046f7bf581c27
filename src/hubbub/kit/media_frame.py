"""How a picture comes to a shape: whole pixels, exactly within the bounds."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, sqrt
from typing import Literal

How = Literal["pad", "crop"]
Ratio = tuple[float, float]
"""Width divided by height: smallest, largest."""

PIXELS_MAX = 50_000_000
"""What a picture may have when it is read, and when it is written."""
SIDE_MAX = 16_000
"""Pixels; few programs show a picture with more."""
PARTS = (1, 2, 4, 8)
"""A JPEG can be read at a half, a fourth or an eighth of its size, in as much less memory."""
_STEPS = 4_096


@dataclass(frozen=True)
class Frame:
    """A picture of `width` × `height` that shows `box` of another (left, top, right, bottom), from `at` on."""

    width: int
    height: int
    box: tuple[int, int, int, int]
    at: tuple[int, int] = (0, 0)


def fits(width: int, height: int, ratio: Ratio | None) -> bool:
    """Whether width divided by height lies within the bounds, as the decimal numbers they are written as."""
    if ratio is None:
        return True
    least, most = _exact(ratio)
    return least * height <= width <= most * height


def framed(width: int, height: int, ratio: Ratio | None, how: How) -> Frame | None:
    """The smallest frame around a picture (`pad`), or the largest within it (`crop`), that has the shape.

    The picture is in the middle. None when whole pixels do not come to such a shape.
    """
    if fits(width, height, ratio) or ratio is None:
        return Frame(width, height, (0, 0, width, height))
    size = (_around if how == "pad" else _within)(width, height, *_exact(ratio))
    if size is None:
        return None
    wide, high = size
    if how == "pad":
        return Frame(wide, high, (0, 0, width, height), ((wide - width) // 2, (high - height) // 2))
    left, top = (width - wide) // 2, (height - high) // 2
    return Frame(wide, high, (left, top, left + wide, top + high))


def _exact(ratio: Ratio) -> tuple[Fraction, Fraction]:
    return Fraction(str(ratio[0])), Fraction(str(ratio[1]))


def _around(width: int, height: int, least: Fraction, most: Fraction) -> tuple[int, int] | None:
    """The side that is long enough grows only where the bounds are so close that nothing else meets them."""
    for more in range(_STEPS):
        if width > most * height:
            wide, high = width + more, ceil((width + more) / most)
        else:
            wide, high = ceil(least * (height + more)), height + more
        if least * high <= wide <= most * high:
            return wide, high
    return None


def _within(width: int, height: int, least: Fraction, most: Fraction) -> tuple[int, int] | None:
    for less in range(min(_STEPS, width, height)):
        if width > most * height:
            wide, high = floor(most * (height - less)), height - less
        else:
            wide, high = width - less, floor((width - less) / least)
        if wide > 0 and high > 0 and least * high <= wide <= most * high:
            return wide, high
    return None


def reading(content_type: str, width: int, height: int) -> tuple[int, tuple[int, int]] | None:
    """At which part of its size a picture is read, and that size; None when it has too many pixels for us."""
    for part in PARTS if content_type == "image/jpeg" else PARTS[:1]:
        size = ceil(width / part), ceil(height / part)
        if size[0] * size[1] <= PIXELS_MAX:
            return part, size
    return None


def scaled(width: int, height: int, by: float) -> tuple[int, int]:
    return max(1, round(width * by)), max(1, round(height * by))


def largest(width: int, height: int, ratio: Ratio | None, how: How) -> tuple[Frame, float] | None:
    """The frame of a picture at the largest scale (at most 1) at which the frame is not too large."""
    scale = 1.0
    for _ in range(20):
        frame = framed(*scaled(width, height, scale), ratio, how)
        if frame is None:
            return None
        pixels, side = frame.width * frame.height, max(frame.width, frame.height)
        if pixels <= PIXELS_MAX and side <= SIDE_MAX:
            return frame, scale
        scale *= min(sqrt(PIXELS_MAX / pixels), SIDE_MAX / side) * 0.999
    return None
