"""Wrong values in every field of the two richest bodies, made from what the bodies declare."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from api import Answer
from hubbub.domains.accounts.schemas import ConnectIn
from hubbub.domains.posts.schemas import PostIn
from provoked.guest import Guest
from provoked.stage import Stage

pytestmark = pytest.mark.anyio

EXAMPLES = settings(
    max_examples=100, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
POST = {
    "text": "x",
    "media": [{"source": "m"}],
    "targets": [{"account_id": "acc_x", "media": [{"source": "m"}]}],
}
CONNECT = {"platform": "bluesky", "metadata": {"identifier": "demo"}}

TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=40),
    st.sampled_from(
        ["", " ", "\0", "\ud800", "true", "7", "null", "2026-13-45T99:99:99Z", "\u202e", "x" * 20_000]
    ),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=True), TEXTS)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)), max_leaves=6
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A field of a body: the way to it, its name on the wire, and the kinds of JSON it takes."""

    way: tuple[str | int, ...]
    kinds: frozenset[str]

    @property
    def name(self) -> str:
        return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.way).lstrip(".")

    def surely_wrong(self, value: Any) -> bool:
        """Nothing reads this as that: text may be read as a number or a truth, an object never."""
        is_text = isinstance(value, str)
        if self.kinds <= {"string", "null"}:
            return not is_text and value is not None
        if self.kinds <= {"array", "null"}:
            return not isinstance(value, list) and value is not None
        if self.kinds <= {"object", "null"}:
            return not isinstance(value, dict) and value is not None
        return isinstance(value, list | dict)


def places(model: type[BaseModel]) -> list[Place]:
    schema = model.model_json_schema()
    return list(_places(schema, schema.get("$defs", {}), ()))


def _places(schema: Any, known: Any, way: tuple[str | int, ...]) -> Iterator[Place]:
    options = [_resolved(option, known) for option in schema.get("anyOf", [schema])]
    if way:
        yield Place(way, frozenset(str(option.get("type", "string")) for option in options))
    for option in options:
        for name, inner in option.get("properties", {}).items():
            yield from _places(_resolved(inner, known), known, (*way, name))
        if "items" in option:
            yield from _places(_resolved(option["items"], known), known, (*way, 0))


def _resolved(schema: Any, known: Any) -> Any:
    return known[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def put(body: Any, way: tuple[str | int, ...], value: Any) -> Any:
    """A copy of the body with another value at that place; what is missing on the way is made."""
    if not way:
        return value
    step, rest = way[0], way[1:]
    if isinstance(step, int):
        before = body if isinstance(body, list) and body else [None]
        return [put(before[0], rest, value), *before[1:]]
    return {**(body or {}), step: put((body or {}).get(step), rest, value)}


async def send(stage: Stage, guest: Guest, path: str, body: Any) -> Answer:
    before = await stage.rows()
    content = json.dumps(body).encode()
    answer = await guest.post(path, content=content, headers={"Content-Type": "application/json"})
    assert answer.status < 500, (answer.content, content)
    if answer.status >= 400:
        assert await stage.rows() == before, content
    return answer


def names(answer: Answer) -> list[str]:
    error = answer.json["error"]
    return [one.get("meta", {}).get("field", "") for one in error.get("errors", [error])]


def check_named(answer: Answer, place: Place, value: Any) -> None:
    if place.surely_wrong(value):
        assert answer.status == 400, (place.name, value)
        assert any(name.startswith(place.name) for name in names(answer)), (place.name, value, names(answer))


@pytest.mark.parametrize("model", [PostIn, ConnectIn])
def test_every_field_is_found(model: type[BaseModel]) -> None:
    assert {place.way[0] for place in places(model)} == set(model.model_fields)


@EXAMPLES
@given(place=st.sampled_from(places(PostIn)), value=ANYTHING)
async def test_whatever_is_in_a_post_is_taken_or_named(
    stage: Stage, guest: Guest, place: Place, value: Any
) -> None:
    check_named(await send(stage, guest, "/v1/posts", put(POST, place.way, value)), place, value)


@EXAMPLES
@given(place=st.sampled_from(places(ConnectIn)), value=ANYTHING)
async def test_whatever_is_in_a_connection_is_taken_or_named(
    stage: Stage, guest: Guest, place: Place, value: Any
) -> None:
    answer = await send(stage, guest, "/v1/accounts/connect", put(CONNECT, place.way, value))
    check_named(answer, place, value)


@pytest.mark.parametrize("place", places(PostIn), ids=lambda place: place.name)
async def test_every_field_of_a_post_refuses_what_it_is_not(stage: Stage, guest: Guest, place: Place) -> None:
    """Each field once for certain; hypothesis looks for the rest."""
    for value in (7, True, "x", [[]], {"a": 1}):
        if place.surely_wrong(value):
            check_named(await send(stage, guest, "/v1/posts", put(POST, place.way, value)), place, value)
