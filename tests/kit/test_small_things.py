from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.kit import clock, ids, paging
from hubbub.kit.secret import Secret

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(st.characters(exclude_categories=["Cs"]))
)


def test_now_knows_its_zone() -> None:
    assert clock.now().utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T10:00:00Z",
        "2026-11-24T10:00:00+00:00",
        "2026-11-24T12:00:00+02:00",
        "2026-11-24T12:00:00 02:00",
        " 2026-11-24T10:00:00 ",
        "2026-11-24T10:00",
        "2026-11-24 10:00:00",
        "2026-11-24T05:00:00-05:00",
    ],
)
def test_one_instant_is_read_in_every_way_people_write_it(text: str) -> None:
    assert clock.from_wire(text) == datetime(2026, 11, 24, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "2026-11-24", "tomorrow", "2026-13-01T00:00:00Z", "10:00", "1764000000"]
)
def test_what_is_no_date_with_a_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        clock.from_wire(text)


@given(st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC)))
def test_what_is_written_is_read_back_to_the_second(moment: datetime) -> None:
    assert clock.from_wire(clock.to_wire(moment)) == moment.replace(microsecond=0)


def test_uuids_are_found_in_text_and_nothing_else_is() -> None:
    one = ids.new_uuid()
    assert ids.as_uuid(str(one)) == one
    for text in ("", "x", "post_1", str(one) + "0", "../" + str(one)):
        assert ids.as_uuid(text) is None
    assert isinstance(one, UUID)


def test_prefixed_ids_sort_by_time_and_differ() -> None:
    many = [ids.new_ulid("acc_") for _ in range(1_000)]
    assert len(set(many)) == 1_000
    assert all(one.startswith("acc_") and len(one) == 30 and one.isascii() for one in many)
    assert many[0][4:14] <= many[-1][4:14]


@pytest.mark.parametrize("length", [1, 7, 24, 32])
def test_hex_ids_have_the_length_asked_for(length: int) -> None:
    one = ids.new_hex("sk_", length)
    assert one.startswith("sk_")
    assert len(one) == 3 + length
    int(one[3:], 16)


def test_a_secret_is_told_only_when_asked() -> None:
    secret = Secret("hunter2")
    assert secret.reveal() == "hunter2"
    for shown in (
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret!r:>20}",
        str([secret]),
        str({"a": secret}),
    ):
        assert "hunter2" not in shown
    assert not hasattr(secret, "__dict__")


def test_secrets_compare_and_hash_by_value() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert not Secret("")
    assert pickle.loads(pickle.dumps(Secret("a"))).reveal() == "a"


@given(st.lists(SCALARS, max_size=4))
def test_a_cursor_brings_back_its_position(position: list[object]) -> None:
    cursor = paging.encode(position)
    assert paging.decode(cursor, len(position)) == position
    assert cursor.isascii()
    assert not set(cursor) & set("+/= ")


@pytest.mark.parametrize(
    "cursor", ["x", "", "####", "é", "W10", "e30", "MQ", "W1tbW1tbW1tbW1tb", "W" * 5_000]
)
def test_a_made_up_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(ValueError, match="not a cursor"):
        paging.decode(cursor, 2)


@given(st.text(max_size=50))
def test_no_text_breaks_the_cursor_reader(text: str) -> None:
    try:
        position = paging.decode(text, 2)
    except ValueError:
        return
    assert len(position) == 2
