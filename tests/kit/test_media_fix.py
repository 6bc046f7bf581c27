"""Changing a stranger's picture in a process of its own."""

from __future__ import annotations

import io
import os
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms, ImageDraw

import samples
from hubbub.kit import media_fix
from hubbub.kit.media import Recipe, Unfixable, Unreadable, fix

pytestmark = pytest.mark.anyio

JPEG, PNG = "image/jpeg", "image/png"
WHITE, RED = (255, 255, 255), (255, 0, 0)


def save(place: Path, image: Image.Image, format: str, **how: Any) -> Path:
    image.save(place, format, **how)
    return place


def is_near(image: Image.Image, at: tuple[int, int], colour: tuple[int, int, int], by: int = 24) -> bool:
    pixel = image.convert("RGB").getpixel(at)
    assert isinstance(pixel, tuple)
    return all(abs(have - want) <= by for have, want in zip(pixel, colour, strict=True))


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "changed"


async def test_a_wide_picture_is_padded_with_white(tmp_path: Path, into: Path) -> None:
    place = save(tmp_path / "a.png", Image.new("RGB", (300, 100), RED), "PNG")

    made = await fix(place, into, Recipe(JPEG, (0.8, 1.91)))

    with Image.open(into) as image:
        assert (made.content_type, made.width, made.height) == (JPEG, 300, 158)
        assert (image.format, image.mode) == ("JPEG", "RGB")
        assert is_near(image, (150, 5), WHITE)
        assert is_near(image, (150, 152), WHITE)
        assert is_near(image, (5, 79), RED)


async def test_a_tall_picture_is_cropped_to_its_middle(tmp_path: Path, into: Path) -> None:
    tall = Image.new("RGB", (100, 300), RED)
    ImageDraw.Draw(tall).rectangle((0, 120, 99, 179), fill=(0, 0, 255))

    made = await fix(save(tmp_path / "a.png", tall, "PNG"), into, Recipe(PNG, (0.8, 1.91), "crop"))

    with Image.open(into) as image:
        assert (made.width, made.height) == (100, 125)
        assert is_near(image, (50, 62), (0, 0, 255))
        assert is_near(image, (50, 5), RED)


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_a_turned_photo_becomes_an_upright_one(tmp_path: Path, into: Path, orientation: int) -> None:
    """The top left corner is red as it is shown, whatever way the pixels are stored."""
    shown = Image.new("RGB", (64, 32), (0, 0, 255))
    ImageDraw.Draw(shown).rectangle((0, 0, 31, 15), fill=RED)
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = shown.transpose(Image.Transpose(undo[orientation])) if orientation > 1 else shown
    exif = Image.Exif()
    exif[0x0112] = orientation
    place = save(tmp_path / "a.jpg", stored, "JPEG", exif=exif, quality=95)

    made = await fix(place, into, Recipe(PNG))

    with Image.open(into) as image:
        assert (made.width, made.height) == (64, 32)
        assert 0x0112 not in image.getexif()
        assert is_near(image, (8, 4), RED)
        assert is_near(image, (56, 28), (0, 0, 255))
        assert is_near(image, (56, 4), (0, 0, 255))


async def test_where_a_photo_was_taken_is_not_passed_on(tmp_path: Path, into: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "A Camera"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 0.0)})
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    place = save(
        tmp_path / "a.jpg", Image.new("RGB", (60, 40), RED), "JPEG", exif=exif, icc_profile=profile,
        comment=b"at home", dpi=(300, 300), xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>home</x:xmpmeta>",
    )  # fmt: skip

    for content_type in (JPEG, PNG):
        await fix(place, into, Recipe(content_type))

        content = into.read_bytes()
        with Image.open(into) as image:
            assert image.info.get("icc_profile") == profile
            assert dict(image.getexif()) == {}
            assert not {"exif", "comment", "xmp"} & set(image.info)
        assert not any(word in content for word in (b"Exif", b"A Camera", b"home"))


@pytest.mark.parametrize("format", ["PNG", "WEBP", "GIF"])
async def test_what_was_transparent_is_white_as_jpeg(tmp_path: Path, into: Path, format: str) -> None:
    clear = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    ImageDraw.Draw(clear).rectangle((0, 0, 31, 63), fill=(*RED, 255))
    place = save(tmp_path / "a", clear, format, **({"lossless": True} if format == "WEBP" else {}))

    await fix(place, into, Recipe(JPEG))
    with Image.open(into) as image:
        assert image.mode == "RGB"
        assert is_near(image, (8, 32), RED)
        assert is_near(image, (56, 32), WHITE)

    await fix(place, into, Recipe(PNG))
    with Image.open(into) as image:
        assert image.mode == "RGBA"
        assert image.getpixel((56, 32)) == (0, 0, 0, 0)


