"""Whatever is in the catalogue can be raised, read, stored and sent."""

import dataclasses
import inspect
import json
import pickle
import re
import typing
from typing import Any

import pytest

from hubbub.errors import (
    Action,
    Category,
    Refusal,
    Refused,
    category_of,
    class_of,
    rebuild,
    registry,
    retired,
)
from hubbub.errors.billing import PostLimit
from hubbub.errors.platform import PlatformApiError, PlatformAuth, PlatformNumber, PlatformRateLimit
from hubbub.errors.refusal import placeholders, title_of
from hubbub.errors.resource import StateInvalid
from hubbub.errors.system import HttpError

EVERY = [pytest.param(refusal, id=code) for code, refusal in sorted(registry.items())]
SAMPLES: dict[str, Any] = {
    "str": "word",
    "int": 404,
    "float": 1.5,
    "bool": True,
    "list": ["word"],
    "Any": "word",
}


def sample_of(annotation: Any) -> Any:
    arguments = [each for each in typing.get_args(annotation) if each is not type(None)]
    if typing.get_origin(annotation) is list or not arguments:
        origin = typing.get_origin(annotation) or annotation
        return SAMPLES[getattr(origin, "__name__", "Any")]
    return sample_of(arguments[0])


def filled(refusal: type[Refusal], *, optional: bool) -> Refusal:
    """One with every field set, or only those without a default."""
    hints = typing.get_type_hints(refusal)
    wanted = {
        field.name: sample_of(hints[field.name])
        for field in dataclasses.fields(typing.cast(Any, refusal))
        if optional or field.default is dataclasses.MISSING
    }
    return typing.cast(Any, refusal)(**wanted)


@pytest.mark.parametrize("optional", [True, False], ids=["all fields", "required fields"])
@pytest.mark.parametrize("refusal", EVERY)
def test_it_renders_a_whole_sentence(refusal: type[Refusal], optional: bool) -> None:
    raised = filled(refusal, optional=optional)
    assert re.fullmatch(r"[^{}]*\S.*", raised.sentence)
    assert "{" not in raised.wire_code + raised.sentence
    assert "None" not in raised.sentence
    assert "  " not in raised.sentence


@pytest.mark.parametrize("optional", [True, False], ids=["all fields", "required fields"])
@pytest.mark.parametrize("refusal", EVERY)
def test_it_survives_pickle_and_json(refusal: type[Refusal], optional: bool) -> None:
    raised = filled(refusal, optional=optional)
    stored = rebuild(raised.code, json.loads(json.dumps(raised.details)))
    for again in (stored, pickle.loads(pickle.dumps(raised))):
        assert type(again) is refusal
        assert (again.wire_code, again.sentence, again.meta, again.http_status) == (
            raised.wire_code,
            raised.sentence,
            raised.meta,
            raised.http_status,
        )


@pytest.mark.parametrize("refusal", EVERY)
def test_its_sentence_leans_only_on_fields_that_always_have_a_value(refusal: type[Refusal]) -> None:
    optional = {f.name for f in dataclasses.fields(typing.cast(Any, refusal)) if f.default is None}
    assert not placeholders(refusal.message + refusal.code) & optional


@pytest.mark.parametrize("refusal", EVERY)
def test_its_message_ends_as_a_sentence(refusal: type[Refusal]) -> None:
    assert refusal.message.endswith((".", "{problem}", "{said}"))


@pytest.mark.parametrize("refusal", EVERY)
def test_its_documentation_has_a_title_and_says_what_to_do(refusal: type[Refusal]) -> None:
    assert refusal.__doc__
    title, explanation = title_of(refusal)
    assert title.endswith(".")
    assert title.count(". ") == 0
    assert len(title) <= 110
    assert explanation.endswith(".")


@pytest.mark.parametrize("refusal", EVERY)
def test_its_code_is_dotted_words(refusal: type[Refusal]) -> None:
    assert re.fullmatch(r"[a-z0-9_{}]+(\.[a-zA-Z0-9_{}]+)*", refusal.code)
    assert refusal.code not in retired
    assert 400 <= refusal.status < 600
    assert isinstance(refusal.action, Action)


@pytest.mark.parametrize("refusal", EVERY)
def test_waiting_says_for_how_long_where_it_can(refusal: type[Refusal]) -> None:
    if refusal.action is not Action.WAIT:
        return
    assert "retry_after_seconds" in refusal.field_names()
    assert filled(refusal, optional=True).retry_after == 404


@pytest.mark.parametrize("refusal", EVERY)
def test_its_action_suits_its_status(refusal: type[Refusal]) -> None:
    if refusal.status == 429:
        assert refusal.action is Action.WAIT
    if refusal.action is Action.RECONNECT:
        assert refusal.status in {401, 403, 409}
    if refusal.action is Action.REPORT:
        assert refusal.status == 500


@pytest.mark.parametrize("refusal", EVERY)
def test_a_code_on_the_wire_leads_back_to_its_class(refusal: type[Refusal]) -> None:
    assert class_of(filled(refusal, optional=True).wire_code) is refusal


