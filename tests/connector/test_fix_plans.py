from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.connector import fixing, limits
from hubbub.connector.fixing import Fix, plan
from hubbub.connector.platform import FileRule, Format, Media, Platform
from hubbub.connector.registry import Registry
from hubbub.kit.media_frame import How
from hubbub.social.draft import Draft, File

RULE = FileRule(types=["image/jpeg"], max_bytes=1_000_000, ratio=(0.8, 1.91))
GOOD = File("m", "image", "image/jpeg", 500_000, width=1_000, height=1_000)


def picture(**other: Any) -> File:
    return replace(GOOD, **other)


def planned(rule: FileRule, file: File, how: How = "pad") -> Fix:
    found = plan(rule, file, how)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("other", "how", "size", "says"),
    [
        ({"content_type": "image/png"}, "convert", (1_000, 1_000), "saved as image/jpeg"),
        ({"size_bytes": 1_000_001}, "compress", (1_000, 1_000), "compressed to at most 1,000,000 bytes"),
        ({"width": 3_000}, "pad", (3_000, 1_571), "padded with white to 1.91"),
        ({"width": 700}, "pad", (800, 1_000), "padded with white to 0.8"),
        (
            {"width": 3_000, "content_type": "image/png", "size_bytes": 1_000_001},
            "pad",
            (3_000, 1_571),
            "padded with white to 1.91, saved as image/jpeg and compressed to at most 1,000,000 bytes",
        ),
    ],
)
def test_one_plan_heals_everything(other: Any, how: str, size: tuple[int, int], says: str) -> None:
    found = planned(RULE, picture(**other))

    assert (found.how, (found.width, found.height), found.says) == (how, size, says)
    assert found.offer == {"auto_fix": True, "how": how, "says": says}


def test_cropping_is_for_those_who_ask() -> None:
    found = planned(RULE, picture(width=3_000), "crop")

    assert (found.width, found.height, found.says) == (1_910, 1_000, "cropped to 1.91")
    assert found.offer["auto_fix"] == "crop"


@pytest.mark.parametrize(
    "size", [(800, 1_000), (191, 100), (1_000, 1_000), (1, 1), (1_910, 1_000), (400, 500)]
)
def test_exactly_on_a_bound_needs_nothing(size: tuple[int, int]) -> None:
    assert plan(RULE, picture(width=size[0], height=size[1])) is None


@pytest.mark.parametrize("size", [(799, 1_000), (192, 100), (1_911, 1_000), (399, 500)])
def test_one_pixel_past_a_bound_is_planned(size: tuple[int, int]) -> None:
    assert planned(RULE, picture(width=size[0], height=size[1])).how == "pad"


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "video", "content_type": "video/mp4", "seconds": 9.0},
        {"kind": "image", "content_type": "image/gif", "seconds": 1.5},
        {"kind": "image", "content_type": "image/gif", "seconds": 0.0},
        {"content_type": "image/heic"},
        {"content_type": "image/png", "width": None, "height": None},
        {"content_type": "image/png", "width": 10_000, "height": 10_000},
        {"content_type": "image/jpeg", "size_bytes": 50_000_000, "width": 65_000, "height": 65_000},
    ],
)
def test_what_moves_or_cannot_be_read_is_left_alone(other: Any) -> None:
    assert plan(RULE, picture(**other)) is None


def test_a_type_that_cannot_be_written_is_left_alone() -> None:
    assert plan(FileRule(types=["image/avif"]), GOOD) is None
    assert planned(FileRule(types=["image/gif", "image/png"]), GOOD).recipe.content_type == "image/png"


def test_a_type_that_is_taken_stays_unless_it_is_too_large() -> None:
    rule = FileRule(types=["image/png", "image/jpeg"], max_bytes=1_000_000, ratio=(0.8, 1.91))
    wide = picture(content_type="image/png", width=3_000)

    assert planned(rule, wide).recipe.content_type == "image/png"
    assert planned(rule, replace(wide, size_bytes=2_000_000)).recipe.content_type == "image/jpeg"


def test_a_picture_is_never_enlarged() -> None:
    rule = FileRule(types=["image/jpeg"], ratio=(0.8, 1.91), min_pixels=(320, 320))

    assert plan(rule, picture(width=300, height=300)) is None
    assert plan(rule, picture(width=300, height=300, content_type="image/png")) is None
    padded = planned(rule, picture(width=300, height=500))
    assert (padded.width, padded.height) == (400, 500)
    assert plan(rule, picture(width=300, height=500), "crop") is None


