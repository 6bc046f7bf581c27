"""What only Instagram has: containers that take their time, quotas, two ways to sign in, numbers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from conformance.backends import REDIRECT, StandIn
from conformance.stage import APP, STATE, VERIFIER, Member, Stage, prepare, publishing, seeking
from hubbub.connector import limits
from hubbub.connector.base import AccountRef
from hubbub.connector.http import Http
from hubbub.connector.promises import Prepared, Undecided, Working
from hubbub.connector.refusals import LostAnswer, RemoteRefusal
from hubbub.connector.registry import Registry
from hubbub.emulation.testing import running_sandbox
from hubbub.errors import Refusal
from hubbub.errors.validation import FieldInvalid, FieldRequired
from hubbub.kit import clock
from hubbub.kit.secret import Secret
from hubbub.social.draft import Draft
from hubbub.social.person import SignedIn

pytestmark = pytest.mark.anyio

DAY = 24 * 60 * 60
FOUND = Registry()["instagram"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with running_sandbox(only={"instagram"}) as root:
        yield root


@pytest.fixture
def stand_in(sandbox: str) -> Iterator[StandIn]:
    made = StandIn(FOUND, sandbox)
    made.reset()
    yield made
    made.close()


@pytest.fixture
async def stage(stand_in: StandIn) -> AsyncIterator[Stage]:
    async with httpx2.AsyncClient(trust_env=False, verify=False) as client:
        made = Stage(stand_in, client)
        async with made.shelf.served():
            yield made


@pytest.fixture
async def member(stage: Stage) -> Member:
    return await stage.sign_in()


def picture(stage: Stage, text: str = "Bread", **options: Any) -> Draft:
    return Draft(text, files=(stage.shelf.put("image/jpeg"),), options=options)


def film(stage: Stage, text: str = "Kneading") -> Draft:
    return Draft(text, files=(stage.shelf.put("video/mp4"),), options={"content_type": "reel"})


def pace(stand_in: StandIn, thing: str, **how: Any) -> None:
    stand_in.control("instagram/pace", thing=thing, **how)


def advance(stand_in: StandIn, to: str = "ready") -> None:
    stand_in.control("instagram/advance", to=to)


async def refused(call: Any) -> RemoteRefusal:
    with pytest.raises(RemoteRefusal) as said:
        await call
    return said.value


# Containers


async def test_another_process_goes_on_with_a_container_that_was_not_ready(
    stand_in: StandIn, stage: Stage, member: Member
) -> None:
    pace(stand_in, "image", then="held")
    draft = picture(stage)
    waiting = await stage.connector(member).prepare(draft, None)
    assert isinstance(waiting, Working)
    stored = json.loads(json.dumps(dict(waiting.body)))
    again = await stage.connector(member).prepare(draft, stored)
    assert isinstance(again, Working)
    advance(stand_in)
    assert isinstance(await stage.connector(member).prepare(draft, stored), Prepared)
    assert len(stand_in.world()["containers"]) == 1


async def test_a_carousel_waits_for_each_of_its_files_and_keeps_their_order(
    stand_in: StandIn, stage: Stage, member: Member
) -> None:
    pace(stand_in, "video", then="held")
    files = (stage.shelf.put("image/jpeg", alt="A loaf"), stage.shelf.put("video/mp4"))
    draft = Draft("Two", files=files)
    connector = stage.connector(member)
    waiting = await connector.prepare(draft, None)
    assert isinstance(waiting, Working)
    assert [len(waiting.body[name]) for name in ("children", "finished")] == [2, 1]
    advance(stand_in)
    prepared = await connector.prepare(draft, waiting.body)
    await connector.submit(prepared)
    [post] = stand_in.world()["posts"]
    assert post["media_type"] == "CAROUSEL_ALBUM"
    assert [(item["type"], item["alt_text"]) for item in post["media"]] == [
        ("IMAGE", "A loaf"),
        ("VIDEO", None),
    ]


async def test_after_five_minutes_the_waiting_ends_for_good(
    stand_in: StandIn, stage: Stage, member: Member
) -> None:
    pace(stand_in, "video", then="held")
    draft, connector = film(stage), stage.connector(member)
    waiting = await connector.prepare(draft, None)
    connector.now = lambda: clock.now() + timedelta(minutes=4, seconds=50)
    waiting = await connector.prepare(draft, waiting.body)
    assert waiting.look_after == 5
    connector.now = lambda: clock.now() + timedelta(minutes=5, seconds=1)
    said = await refused(connector.prepare(draft, waiting.body))
    assert said.refusal.wire_code == "platform.instagram.container_timeout"
    assert said.certain
    assert said.is_final


async def test_a_container_that_is_a_day_old_is_made_again(
    stand_in: StandIn, stage: Stage, member: Member
) -> None:
    pace(stand_in, "image", then="held")
    draft, connector = picture(stage), stage.connector(member)
    waiting = await connector.prepare(draft, None)
    stand_in.control("clock", advance_seconds=DAY + 1)
    said = await refused(connector.prepare(draft, waiting.body))
    assert said.refusal.wire_code == "platform.instagram.container_expired"
    assert said.certain
    assert said.refusal.retry_after == 1


async def test_a_day_between_preparing_and_publishing_is_noticed_too(
    stand_in: StandIn, stage: Stage, member: Member
) -> None:
    connector = stage.connector(member)
    prepared = await prepare(connector, picture(stage))
    stand_in.control("clock", advance_seconds=DAY + 1)
    said = await refused(connector.submit(prepared))
    assert said.refusal.wire_code == "platform.instagram.container_expired"
    assert said.certain
    assert await connector.find(prepared, seeking()) is None


async def test_a_failure_that_may_pass_gets_a_second_container(
    stand_in: StandIn, stage: Stage, member: Member
) -> None:
    pace(stand_in, "video", then="held")
    draft, connector = film(stage), stage.connector(member)
    first = await connector.prepare(draft, None)
    advance(stand_in, "error")
    second = await connector.prepare(draft, first.body)
    assert isinstance(second, Working)
    assert second.body["container"] != first.body["container"]
    advance(stand_in, "error")
    said = await refused(connector.prepare(draft, second.body))
    assert said.refusal.wire_code == "platform.instagram.container_failed"
    assert said.refusal.details["reason"] == "2207082"
    assert "2207082" in said.upstream["message"]


async def test_a_film_that_is_none_fails_at_once(stand_in: StandIn, stage: Stage, member: Member) -> None:
    broken = stage.shelf.put_bytes(b"this is not a film" * 100, "video/mp4")
    said = await refused(prepare(stage.connector(member), Draft("No", files=(broken,))))
    assert said.refusal.wire_code == "platform.instagram.container_failed"
    assert said.refusal.details["reason"] == "2207026"
    assert len(stand_in.world()["containers"]) == 1


async def test_media_out_of_reach_say_so(stage: Stage, member: Member) -> None:
    stage.shelf.is_reachable = False
    said = await refused(prepare(stage.connector(member), picture(stage)))
    assert said.refusal.wire_code == "platform.instagram.media_fetch_failed"
    said = await refused(prepare(stage.connector(member), film(stage)))
    assert said.refusal.wire_code == "platform.instagram.container_failed"
    assert said.refusal.details["reason"] == "2207077"


async def test_options_reach_instagram(stand_in: StandIn, stage: Stage, member: Member) -> None:
    options = {
        "collaborators": "@bob, carol",
        "location_id": "106",
        "audio_name": "Dough",
        "access_token": "x",
    }
    await stage.publish(stage.connector(member), picture(stage, **options))
    [post] = stand_in.world()["posts"]
    assert post["options"] == {"collaborators": "bob,carol", "location_id": "106", "audio_name": "Dough"}


# Publishing


async def test_a_post_without_an_address_is_published_all_the_same(
    stand_in: StandIn, stage: Stage, member: Member
) -> None:
    connector = stage.connector(member)
    receipt = await connector.submit(await prepare(connector, picture(stage)))
    stand_in.next("refuse", error="not_found")
    settled = await connector.settle(receipt)
    assert settled.remote_id == receipt.remote_id
    assert settled.permalink is None
    assert settled.warnings


async def test_a_second_attempt_at_the_same_container_proves_nothing_and_makes_nothing(
    stand_in: StandIn, stage: Stage, member: Member
) -> None:
    connector = stage.connector(member)
    prepared = await prepare(connector, picture(stage))
    receipt = await connector.submit(prepared)
    said = await refused(connector.submit(prepared))
    assert not said.certain
    found = await connector.find(prepared, seeking())
    assert found is not None
    assert found.remote_id == receipt.remote_id
    assert len(stand_in.world()["posts"]) == 1


async def test_two_that_look_the_same_are_undecided(stage: Stage, member: Member) -> None:
    connector = stage.connector(member)
    first, second = [await prepare(connector, picture(stage, "Same")) for _ in range(2)]
    await connector.submit(first)
    receipt = await connector.submit(second)
    with pytest.raises(Undecided, match="2 media"):
        await connector.find(second, seeking())
    found = await connector.find(first, seeking(receipt.remote_id))
    assert found is not None


async def test_a_lost_story_is_found_among_the_stories(
    stand_in: StandIn, stage: Stage, member: Member
) -> None:
    connector = stage.connector(member)
    prepared = await prepare(connector, picture(stage, "Words nobody sees", content_type="stories"))
    since = seeking()
    stand_in.lose("accept_then_drop")
    with pytest.raises(LostAnswer):
        await connector.submit(prepared)
    found = await publishing(connector).find(prepared, since)
    [post] = stand_in.world()["posts"]
    assert found is not None
    assert found.remote_id == post["id"]
    assert (post["product_type"], post["text"]) == ("STORY", "")


async def test_the_quota_is_told_and_kept(stand_in: StandIn, stage: Stage) -> None:
    member = await stage.sign_in(stand_in.person("busy", quota_total=2))
    connector = stage.connector(member)
    assert await connector.limits() == {"posts_remaining": 2}
    for text in ("One", "Two"):
        await stage.publish(connector, picture(stage, text))
    assert await connector.limits() == {"posts_remaining": 0}
    said = await refused(stage.publish(connector, picture(stage, "Three")))
    assert said.refusal.wire_code == "platform.instagram.rate_limit"
    assert said.refusal.details["reason"] == "publish_quota"
    assert said.refusal.retry_after == 3600
    stand_in.control("clock", advance_seconds=DAY)
    assert await connector.limits() == {"posts_remaining": 2}


async def test_numbers_are_read(stand_in: StandIn, stage: Stage) -> None:
    person = stand_in.person("known", numbers={"followers": 7, "following": 3, "reach": 40})
    member = await stage.sign_in(person)
    connector = stage.connector(member)
    settled = await stage.publish(connector, picture(stage))
    stand_in.control("instagram/emit", happening="comment", on=settled.remote_id, text="Nice")
    post = await connector.post_numbers(settled.remote_id)
    assert (post.likes, post.comments, post.shares, post.saves) == (0, 1, 0, 0)
    assert set(post.extra) == {"reach", "views", "total_interactions"}
    account = await connector.account_numbers()
    assert (account.followers, account.following, account.posts) == (7, 3, 1)
    assert account.extra["reach"] == 40


async def test_a_storys_insights_may_be_missing(stage: Stage, member: Member) -> None:
    connector = stage.connector(member)
    settled = await stage.publish(connector, picture(stage, "", content_type="stories"))
    assert (await connector.post_numbers(settled.remote_id)).extra == {}


# Before anything is sent


def problems(draft: Draft) -> list[Refusal]:
    return limits.check(FOUND.facts, draft)


def test_words_alone_are_not_enough() -> None:
    [problem] = problems(Draft("Only words"))
    assert isinstance(problem, FieldRequired)
    assert problem.meta["field"] == "media"


def test_several_files_are_a_carousel_and_a_story_has_no_place_for_words() -> None:
    files = tuple(_file(kind) for kind in ("image", "video"))
    assert problems(Draft("Both", files=files)) == []
    assert limits.format_of(FOUND.facts, Draft("Both", files=files)) == "carousel"
    assert limits.format_of(FOUND.facts, Draft("One", files=files[:1])) == "feed"
    story = Draft("Words", files=files[:1], options={"content_type": "stories"})
    assert problems(story) == []
    assert limits.unused_text(FOUND.facts, story) != []
    assert limits.unused_text(FOUND.facts, Draft("Words", files=files[:1])) == []


def _file(kind: str) -> Any:
    from hubbub.social.draft import File

    content_type = "image/jpeg" if kind == "image" else "video/mp4"
    return File("m", kind, content_type, 1000, width=100, height=100, seconds=10 if kind == "video" else None)


# Signing in


def by_facebook(stage: Stage, signed_in: SignedIn | None = None) -> Any:
    """A connector as the product builds it for Facebook Login."""
    assert isinstance(stage.backend, StandIn)
    facts = FOUND.facts.for_account({"login": "facebook", "sandbox": True})
    hosts = {name: f"{stage.backend.root}/instagram{host.sandbox}" for name, host in facts.hosts.items()}
    identity = signed_in.identity if signed_in else None
    account = AccountRef(sandbox=True, metadata={"login": "facebook"})
    if identity:
        account = replace(account, id="acc_1", remote_id=identity.remote_id, username=identity.username)
    return FOUND.connector(
        http=Http(stage.client, hosts, FOUND.refusals),
        facts=facts,
        account=account,
        app=APP,
        grant=signed_in.grant if signed_in else None,
        place_token=None,
        opener=stage.shelf.open,
        now=clock.now,
        link=stage.shelf.link,
    )


async def at_facebook(stand_in: StandIn, stage: Stage, **person: Any) -> SignedIn:
    somebody = stand_in.person(**person)
    url = by_facebook(stage).consent_url(REDIRECT, STATE, VERIFIER)
    assert "/facebook/v25.0/dialog/oauth" in url
    code = stand_in.approve(url, somebody)["code"]
    return await by_facebook(stage).exchange(code, REDIRECT, VERIFIER)


async def test_facebook_login_leads_to_the_account_behind_the_page(stand_in: StandIn, stage: Stage) -> None:
    signed_in = await at_facebook(stand_in, stage)
    facts = FOUND.facts.for_account({"login": "facebook"})
    assert signed_in.identity.metadata == {"login": "facebook"}
    assert signed_in.grant.expires_at is None
    assert set(facts.auth.scopes) <= set(signed_in.grant.scopes)
    connector = by_facebook(stage, signed_in)
    settled = await stage.publish(connector, picture(stage, "By the Page"))
    [post] = stand_in.world()["posts"]
    assert (post["id"], post["owner"]) == (settled.remote_id, signed_in.identity.remote_id)
    comment = await connector.comment(settled.remote_id, "First")
    assert await connector.find_comment(settled.remote_id, "First", seeking()) == comment
    assert await connector.limits() == {"posts_remaining": 49}


async def test_facebook_login_without_an_account_behind_a_page_is_refused(
    stand_in: StandIn, stage: Stage
) -> None:
    with pytest.raises(Refusal) as said:
        await at_facebook(stand_in, stage, places=[])
    assert said.value.wire_code == "platform.instagram.no_pages"


async def test_facebook_login_does_not_guess_between_accounts(stage: Stage) -> None:
    connector = by_facebook(stage)
    account = {"id": "1", "username": "a"}
    rows = {"data": [{"access_token": "t", "instagram_business_account": account}] * 2}

    async def answer(*_: Any, **__: Any) -> Any:
        return {"access_token": "t", "expires_in": 60, **rows}

    connector.http.call = answer
    with pytest.raises(FieldInvalid, match="one Instagram account"):
        await connector.exchange("code", REDIRECT, VERIFIER)


async def test_each_host_knows_only_its_own_logins_tokens(stage: Stage, member: Member) -> None:
    signed_in = replace(member.signed_in)
    said = await refused(by_facebook(stage, signed_in).limits())
    assert said.refusal.wire_code == "platform.instagram.auth"


async def test_a_wrong_proof_is_refused(stand_in: StandIn, stage: Stage) -> None:
    connector = by_facebook(stage, await at_facebook(stand_in, stage))
    connector.app = replace(APP, client_secret=Secret("another"))
    connector.authorize()
    said = await refused(connector.limits())
    assert "appsecret_proof" in said.upstream["message"]


async def test_a_token_is_renewed_only_when_it_is_a_day_old_and_has_not_ended(
    stand_in: StandIn, stage: Stage, member: Member
) -> None:
    grant, connector = member.signed_in.grant, stage.connector(member)
    assert "24 hours" in (await refused(connector.refresh(grant))).upstream["message"]
    stand_in.control("clock", advance_seconds=DAY)
    renewed = await connector.refresh(grant)
    assert renewed.scopes == grant.scopes
    stand_in.control("clock", advance_seconds=60 * DAY)
    said = await refused(connector.refresh(renewed))
    assert said.refusal.wire_code == "platform.instagram.auth"
    assert said.certain
