"""Finding posts with the vendor's client: everything it can filter by, and many pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from .either import done, every
from .place import Accounts, unheard

pytestmark = pytest.mark.anyio

SPRING = datetime(2041, 4, 1, 12, tzinfo=UTC)


@pytest.fixture
async def some(client: Any, accounts: Accounts) -> dict[str, str]:
    """Posts by name: their ids. All have the same word in their text."""
    word = unheard("Findable")
    on_bluesky = {"account_id": accounts.bluesky}
    on_page = {"account_id": accounts.facebook, "page_id": accounts.page}
    create = client.publishing.create
    made = {
        "draft": await done(create(text=f"{word}: 100% draft", targets=[on_bluesky])),
        "late": await done(
            create(text=f"{word}: late", scheduled_at=SPRING + timedelta(days=9), targets=[on_page])
        ),
        "early": await done(
            create(text=f"{word}: early", scheduled_at=SPRING, targets=[on_bluesky, on_page])
        ),
    }
    return {"word": word, **{name: post.id for name, post in made.items()}}


Query = dict[str, Any]
FILTERS: dict[str, tuple[Query, list[str]]] = {
    "nothing": ({}, ["draft", "early", "late"]),
    "the latest first": ({"sort": "scheduled_desc"}, ["late", "early", "draft"]),
    "the oldest first": ({"sort": "created_asc"}, ["draft", "late", "early"]),
    "the newest first": ({"sort": "created_desc"}, ["early", "late", "draft"]),
    "a status": ({"status": "scheduled"}, ["early", "late"]),
    "a platform": ({"platform": "bluesky"}, ["draft", "early"]),
    "an account": ({"account_ids": ["bluesky"]}, ["draft", "early"]),
    "two accounts": ({"account_ids": ["bluesky", "facebook"]}, ["draft", "early", "late"]),
    "a page": ({"page_id": True}, ["early", "late"]),
    "a time on": ({"from_date": SPRING}, ["early", "late"]),
    "up to a time": ({"to_date": SPRING}, ["draft", "early"]),
    "a range without offsets": (
        {"from_date": "2041-04-01T12:00:01", "to_date": datetime(2041, 5, 1)},
        ["late"],
    ),
    "hidden ones too": ({"hidden": True}, ["draft", "early", "late"]),
    "no hidden ones": ({"hidden": False}, ["draft", "early", "late"]),
    "everything at once": (
        {
            "status": "scheduled",
            "platform": "facebook",
            "account_ids": ["facebook"],
            "page_id": True,
            "from_date": SPRING,
            "to_date": SPRING + timedelta(days=30),
            "sort": "scheduled_desc",
            "hidden": True,
            "limit": 1,
        },
        ["late", "early"],
    ),
}


async def test_everything_the_client_can_filter_by_works(
    client: Any, accounts: Accounts, some: dict[str, str]
) -> None:
    names = {post_id: name for name, post_id in some.items()}
    found: dict[str, list[str]] = {}
    for what, (query, _) in FILTERS.items():
        how = {"search": some["word"].lower(), **query}
        how |= {"account_ids": [getattr(accounts, one) for one in query.get("account_ids", [])] or None}
        how |= {"page_id": accounts.page if query.get("page_id") else None}
        found[what] = [names[post.id] for post in await every(client.posts.list(**how))]

    assert found == {what: expected for what, (_, expected) in FILTERS.items()}


async def test_searching_takes_words_as_they_are(client: Any, some: dict[str, str]) -> None:
    found = {
        words: len(await every(client.posts.list(search=f"{some['word']}: {words}")))
        for words in ("100% DRAFT", "1__%", "no such words")
    }

    assert found == {"100% DRAFT": 1, "1__%": 0, "no such words": 0}


async def test_iterating_over_many_pages_yields_each_post_once_and_ends(
    client: Any, accounts: Accounts
) -> None:
    word = unheard("Page by page")
    targets = [{"account_id": accounts.bluesky}]
    made = [
        await done(client.publishing.create(text=f"{word}/{n}", scheduled_at=SPRING, targets=targets))
        for n in range(9)
    ]

    for sort in ("scheduled_asc", "scheduled_desc", "created_asc", "created_desc"):
        listed = [post.id for post in await every(client.posts.list(search=word, sort=sort, limit=2))]
        assert sorted(listed) == sorted(post.id for post in made), sort


async def test_pages_can_be_turned_by_hand_and_kept_cursors_used_again(client: Any, some: Any) -> None:
    first = await done(client.posts.list(search=some["word"], limit=2))
    kept = first.next_cursor
    second = await done(first.next_page())
    again = await done(client.posts.list(search=some["word"], limit=2, cursor=kept))

    assert [len(first), len(second)] == [2, 1]
    assert (first.has_next_page(), second.has_next_page()) == (True, False)
    assert [post.id for post in again.data] == [post.id for post in second.data] == [some["late"]]


async def test_posts_out_of_a_list_act_by_themselves(client: Any, some: dict[str, str]) -> None:
    for post in await every(client.posts.list(search=some["word"])):
        assert (await done(post.delete())).deleted is True

    assert await every(client.posts.list(search=some["word"])) == []
