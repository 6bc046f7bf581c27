"""Measuring and cutting text in the units platforms count in; finding links, hashtags and mentions.

Units: `chars` are code points; `graphemes` what a reader calls a character (extended clusters of
https://unicode.org/reports/tr29/); `utf16` code units, as JavaScript counts; `bytes` of UTF-8; `weighted`
as X counts (https://docs.x.com/fundamentals/counting-characters): after NFC, a link is 23, an emoji 2,
code points of the light ranges 1, all others 2.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import regex

Unit = Literal["chars", "graphemes", "utf16", "bytes", "weighted"]
UNITS: tuple[Unit, ...] = get_args(Unit)

LINK_WEIGHT = 23
EMOJI_WEIGHT = 2
# Code points that weigh 1, from configuration 3 of https://github.com/twitter/twitter-text
LIGHT = ((0x0000, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))

# Top-level domains delegated in October 2026: https://data.iana.org/TLD/tlds-alpha-by-domain.txt
TLDS = frozenset(Path(__file__).with_name("tlds.txt").read_text(encoding="utf-8").split())

GRAPHEME = regex.compile(r"\X")
EMOJI = regex.compile(
    r"\p{RI}{2}|[0-9#*]\uFE0F?\u20E3|\p{Emoji_Presentation}.*|\p{Extended_Pictographic}.*[\uFE0F\u200D\p{EMod}].*"
    r"|\p{Extended_Pictographic}",
    regex.DOTALL,
)
_LABEL = r"[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}_-]{0,61}[\p{L}\p{N}\p{M}])?"
_TAIL = r"""(?:[/?\#][\p{Latin}\p{Cyrillic}\p{N}\p{M}!*';:=+,.$/%\#\[\]_~@|&?()\-]*+)?"""
LINK = regex.compile(
    rf"""
    (?<![\p{{Latin}}\p{{N}}@＠$\#＃_]) https?://
      (?P<host>(?:{_LABEL}\.){{0,10}}{_LABEL}) (?::\d{{1,5}})? {_TAIL}
    | (?<![\p{{L}}\p{{N}}\p{{M}}@＠$\#＃_./-]) (?P<bare>(?:{_LABEL}\.){{1,10}} (?:\L<tlds>))
      (?!-?[\p{{L}}\p{{N}}@]) (?::\d{{1,5}})? {_TAIL}
    | (?<![A-Za-z0-9@＠$\#＃_./-]) (?P<ascii>(?:[A-Za-z0-9](?:[A-Za-z0-9_-]{{0,61}}[A-Za-z0-9])?\.){{1,10}}
      (?:\L<tlds>)) (?!-?[A-Za-z0-9@]) (?::\d{{1,5}})? {_TAIL}
    """,
    regex.VERBOSE | regex.IGNORECASE,
    tlds=TLDS,
)
HASHTAG = regex.compile(
    r"(?<![\p{L}\p{N}\p{M}_&/#＃])[#＃](?P<name>(?=[\p{N}_]*+[\p{L}\p{M}])[\p{L}\p{N}\p{M}_·\u200C\u200D]{1,200}+)(?![#＃]|://)"
)
MENTION = regex.compile(
    r"(?<![\p{L}\p{N}\p{M}_@＠!#$%&*/.])[@＠]"
    r"(?P<name>[A-Za-z0-9_]{1,64}+(?:(?:\.|-{1,3})[A-Za-z0-9_]{1,64}+){0,12}+"
    r"(?:@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?)?)"
)
ENDS_NO_LINK = ".,;:!?'*~|@[$%("


@dataclass(frozen=True)
class Span:
    """A piece of a text: its code points are `start` to `end`, its UTF-8 bytes `byte_start` to `byte_end`.

    `value` is what it stands for: the URL with a scheme, the tag without `#`, the name without `@`.
    """

    text: str
    value: str
    start: int
    end: int
    byte_start: int
    byte_end: int


def measure(text: str, unit: Unit) -> int:
    """The length of a text in a unit."""
    match unit:
        case "chars":
            return len(text)
        case "graphemes":
            return sum(1 for _ in GRAPHEME.finditer(text))
        case "utf16":
            return len(text) + sum(1 for char in text if char > "\uffff")
        case "bytes":
            return _bytes(text)
        case "weighted":
            return sum(weight for _, weight in _weights(unicodedata.normalize("NFC", text)))


def cut(text: str, maximum: int, unit: Unit) -> str:
    """The longest beginning of at most `maximum` units that splits no grapheme (and, weighted, no link)."""
    pieces = _weights(text) if unit == "weighted" else _graphemes(text, unit)
    end = room = 0
    ends = [0]
    for length, size in pieces:
        room += size
        if room > maximum:
            break
        end += length
        ends.append(end)
    # A beginning may count more than its pieces did: "a.com" was no link while "a.commune" followed.
    while len(ends) > 1 and measure(text[: ends[-1]], unit) > maximum:
        ends.pop()
    return text[: ends[-1]]


def links(text: str) -> list[Span]:
    """Web addresses: with a scheme, or a host name under a known top-level domain."""
    return _spans(text, [(start, end, value) for start, end, value, _ in _links(text)])


def hashtags(text: str) -> list[Span]:
    """`#tags` that contain a letter and are not part of a link."""
    taken = _links(text)
    found = [(m.start(), m.end(), m["name"]) for m in HASHTAG.finditer(text)]
    return _spans(text, [tag for tag in found if not _inside(tag[0], taken)])


def mentions(text: str) -> list[Span]:
    """`@name`, `@name.example` and `@name@example.org`; whether such a person exists is another question."""
    taken = _links(text)
    found = [(m.start(), m.end(), m["name"]) for m in MENTION.finditer(text)]
    return _spans(text, [name for name in found if not _inside(name[0], taken)])


def _links(text: str) -> list[tuple[int, int, str, bool]]:
    """Start, end, URL, and whether X counts it as a link (it wants a known top-level domain)."""
    found: list[tuple[int, int, str, bool]] = []
    if "." not in text and ":" not in text:
        return found
    for match in LINK.finditer(text):
        shown = _trimmed(match.group())
        end = match.start() + len(shown)
        if host := match["host"]:
            known = "." in host and host.rsplit(".", 1)[1].lower() in TLDS
            found.append((match.start(), end, shown, known))
        else:
            found.append(
                (match.start(), end, f"https://{shown}", (match["bare"] or match["ascii"]).isascii())
            )
    return found


def _trimmed(link: str) -> str:
    """Without the punctuation of the sentence around it, and without a bracket it did not open."""
    while link:
        if link[-1] in ENDS_NO_LINK or (link[-1] in ")]" and _unopened(link)):
            link = link[:-1]
        else:
            break
    return link


def _unopened(link: str) -> bool:
    opening = "(" if link[-1] == ")" else "["
    return link.count(link[-1]) > link.count(opening)


def _inside(place: int, taken: list[tuple[int, int, str, bool]]) -> bool:
    index = bisect_right(taken, place, key=lambda link: link[0]) - 1
    return index >= 0 and place < taken[index][1]


def _spans(text: str, found: list[tuple[int, int, str]]) -> list[Span]:
    spans: list[Span] = []
    at = byte = 0
    for start, end, value in found:
        byte_start = byte + _bytes(text[at:start])
        byte_end = byte_start + _bytes(text[start:end])
        spans.append(Span(text[start:end], value, start, end, byte_start, byte_end))
        at, byte = end, byte_end
    return spans


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _graphemes(text: str, unit: Unit) -> Iterator[tuple[int, int]]:
    """Length in code points and in the unit, of each grapheme."""
    for match in GRAPHEME.finditer(text):
        piece = match.group()
        yield len(piece), 1 if unit == "graphemes" else measure(piece, unit)


def _weights(text: str) -> Iterator[tuple[int, int]]:
    """Length in code points and weight, of each link and each grapheme between links."""
    at = 0
    for start, end, _, counted in [*_links(text), (len(text), len(text), "", True)]:
        if not counted:
            continue
        for match in GRAPHEME.finditer(text, at, start):
            yield len(match.group()), _weight(match.group())
        if end > start:
            yield end - start, LINK_WEIGHT
        at = end


def _weight(grapheme: str) -> int:
    if EMOJI.fullmatch(grapheme):
        return EMOJI_WEIGHT
    composed = unicodedata.normalize("NFC", grapheme)
    return sum(1 if any(low <= ord(char) <= high for low, high in LIGHT) else 2 for char in composed)


AWKWARD = (
    "",
    "plain",
    "Grüße",
    "Gru\u0308ße",
    "日本語のテキスト",
    "한국어 각",
    "👍",
    "👍🏽",
    "👨‍👩‍👧‍👦",
    "🇩🇪🇫🇷",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "1️⃣ ☺️ ☺ © ™",
    "❤️‍🔥",
    "क्षि",
    "สวัสดี",
    "Z͑ͫ̓ͪ̂ͫ̽a̴l̷g̶o̴",
    "line\nline\r\nline\ttab",
    "a\u200bb\u200dc\u00a0d\ufeffe",
    "‘quoted’ “text” — …",
    "\U00010000\U0010ffff",
    "مرحبا بالعالم",
    "see https://example.com/a/very/long/path?with=query#top now",
    "see (https://en.wikipedia.org/wiki/Hubbub_(noise)). And example.org, too!",
    "https://example.com/abcのサイト",
    "mail me@example.com, @alice.bsky.social @bob@mastodon.social #Grüße #2026 #a1",
    "README.md and www.example.de and example.de",
    "HTTPS://EXAMPLE.COM http://localhost:8000/x http://192.168.0.1/",
    "#one#two ＃全角 @one@two.example &#39; /#no a#no",
    "👍" * 20,
    "é" * 20,
)


def vectors() -> list[dict[str, Any]]:
    """Awkward texts with their length in every unit and what is found in them, for other languages."""

    def places(spans: list[Span]) -> list[list[int]]:
        return [[span.byte_start, span.byte_end] for span in spans]

    return [
        {
            "text": text,
            "length": {unit: measure(text, unit) for unit in UNITS},
            "cut": {unit: len(cut(text, 10, unit)) for unit in UNITS},
            "links": places(links(text)),
            "hashtags": places(hashtags(text)),
            "mentions": places(mentions(text)),
        }
        for text in AWKWARD
    ]
