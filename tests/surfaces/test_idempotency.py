from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
import repeated

from api import Answer, Api, make_workspace
from hubbub.domains.answers import service as kept_answers
from hubbub.domains.answers.service import Claim
from hubbub.errors.resource import Conflict
from hubbub.kit import clock
from hubbub.runtime.process import Runtime
from hubbub.runtime.settings import Settings
from hubbub.runtime.work import Caller
from hubbub.surfaces.api.app import create_app
from surfaces.declared import Declared

pytestmark = pytest.mark.anyio

HERE = Path(__file__).parent
ONE = "/v1/repeated"
APART = "/v1/repeated/apart"
EACH_WAY = pytest.mark.parametrize("path", [ONE, APART], ids=["one transaction", "several"])


@pytest.fixture
async def again(runtime: Runtime) -> AsyncGenerator[Api]:
    app = Declared(create_app(runtime, [repeated.router]), [repeated.router])
    workspace_id, key = await make_workspace(runtime)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://api.test") as client:
        yield Api(client, runtime, workspace_id, key)


def keyed(key: str) -> dict[str, Any]:
    return {"headers": {"Idempotency-Key": key}}


async def brands(api: Api) -> int:
    return (await api.get(ONE)).json["count"]


def same(first: Answer, second: Answer) -> None:
    assert (second.status, second.content) == (first.status, first.content)
    assert second.headers["content-type"] == first.headers["content-type"]
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"


@EACH_WAY
async def test_the_same_request_is_answered_with_the_same_bytes_and_has_its_effect_once(
    again: Api, path: str
) -> None:
    first = await again.post(path, {"name": "a"}, **keyed("k"))
    second = await again.post(path, {"name": "a"}, **keyed("k"))
    assert first.status == 201
    same(first, second)
    assert second.headers["x-trial"] == "yes"
    assert await brands(again) == 1


async def test_without_a_key_or_with_another_everything_happens_again(again: Api) -> None:
    for headers in ({}, {}, {"Idempotency-Key": "a"}, {"Idempotency-Key": "b"}):
        assert (await again.post(ONE, {"name": "a"}, headers=headers)).status == 201
    assert await brands(again) == 4


async def test_a_key_belongs_to_one_caller_and_one_address(again: Api) -> None:
    await again.post(ONE, {"name": "a"}, **keyed("k"))
    await again.post(APART, {"name": "a"}, **keyed("k"))
    assert await brands(again) == 2
    colleague = again.as_(await again.new_key())
    stranger = await again.elsewhere()
    for other in (colleague, stranger):
        assert "idempotent-replayed" not in (await other.post(ONE, {"name": "a"}, **keyed("k"))).headers
    assert (await brands(again), await brands(stranger)) == (3, 1)


@EACH_WAY
async def test_another_body_or_query_under_the_same_key_is_refused(again: Api, path: str) -> None:
    await again.post(path, {"name": "a"}, **keyed("k"))
    for answer in (
        await again.post(path, {"name": "b"}, **keyed("k")),
        await again.post(f"{path}?x=1", {"name": "a"}, **keyed("k")),
    ):
        assert (answer.status, answer.code) == (400, "validation.field_invalid")
        assert answer.json["error"]["meta"] == {"field": "Idempotency-Key", "reason": "reused"}
    assert await brands(again) == 1


@pytest.mark.parametrize(("key", "reason"), [("", "format"), ("a\tb", "format"), ("x" * 256, "too_long")])
async def test_a_key_must_be_printable_and_short(again: Api, key: str, reason: str) -> None:
    answer = await again.post(ONE, {"name": "a"}, **keyed(key))
    assert (answer.status, answer.json["error"]["meta"]["reason"]) == (400, reason)
    assert await brands(again) == 0


async def test_a_key_may_have_255_characters(again: Api) -> None:
    assert (await again.post(ONE, {"name": "a"}, **keyed("x" * 255))).status == 201


