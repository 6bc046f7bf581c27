from __future__ import annotations

import json
import time

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hubbub.kit.text import UNITS, Unit, cut, hashtags, links, measure, mentions, vectors

FAMILY = "👨‍👩‍👧‍👦"
PIECES = st.sampled_from(
    [FAMILY, "🇩🇪", "e\u0301", "क्षि", "\r\n", "a", " ", ".", "é", "日", "👍🏽", "1️⃣", "#tag", "@name", "\ud800",
     "https://example.com/x", "example.org", "(", ")", "/", "\u200d", "\ufe0f", "\u0301", ".com"]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=20).map("".join))


def found(spans: object) -> list[str]:
    return [span.value for span in spans]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "chars", "graphemes", "utf16", "octets", "weighted"),
    [
        ("", 0, 0, 0, 0, 0),
        ("abc", 3, 3, 3, 3, 3),
        ("é", 1, 1, 1, 2, 1),
        ("e\u0301", 2, 1, 2, 3, 1),
        (FAMILY, 7, 1, 11, 25, 2),
        ("🇩🇪🇫🇷", 4, 2, 8, 16, 4),
        ("日本", 2, 2, 2, 6, 4),
        ("\r\n", 2, 1, 2, 2, 2),
        ("‘a’", 3, 3, 3, 7, 3),
        ("👍🏽", 2, 1, 4, 8, 2),
        ("1️⃣", 3, 1, 3, 7, 2),
        ("\ud83d", 1, 1, 1, 3, 2),
    ],
)
def test_one_text_has_a_length_in_every_unit(
    text: str, chars: int, graphemes: int, utf16: int, octets: int, weighted: int
) -> None:
    assert [measure(text, unit) for unit in UNITS] == [chars, graphemes, utf16, octets, weighted]


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("a" * 280, 280),
        ("hi https://example.com/" + "x" * 300, 26),
        ("漢" * 139, 278),
        ("example.com x", 25),
        ("Test https://test.com test https://test.com test.com test", 86),
        ("mail@example.com", 16),
        ("@example.com", 12),
        ("http://localhost/x", 18),
        ("https://example.com/abcのサイト", 31),
        ("日本語example.com日本語", 35),
        ("3.14 e.g. 1.2.3.4", 17),
    ],
)
def test_weight_is_what_x_counts(text: str, weight: int) -> None:
    assert measure(text, "weighted") == weight


@pytest.mark.parametrize(
    ("unit", "maximum", "left"),
    [
        ("chars", 6, "a"),
        ("chars", 8, "a" + FAMILY),
        ("graphemes", 2, "a" + FAMILY),
        ("utf16", 11, "a"),
        ("utf16", 12, "a" + FAMILY),
        ("bytes", 25, "a"),
        ("bytes", 26, "a" + FAMILY),
        ("weighted", 2, "a"),
        ("weighted", 3, "a" + FAMILY),
        ("weighted", 0, ""),
        ("bytes", -1, ""),
    ],
)
def test_a_cut_splits_no_grapheme(unit: Unit, maximum: int, left: str) -> None:
    assert cut("a" + FAMILY + "b", maximum, unit) == left


def test_a_weighted_cut_splits_no_link() -> None:
    text = "see https://example.com/page and more"
    assert cut(text, 26, "weighted") == "see "
    assert cut(text, 27, "weighted") == "see https://example.com/page"


@given(TEXTS, st.integers(0, 60), st.sampled_from(UNITS))
@example("a.community", 5, "weighted")
@settings(max_examples=400, deadline=None)
def test_a_cut_is_a_beginning_that_fits_and_ends_between_graphemes(
    text: str, maximum: int, unit: Unit
) -> None:
    left = cut(text, maximum, unit)
    assert text.startswith(left)
    assert measure(left, unit) <= maximum
    ends = {0} | {match.end() for match in regex.finditer(r"\X", text)}
    assert len(left) in ends
    if measure(text, unit) <= maximum and unit != "weighted":
        assert left == text


