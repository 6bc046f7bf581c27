"""What can be done with a post that is up: continue it, change it, count what people make of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from hubbub.connector.promises import Working
from hubbub.connector.refusals import RemoteRefusal
from hubbub.kit.secret import Secret
from hubbub.social.draft import Draft

from .backends import Backend, StandIn
from .stage import Member, Stage, prepare, publishing

pytestmark = pytest.mark.anyio

Proves = Callable[..., None]


async def test_a_thread_is_written_once_however_often_it_is_continued(
    backend: Backend, stage: Stage, member: Member, proves: Proves
) -> None:
    if "thread" not in stage.facts.can:
        return
    proves("can:thread")
    connector = stage.connector(member)
    prepared = await prepare(connector, Draft(text="one", segments=("two", "three")))
    receipt = await publishing(connector).submit(prepared)
    told = None
    for _ in range(10):
        await connector.settle(receipt)  # As after a crash: what it told is forgotten.
        told = await connector.settle(receipt)
        if not isinstance(told, Working):
            break
        receipt = replace(receipt, body=told.body)
    ids = receipt.body["thread_post_ids"]
    assert told is not None
    assert (told.remote_id, told.warnings) == (receipt.remote_id, ())
    assert len(set(ids)) == 2
    for remote_id in (*ids, receipt.remote_id):
        await connector.delete(remote_id)
    assert stage.seen(member) == []


async def test_the_text_of_a_post_that_is_up_is_changed(
    stand_in: StandIn, stage: Stage, member: Member, proves: Proves
) -> None:
    if "edit" not in stage.facts.can:
        return
    proves("can:edit")
    connector = stage.connector(member)
    for form in stage.facts.formats.values():
        post = await stage.publish(connector, stage.draft(form, "Before"))
        await connector.edit(post.remote_id, "After")
        await connector.edit(post.remote_id, "After")
    assert {post.text for post in stage.seen(member)} == {"After"}


async def test_what_is_left_of_the_accounts_allowances_is_told_and_shrinks(
    stand_in: StandIn, stage: Stage, member: Member, proves: Proves
) -> None:
    if "limits" not in stage.facts.can:
        return
    proves("can:limits")
    connector = stage.connector(member)
    form = next(iter(stage.facts.formats.values()))
    before = await connector.limits()
    await stage.publish(connector, stage.draft(form))
    after = await connector.limits()
    assert all(type(left) is int and left >= 0 for left in [*before.values(), *after.values()])
    assert after["posts_remaining"] == before["posts_remaining"] - 1
    revoked = replace(member.signed_in.grant, access_token=Secret("no-token-of-anybody"))
    with pytest.raises(RemoteRefusal) as refused:
        await stage.connector(member, grant=revoked).limits()
    assert (refused.value.certain, refused.value.refusal.http_status) == (True, 401)


async def test_what_people_make_of_a_post_is_counted(
    stand_in: StandIn, stage: Stage, member: Member, proves: Proves
) -> None:
    if "metrics" not in stage.facts.can:
        return
    proves("can:metrics")
    connector = stage.connector(member)
    form = next(iter(stage.facts.formats.values()))
    post = await stage.publish(connector, stage.draft(form))
    before = await connector.post_numbers(post.remote_id)
    stand_in.control(f"{stand_in.name}/emit", happening="comment", on=post.remote_id, text="Well said")
    after = await connector.post_numbers(post.remote_id)
    assert (before.likes, before.comments) == (0, 0)
    assert after.comments == 1
    await connector.account_numbers()
    with pytest.raises(RemoteRefusal):
        await connector.post_numbers(post.remote_id[:-2] + "zz")