async def test_other_methods_do_not_mind_the_header(again: Api) -> None:
    assert [(await again.patch(ONE, **keyed("k"))).json["count"] for _ in range(2)] == [1, 2]
    assert [(await again.call("GET", ONE, **keyed("k"))).json["count"] for _ in range(2)] == [2, 2]


async def test_a_request_without_a_body_is_kept_as_well(again: Api) -> None:
    first = await again.post("/v1/repeated/bare", **keyed("k"))
    same(first, await again.post("/v1/repeated/bare", **keyed("k")))
    assert (await again.post("/v1/repeated/bare", {"x": 1}, **keyed("k"))).status == 400


@EACH_WAY
async def test_a_refusal_is_kept_and_nothing_has_happened(again: Api, path: str) -> None:
    first = await again.post(path, {"name": "a", "outcome": "conflict"}, **keyed("k"))
    assert (first.status, first.code) == (409, "resource.conflict")
    same(first, await again.post(path, {"name": "a", "outcome": "conflict"}, **keyed("k")))
    assert await brands(again) == (0 if path == ONE else 1)


@EACH_WAY
async def test_what_is_wrong_with_the_body_is_kept(again: Api, path: str) -> None:
    first = await again.post(path, {}, **keyed("k"))
    assert (first.status, first.code) == (400, "validation.field_required")
    same(first, await again.post(path, {}, **keyed("k")))
    assert (await again.post(path, {"name": "a"}, **keyed("k"))).json["error"]["meta"]["reason"] == "reused"


@EACH_WAY
@pytest.mark.parametrize(("outcome", "status"), [("break", 500), ("wait", 429)])
async def test_what_may_go_better_next_time_is_not_kept(
    again: Api, path: str, outcome: str, status: int
) -> None:
    for _ in range(2):
        answer = await again.post(path, {"name": "a", "outcome": outcome}, **keyed("k"))
        assert answer.status == status
        assert "idempotent-replayed" not in answer.headers
    assert (await again.post(path, {"name": "a"}, **keyed("k"))).status == 201


async def test_who_may_not_do_it_is_refused_before_and_never_sees_the_answer(again: Api) -> None:
    await again.post(ONE, {"name": "a"}, **keyed("k"))
    assert (await again.as_("").post(ONE, {"name": "a"}, **keyed("k"))).status == 401
    reader = again.as_(await again.new_key(scopes=["posts:read"]))
    assert (await reader.post(ONE, {"name": "a"}, **keyed("k"))).status == 403


async def test_a_file_is_told_from_another_by_its_content(again: Api) -> None:
    async def send(content: bytes) -> Answer:
        return await again.post("/v1/repeated/file", files={"file": ("a.txt", content)}, **keyed("k"))

    first = await send(b"x" * 100_000)
    assert first.json == [100_000, 1]
    same(first, await send(b"x" * 100_000))
    assert (await send(b"y" * 100_000)).json["error"]["meta"]["reason"] == "reused"
    assert await brands(again) == 1


async def test_what_is_fetched_first_is_fetched_once(again: Api) -> None:
    path, body = "/v1/repeated/fetched", {"name": "a", "seconds": 0.3}
    first = asyncio.create_task(again.post(path, body, **keyed("k")))
    await asyncio.sleep(0.1)
    assert (await again.post(path, body, **keyed("k"))).json["error"]["meta"]["reason"] == "in_flight"
    answer = await first
    assert answer.json["name"] == "fetched a"
    same(answer, await again.post(path, body, **keyed("k")))
    assert await brands(again) == 1


async def test_a_hundred_at_once_have_one_effect(again: Api) -> None:
    for path in (ONE, APART):
        answers = await asyncio.gather(
            *(again.post(path, {"name": "a", "seconds": 0.05}, **keyed("k")) for _ in range(100))
        )
        assert {answer.status for answer in answers} <= {201, 409}
        made = [answer for answer in answers if answer.status == 201]
        assert len({answer.content for answer in made}) == 1
        assert Counter("idempotent-replayed" in answer.headers for answer in made)[False] == 1
        refused = [answer.json["error"]["meta"] for answer in answers if answer.status == 409]
        assert all(meta == {"resource": "request", "reason": "in_flight"} for meta in refused)
    assert await brands(again) == 2