@given(TEXTS)
@settings(max_examples=400, deadline=None)
def test_spans_point_at_what_they_found(text: str) -> None:
    raw = text.encode("utf-8", "surrogatepass")
    for finder in (links, hashtags, mentions):
        end = 0
        for span in finder(text):
            assert end <= span.start < span.end
            assert text[span.start : span.end] == span.text
            assert raw[span.byte_start : span.byte_end].decode("utf-8", "surrogatepass") == span.text
            end = span.end


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://example.com", ["https://example.com"]),
        ("Go to example.com.", ["https://example.com"]),
        ("(see example.org/a_(b))", ["https://example.org/a_(b)"]),
        (
            "https://en.wikipedia.org/wiki/Hubbub_(noise), yes",
            ["https://en.wikipedia.org/wiki/Hubbub_(noise)"],
        ),
        ("http://localhost:8000/x?y=1#z!", ["http://localhost:8000/x?y=1#z"]),
        ("HTTPS://Example.COM/A", ["HTTPS://Example.COM/A"]),
        ("https://bücher.example/ä", ["https://bücher.example/ä"]),
        ("visit münchen.de", ["https://münchen.de"]),
        ("example.com:8080/x", ["https://example.com:8080/x"]),
        ("me@example.com @example.com #example.com $example.com", []),
        ("end.Of sentence.Another 3.14 a..b .com", []),
        ("https://", []),
        ("ftp://example.com", []),
        ("javascript:alert(1)", []),
        ("a.com b.org\nc.net", ["https://a.com", "https://b.org", "https://c.net"]),
    ],
)
def test_links(text: str, expected: list[str]) -> None:
    assert found(links(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#one #two", ["one", "two"]),
        ("#Grüße, #日本語!", ["Grüße", "日本語"]),
        ("＃全角", ["全角"]),
        ("#2026 #1st #a1_b", ["1st", "a1_b"]),
        ("a#b &#39; ##c /#d #e#f", []),
        ("https://example.com/#top #top", ["top"]),
        ("example.com/?q=#x", []),
        ("#\u0301 # #_", ["\u0301"]),
    ],
)
def test_hashtags(text: str, expected: list[str]) -> None:
    assert found(hashtags(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@alice hi", ["alice"]),
        ("(@alice.bsky.social).", ["alice.bsky.social"]),
        ("@bob@mastodon.social, @al-ice.example!", ["bob@mastodon.social", "al-ice.example"]),
        ("me@example.com a@b @@c .@d", []),
        ("https://mastodon.social/@alice", []),
        ("@a's @b: @c…", ["a", "b", "c"]),
        ("＠alice", ["alice"]),
    ],
)
def test_mentions(text: str, expected: list[str]) -> None:
    assert found(mentions(text)) == expected


def test_bytes_are_counted_where_a_facet_needs_them() -> None:
    [span] = links("👍é https://example.com")
    assert (span.start, span.byte_start, span.byte_end) == (3, 7, 26)


@pytest.mark.parametrize(
    "text",
    ["a." * 20_000, "http://" * 5_000, "#" * 50_000, "@a" * 20_000, "@a.b" * 10_000, "x.com/" + "." * 20_000,
     "https://a.com/" + "(" * 5_000 + ")" * 5_000, ("#" + "1" * 100) * 500, "http://a" + ".a" * 20_000,
     ("a" * 62 + ".") * 1_000, "a-" * 20_000],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_a_hostile_text_takes_no_longer_than_its_length_deserves(text: str) -> None:
    began = time.process_time()
    for finder in (links, hashtags, mentions):
        finder(text)
    assert time.process_time() - began < 1.5


def test_vectors_are_json_and_agree_with_the_code() -> None:
    again = json.loads(json.dumps(vectors()))
    assert again == vectors()
    assert len(again) >= 30
    for vector in again:
        assert {unit: measure(vector["text"], unit) for unit in UNITS} == vector["length"]
