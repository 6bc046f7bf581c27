"""A lost answer is decided by looking: what is there is found, what is not may be sent again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hubbub.connector.promises import Receipt, Undecided, Working
from hubbub.connector.refusals import LostAnswer, NotSent, RemoteRefusal

from .backends import Backend, StandIn
from .stage import Member, Stage, prepare, publishing, seeking, settle

pytestmark = pytest.mark.anyio

Proves = Callable[..., None]
LOST = ("accept_then_drop", "accept_then_500", "drop")


@pytest.mark.parametrize("fault", LOST)
async def test_a_lost_answer_is_decided_by_looking(
    backend: Backend, form: str, stage: Stage, member: Member, proves: Proves, fault: str
) -> None:
    proves("once")
    connector = stage.connector(member)
    prepared = await prepare(connector, stage.draft(stage.facts.formats[form]))
    since = seeking()
    assert await publishing(connector).find(prepared, since) is None
    backend.lose(fault)
    with pytest.raises((LostAnswer, RemoteRefusal)) as lost:
        await publishing(connector).submit(prepared)
    assert isinstance(lost.value, LostAnswer) or not lost.value.certain
    found = await publishing(stage.connector(member)).find(prepared, since)
    assert (found is None) == (fault == "drop")
    receipt = found or await publishing(connector).submit(prepared)
    settled = await settle(connector, receipt)
    assert [post.id for post in stage.seen(member)] == [settled.remote_id]
    again = await publishing(connector).find(prepared, since)
    assert isinstance(again, Receipt)
    assert (await settle(connector, again)).remote_id == settled.remote_id


async def test_what_is_still_being_processed_is_there(
    stand_in: StandIn, form: str, stage: Stage, member: Member
) -> None:
    rule = stage.facts.formats[form].media
    if rule is None or rule.kinds[0] != "video":
        return
    stand_in.control(f"{stand_in.name}/pace", thing="video", then="held")
    connector = stage.connector(member)
    prepared = await publishing(connector).prepare(stage.draft(stage.facts.formats[form]), None)
    if isinstance(prepared, Working):
        return  # It waits before it sends, so nothing is processed afterwards.
    stand_in.lose("accept_then_drop")
    with pytest.raises(LostAnswer):
        await publishing(connector).submit(prepared)
    found = await publishing(connector).find(prepared, seeking())
    assert found is not None
    stand_in.control(f"{stand_in.name}/advance", thing="video")
    settled = await settle(connector, found)
    assert [post.id for post in stage.seen(member)] == [settled.remote_id]


async def test_the_same_words_from_before_are_not_taken_for_the_lost_post(
    backend: Backend, form: str, stage: Stage, member: Member
) -> None:
    """An earlier equal post of ours is known; one that is not known leaves no answer but Undecided."""
    connector = stage.connector(member)
    draft = stage.draft(stage.facts.formats[form])
    earlier = await stage.publish(connector, draft)
    prepared = await prepare(connector, draft)
    known = seeking(earlier.remote_id)
    assert await publishing(connector).find(prepared, known) is None
    ours = await settle(connector, await publishing(connector).submit(prepared))
    found = await publishing(connector).find(prepared, known)
    assert found is not None
    assert (await settle(connector, found)).remote_id == ours.remote_id
    try:
        unaided = await publishing(connector).find(prepared, seeking())
    except Undecided:
        assert stage.facts.publish is not None
        assert stage.facts.publish.certainty == "findable"
    else:
        assert unaided is not None
        assert (await settle(connector, unaided)).remote_id == ours.remote_id


async def test_a_platform_with_keys_of_ours_has_the_post_once_however_often_it_is_sent(
    backend: Backend, form: str, stage: Stage, member: Member, proves: Proves
) -> None:
    assert stage.facts.publish is not None
    if stage.facts.publish.certainty != "idempotent":
        return
    proves("once")
    connector = stage.connector(member)
    prepared = await prepare(connector, stage.draft(stage.facts.formats[form]))
    first = await publishing(connector).submit(prepared)
    with pytest.raises(RemoteRefusal) as refused:
        await publishing(connector).submit(prepared)
    assert not refused.value.certain
    assert await publishing(connector).find(prepared, seeking()) == first
    assert len(stage.seen(member)) == 1


async def test_an_answer_that_is_not_what_was_promised_is_a_lost_one(
    stand_in: StandIn, form: str, stage: Stage, member: Member, proves: Proves
) -> None:
    proves("once")
    connector = stage.connector(member)
    prepared = await prepare(connector, stage.draft(stage.facts.formats[form]))
    stand_in.next("garbage")
    with pytest.raises(LostAnswer):
        await publishing(connector).submit(prepared)
    stand_in.next("garbage")
    with pytest.raises(LostAnswer):
        await publishing(connector).find(prepared, seeking())


async def test_json_that_is_not_what_was_promised_is_a_lost_answer_too(
    stand_in: StandIn, form: str, stage: Stage, member: Member, stranger: str
) -> None:
    honest = stage.connector(member)
    draft = stage.draft(stage.facts.formats[form])
    prepared = await prepare(honest, draft)
    astray = stage.connector(member, hosts=dict.fromkeys(stand_in.hosts, stranger))
    with pytest.raises(LostAnswer):
        await publishing(astray).submit(prepared)
    if draft.files:
        with pytest.raises(LostAnswer):
            await publishing(astray).prepare(draft, None)


async def test_a_port_where_nobody_listens_means_not_sent(
    stand_in: StandIn, form: str, stage: Stage, member: Member, proves: Proves, nowhere: str
) -> None:
    proves("once")
    prepared = await prepare(stage.connector(member), stage.draft(stage.facts.formats[form]))
    unreachable = stage.connector(member, hosts=dict.fromkeys(stand_in.hosts, nowhere))
    with pytest.raises(NotSent):
        await publishing(unreachable).submit(prepared)


async def test_a_first_comment_whose_answer_was_lost_is_found(
    stand_in: StandIn, stage: Stage, member: Member, proves: Proves
) -> None:
    if "first_comment" not in stage.facts.can:
        return
    proves("once", "can:first_comment")
    connector = stage.connector(member)
    form = next(iter(stage.facts.formats.values()))
    for fault in LOST:
        settled = await stage.publish(connector, stage.draft(form))
        since = seeking()
        stand_in.lose(fault)
        with pytest.raises((LostAnswer, RemoteRefusal)):
            await connector.comment(settled.remote_id, f"First, {fault}")
        found = await connector.find_comment(settled.remote_id, f"First, {fault}", since)
        assert (found is None) == (fault == "drop")
