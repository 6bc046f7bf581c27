"""Taking a post down, as often as one likes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hubbub.connector.refusals import LostAnswer, RemoteRefusal

from .backends import Backend, StandIn
from .stage import Member, Stage

pytestmark = pytest.mark.anyio


async def test_a_deleted_post_is_gone_and_may_be_deleted_again(
    backend: Backend, form: str, stage: Stage, member: Member, proves: Callable[..., None]
) -> None:
    if "delete" not in stage.facts.can:
        return
    proves("deletes", "can:delete")
    connector = stage.connector(member)
    kept = await stage.publish(connector, stage.draft(stage.facts.formats[form], "Kept"))
    gone = await stage.publish(connector, stage.draft(stage.facts.formats[form], "Gone"))
    await connector.delete(gone.remote_id)
    assert [post.id for post in stage.seen(member)] == [kept.remote_id]
    await connector.delete(gone.remote_id)
    assert [post.id for post in stage.seen(member)] == [kept.remote_id]


@pytest.mark.parametrize("fault", ["accept_then_drop", "drop"])
async def test_a_deletion_whose_answer_was_lost_is_repeated(
    backend: Backend, stage: Stage, member: Member, fault: str
) -> None:
    if "delete" not in stage.facts.can:
        return
    connector = stage.connector(member)
    form = next(iter(stage.facts.formats.values()))
    post = await stage.publish(connector, stage.draft(form))
    backend.lose(fault)
    with pytest.raises(LostAnswer):
        await connector.delete(post.remote_id)
    await connector.delete(post.remote_id)
    assert stage.seen(member) == []


async def test_a_refusal_to_delete_is_not_swallowed(stand_in: StandIn, stage: Stage, member: Member) -> None:
    if "delete" not in stage.facts.can:
        return
    connector = stage.connector(member)
    form = next(iter(stage.facts.formats.values()))
    post = await stage.publish(connector, stage.draft(form))
    stand_in.next("throttle", retry_after=5)
    with pytest.raises(RemoteRefusal) as refused:
        await connector.delete(post.remote_id)
    assert refused.value.refusal.wire_code.endswith(".rate_limit")
    assert len(stage.seen(member)) == 1
