"""What only Facebook has: chunks of a video, looking through a page, links."""

from __future__ import annotations

import email.message
import email.parser
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest

from conformance.backends import StandIn
from conformance.files import film
from conformance.stage import Member, Stage, prepare, publishing, seeking
from hubbub.connector.promises import Undecided
from hubbub.connector.refusals import LostAnswer, RemoteRefusal
from hubbub.connector.registry import Registry
from hubbub.emulation.testing import running_sandbox
from hubbub.platforms.facebook import connector as facebook
from hubbub.social.draft import Draft

pytestmark = pytest.mark.anyio

CHUNK = 4 * 1024 * 1024
MENU = "https://example.com/menu"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with running_sandbox(only={"facebook"}) as root:
        yield root


@pytest.fixture
def stand_in(sandbox: str) -> Iterator[StandIn]:
    made = StandIn(Registry()["facebook"], sandbox)
    made.reset()
    yield made
    made.close()


@pytest.fixture
def sent() -> list[httpx2.Request]:
    return []


@pytest.fixture
async def stage(stand_in: StandIn, sent: list[httpx2.Request]) -> AsyncIterator[Stage]:
    async def keep(request: httpx2.Request) -> None:
        await request.aread()
        sent.append(request)

    async with httpx2.AsyncClient(trust_env=False, verify=False, event_hooks={"request": [keep]}) as client:
        yield Stage(stand_in, client)


@pytest.fixture
async def member(stage: Stage) -> Member:
    return await stage.sign_in()


def chunks_in(requests: list[httpx2.Request]) -> list[bytes]:
    """The chunks of a video as they were sent."""
    found: list[bytes] = []
    for request in requests:
        kind = request.headers.get("content-type", "")
        if kind.startswith("multipart/form-data"):
            head = f"content-type: {kind}\r\n\r\n".encode()
            parts: Any = email.parser.BytesParser().parsebytes(head + request.content)
            found += [part.get_payload(decode=True) for part in parts.get_payload() if _is_chunk(part)]
    return found


def _is_chunk(part: email.message.Message) -> bool:
    return part.get_param("name", header="content-disposition") == "video_file_chunk"


