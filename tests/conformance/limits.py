"""Texts and drafts that lie exactly on a limit, and one past it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from hubbub.connector.platform import Format, Platform
from hubbub.kit.text import measure
from hubbub.social.draft import Draft

from .files import Shelf, types_of

FAMILY = "👩‍👩‍👧‍👦"
LARGEST_FILE = 20_000_000
"""Bytes a test is willing to send; larger limits are checked without sending."""

NOT_ENFORCED = {
    "bluesky": {
        "alt.max": "the lexicon has no limit; this one is what the apps allow",
        "image.types": "the server takes any image",
    },
    "facebook": {
        "media.max": "the documentation names no number for a feed post",
        "alt.max": "undocumented",
        "image.max_bytes": "10 MB in the documentation, 10 MiB in the stand-in",
        "video.types": "the containers overlap",
        "video.seconds": "only the upload is checked",
    },
    "instagram": {
        "feed.media.max": "a single post is made of its first file",
        "reel.media.max": "a single post is made of its first file",
        "stories.media.max": "a single post is made of its first file",
        "stories.text.max": "a story has no place for words, so none are sent",
    },
}
"""Limits that are ours, or that no server checks at that very place: nothing happens one past them."""


@dataclass(frozen=True)
class Edge:
    """A draft on a limit, and the draft one past it. `can_be_sent` is false for files too large to make."""

    limit: str
    fits: Draft
    past: Draft | None
    can_be_sent: bool = True


def edges(facts: Platform, name: str, shelf: Shelf) -> Iterator[Edge]:
    """Every limit of a format, which each draft asks for by name."""
    for edge in _edges(facts.formats[name], shelf):
        fits, past = (
            replace(draft, options={"content_type": name}) if draft else None
            for draft in (edge.fits, edge.past)
        )
        assert fits is not None
        yield replace(edge, fits=fits, past=past)


def _edges(form: Format, shelf: Shelf) -> Iterator[Edge]:
    yield from _text_edges(form, shelf)
    if form.media is None:
        return
    kind = form.media.kinds[0]
    most = shelf.few(form, form.media.max)
    more = shelf.few(form, form.media.max + 1)
    yield Edge("media.max", Draft("Many", files=most), Draft("Many", files=more))
    rule = form.video if kind == "video" else form.image
    if rule and rule.max_bytes:
        yield from _size_edges(f"{kind}.max_bytes", rule.max_bytes, form, shelf)
    if form.alt:
        [file, *_] = types_of(form, kind)
        others = shelf.few(form)[1:]
        fits, past = (shelf.put(file, alt="é" * length) for length in (form.alt.max, form.alt.max + 1))
        yield Edge(
            "alt.max", Draft("Described", files=(fits, *others)), Draft("Described", files=(past, *others))
        )


def _text_edges(form: Format, shelf: Shelf) -> Iterator[Edge]:
    rule, files = form.text, shelf.few(form)
    if rule.max is not None:
        letter = "é" if rule.max_bytes and 2 * rule.max <= rule.max_bytes else "e"
        yield Edge(
            "text.max", Draft(letter * rule.max, files=files), Draft(letter * (rule.max + 1), files=files)
        )
    if rule.max_bytes is not None:
        families = rule.max_bytes // measure(FAMILY, "bytes")
        fits = FAMILY * families + "e" * (rule.max_bytes - families * measure(FAMILY, "bytes"))
        yield Edge("text.max_bytes", Draft(fits, files=files), Draft(fits + "e", files=files))


def _size_edges(limit: str, most: int, form: Format, shelf: Shelf) -> Iterator[Edge]:
    assert form.media is not None
    content_type, others = types_of(form, form.media.kinds[0])[0], shelf.few(form)[1:]
    can_be_sent = most <= LARGEST_FILE
    if can_be_sent:
        fits, past = (shelf.put(content_type, size=size) for size in (most, most + 1))
    else:
        small = shelf.put(content_type)
        fits, past = (replace(small, size_bytes=size) for size in (most, most + 1))
    fit, over = Draft("Large", files=(fits, *others)), Draft("Large", files=(past, *others))
    yield Edge(limit, fit, over, can_be_sent)