async def test_sixteen_bits_of_grey_stay_the_same_grey(tmp_path: Path, into: Path) -> None:
    grey = Image.new("I;16", (40, 40), 128 * 256)

    await fix(save(tmp_path / "a.png", grey, "PNG"), into, Recipe(JPEG))

    with Image.open(into) as image:
        assert is_near(image, (20, 20), (128, 128, 128), by=3)


def sixteen_bit_colours() -> bytes:
    """An orange PNG of 8 × 8 pixels with sixteen bits for each colour."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            len(content).to_bytes(4, "big") + name + content + zlib.crc32(name + content).to_bytes(4, "big")
        )

    header = (8).to_bytes(4, "big") * 2 + bytes((16, 2, 0, 0, 0))
    line = b"\0" + b"\xff\xff\x80\x00\x00\x00" * 8
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(line * 8))
        + chunk(b"IEND", b"")
    )


async def test_sixteen_bits_of_colour_are_read(tmp_path: Path, into: Path) -> None:
    place = tmp_path / "a.png"
    place.write_bytes(sixteen_bit_colours())

    await fix(place, into, Recipe(PNG))

    with Image.open(into) as image:
        assert is_near(image, (4, 4), (255, 128, 0), by=2)


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("CMYK", (0, 255, 255, 0), RED),
        ("L", 200, (200, 200, 200)),
        ("1", 1, WHITE),
        ("P", 0, (0, 0, 0)),
        ("LA", (90, 255), (90, 90, 90)),
    ],
)
async def test_every_kind_of_colours_becomes_red_green_and_blue(
    tmp_path: Path, into: Path, mode: str, colour: Any, expected: tuple[int, int, int]
) -> None:
    format = "TIFF" if mode in ("CMYK", "1") else "PNG"

    await fix(save(tmp_path / "a", Image.new(mode, (40, 40), colour), format), into, Recipe(JPEG))

    with Image.open(into) as image:
        assert image.mode == "RGB"
        assert is_near(image, (20, 20), expected)


async def test_a_printers_jpeg_becomes_one_for_screens(tmp_path: Path, into: Path) -> None:
    place = save(tmp_path / "a.jpg", Image.new("CMYK", (40, 40), (0, 255, 255, 0)), "JPEG", quality=95)

    await fix(place, into, Recipe(JPEG))

    with Image.open(into) as image:
        assert image.mode == "RGB"
        assert is_near(image, (20, 20), RED)


@pytest.mark.parametrize("profile", [b"noise", b"\0" * 16 + b"RGB " + b"\0" * 100, b"\0" * 16 + b"CMYK"])
async def test_a_profile_that_is_none_does_no_harm(tmp_path: Path, into: Path, profile: bytes) -> None:
    place = save(tmp_path / "a.png", Image.new("RGB", (40, 40), RED), "PNG", icc_profile=profile)

    await fix(place, into, Recipe(JPEG))

    with Image.open(into) as image:
        assert is_near(image, (20, 20), RED)


def noise(width: int, height: int) -> Image.Image:
    """Hard to compress, and always the same."""
    across = Image.effect_mandelbrot((width, height), (-2, -1.5, 1, 1.5), 100)
    bands = [
        across,
        across.transpose(Image.Transpose.ROTATE_180),
        across.point([shade * 37 % 256 for shade in range(256)]),
    ]
    return Image.merge("RGB", bands)


async def test_a_large_picture_loses_quality_first_and_then_pixels(tmp_path: Path, into: Path) -> None:
    place = save(tmp_path / "a.png", noise(600, 400), "PNG")
    whole = await fix(place, into, Recipe(JPEG))

    little = await fix(place, into, Recipe(JPEG, max_bytes=int(whole.size_bytes * 0.8)))
    less = await fix(place, into, Recipe(JPEG, (1.0, 1.5), max_bytes=whole.size_bytes // 8))

    assert (little.width, little.height) == (600, 400)
    assert little.size_bytes <= whole.size_bytes * 0.8
    assert less.width is not None
    assert less.height is not None
    assert less.width < 600
    assert 1.0 <= less.width / less.height <= 1.5
    assert less.size_bytes <= whole.size_bytes // 8


async def test_a_png_that_is_too_large_shrinks(tmp_path: Path, into: Path) -> None:
    place = save(tmp_path / "a.png", noise(600, 400), "PNG")

    made = await fix(place, into, Recipe(PNG, max_bytes=place.stat().st_size // 4))

    assert made.size_bytes <= place.stat().st_size // 4


@pytest.mark.parametrize(
    "recipe", [Recipe(JPEG, max_bytes=200), Recipe(JPEG, max_bytes=9_000, min_pixels=(600, 1))]
)
async def test_what_cannot_be_made_small_enough_is_refused(
    tmp_path: Path, into: Path, recipe: Recipe
) -> None:
    place = save(tmp_path / "a.png", noise(600, 400), "PNG")
    with pytest.raises(Unfixable, match="too small"):
        await fix(place, into, recipe)


@pytest.mark.parametrize("content_type", [JPEG, PNG])
async def test_the_same_picture_and_recipe_give_the_same_bytes(
    tmp_path: Path, into: Path, content_type: str
) -> None:
    place = save(tmp_path / "a.png", noise(300, 100), "PNG")
    recipe = Recipe(content_type, (0.8, 1.91), max_bytes=40_000)

    first = await fix(place, into, recipe)
    again = await fix(place, into, recipe)

    assert first.sha256 == again.sha256
    assert Recipe.of(recipe.words) == recipe


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP"])
async def test_a_moving_picture_is_not_stilled(tmp_path: Path, into: Path, format: str) -> None:
    first, second = Image.new("RGB", (40, 40), RED), Image.new("RGB", (40, 40), (0, 0, 255))
    place = save(tmp_path / "a", first, format, save_all=True, append_images=[second], duration=100)
    with pytest.raises(Unreadable, match="several frames"):
        await fix(place, into, Recipe(JPEG))


async def test_a_still_picture_in_a_format_for_moving_ones_is_read(tmp_path: Path, into: Path) -> None:
    for format in ("GIF", "WEBP", "AVIF", "TIFF"):
        place = save(tmp_path / "a", Image.new("RGB", (40, 40), RED), format)
        await fix(place, into, Recipe(JPEG))
        with Image.open(into) as image:
            assert is_near(image, (20, 20), RED)


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is that large and holds nothing."""
    whole = io.BytesIO()
    Image.new("L", (1, 1)).save(whole, "PNG")
    content = bytearray(whole.getvalue())
    content[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)