async def test_answers_are_forgotten_after_72_hours(again: Api) -> None:
    await again.post(ONE, {"name": "a"}, **keyed("k"))
    await age_answers(again, hours=71)
    await kept_answers.forget(again.runtime)
    assert "idempotent-replayed" in (await again.post(ONE, {"name": "a"}, **keyed("k"))).headers
    await age_answers(again, hours=2)
    await kept_answers.forget(again.runtime)
    async with again.runtime.database.begin() as connection:
        assert (await connection.exec_driver_sql("SELECT count(*) FROM kept_answers")).scalar_one() == 0
    again_answer = await again.post(ONE, {"name": "a"}, **keyed("k"))
    assert "idempotent-replayed" not in again_answer.headers


async def age_answers(api: Api, *, hours: int) -> None:
    """As if so much time had passed since."""
    async with api.runtime.database.begin() as connection:
        await connection.exec_driver_sql(
            "UPDATE kept_answers SET expires_at = expires_at - make_interval(hours => $1)", [hours]
        )


@pytest.mark.parametrize("ahead", [timedelta(hours=1), -timedelta(hours=1)])
async def test_a_claim_holds_whatever_the_clock_of_another_process_shows(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, ahead: timedelta
) -> None:
    workspace_id, _ = await make_workspace(runtime)
    caller = Caller(workspace_id)
    id = kept_answers.id_of(caller, "POST", APART, "k")
    assert isinstance(await kept_answers.claim(runtime, caller, id), Claim)

    there = clock.now() + ahead
    monkeypatch.setattr(clock, "now", lambda: there)

    with pytest.raises(Conflict):
        await kept_answers.claim(runtime, caller, id)


async def test_what_is_kept_cannot_be_read_without_the_encryption_key(again: Api) -> None:
    answer = await again.post(ONE, {"name": "a"}, **keyed("k"))
    async with again.runtime.database.begin() as connection:
        (body,) = (await connection.exec_driver_sql("SELECT body FROM kept_answers")).scalars()
    assert answer.json["id"].encode() in answer.content
    assert answer.json["id"].encode() not in body


@asynccontextmanager
async def server(
    settings: Settings, takeover: float
) -> AsyncGenerator[tuple[asyncio.subprocess.Process, str]]:
    """The same routes in another process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(HERE / "repeated.py"), str(settings.database_url), str(settings.data_dir),
        settings.encryption_key.get_secret_value(), str(takeover), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        port = int(await asyncio.wait_for(process.stdout.readline(), 30))
        yield process, f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        transport: Any = process._transport  # type: ignore[attr-defined]
        transport.close()


@EACH_WAY
@pytest.mark.faults
async def test_the_first_may_be_in_another_process_and_may_be_killed(
    again: Api, settings: Settings, path: str
) -> None:
    takeover = 0.2
    body = {"name": "a", "seconds": 30}
    async with server(settings, takeover) as (process, address), httpx2.AsyncClient(base_url=address) as far:
        first = asyncio.create_task(replace(again, client=far).post(path, body, **keyed("k")))
        assert process.stdout is not None
        await asyncio.wait_for(process.stdout.readline(), 30)
        await asyncio.sleep(5 * takeover + 0.2)  # longer than a claim lasts that nobody renews
        meanwhile = await again.post(path, body, **keyed("k"))
        assert (meanwhile.status, meanwhile.json["error"]["meta"]["reason"]) == (409, "in_flight")
        process.kill()
        with pytest.raises(httpx2.HTTPError):
            await first
    assert await brands(again) == 0

    quick = {"name": "a", "seconds": 0}
    killed_at = time.monotonic()
    while (answer := await again.post(path, quick, **keyed("k"))).status == 409:
        await asyncio.sleep(0.05)
    assert time.monotonic() - killed_at < 5 * takeover + 2
    assert answer.status == 201
    same(answer, await again.post(path, quick, **keyed("k")))
    assert await brands(again) == 1
