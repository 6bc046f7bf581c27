"""Drafts, posts for now and for later, their retries and their end, with the vendor's client.

What was published is judged by what stands on the platforms.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import socialapi

from .either import done
from .place import Accounts, Place, unheard

pytestmark = pytest.mark.anyio

BOTH = ("bluesky", "facebook")


def soon(**how: float) -> datetime:
    return datetime.now(UTC) + timedelta(**how)


async def settled(client: Any, place: Place, post_id: str) -> Any:
    place.settled(post_id)
    return await done(client.posts.get(post_id))


@pytest.fixture
async def media_id(client: Any, picture: bytes) -> str:
    return (await done(client.media.upload(content=picture, filename="picture.jpg"))).media_id


async def test_a_draft_stays_here(client: Any, place: Place, accounts: Accounts, media_id: str) -> None:
    text = unheard("draft")

    made = await done(
        client.publishing.create(
            text=text, title="A title", media_ids=[media_id], visibility="public", targets=accounts.both
        )
    )
    kept = await done(client.posts.get(made.id))
    removed = await done(kept.delete())

    assert kept == made
    assert (made.status, made.text, made.title) == ("draft", text, "A title")
    assert (made.media_ids, made.visibility) == ([media_id], "public")
    assert [target.status for target in made.targets] == ["pending", "pending"]
    assert (removed.success, removed.deleted, removed.results) == (True, True, [])
    with pytest.raises(socialapi.NotFoundError):
        await done(client.posts.get(made.id))
    for platform in BOTH:
        assert place.posts(platform, text) == []


async def test_a_picture_goes_to_both_platforms_once(
    client: Any, place: Place, accounts: Accounts, media_id: str
) -> None:
    text, first = unheard("picture"), unheard("first comment")

    made = await done(
        client.publishing.create(
            text=text,
            media_ids=[media_id],
            first_comment=first,
            publish_now=True,
            targets=accounts.both,
        )
    )
    post = await settled(client, place, made.id)

    assert made.status == "publishing"
    assert post.status == "published"
    assert post.published_at is not None
    assert [target.platform for target in post.targets] == list(BOTH)
    for target in post.targets:
        [seen] = place.posts(target.platform, text)
        assert target.status == "published"
        assert target.error is None
        assert target.platform_post_id == seen["id"]
        assert target.permalink.startswith("http")
        assert target.published_at is not None
        assert len(seen["media"]) == 1
    assert len(place.comments("facebook", first)) == 1
    assert (await done(client.posts.get(post.targets[1].platform_post_id))).id == post.id


async def test_each_platform_may_have_words_of_its_own(client: Any, place: Place, accounts: Accounts) -> None:
    shared, short, first = unheard("for all"), unheard("short"), unheard("only there")
    targets = [
        {"account_id": accounts.bluesky, "text": short},
        {"account_id": accounts.facebook, "page_id": accounts.page, "first_comment": first},
    ]

    made = await done(client.publishing.create(text=shared, publish_now=True, targets=targets))
    post = await settled(client, place, made.id)

    assert post.status == "published"
    assert [len(place.posts("bluesky", text)) for text in (short, shared)] == [1, 0]
    assert len(place.posts("facebook", shared)) == 1
    assert len(place.comments("facebook", first)) == 1
    assert (post.targets[0].text, post.targets[1].page_id) == (short, accounts.page)


async def test_other_words_for_the_same_platform_are_another_post(
    client: Any, place: Place, accounts: Accounts
) -> None:
    """The duplicate check compares what goes out, not what a target replaces."""
    shared, texts = unheard("shared"), [unheard("one"), unheard("another")]

    for text in texts:
        target = {"account_id": accounts.bluesky, "text": text}
        made = await done(client.publishing.create(text=shared, publish_now=True, targets=[target]))
        await settled(client, place, made.id)

    assert [len(place.posts("bluesky", text)) for text in texts] == [1, 1]


async def test_a_scheduled_picture_goes_out_at_its_time(
    client: Any, place: Place, accounts: Accounts, media_id: str
) -> None:
    text, at = unheard("later"), soon(seconds=2)

    made = await done(
        client.publishing.create(text=text, media_ids=[media_id], scheduled_at=at, targets=accounts.both)
    )
    early = [len(place.posts(platform, text)) for platform in BOTH]
    post = await settled(client, place, made.id)

    assert made.status == "scheduled"
    assert [target.status for target in made.targets] == ["pending", "pending"]
    assert early == [0, 0]
    assert post.status == "published"
    for target in post.targets:
        [seen] = place.posts(target.platform, text)
        assert len(seen["media"]) == 1
        assert target.published_at >= at.replace(microsecond=0)


async def test_a_scheduled_post_that_is_deleted_never_goes_out(
    client: Any, place: Place, accounts: Accounts
) -> None:
    text, witness = unheard("never"), unheard("witness")
    at = soon(seconds=1)

    made = await done(client.publishing.create(text=text, scheduled_at=at, targets=accounts.both))
    removed = await done(client.posts.delete(made.id))
    later = await done(
        client.publishing.create(
            text=witness, scheduled_at=at + timedelta(milliseconds=200), targets=accounts.both
        )
    )
    await settled(client, place, later.id)

    assert (removed.deleted, removed.results) == (True, [])
    for platform in BOTH:
        assert len(place.posts(platform, witness)) == 1
        assert place.posts(platform, text) == []


INDIA = timezone(timedelta(hours=5, minutes=30))
NOON = datetime(2040, 4, 1, 12, 0, 0)
TIMES = {
    "naive": NOON,
    "with microseconds": NOON.replace(microsecond=123456),
    "aware": NOON.replace(tzinfo=UTC),
    "with an offset": datetime(2040, 4, 1, 17, 30, 0, 5, tzinfo=INDIA),
    "text": "2040-04-01T12:00:00Z",
    "text without an offset": "2040-04-01T12:00:00",
    "text with an offset": "2040-04-01T17:30:00+05:30",
}


async def test_every_way_to_write_a_time_means_the_same(client: Any, accounts: Accounts) -> None:
    targets, understood = [{"account_id": accounts.bluesky}], {}
    for way, at in TIMES.items():
        made = await done(client.publishing.create(text=unheard(way), scheduled_at=at, targets=targets))
        understood[way] = made.scheduled_at
        await done(made.delete())

    assert understood == dict.fromkeys(TIMES, NOON.replace(tzinfo=UTC))


@pytest.mark.parametrize("bound", [False, True], ids=["by_id", "bound"])
async def test_only_what_failed_is_tried_again(
    client: Any, place: Place, accounts: Accounts, bound: bool
) -> None:
    text = unheard("half")
    place.next("facebook", f"POST /{accounts.remote_page}/feed", "refuse", error="content_rejected")

    made = await done(client.publishing.create(text=text, publish_now=True, targets=accounts.both))
    partial = await settled(client, place, made.id)
    half = [len(place.posts(platform, text)) for platform in BOTH]
    accepted = await done(partial.retry() if bound else client.posts.retry(made.id))
    whole = await settled(client, place, made.id)

    assert (partial.status, half) == ("partial", [1, 0])
    error = partial.targets[1].error
    assert error.code == "platform.facebook.content_rejected"
    assert (error.category, error.caused_by) == ("validation", "user")
    assert error.message
    assert accepted is None
    assert (whole.status, whole.retry_count) == ("published", 1)
    assert [len(place.posts(platform, text)) for platform in BOTH] == [1, 1]


@pytest.mark.parametrize("bound", [False, True], ids=["by_id", "bound"])
async def test_a_deleted_post_is_gone_everywhere(
    client: Any, place: Place, accounts: Accounts, bound: bool
) -> None:
    text = unheard("regretted")
    made = await done(client.publishing.create(text=text, publish_now=True, targets=accounts.both))
    post = await settled(client, place, made.id)

    removed = await done(post.delete() if bound else client.posts.delete(made.id))

    assert (removed.success, removed.deleted) == (True, True)
    assert [(one.platform, one.account_id, one.outcome) for one in removed.results] == [
        ("bluesky", accounts.bluesky, "deleted"),
        ("facebook", accounts.facebook, "deleted"),
    ]
    for platform in BOTH:
        assert place.posts(platform, text) == []
    with pytest.raises(socialapi.NotFoundError):
        await done(client.posts.get(made.id))


async def test_what_cannot_be_deleted_yet_can_be_deleted_later(
    client: Any, place: Place, accounts: Accounts
) -> None:
    text = unheard("stubborn")
    made = await done(client.publishing.create(text=text, publish_now=True, targets=accounts.both))
    post = await settled(client, place, made.id)
    place.next("facebook", f"DELETE /{post.targets[1].platform_post_id}", "throttle")

    first = await done(client.posts.delete(made.id))
    left = await done(client.posts.get(made.id))
    second = await done(client.posts.delete(made.id))

    assert [one.outcome for one in first.results] == ["deleted", "failed"]
    assert first.deleted is False
    assert [target.platform for target in left.targets] == ["facebook"]
    assert [(one.platform, one.outcome) for one in second.results] == [("facebook", "deleted")]
    assert second.deleted is True
    for platform in BOTH:
        assert place.posts(platform, text) == []
