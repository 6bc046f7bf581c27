"""Changing, taking down and measuring posts, and looking beforehand, with the vendor's client."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import socialapi

from .conftest import OpenClient
from .either import done, every
from .place import Accounts, Place, unheard

pytestmark = pytest.mark.anyio

THREE = ("bluesky", "facebook", "instagram")


@pytest.fixture
async def media_id(client: Any, picture: bytes) -> str:
    return (await done(client.media.upload(content=picture, filename="picture.jpg"))).media_id


async def out(client: Any, place: Place, text: str, targets: list[Any], **more: Any) -> Any:
    """A post that is up."""
    made = await done(client.publishing.create(text=text, publish_now=True, targets=targets, **more))
    settled = place.settled(made.id)
    assert settled["status"] == "published", settled
    return await done(client.posts.get(made.id))


async def test_a_picture_goes_to_all_three_platforms_once(
    client: Any, place: Place, accounts: Accounts, media_id: str
) -> None:
    text = unheard("everywhere")

    post = await out(client, place, text, accounts.all, media_ids=[media_id])

    assert [target.platform for target in post.targets] == list(THREE)
    for target in post.targets:
        [seen] = place.posts(target.platform, text)
        assert (target.platform_post_id, len(seen["media"])) == (seen["id"], 1)


@pytest.mark.parametrize("bound", [False, True], ids=["by_id", "bound"])
async def test_a_scheduled_post_goes_out_as_it_was_changed(
    client: Any, place: Place, accounts: Accounts, media_id: str, bound: bool
) -> None:
    before, after = unheard("before"), unheard("after")
    made = await done(client.publishing.create(text=before, targets=accounts.both))
    change: dict[str, Any] = {
        "text": after,
        "title": "A title",
        "media_ids": [media_id],
        "visibility": "public",
        "first_comment": unheard("first"),
        "scheduled_at": datetime.now(UTC) + timedelta(seconds=2),
        "targets": [{"account_id": accounts.facebook}],
    }

    changed = await done(made.update(**change) if bound else client.publishing.update(made.id, **change))
    place.settled(made.id)
    post = await done(client.posts.get(made.id))

    assert (changed.id, changed.status, changed.text, changed.title) == (
        made.id,
        "scheduled",
        after,
        "A title",
    )
    assert (changed.media_ids, changed.visibility) == ([media_id], "public")
    assert [target.platform for target in post.targets] == ["facebook"]
    assert len(place.posts("facebook", after)) == 1
    assert len(place.comments("facebook", change["first_comment"])) == 1
    assert [place.posts(platform, before) for platform in THREE] == [[], [], []]


async def test_a_post_that_is_up_is_hidden_here_and_its_text_changed_there(
    client: Any, place: Place, accounts: Accounts
) -> None:
    before, after = unheard("with a tpyo"), unheard("with a typo")
    post = await out(client, place, before, [{"account_id": accounts.facebook}])

    changed = await done(client.publishing.update(post.id, text=after))
    hidden = await done(client.publishing.update(post.id, hidden=True))
    shown = [found.id for found in await every(client.posts.list(search=after))]
    among_all = [found.id for found in await every(client.posts.list(search=after, hidden=True))]

    assert (changed.status, changed.text, hidden.hidden) == ("published", after, True)
    assert (len(place.posts("facebook", before)), len(place.posts("facebook", after))) == (0, 1)
    assert (shown, among_all) == ([], [post.id])


async def test_what_cannot_be_changed_says_why(
    open_client: OpenClient, place: Place, accounts: Accounts
) -> None:
    client = await open_client(max_retries=0)
    post = await out(client, place, unheard("fixed"), [{"account_id": accounts.bluesky}])

    with pytest.raises(socialapi.ConflictError) as refused:
        await done(post.update(text="other"))
    with pytest.raises(socialapi.NotFoundError) as unknown:
        await done(client.publishing.update("nowhere", text="other"))

    assert refused.value.code == "post.state_invalid"
    assert unknown.value.code == "post.not_found"


@pytest.mark.parametrize("bound", [False, True], ids=["by_id", "bound"])
async def test_a_post_is_taken_down_from_one_account_and_then_from_all(
    client: Any, place: Place, accounts: Accounts, bound: bool
) -> None:
    text = unheard("down with it")
    post = await out(client, place, text, accounts.both)

    async def take_down(**where: str) -> Any:
        return await done(post.unpublish(**where) if bound else client.posts.unpublish(post.id, **where))

    first = await take_down(account_id=accounts.facebook)
    left = [len(place.posts(platform, text)) for platform in ("bluesky", "facebook")]
    second = await take_down()

    assert (first, left, second) == (None, [1, 0], None)
    assert place.posts("bluesky", text) == []
    with pytest.raises(socialapi.NotFoundError):
        await done(client.posts.get(post.id))


async def test_what_a_platform_never_takes_down_is_not_supported(
    client: Any, place: Place, accounts: Accounts, media_id: str
) -> None:
    text = unheard("for ever")
    targets = [{"account_id": accounts.instagram}]
    post = await out(client, place, text, targets, media_ids=[media_id])

    with pytest.raises(socialapi.NotSupportedError) as refused:
        await done(post.unpublish())

    assert refused.value.code == "resource.not_supported"
    assert len(place.posts("instagram", text)) == 1


@pytest.mark.parametrize("bound", [False, True], ids=["by_id", "bound"])
async def test_every_platform_tells_its_numbers(
    client: Any, place: Place, accounts: Accounts, media_id: str, bound: bool
) -> None:
    post = await out(client, place, unheard("count me"), accounts.all, media_ids=[media_id])

    told = await done(post.get_metrics() if bound else client.posts.get_metrics(post.id))

    assert told.post_id == post.id
    assert [target.platform for target in told.targets] == list(THREE)
    for target in told.targets:
        assert target.error is None
        assert (target.metrics.likes, target.metrics.comments) == (0, 0)
        assert target.metrics_synced_at is not None


# Beforehand


async def test_constraints_are_told_for_all_platforms_or_for_one(client: Any) -> None:
    every_one = await done(client.publishing.get_constraints())
    one = await done(client.publishing.get_constraints(platform="bluesky"))

    assert set(every_one) >= set(THREE)
    assert one == {"bluesky": every_one["bluesky"]}
    assert (every_one["bluesky"].text.max_length, every_one["facebook"].text.max_length) == (300, 63_206)
    with pytest.raises(socialapi.UnsupportedPlatformError):
        await done(client.publishing.get_constraints(platform="myspace"))


async def test_a_post_is_checked_beforehand(client: Any, accounts: Accounts, media_id: str) -> None:
    text = unheard("x" * 301)

    wrong = await done(
        client.publishing.validate(
            text=text,
            platforms=["facebook"],
            account_ids=[accounts.bluesky],
            media_ids=[media_id],
            scheduled_at=datetime.now(UTC) + timedelta(days=1),
        )
    )
    right = await done(client.publishing.validate(text=text, targets=[{"account_id": accounts.facebook}]))

    assert wrong.valid is False
    assert [(issue.platform, issue.field, issue.target) for issue in wrong.errors] == [
        ("bluesky", "text", accounts.bluesky)
    ]
    assert (right.valid, right.errors, right.warnings) == (True, [], [])
    assert await every(client.posts.list(search=text)) == []


# Tables


async def test_a_table_is_tried_and_then_imported(client: Any, accounts: Accounts) -> None:
    word = unheard("From a table")
    table = (
        "text,title,account_ids,scheduled_at,visibility,first_comment,platform_data,board_id\r\n"
        f"{word} a,,{accounts.bluesky}|{accounts.facebook},2042-01-01T12:00:00Z,,,,\r\n"
        f"{word} b,,,,,,,\r\n"
        f"{word} c,,acc_nowhere,,,,,\r\n"
    ).encode()

    tried = await done(client.publishing.import_posts(file=table, filename="posts.csv", dry_run=True))
    before = await every(client.posts.list(search=word))
    told = await done(client.publishing.import_posts(file=table, filename="posts.csv"))
    after = await every(client.posts.list(search=word, sort="created_asc"))

    assert (tried.total_rows, tried.created, tried.failed, before) == (3, 0, 1, [])
    assert (told.total_rows, told.created, told.failed) == (3, 2, 1)
    assert [error.row for error in told.errors] == [3]
    assert {post["id"] for post in told.posts} == {post.id for post in after}
    assert sorted(post.status for post in after) == ["draft", "scheduled"]
    for post in after:
        assert (await done(post.delete())).deleted is True
