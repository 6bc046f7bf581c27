from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.kit.media_frame import PIXELS_MAX, SIDE_MAX, Frame, How, Ratio, fits, framed, largest, reading

SIDES = st.integers(1, 20_000)
HOWS = st.sampled_from(["pad", "crop"])
RATIOS = st.sampled_from([(0.8, 1.91), (0.5625, 1.7778), (1.0, 1.0), (0.8, 0.8), (1.91, 1.91), (0.01, 10.0)])


@pytest.mark.parametrize(
    ("size", "how", "frame"),
    [
        ((300, 100), "pad", Frame(300, 158, (0, 0, 300, 100), (0, 29))),
        ((300, 100), "crop", Frame(191, 100, (54, 0, 245, 100))),
        ((100, 300), "pad", Frame(240, 300, (0, 0, 100, 300), (70, 0))),
        ((100, 300), "crop", Frame(100, 125, (0, 87, 100, 212))),
        ((100, 125), "pad", Frame(100, 125, (0, 0, 100, 125))),
        ((191, 100), "crop", Frame(191, 100, (0, 0, 191, 100))),
    ],
)
def test_a_picture_is_in_the_middle_of_its_frame(size: tuple[int, int], how: How, frame: Frame) -> None:
    assert framed(*size, (0.8, 1.91), how) == frame


@given(width=SIDES, height=SIDES, ratio=RATIOS, how=HOWS)
def test_a_frame_has_the_shape_in_whole_pixels(width: int, height: int, ratio: Ratio, how: How) -> None:
    frame = framed(width, height, ratio, how)
    if frame is None:
        assert how == "crop"
        return
    left, top, right, bottom = frame.box
    assert fits(frame.width, frame.height, ratio)
    assert ratio[0] - 1e-9 <= frame.width / frame.height <= ratio[1] + 1e-9
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert frame.at[0] + right - left <= frame.width
    assert frame.at[1] + bottom - top <= frame.height
    if how == "pad":
        assert frame.box == (0, 0, width, height)
    else:
        assert (right - left, bottom - top) == (frame.width, frame.height)


@given(width=SIDES, height=SIDES, how=HOWS)
def test_no_more_is_added_or_cut_off_than_needed(width: int, height: int, how: How) -> None:
    ratio = (0.8, 1.91)
    frame = framed(width, height, ratio, how)
    if frame is None or fits(width, height, ratio):
        return
    step = -1 if how == "pad" else 1
    others = [(frame.width + step, frame.height), (frame.width, frame.height + step)]
    around = [(wide, high) for wide, high in others if wide >= width and high >= height]
    within = [(wide, high) for wide, high in others if wide <= width and high <= height]

    assert not any(fits(*size, ratio) for size in (around if how == "pad" else within))


@given(width=SIDES, height=SIDES, ratio=RATIOS, how=HOWS)
def test_a_large_frame_is_scaled_down_and_keeps_its_shape(
    width: int, height: int, ratio: Ratio, how: How
) -> None:
    found = largest(width, height, ratio, how)
    if found is None:
        assert how == "crop"
        return
    frame, scale = found
    assert fits(frame.width, frame.height, ratio)
    assert frame.width * frame.height <= PIXELS_MAX
    assert max(frame.width, frame.height) <= SIDE_MAX
    assert 0 < scale <= 1


def test_a_bound_counts_as_the_decimal_number_it_is() -> None:
    assert fits(9, 16, (0.5625, 1.91))
    assert fits(191, 100, (0.8, 1.91))
    assert not fits(19_101, 10_000, (0.8, 1.91))
    assert not fits(7_999, 10_000, (0.8, 1.91))


def test_only_a_jpeg_is_read_at_a_part_of_its_size() -> None:
    assert reading("image/png", 5_000, 10_000) == (1, (5_000, 10_000))
    assert reading("image/png", 5_001, 10_000) is None
    assert reading("image/jpeg", 5_001, 10_000) == (2, (2_501, 5_000))
    assert reading("image/jpeg", 65_000, 65_000) is None
