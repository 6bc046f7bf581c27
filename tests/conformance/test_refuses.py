"""Every refusal a platform can give becomes the one that errors.toml says, whole and without secrets."""

from __future__ import annotations

import traceback
from collections.abc import Callable

import pytest

from hubbub.connector.promises import SignsInByConsent
from hubbub.connector.refusals import Entry, LostAnswer, NotSent, RemoteRefusal
from hubbub.errors import Action

from .backends import REDIRECT, StandIn
from .stage import VERIFIER, Member, Stage, prepare, publishing, seeking

pytestmark = pytest.mark.anyio

CODE, TYPED = "-".join(("a", "code", "of", "the", "test")), "-".join(("a", "password", "of", "the", "test"))
Proves = Callable[..., None]


def shown(failure: BaseException) -> str:
    """Everything a log, a response or a person may get to see of a failure."""
    parts = ["".join(traceback.format_exception(failure)), repr(failure), str(failure)]
    if isinstance(failure, RemoteRefusal):
        refusal = failure.refusal
        parts += [refusal.sentence, repr(refusal.meta), repr(refusal.details), repr(failure.upstream)]
    return "\n".join(parts)


def holds_no_secret(failure: BaseException, member: Member) -> None:
    text = shown(failure)
    assert not [secret for secret in member.secrets if secret in text]


async def refused_by(stage: Stage, member: Member) -> RemoteRefusal:
    """What the next refusal becomes, on the first call that publishing makes."""
    connector = stage.connector(member)
    form = next(iter(stage.facts.formats.values()))
    with pytest.raises(RemoteRefusal) as refused:
        await publishing(connector).submit(await prepare(connector, stage.draft(form)))
    return refused.value


async def test_each_refusal_becomes_what_the_table_says(
    stand_in: StandIn, entry: Entry, stage: Stage, member: Member, proves: Proves
) -> None:
    proves(f"refuses:{entry.name}")
    assert entry.name
    stand_in.next("refuse", error=entry.name)
    said = await refused_by(stage, member)
    status = said.upstream["status"]
    assert said.refusal.wire_code == entry.means
    assert said.certain == (entry.certain if entry.certain is not None else status < 500)
    assert said.refreshes == entry.refreshes
    assert said.upstream["platform"] == stand_in.name
    assert said.upstream["call"].startswith("POST /")
    assert entry.say is None or entry.say in said.upstream["message"]
    for field, value in entry.give.items():
        assert said.refusal.details[field] == value
    if said.refusal.action is Action.WAIT and "retry_after_seconds" in entry.take:
        assert said.refusal.retry_after is None or said.refusal.retry_after > 0
    assert stage.seen(member) == []
    holds_no_secret(said, member)


async def test_what_the_platform_said_is_kept_whole(
    stand_in: StandIn, stage: Stage, member: Member, proves: Proves
) -> None:
    proves("upstream")
    reply = stage.backend.found.refusals.reply
    with_code = next(entry for entry in stage.backend.found.refusals.entries if entry.when)
    stand_in.next("refuse", error=with_code.name)
    said = await refused_by(stage, member)
    wanted = {"platform", "status", "call", "message"}
    wanted |= {name for name in ("code", "trace_id") if getattr(reply, name)}
    assert wanted <= set(said.upstream)


async def test_too_many_calls_say_how_long_to_wait(
    stand_in: StandIn, stage: Stage, member: Member, proves: Proves
) -> None:
    proves("throttled")
    stand_in.next("throttle", retry_after=17)
    said = await refused_by(stage, member)
    assert said.refusal.wire_code == f"platform.{stand_in.name}.rate_limit"
    assert said.certain
    assert said.refusal.retry_after == 17
    assert said.refusal.action is Action.WAIT


async def test_a_token_that_ended_is_an_auth_refusal(
    stand_in: StandIn, stage: Stage, member: Member, proves: Proves
) -> None:
    proves("expires")
    stand_in.next("expire_token")
    said = await refused_by(stage, member)
    assert said.refusal.wire_code == f"platform.{stand_in.name}.auth"
    assert said.certain
    assert said.refreshes == (stage.facts.auth.refresh == "rotating")
    assert said.refusal.action is Action.RECONNECT
    holds_no_secret(said, member)


async def test_removing_the_app_is_an_auth_refusal_from_then_on(
    stand_in: StandIn, stage: Stage, member: Member, proves: Proves
) -> None:
    proves("reconnects")
    stand_in.next("revoke")
    for _ in range(2):
        said = await refused_by(stage, member)
        assert said.refusal.wire_code == f"platform.{stand_in.name}.auth"
        assert said.certain
    again = await stage.sign_in(member.person)
    assert again.signed_in.identity.remote_id == member.signed_in.identity.remote_id
    await stage.publish(stage.connector(again), stage.draft(next(iter(stage.facts.formats.values()))))


async def test_a_lost_answer_and_a_call_not_sent_hold_no_secret_either(
    stand_in: StandIn, stage: Stage, member: Member, nowhere: str
) -> None:
    connector = stage.connector(member)
    form = next(iter(stage.facts.formats.values()))
    prepared = await prepare(connector, stage.draft(form))
    for fault in ("drop", "garbage"):
        stand_in.next(fault)
        with pytest.raises(LostAnswer) as lost:
            await publishing(connector).submit(prepared)
        holds_no_secret(lost.value, member)
    unreachable = stage.connector(member, hosts=dict.fromkeys(stand_in.hosts, nowhere))
    with pytest.raises(NotSent) as unsent:
        await publishing(unreachable).find(prepared, seeking())
    holds_no_secret(unsent.value, member)


async def test_a_secret_the_platform_repeats_is_not_passed_on(
    stand_in: StandIn, stage: Stage, member: Member, parrot: str, proves: Proves
) -> None:
    """A server that answers with what it was sent: headers, address and body."""
    proves("redacts")
    prepared = await prepare(stage.connector(member), stage.draft(next(iter(stage.facts.formats.values()))))
    connector = stage.connector(member, hosts=dict.fromkeys(stand_in.hosts, parrot))
    with pytest.raises(RemoteRefusal) as refused:
        await publishing(connector).submit(prepared)
    holds_no_secret(refused.value, member)


async def test_what_was_typed_to_sign_in_is_not_passed_on_either(
    stand_in: StandIn, stage: Stage, member: Member, parrot: str, proves: Proves
) -> None:
    proves("redacts")
    connector, asked = stage.connector(hosts=dict.fromkeys(stand_in.hosts, parrot)), stage.facts.auth.fields
    typed = {name: TYPED if asked[name].secret else "ada" for name in member.person.fields}
    is_by_consent = isinstance(connector, SignsInByConsent)
    signing_in = connector.exchange(CODE, REDIRECT, VERIFIER) if is_by_consent else connector.sign_in(typed)
    with pytest.raises(RemoteRefusal) as refused:
        await signing_in
    holds_no_secret(refused.value, member)
    assert TYPED not in shown(refused.value)
    assert CODE not in shown(refused.value)