@pytest.mark.parametrize("refusal", EVERY)
def test_its_meta_names_no_hidden_field_twice(refusal: type[Refusal]) -> None:
    raised = filled(refusal, optional=True)
    assert not set(raised.meta) & (refusal.hidden | placeholders(refusal.code))
    assert set(refusal.hidden) <= set(refusal.field_names())
    assert set(refusal.wire_names) <= set(refusal.field_names())


def test_names_of_classes_differ_within_a_module() -> None:
    names = [(refusal.__module__, refusal.__qualname__) for refusal in registry.values()]
    assert len(set(names)) == len(names)


def test_every_class_with_a_code_is_registered_under_it() -> None:
    assert all(refusal.code == code for code, refusal in registry.items())
    assert all(inspect.isclass(refusal) for refusal in registry.values())


def test_a_code_cannot_be_taken_twice() -> None:
    with pytest.raises(TypeError, match="share the code"):

        class Second(Refusal):  # pyright: ignore[reportUnusedClass]
            code = "account.not_found"
            status = 404
            action = Action.FIX_REQUEST
            message = "Again."


def test_a_retired_code_cannot_be_taken() -> None:
    with pytest.raises(TypeError, match="retired"):

        class Old(Refusal):  # pyright: ignore[reportUnusedClass]
            code = "not_found"
            status = 404
            action = Action.FIX_REQUEST
            message = "Old."


def test_a_message_cannot_mention_what_it_does_not_have() -> None:
    with pytest.raises(TypeError, match="not its fields"):

        class Odd(Refusal):  # pyright: ignore[reportUnusedClass]
            code = "test.odd"
            status = 400
            action = Action.FIX_REQUEST
            message = "{colour} is odd."

    assert "test.odd" not in registry


def test_an_unknown_code_leads_nowhere() -> None:
    assert class_of("platform.facebook.bogus") is None
    assert class_of("http.teapot") is None


def test_an_http_error_has_the_status_it_names() -> None:
    assert (HttpError(status_code=405).http_status, HttpError(status_code=405).wire_code) == (405, "http.405")
    assert HttpError(status_code=405).sentence == "Method Not Allowed."
    assert (
        HttpError(status_code=404, problem="There is no GET /nowhere.").sentence
        == "There is no GET /nowhere."
    )
    assert HttpError(status_code=404).meta == {}


def test_a_platforms_number_keeps_the_platforms_status_when_it_blames_the_caller() -> None:
    number = PlatformNumber(platform="instagram", number=36003, upstream_status=400, said="Bad ratio.")
    assert (number.wire_code, number.http_status) == ("platform.instagram.36003", 400)
    assert number.sentence.endswith("36003: Bad ratio.")
    assert PlatformNumber(platform="instagram", number=1, upstream_status=500).http_status == 502


def test_an_api_error_repeats_what_the_platform_said() -> None:
    assert "Out of cheese." in PlatformApiError(platform="x", said="Out of cheese.").sentence
    assert "Out of cheese." in PlatformApiError(platform="x", reason="Out of cheese.").sentence
    assert "said" not in PlatformApiError(platform="x", said="Out of cheese.").meta


def test_a_rate_limit_names_its_seconds_by_both_names() -> None:
    limited = PlatformRateLimit(platform="telegram", retry_after_seconds=7)
    assert limited.meta == {"retry_after_seconds": 7, "retry_after": 7}
    assert limited.retry_after == 7
    assert PlatformRateLimit(platform="telegram").meta == {}


def test_a_state_is_called_status_in_meta() -> None:
    assert StateInvalid(post_status="published", operation="retried", id="post_1").meta == {
        "status": "published",
        "id": "post_1",
    }


def test_several_refusals_travel_as_one_exception() -> None:
    both = Refused([PlatformAuth(platform="x"), PostLimit(plan="free", max=10)])
    assert str(both).startswith("platform.x.auth: ")
    assert "billing.post_limit" in str(both)


@pytest.mark.parametrize(
    ("code", "status", "category"),
    [
        ("validation.field_invalid", 400, Category.VALIDATION),
        ("publishing.media.mixing_unsupported", 422, Category.VALIDATION),
        ("platform.tiktok.media_required", 400, Category.VALIDATION),
        ("account.reconnection_required", 403, Category.AUTH),
        ("platform.bluesky.auth", 401, Category.AUTH),
        ("platform.instagram.insights_scope_missing", 403, Category.AUTH),
        ("post.missed", 409, Category.AUTH),
        ("platform.x.rate_limit", 429, Category.RATE_LIMIT),
        ("billing.post_limit", 429, Category.RATE_LIMIT),
        ("whatsapp.undeliverable", 410, Category.PLATFORM),
        ("publishing.unconfirmed", 504, Category.PLATFORM),
        ("platform.x.api_error", 502, Category.PLATFORM),
        ("system.internal", 500, Category.SYSTEM),
        ("publishing.delivery.account_load_failed", 422, Category.SYSTEM),
    ],
)
def test_codes_fall_into_the_five_categories(code: str, status: int, category: Category) -> None:
    assert category_of(code, status) is category
