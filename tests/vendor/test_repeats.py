"""The vendor's client sends again by itself, POST included: one post must stay one post.

It repeats a request when its answer does not come in time, when it cannot connect, and on 408, 409, 429, 500,
502, 503 and 504; twice at most.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
import socialapi

from .conftest import OpenClient
from .either import done, error_in, every
from .line import Line
from .place import Accounts, Place, unheard

pytestmark = pytest.mark.anyio

CREATE = "POST /v1/posts"
SECONDS = 1.5
"""How long the client waits for an answer. Its own `timeout` option does nothing: every call needs one."""


async def only_post(client: Any, text: str) -> str:
    [post] = await every(client.posts.list(search=text))
    return post.id


@pytest.mark.parametrize("trouble", ["late", "bad gateway"])
async def test_a_lost_answer_makes_the_client_send_again_and_learn_of_the_first_post(
    open_client: OpenClient, place: Place, accounts: Accounts, line: Line, trouble: Any
) -> None:
    """The second request is refused as a duplicate, the third (409 is repeated too) as well."""
    client, text = await open_client(base_url=line.url), unheard("once")
    line.lose(CREATE, trouble)

    with pytest.raises(socialapi.ConflictError) as refused:
        await done(
            client.publishing.create(text=text, publish_now=True, targets=accounts.both, timeout=SECONDS)
        )
    first = await only_post(client, text)
    post = place.settled(first)

    assert line.answers(CREATE) == [201, 409, 409]
    assert refused.value.code == "resource.conflict"
    assert error_in(refused.value)["meta"] == {
        "resource": "post",
        "reason": "duplicate_content",
        "post_id": first,
    }
    assert post["status"] == "published"
    for platform in ("bluesky", "facebook"):
        assert len(place.posts(platform, text)) == 1


async def test_a_connection_that_ends_is_not_tried_again_by_the_client_but_may_be_by_its_user(
    open_client: OpenClient, place: Place, accounts: Accounts, line: Line
) -> None:
    """The client lets its transport's own exception through, which is none of the client's."""
    client, text = await open_client(base_url=line.url, max_retries=1), unheard("cut off")
    post = {"text": text, "publish_now": True, "targets": accounts.both}
    line.lose(CREATE, "cut")

    with pytest.raises(httpx.RemoteProtocolError):
        await done(client.publishing.create(**post))
    with pytest.raises(socialapi.ConflictError) as refused:
        await done(client.publishing.create(**post))
    first = await only_post(client, text)
    place.settled(first)

    assert line.answers(CREATE) == [201, 409, 409]
    assert error_in(refused.value)["meta"]["post_id"] == first
    for platform in ("bluesky", "facebook"):
        assert len(place.posts(platform, text)) == 1


async def test_a_duplicate_is_refused_as_often_as_the_client_asks_and_made_when_it_insists(
    open_client: OpenClient, place: Place, accounts: Accounts, line: Line
) -> None:
    client, text = await open_client(base_url=line.url, max_retries=1), unheard("twice")
    post = {"text": text, "publish_now": True, "targets": [{"account_id": accounts.bluesky}]}

    first = await done(client.publishing.create(**post))
    place.settled(first.id)
    with pytest.raises(socialapi.ConflictError):
        await done(client.publishing.create(**post))
    refused = len(place.posts("bluesky", text))
    second = await done(client.publishing.create(**post, skip_duplicate_check=True))
    place.settled(second.id)

    assert line.answers(CREATE) == [201, 409, 409, 201]
    assert refused == 1
    assert len(place.posts("bluesky", text)) == 2


async def test_the_same_post_sent_many_times_at_once_is_one_post(place: Place, accounts: Accounts) -> None:
    text = unheard("all at once")

    async with socialapi.AsyncSocialAPI(api_key=place.key, base_url=place.api, max_retries=0) as client:
        sent = [
            client.publishing.create(text=text, publish_now=True, targets=accounts.both) for _ in range(8)
        ]
        results = await asyncio.gather(*sent, return_exceptions=True)
    made = [one for one in results if not isinstance(one, BaseException)]
    refused = [one for one in results if isinstance(one, socialapi.ConflictError)]
    place.settled(made[0].id)

    assert (len(made), len(refused)) == (1, 7)
    assert {error_in(one)["meta"]["post_id"] for one in refused} == {made[0].id}
    for platform in ("bluesky", "facebook"):
        assert len(place.posts(platform, text)) == 1


async def test_a_retry_whose_answer_is_lost_is_one_retry(
    open_client: OpenClient, place: Place, accounts: Accounts, line: Line
) -> None:
    client, text = await open_client(base_url=line.url, max_retries=1), unheard("again")
    place.next("facebook", f"POST /{accounts.remote_page}/feed", "refuse", error="content_rejected")
    target = {"account_id": accounts.facebook}
    made = await done(client.publishing.create(text=text, publish_now=True, targets=[target]))
    failed = place.settled(made.id)
    line.lose(f"POST /v1/posts/{made.id}/retry", "bad gateway")

    with pytest.raises(socialapi.ConflictError) as refused:
        await done(client.posts.retry(made.id))
    post = place.settled(made.id)

    assert failed["status"] == "failed"
    assert refused.value.code == "post.state_invalid"
    assert (post["status"], post["retry_count"]) == ("published", 1)
    assert len(place.posts("facebook", text)) == 1


async def test_a_code_whose_answer_is_lost_has_connected_the_account(
    open_client: OpenClient, place: Place, line: Line
) -> None:
    """A state works once, so the repetition is refused; the list of accounts tells how it went."""
    client, username = await open_client(base_url=line.url), place.welcome("facebook")
    began = await done(client.accounts.connect(platform="facebook"))
    back = place.approve(began.auth_url, username)
    line.lose("POST /v1/oauth/exchange", "bad gateway")

    with pytest.raises(socialapi.BadRequestError) as refused:
        await done(client.accounts.exchange_oauth(platform="facebook", code=back["code"], metadata=back))
    connected = await every(client.accounts.list())

    assert line.answers("POST /v1/oauth/exchange") == [201, 400]
    assert refused.value.code == "auth.state_mismatch"
    assert [one.status for one in connected if one.name == username.title()] == ["active"]