@given(
    width=st.integers(1, 9_000),
    height=st.integers(1, 9_000),
    how=st.sampled_from(["pad", "crop"]),
    content_type=st.sampled_from(["image/jpeg", "image/png", "image/webp"]),
    least=st.integers(1, 300),
    more=st.integers(0, 300),
)
def test_what_a_plan_makes_needs_no_other_plan(
    width: int, height: int, how: How, content_type: str, least: int, more: int
) -> None:
    rule = FileRule(types=["image/jpeg"], ratio=(least / 100, (least + more) / 100))
    file = picture(width=width, height=height, content_type=content_type)
    found = plan(rule, file, how)
    if found is None:
        return
    made = replace(file, content_type=found.recipe.content_type, width=found.width, height=found.height)
    assert fixing.has_ratio(rule, found.width, found.height)
    assert plan(rule, made, how) is None


def test_equal_plans_have_equal_recipes() -> None:
    wide, wider = picture(width=3_000), picture(width=4_000)

    assert planned(RULE, wide).recipe.words == planned(RULE, wider).recipe.words
    assert planned(RULE, wide).recipe.words != planned(RULE, wide, "crop").recipe.words
    # How to come to a shape says nothing about a picture that has it.
    png = picture(content_type="image/png")
    assert planned(RULE, png).recipe.words == planned(RULE, png, "crop").recipe.words


@pytest.mark.parametrize(
    ("wish", "way"),
    [(True, "pad"), ("pad", "pad"), ("crop", "crop"), (False, None), (None, None)],
)
def test_what_may_be_asked_for(wish: Any, way: str | None) -> None:
    assert fixing.is_wish(wish)
    assert fixing.way(wish) == way


@pytest.mark.parametrize("wish", [1, 0, "yes", "", [], ["pad"], {}, {"how": "pad"}, 1.0])
def test_what_may_not_be_asked_for(wish: Any) -> None:
    assert not fixing.is_wish(wish)
    assert fixing.way(wish) is None


# Among the other limits


def facts(**formats: Format) -> Platform:
    some = next(iter(Registry().values())).facts
    return some.model_copy(update={"title": "Finch", "formats": formats})


PICTURES = Format(media=Media(kinds=["image"], min=1, max=4), image=RULE)


def test_a_fix_is_offered_beside_each_problem_it_heals() -> None:
    draft = Draft("Hello", files=(GOOD, picture(content_type="image/png", width=3_000)))

    problems = limits.check(facts(pictures=PICTURES), draft)

    assert [(one.meta["field"], one.meta["reason"]) for one in problems] == [
        ("media[1]", "type"),
        ("media[1]", "ratio"),
    ]
    assert {one.meta["fix"]["how"] for one in problems} == {"pad"}


def test_no_fix_is_offered_that_would_leave_a_problem() -> None:
    rule = RULE.model_copy(update={"min_pixels": (4_000, 4_000)})
    pictures = PICTURES.model_copy(update={"image": rule})
    draft = Draft("Hello", files=(picture(content_type="image/png", width=3_000),))

    problems = limits.check(facts(pictures=pictures), draft)

    assert [one.meta["reason"] for one in problems] == ["type", "ratio", "too_small"]
    assert all("fix" not in one.meta for one in problems)
    assert len(limits.check(facts(pictures=pictures), draft, fix="pad")) == 3
    assert limits.fixes(facts(pictures=pictures), draft, "pad") == {}


def test_what_will_be_fixed_is_no_problem_and_everything_else_still_is() -> None:
    film = File("f", "video", "video/mp4", 10, width=10, height=10, seconds=1.0)
    wide = picture(width=3_000)
    both = facts(pictures=PICTURES)

    assert limits.check(both, Draft("Hello", files=(wide,)), fix="pad") == []
    assert list(limits.fixes(both, Draft("Hello", files=(GOOD, wide)), "crop")) == [1]
    [problem] = limits.check(both, Draft("x", files=(wide, film)), fix="pad")
    assert (problem.meta["field"], problem.meta["reason"]) == ("media", "type")
    assert limits.fixes(both, Draft("x", files=(wide, film)), "pad") == {}


def test_a_draft_is_measured_against_the_format_it_goes_out_as() -> None:
    """And not against another that would take it."""
    lenient = Format(media=Media(kinds=["image"], min=1, max=1))
    several = facts(pictures=PICTURES, story=lenient)
    wide = picture(width=3_000)

    [problem] = limits.check(several, Draft("Hello", files=(wide,)))

    assert problem.meta["reason"] == "ratio"
    assert limits.check(several, Draft("Hello", files=(wide,), options={"content_type": "story"})) == []
    [too_many] = limits.check(several, Draft("Hello", files=(GOOD,) * 5))
    assert (too_many.meta["reason"], too_many.meta["max"]) == ("too_many", 4)
