"""What only this network has, asked of the reference server through our connector."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from conformance.backends import Person, RealPds, transport_for
from conformance.stage import Member, Stage
from hubbub.connector.refusals import NotSent, RemoteRefusal
from hubbub.connector.registry import Registry
from hubbub.errors.validation import FieldInvalid
from hubbub.kit.secret import Secret
from hubbub.social.draft import Draft
from real.pds.pds import Account, Pds

pytest_plugins = ["real.pds.fixtures"]
pytestmark = [pytest.mark.anyio, pytest.mark.real]

POST = "app.bsky.feed.post"
UNREACHABLE = "http://127.0.0.1:1"


@pytest.fixture
async def stage(pds: Pds) -> AsyncIterator[Stage]:
    backend = RealPds(Registry()["bluesky"], pds)
    async with httpx2.AsyncClient(transport=transport_for(backend), trust_env=False) as client:
        yield Stage(backend, client)


@pytest.fixture
def account(pds: Pds) -> Account:
    return pds.create_account()


@pytest.fixture
async def member(stage: Stage, pds: Pds, account: Account) -> Member:
    return await stage.sign_in(typed(pds, account))


def typed(pds: Pds, account: Account, **fields: str) -> Person:
    password = pds.create_app_password(account)
    return Person(
        account.handle,
        account.did,
        {"identifier": account.handle, "app_password": password, **fields},
    )


def read(pds: Pds, uri: str) -> dict[str, Any]:
    repo, collection, rkey = uri.removeprefix("at://").split("/")
    answer = pds.query("com.atproto.repo.getRecord", repo=repo, collection=collection, rkey=rkey)
    return answer.raise_for_status().json()


def only_at(stage: Stage, **hosts: str) -> Any:
    """A connector for somebody who signs in, with these hosts and no others."""
    return stage.connector(hosts={"pds": UNREACHABLE, "resolver": UNREACHABLE, "plc": UNREACHABLE} | hosts)


async def publish(stage: Stage, member: Member, text: str, **options: Any) -> str:
    settled = await stage.publish(stage.connector(member), Draft(text, options=options))
    return settled.remote_id


async def test_facets_lie_on_the_bytes_they_are_about(stage: Stage, member: Member, pds: Pds) -> None:
    friend = pds.create_account()
    text = f"👩‍👩‍👧‍👦 𝔊rüße 🥐 @{friend.handle}, @nobody.test: https://example.com/a?b=1#c #Käse"
    uri = await publish(stage, member, text)
    value = read(pds, uri)["value"]
    assert value["text"] == text
    spans = [facet["index"] for facet in value["facets"]]
    pieces = [text.encode()[span["byteStart"] : span["byteEnd"]].decode() for span in spans]
    assert pieces == [f"@{friend.handle}", "https://example.com/a?b=1#c", "#Käse"]
    mention, link, tag = (facet["features"][0] for facet in value["facets"])
    assert mention["did"] == friend.did
    assert link["uri"] == "https://example.com/a?b=1#c"
    assert tag["tag"] == "Käse"


async def test_a_tag_that_is_too_long_does_not_cost_the_post(stage: Stage, member: Member, pds: Pds) -> None:
    uri = await publish(stage, member, f"#{'x' * 65} #{'y' * 64}")
    assert [f["features"][0]["tag"] for f in read(pds, uri)["value"]["facets"]] == ["y" * 64]


async def test_a_card_and_languages_are_taken(stage: Stage, member: Member, pds: Pds) -> None:
    uri = await publish(
        stage, member, "Menu", link="https://example.com/menu", link_title="Today", langs=["de", "en"]
    )
    value = read(pds, uri)["value"]
    assert value["embed"]["external"] == {
        "uri": "https://example.com/menu",
        "title": "Today",
        "description": "",
    }
    assert value["langs"] == ["de", "en"]


async def test_replies_keep_the_thread_and_a_quote_shows_what_it_is_about(
    stage: Stage, member: Member, pds: Pds
) -> None:
    first = await publish(stage, member, "First")
    second = await publish(stage, member, "Second", reply_to=first)
    key = second.rsplit("/", 1)[-1]
    link = f"https://bsky.app/profile/{member.person.username}/post/{key}?utm=x"
    third = read(pds, await publish(stage, member, "Third", reply_to=link, quote=first))
    root, parent = third["value"]["reply"]["root"], third["value"]["reply"]["parent"]
    assert root == {name: read(pds, first)[name] for name in ("uri", "cid")}
    assert parent == {name: read(pds, second)[name] for name in ("uri", "cid")}
    assert third["value"]["embed"]["record"] == root


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("reply_to", "at://{did}/app.bsky.feed.post/3jui7kd54zh2y"),
        ("quote", "https://bsky.app/profile/{did}/post/3jui7kd54zh2y"),
        ("reply_to", "https://example.com/post/1"),
        ("quote", "at://"),
        ("langs", ["en", "de", "fr", "it"]),
    ],
)
async def test_an_option_that_leads_nowhere_is_refused_before_anything_is_seen(
    stage: Stage, member: Member, option: str, value: Any
) -> None:
    given = value.format(did=member.person.remote_id) if isinstance(value, str) else value
    with pytest.raises(FieldInvalid) as refused:
        await publish(stage, member, "Lost", **{option: given})
    assert refused.value.field == f"platform_data.bluesky.{option}"
    assert stage.seen(member) == []


async def test_a_server_that_is_named_is_asked_directly(stage: Stage, pds: Pds, account: Account) -> None:
    for identifier in (account.handle, account.did, account.email):
        person = typed(pds, account, service=pds.url, identifier=identifier)
        signed_in = await only_at(stage).sign_in(person.fields)
        assert signed_in.identity.remote_id == account.did
        assert signed_in.grant.extra["pds"] == pds.url


async def test_a_server_is_found_from_a_did_without_asking_for_the_handle(
    stage: Stage, pds: Pds, account: Account
) -> None:
    person = typed(pds, account, identifier=account.did)
    signed_in = await only_at(stage, plc=pds.plc).sign_in(person.fields)
    assert signed_in.identity.username == account.handle


@pytest.mark.parametrize(
    "service",
    [
        "http://pds.example.com",
        "ftp://pds.example.com",
        "https://",
        "https://a b.example.com",
        "https://user:word@pds.example.com",
        "https://pds.example.com:port",
        "https://[::1",
        "https://pds.example.com/path",
        "javascript:alert(1)",
    ],
)
async def test_a_password_is_not_sent_to_such_an_address(stage: Stage, service: str) -> None:
    typed = {"identifier": "ada.test", "app_password": "a-password", "service": service}
    with pytest.raises(FieldInvalid) as refused:
        await only_at(stage).sign_in(typed)
    assert refused.value.field == "metadata.service"
    assert "a-password" not in str(refused.value)


async def test_a_server_that_is_away_was_not_reached(stage: Stage) -> None:
    with pytest.raises(NotSent):
        await only_at(stage).sign_in(
            {"identifier": "ada.test", "app_password": "a-password", "service": UNREACHABLE}
        )


async def test_a_handle_nobody_has_is_not_found(stage: Stage, pds: Pds) -> None:
    with pytest.raises(RemoteRefusal) as refused:
        await only_at(stage, resolver=pds.url).sign_in({"identifier": "nobody.test", "app_password": "x"})
    assert refused.value.refusal.wire_code == "platform.bluesky.not_found"


async def test_an_expired_token_is_renewed_and_the_post_goes_out(
    stage: Stage, member: Member, pds: Pds
) -> None:
    stale = replace(
        member.signed_in.grant, access_token=Secret(pds.expired_access_token(member.person.remote_id))
    )
    expired = stage.connector(member, grant=stale)
    with pytest.raises(RemoteRefusal) as refused:
        await stage.publish(expired, Draft("Late"))
    assert refused.value.refusal.wire_code == "platform.bluesky.auth"
    assert refused.value.certain
    assert refused.value.refreshes
    assert stale.access_token.reveal() not in repr(refused.value) + str(refused.value.upstream)
    renewed = await stage.connector(member, grant=stale).refresh(stale)
    await stage.publish(stage.connector(member, grant=renewed), Draft("Late"))
    assert [post.text for post in stage.seen(member)] == ["Late"]


async def test_a_revoked_app_password_cannot_be_renewed(stage: Stage, pds: Pds, account: Account) -> None:
    password = pds.create_app_password(account, name="ours")
    fields = {"identifier": account.handle, "app_password": password}
    member = await stage.sign_in(Person(account.handle, account.did, fields))
    pds.revoke_app_password(account, "ours")
    with pytest.raises(RemoteRefusal) as refused:
        await stage.connector(member).refresh(member.signed_in.grant)
    assert refused.value.refusal.wire_code == "platform.bluesky.auth"
    assert refused.value.certain
    assert not refused.value.refreshes
    with pytest.raises(RemoteRefusal) as refused:
        await stage.sign_in(member.person)
    assert refused.value.refusal.wire_code == "platform.bluesky.bad_credentials"


async def test_an_account_taken_down_is_unavailable_and_reconnecting_is_not_the_answer(
    stage: Stage, member: Member, pds: Pds
) -> None:
    pds.take_down(member.person.remote_id)
    connector = stage.connector(member)
    for call in (stage.publish(connector, Draft("Gone")), connector.refresh(member.signed_in.grant)):
        with pytest.raises(RemoteRefusal) as refused:
            await call
        assert refused.value.refusal.wire_code == "platform.bluesky.account_unavailable"
        assert refused.value.upstream["code"] == "AccountTakedown"


async def test_the_sentences_of_the_server_land_where_they_belong(stage: Stage, member: Member) -> None:
    connector = stage.connector(member)
    noise = stage.shelf.put_bytes(b"no picture at all", "text/plain")
    drafts = {
        "text": Draft("e" * 301),
        "too_large": Draft("Large", files=(stage.shelf.put("image/png", size=2_000_001),)),
        "too_many": Draft("Many", files=tuple(stage.shelf.put("image/png", shade=n) for n in range(5))),
        "type": Draft("Noise", files=(noise,)),
        "upload": Draft("Huge", files=(stage.shelf.put("image/png", size=5 * 1024 * 1024 + 1),)),
    }
    met: dict[str, str] = {}
    for name, draft in drafts.items():
        with pytest.raises(RemoteRefusal) as refused:
            await stage.publish(connector, draft)
        assert refused.value.certain
        met[name] = (
            f"{refused.value.refusal.wire_code} {refused.value.refusal.meta.get('reason', '')}".strip()
        )
    assert met == {
        "text": "platform.bluesky.content_rejected too_long",
        "too_large": "platform.bluesky.media_invalid too_large",
        "too_many": "platform.bluesky.media_invalid too_many",
        "type": "platform.bluesky.media_invalid type",
        "upload": "platform.bluesky.media_invalid",
    }