@pytest.mark.parametrize("size", [(10_000, 5_001), (60_000, 60_000), (2**31 - 1, 1)])
async def test_a_picture_that_would_fill_the_memory_is_refused_unopened(
    tmp_path: Path, into: Path, size: tuple[int, int]
) -> None:
    place = tmp_path / "a.png"
    place.write_bytes(bomb(*size))
    with pytest.raises(Unreadable, match="more than can be changed"):
        await fix(place, into, Recipe(JPEG))


async def test_a_very_large_photo_is_read_at_a_part_of_its_size(tmp_path: Path, into: Path) -> None:
    place = save(tmp_path / "a.jpg", Image.new("L", (12_000, 5_000), 90), "JPEG", quality=20)

    made = await fix(place, into, Recipe(JPEG, (0.8, 1.91), max_bytes=2_000_000))

    assert (made.width, made.height) == (6_000, 3_142)


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\xff\xd8\xff" + b"\0" * 400, b"<svg/>"])
async def test_what_is_no_picture_is_refused(tmp_path: Path, into: Path, content: bytes) -> None:
    place = tmp_path / "a"
    place.write_bytes(content)
    with pytest.raises(Unreadable):
        await fix(place, into, Recipe(JPEG))


@pytest.mark.parametrize("maker", [samples.jpeg, samples.png, samples.webp, samples.gif])
async def test_a_cut_picture_is_refused(tmp_path: Path, into: Path, maker: Any) -> None:
    place = maker(tmp_path / "a", **({"frames": 1} if maker is samples.gif else {}))
    place.write_bytes(place.read_bytes()[: place.stat().st_size // 2])
    with pytest.raises(Unreadable):
        await fix(place, into, Recipe(JPEG))


async def test_it_happens_without_our_secrets(
    tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever takes the process over through a picture finds nothing in it."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, pathlib; pathlib.Path(__file__).with_name('seen').write_text(repr(dict(os.environ)))"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setenv("HUBBUB_ENCRYPTION_KEY", "secret-value")

    await fix(samples.png(tmp_path / "a.png"), into, Recipe(JPEG))

    assert "secret-value" not in (tmp_path / "seen").read_text()


async def test_a_full_disk_is_not_the_pictures_fault(tmp_path: Path, into: Path) -> None:
    into.symlink_to("/dev/full")
    with pytest.raises(OSError, match="no room"):
        await fix(samples.png(tmp_path / "a.png"), into, Recipe(JPEG))


async def test_a_picture_that_takes_too_long_is_refused(
    tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hubbub.kit import media

    monkeypatch.setattr(media, "FIX_SECONDS_MAX", 0.001)
    with pytest.raises(Unreadable, match="too long"):
        await fix(samples.png(tmp_path / "a.png"), into, Recipe(JPEG))


def test_every_type_that_is_written_can_be_read() -> None:
    assert set(media_fix.WRITES) <= set(media_fix.READS)
