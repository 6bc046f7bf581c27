"""Connecting, renewing, ending, and connecting again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from hubbub.connector.promises import Refreshes, Revokes, SignsInByConsent, SignsInWithFields
from hubbub.connector.refusals import LostAnswer, RemoteRefusal
from hubbub.errors import Action
from hubbub.kit import clock
from hubbub.kit.secret import Secret

from .backends import REDIRECT, Backend, StandIn
from .stage import APP, STATE, VERIFIER, Stage

pytestmark = pytest.mark.anyio

Proves = Callable[..., None]


async def test_somebody_signs_in(backend: Backend, stage: Stage, proves: Proves) -> None:
    proves("signs_in")
    person = backend.person()
    member = await stage.sign_in(person)
    identity, grant, facts = member.signed_in.identity, member.signed_in.grant, stage.facts
    assert identity.remote_id == person.remote_id
    assert identity.name
    assert identity.username
    assert grant.access_token
    assert (grant.refresh_token is not None) == (facts.auth.refresh == "rotating")
    if facts.auth.lifetime_seconds:
        assert grant.expires_at is not None
        left = grant.expires_at - clock.now()
        assert abs(left - timedelta(seconds=facts.auth.lifetime_seconds)) < timedelta(minutes=2)
    assert set(facts.auth.scopes) <= set(grant.scopes)
    assert bool(member.signed_in.places) == (facts.places is not None)


async def test_the_consent_page_is_asked_for_everything_that_is_needed(
    stand_in: StandIn, stage: Stage
) -> None:
    connector = stage.connector()
    if not isinstance(connector, SignsInByConsent):
        return
    asked = parse_qs(urlsplit(connector.consent_url(REDIRECT, STATE, VERIFIER)).query)
    assert asked["client_id"] == [APP.client_id]
    assert asked["redirect_uri"] == [REDIRECT]
    assert asked["state"] == [STATE]
    assert asked["scope"][0].split(stage.facts.auth.scope_separator) == stage.facts.auth.scopes
    assert APP.client_secret.reveal() not in str(asked)


async def test_somebody_who_says_no_comes_back_without_a_code(stand_in: StandIn, stage: Stage) -> None:
    connector = stage.connector()
    if not isinstance(connector, SignsInByConsent):
        return
    url = connector.consent_url(REDIRECT, STATE, VERIFIER)
    came_back = stand_in.approve(url, stand_in.person(), deny=True)
    assert "code" not in came_back
    assert came_back["error"]
    assert came_back["state"] == STATE


async def test_a_code_works_once_and_only_for_its_redirect(
    stand_in: StandIn, stage: Stage, proves: Proves
) -> None:
    connector = stage.connector()
    if not isinstance(connector, SignsInByConsent):
        return
    proves("code_once")
    person = stand_in.person()
    code = stage.code(person, connector)
    await stage.connector().exchange(code, REDIRECT, VERIFIER)
    with pytest.raises(RemoteRefusal) as refused:
        await stage.connector().exchange(code, REDIRECT, VERIFIER)
    assert refused.value.certain
    assert refused.value.refusal.wire_code == f"platform.{stand_in.name}.auth"
    with pytest.raises(RemoteRefusal) as refused:
        await stage.connector().exchange(stage.code(person, connector), REDIRECT + "/other", VERIFIER)
    assert refused.value.certain


async def test_what_was_mistyped_is_refused(backend: Backend, stage: Stage, proves: Proves) -> None:
    connector = stage.connector()
    if not isinstance(connector, SignsInWithFields):
        return
    proves("bad_credentials")
    asked = stage.facts.auth.fields
    typed = {
        name: "a-wrong-secret" if asked[name].secret else value
        for name, value in backend.person().fields.items()
    }
    with pytest.raises(RemoteRefusal) as refused:
        await connector.sign_in(typed)
    assert refused.value.certain
    assert refused.value.refusal.wire_code == f"platform.{backend.name}.bad_credentials"
    assert refused.value.refusal.action is Action.FIX_REQUEST
    assert "a-wrong-secret" not in repr(refused.value) + repr(refused.value.upstream)


async def test_several_places_are_all_found_each_with_its_token(stand_in: StandIn, stage: Stage) -> None:
    if stage.facts.places is None:
        return
    names = [f"Place {number}" for number in range(130)]
    member = await stage.sign_in(stand_in.person("owner", places=names))
    assert [place.name for place in member.signed_in.places] == names
    tokens = {place.token.reveal() for place in member.signed_in.places if place.token}
    assert len(tokens) == len(names)
    nobody = await stage.sign_in(stand_in.person("nobody", places=[]))
    assert nobody.signed_in.places == ()


async def test_a_grant_is_renewed_and_the_old_one_replaced(
    backend: Backend, stage: Stage, proves: Proves
) -> None:
    if stage.facts.auth.refresh == "none":
        return
    proves("refreshes")
    member = await stage.sign_in()
    old = member.signed_in.grant
    connector = stage.connector(member)
    assert isinstance(connector, Refreshes)
    _grow_old(backend, stage)
    renewed = await connector.refresh(old)
    assert renewed.extra == old.extra
    if stage.facts.auth.refresh == "rotating":
        assert renewed.refresh_token is not None
        assert renewed.refresh_token != old.refresh_token
    else:
        assert renewed.access_token != old.access_token
    _grow_old(backend, stage)
    again = await stage.connector(member).refresh(renewed)
    holder = replace(member, signed_in=replace(member.signed_in, grant=again))
    form = next(iter(stage.facts.formats.values()))
    await stage.publish(stage.connector(holder), stage.draft(form))
    await stage.publish(connector, stage.draft(form))
    assert len(stage.seen(member)) == 2


async def test_a_renewal_whose_answer_was_lost_can_be_repeated(backend: Backend, stage: Stage) -> None:
    if stage.facts.auth.refresh == "none":
        return
    member = await stage.sign_in()
    old = member.signed_in.grant
    _grow_old(backend, stage)
    backend.lose("accept_then_drop")
    with pytest.raises(LostAnswer, match=r"(?i)refresh"):
        await stage.connector(member).refresh(old)
    renewed = await stage.connector(member).refresh(old)
    assert (renewed.access_token, renewed.refresh_token) != (old.access_token, old.refresh_token)


def _grow_old(backend: Backend, stage: Stage) -> None:
    """A long-lived token may be renewed once it is a day old."""
    if stage.facts.auth.refresh == "long_lived":
        assert isinstance(backend, StandIn)
        backend.control("clock", advance_seconds=86_460)


async def test_an_expired_token_is_mended_by_renewing(
    stand_in: StandIn, stage: Stage, proves: Proves
) -> None:
    if stage.facts.auth.refresh != "rotating":
        return
    proves("expires")
    member = await stage.sign_in()
    form = next(iter(stage.facts.formats.values()))
    stand_in.control("clock", advance_seconds=(stage.facts.auth.lifetime_seconds or 0) + 60)
    with pytest.raises(RemoteRefusal) as refused:
        await stage.publish(stage.connector(member), stage.draft(form))
    assert refused.value.refreshes
    renewed = await stage.connector(member).refresh(member.signed_in.grant)
    holder = replace(member, signed_in=replace(member.signed_in, grant=renewed))
    await stage.publish(stage.connector(holder), stage.draft(form))


async def test_a_grant_that_was_handed_back_is_no_longer_good(
    backend: Backend, stage: Stage, proves: Proves
) -> None:
    member = await stage.sign_in()
    connector = stage.connector(member)
    if not isinstance(connector, Revokes):
        return
    proves("revokes")
    await connector.revoke(member.signed_in.grant)
    form = next(iter(stage.facts.formats.values()))
    using = (
        connector.refresh(member.signed_in.grant)
        if isinstance(connector, Refreshes)
        else stage.publish(connector, stage.draft(form))
    )
    with pytest.raises(RemoteRefusal) as refused:
        await using
    assert refused.value.certain
    assert not refused.value.refreshes
    assert refused.value.refusal.wire_code == f"platform.{backend.name}.auth"
    again = await stage.sign_in(member.person)
    assert again.signed_in.identity.remote_id == member.signed_in.identity.remote_id


async def test_a_forged_token_is_an_auth_refusal(backend: Backend, stage: Stage) -> None:
    member = await stage.sign_in()
    forged = replace(
        member,
        signed_in=replace(
            member.signed_in, grant=replace(member.signed_in.grant, access_token=Secret("forged"))
        ),
        place=replace(member.place, token=Secret("forged")) if member.place else None,
    )
    form = next(iter(stage.facts.formats.values()))
    with pytest.raises(RemoteRefusal) as refused:
        await stage.publish(stage.connector(forged), stage.draft(form))
    assert refused.value.certain
    assert refused.value.refusal.wire_code == f"platform.{backend.name}.auth"


async def test_what_is_declared_about_fields_is_enough_to_sign_in(backend: Backend, stage: Stage) -> None:
    """A form drawn from the facts alone: only the required fields, typed a little carelessly."""
    connector = stage.connector()
    if not isinstance(connector, SignsInWithFields):
        return
    asked = stage.facts.auth.fields
    typed = {
        name: value if asked[name].secret else f" @{value} "
        for name, value in backend.person().fields.items()
    }
    assert (await connector.sign_in(typed)).identity.remote_id
