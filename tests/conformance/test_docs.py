"""A stand-in answers in the shapes that the platform's own documentation shows (`fixtures/docs/*.json`).

Each example has `source` (a URL), `call` (method and path), `answer`, and `status` and `headers` where they
matter. Values are examples: fields and their types count, and there may be more of them.
"""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from hubbub.connector.promises import SignsInByConsent
from hubbub.connector.refusals import RemoteRefusal

from .backends import REDIRECT, StandIn
from .stage import STATE, VERIFIER, Stage, prepare, publishing, seeking

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Exchange:
    method: str
    path: str
    status: int
    headers: dict[str, str]
    answer: Any


async def test_the_stand_in_answers_as_the_documentation_shows(stand_in: StandIn, stage: Stage) -> None:
    files = sorted((stand_in.found.folder / "fixtures" / "docs").glob("*.json"))
    examples = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in files}
    heard = await everything_said(stand_in, stage)
    assert examples
    assert not [name for name, example in examples.items() if not any(is_like(one, example) for one in heard)]


async def everything_said(stand_in: StandIn, stage: Stage) -> list[Exchange]:
    """A tour of the platform: sign in, publish and delete each format, be refused."""
    heard: list[Exchange] = []

    async def keep(response: httpx2.Response) -> None:
        content = await response.aread()
        request, headers = response.request, dict(response.headers)
        path = re.sub(rf"^/{stand_in.name}(/v\d+\.\d+)?", "", request.url.path)
        answer = json.loads(content) if content else {}
        heard.append(Exchange(request.method, path, response.status_code, headers, answer))

    stage.client.event_hooks = {"response": [keep]}
    member = await stage.sign_in(stand_in.person("visitor"))
    connector = stage.connector(member)
    for name, form in stage.facts.formats.items():
        prepared = await prepare(connector, stage.draft(form, f"Hello, {name}"))
        await publishing(connector).find(prepared, seeking())
        receipt = await publishing(connector).submit(prepared)
        await publishing(connector).find(prepared, seeking())
        settled = await connector.settle(receipt)
        if "delete" in stage.facts.can:
            await connector.delete(settled.remote_id)
    for fault in ("throttle", "expire_token"):
        stand_in.next(fault)
        with contextlib.suppress(RemoteRefusal):
            await publishing(connector).submit(prepared)
        stand_in.next(fault)
        with contextlib.suppress(RemoteRefusal):
            await stage.publish(connector, stage.draft(next(iter(stage.facts.formats.values()))))
    if isinstance(connector, SignsInByConsent):
        url = stage.connector().consent_url(REDIRECT, STATE, VERIFIER)
        denied = stand_in.approve(url, stand_in.person("refuser"), deny=True)
        heard.append(Exchange("GET", "/callback", 200, {}, denied))
    return heard


def is_like(one: Exchange, example: dict[str, Any]) -> bool:
    method, _, path = example["call"].partition(" ")
    shape = "".join(
        "[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", path)
    )
    return (
        one.method == method
        and re.fullmatch(shape, one.path) is not None
        and one.status == example.get("status", 200)
        and set(example.get("headers", {})) <= set(one.headers)
        and holds(one.answer, example["answer"])
    )


def holds(found: Any, wanted: Any) -> bool:
    """Whether everything wanted is there with the same type; of a list, one item is looked at."""
    if isinstance(wanted, dict):
        is_there = isinstance(found, dict) and set(wanted) <= set(found)
        return is_there and all(holds(found[name], value) for name, value in wanted.items())
    if isinstance(wanted, list):
        is_there = isinstance(found, list) and (found or not wanted)
        return bool(is_there) and all(holds(found[0], value) for value in wanted[:1])
    return type(found) is type(wanted)