@pytest.mark.parametrize("size", [None, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 12_345])
async def test_a_video_arrives_in_the_pieces_the_platform_wants(
    stage: Stage, stand_in: StandIn, member: Member, sent: list[httpx2.Request], size: int | None
) -> None:
    content = film("video/mp4")
    content = content + bytes(n % 251 for n in range(1000)) * (((size or 0) - len(content)) // 1000 + 1)
    content = content[: size or len(film("video/mp4"))]
    draft = Draft("Film", files=(stage.shelf.put_bytes(content, "video/mp4"),))
    await stage.publish(stage.connector(member), draft)
    chunks = chunks_in(sent)
    assert b"".join(chunks) == content
    assert [len(chunk) for chunk in chunks[:-1]] == [CHUNK] * (len(chunks) - 1)
    [video] = stand_in.world()["media"]
    assert video["size"] == video["received"] == len(content)


async def test_two_posts_that_say_the_same_leave_it_undecided(stage: Stage, member: Member) -> None:
    connector = stage.connector(member)
    since = seeking()
    prepared = await prepare(connector, Draft("Fresh bread"))
    await publishing(connector).submit(prepared)
    assert await publishing(connector).find(prepared, since) is not None
    await publishing(connector).submit(prepared)
    with pytest.raises(Undecided, match="2 posts"):
        await publishing(connector).find(prepared, since)


async def test_the_same_words_with_another_link_leave_it_undecided(stage: Stage, member: Member) -> None:
    connector = stage.connector(member)
    since = seeking()
    prepared = await prepare(connector, Draft("The menu", options={"link": MENU}))
    assert await publishing(connector).find(prepared, since) is None
    await stage.publish(connector, Draft("The menu", options={"link": f"{MENU}?from=elsewhere"}))
    with pytest.raises(Undecided):
        await publishing(connector).find(prepared, since)
    ours = await publishing(connector).submit(prepared)
    assert await publishing(connector).find(prepared, since) == ours


async def test_a_picture_is_found_by_itself_and_not_by_its_words(stage: Stage, member: Member) -> None:
    connector = stage.connector(member)
    since = seeking()
    form = stage.facts.formats["photos"]
    await stage.publish(connector, stage.draft(form, "A loaf"))
    prepared = await prepare(connector, stage.draft(form, "A loaf"))
    assert await publishing(connector).find(prepared, since) is None
    ours = await publishing(connector).submit(prepared)
    await stage.publish(connector, stage.draft(form, "A loaf"))
    assert await publishing(connector).find(prepared, since) == ours


async def test_looking_goes_through_every_page_of_posts(
    stage: Stage, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facebook, "PAGE_LIMIT", 2)
    connector = stage.connector(member)
    since = seeking()
    prepared = await prepare(connector, Draft("The first"))
    ours = await publishing(connector).submit(prepared)
    for number in range(5):
        await stage.publish(connector, Draft(f"Number {number}"))
    assert await publishing(connector).find(prepared, since) == ours


async def test_a_video_that_was_never_finished_is_not_there(stage: Stage, member: Member) -> None:
    connector = stage.connector(member)
    prepared = await prepare(connector, stage.draft(stage.facts.formats["video"]))
    assert await publishing(connector).find(prepared, seeking()) is None


async def test_a_video_that_failed_was_taken_all_the_same(
    stage: Stage, stand_in: StandIn, member: Member
) -> None:
    stand_in.control("facebook/pace", thing="video", then="held")
    connector = stage.connector(member)
    prepared = await prepare(connector, stage.draft(stage.facts.formats["video"]))
    stand_in.lose("accept_then_drop")
    with pytest.raises(LostAnswer):
        await publishing(connector).submit(prepared)
    stand_in.control("facebook/advance", thing="video", to="error")
    found = await publishing(connector).find(prepared, seeking())
    assert found is not None
    with pytest.raises(RemoteRefusal) as refused:
        await connector.settle(found)
    assert refused.value.refusal.wire_code == "platform.facebook.media_invalid"
    assert refused.value.certain


async def test_a_title_is_the_options_or_the_posts(stage: Stage, stand_in: StandIn, member: Member) -> None:
    connector = stage.connector(member)
    files = stage.shelf.few(stage.facts.formats["video"])
    await stage.publish(connector, Draft("One", title="The post's", files=files))
    await stage.publish(
        connector, Draft("Two", title="The post's", files=files, options={"title": "Its own"})
    )
    assert [media["title"] for media in stand_in.world()["media"]] == ["The post's", "Its own"]


@pytest.mark.parametrize(
    ("draft", "code"),
    [
        (Draft("Ours", options={"link": "https://www.facebook.com/somebody"}), "content_rejected"),
        (Draft("Broken", options={"link": "https://a b"}), "content_rejected"),
        (Draft("Long" * 20_000), "api_error"),
    ],
    ids=["facebook link", "broken link", "too long"],
)
async def test_what_the_page_does_not_take_is_named(
    stage: Stage, member: Member, draft: Draft, code: str
) -> None:
    with pytest.raises(RemoteRefusal) as refused:
        await stage.publish(stage.connector(member), draft)
    assert refused.value.refusal.wire_code == f"platform.facebook.{code}"
    assert refused.value.certain


async def test_a_picture_of_another_kind_is_named(stage: Stage, member: Member) -> None:
    files = (stage.shelf.put("image/webp"),)
    with pytest.raises(RemoteRefusal) as refused:
        await stage.publish(stage.connector(member), Draft("Web", files=files))
    assert refused.value.refusal.wire_code == "platform.facebook.media_invalid"
    assert refused.value.upstream["subcode"] == 1366046
