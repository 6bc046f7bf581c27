"""Every format goes out and can be seen; every limit holds at its edge and one past it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hubbub.connector import limits
from hubbub.connector.promises import Working
from hubbub.connector.refusals import RemoteRefusal
from hubbub.social.draft import Draft

from .backends import Backend, StandIn
from .files import types_of
from .limits import NOT_ENFORCED, edges
from .stage import Member, Stage, prepare, publishing, seeking, shown

pytestmark = pytest.mark.anyio

Proves = Callable[..., None]


async def test_the_smallest_draft_of_each_format_is_published(
    backend: Backend, form: str, stage: Stage, member: Member, proves: Proves
) -> None:
    proves(f"publishes:{form}", "can:publish")
    draft = stage.draft(stage.facts.formats[form])
    settled = await stage.publish(stage.connector(member), draft)
    [post] = stage.seen(member)
    assert post.text == shown(stage.facts.formats[form], draft.text)
    assert len(post.alts) == len(draft.files)
    assert post.id == settled.remote_id
    assert settled.permalink is not None
    assert settled.permalink.startswith(("https://", "http://127.0.0.1"))


async def test_what_lies_on_a_limit_is_published_and_what_is_past_it_is_not(
    backend: Backend, form: str, stage: Stage, member: Member, proves: Proves
) -> None:
    proves(f"limits:{form}")
    connector = stage.connector(member)
    published = 0
    for edge in edges(stage.facts, form, stage.shelf):
        assert limits.check(stage.facts, edge.fits) == [], edge.limit
        assert edge.past is not None
        assert len(limits.check(stage.facts, edge.past)) == 1, edge.limit
        if edge.can_be_sent:
            await stage.publish(connector, edge.fits)
            published += 1
        if (
            edge.can_be_sent
            and not {edge.limit, f"{form}.{edge.limit}"} & NOT_ENFORCED.get(backend.name, {}).keys()
        ):
            with pytest.raises(RemoteRefusal) as refused:
                await stage.publish(connector, edge.past)
            assert refused.value.certain, edge.limit
            assert refused.value.upstream["message"], edge.limit
    assert len(stage.seen(member)) == published


async def test_every_type_of_file_is_published(
    backend: Backend, form: str, stage: Stage, member: Member, proves: Proves
) -> None:
    proves(f"types:{form}")
    rule = stage.facts.formats[form].media
    types = types_of(stage.facts.formats[form], rule.kinds[0]) if rule else []
    facts = stage.facts.formats[form]
    for content_type in types:
        others = stage.shelf.few(facts)[1:]
        files = (stage.shelf.put(content_type), *others)
        draft = Draft(content_type, files=files, options={"content_type": form})
        assert limits.check(stage.facts, draft) == []
        await stage.publish(stage.connector(member), draft)
    assert sorted(post.text for post in stage.seen(member)) == sorted(shown(facts, type) for type in types)


async def test_words_for_the_blind_arrive_in_the_order_of_the_pictures(
    backend: Backend, form: str, stage: Stage, member: Member
) -> None:
    facts = stage.facts.formats[form]
    if facts.alt is None or facts.media is None:
        return
    files = stage.shelf.few(facts, facts.media.max)
    draft = Draft("Several", files=files, options={"content_type": form})
    await stage.publish(stage.connector(member), draft)
    [post] = stage.seen(member)
    assert post.alts == tuple(file.alt for file in files)


async def test_preparing_is_never_seen_and_may_be_repeated(
    backend: Backend, form: str, stage: Stage, member: Member
) -> None:
    connector, draft = stage.connector(member), stage.draft(stage.facts.formats[form])
    await prepare(connector, draft)
    prepared = await prepare(connector, draft)
    assert stage.seen(member) == []
    await publishing(connector).submit(prepared)
    assert len(stage.seen(member)) == 1


async def test_what_the_call_needs_survives_being_stored(
    backend: Backend, form: str, stage: Stage, member: Member
) -> None:
    """The prepared body goes through the database as JSON, and another process sends it."""
    made = await prepare(stage.connector(member), stage.draft(stage.facts.formats[form]))
    stored = type(made)(json.loads(json.dumps(dict(made.body))))
    receipt = await publishing(stage.connector(member)).submit(stored)
    json.dumps(dict(receipt.body))
    assert len(stage.seen(member)) == 1


async def test_what_is_not_there_yet_is_waited_for(
    stand_in: StandIn, form: str, stage: Stage, member: Member
) -> None:
    """A platform that takes its time is looked at again; when it fails, that is certain and named."""
    rule = stage.facts.formats[form].media
    if rule is None or rule.kinds[0] != "video":
        return
    connector, draft = stage.connector(member), stage.draft(stage.facts.formats[form])
    stand_in.control(f"{stand_in.name}/pace", thing="video", then="after_looks", n=3)
    settled = await stage.publish(connector, draft)
    assert [post.id for post in stage.seen(member)] == [settled.remote_id]
    stand_in.control(f"{stand_in.name}/pace", thing="video", then="held", to="error")
    prepared = await publishing(connector).prepare(draft, None)
    waits_before = isinstance(prepared, Working)
    receipt = None if waits_before else await publishing(connector).submit(prepared)
    looked = prepared if waits_before else await connector.settle(receipt)
    assert looked.look_after > 0

    async def look_after_a_failure(looked: Any) -> None:
        """More than once: some failures are worth a second attempt."""
        for _ in range(3):
            stand_in.control(f"{stand_in.name}/advance", thing="video", to="error")
            if waits_before:
                looked = await publishing(connector).prepare(draft, looked.body)
            else:
                await connector.settle(receipt)

    with pytest.raises(RemoteRefusal) as refused:
        await look_after_a_failure(looked)
    assert refused.value.certain
    said = refused.value.refusal.wire_code.removeprefix(f"platform.{stand_in.name}.")
    assert said in ("media_invalid", "container_failed")
    assert len(stage.seen(member)) == 1


async def test_a_first_comment_is_written_once_and_found_again(
    stand_in: StandIn, form: str, stage: Stage, member: Member, proves: Proves
) -> None:
    if "first_comment" not in stage.facts.can or not stage.facts.formats[form].first_comment:
        return
    proves("can:first_comment")
    connector = stage.connector(member)
    settled = await stage.publish(connector, stage.draft(stage.facts.formats[form]))
    since = seeking()
    assert await connector.find_comment(settled.remote_id, "First 🥐", since) is None
    written = await connector.comment(settled.remote_id, "First 🥐")
    assert await connector.find_comment(settled.remote_id, "First 🥐", since) == written
    assert await connector.find_comment(settled.remote_id, "First 🥐", seeking(written)) is None
    assert await connector.find_comment(settled.remote_id, "Second", since) is None
    stand_in.control(f"{stand_in.name}/emit", happening="comment", on=settled.remote_id, text="Second")
    assert await connector.find_comment(settled.remote_id, "Second", since) is None
    assert [comment["text"] for comment in stand_in.world()["comments"]] == ["First 🥐", "Second"]
