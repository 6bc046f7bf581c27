"""Several Graph requests in one, each able to use what an earlier one answered."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, cast
from urllib.parse import parse_qsl

from hubbub.emulation.call import Upload
from hubbub.emulation.graph.ask import Ask, meant, merged, split_path
from hubbub.emulation.graph.errors import GraphError, bad_parameter

MOST = 50
REFERENCE = re.compile(r"\{result=([^:}]+):\$\.([^}]+)\}")
STEP = re.compile(r"\[(\*|\d+)\]|([^.\[\]]+)")
Item = dict[str, Any]
Answer = tuple[int, dict[str, str], Any]


async def batch(ask: Ask, run: Callable[[Ask], Awaitable[Answer]]) -> list[Any]:
    """Answers in the order of the items, their bodies as JSON text.

    A named item that another one refers to is answered with null unless it says otherwise.
    Raises GraphError 100 for an unreadable or too long batch.
    https://developers.facebook.com/docs/graph-api/batch-requests
    """
    items = ask.items("batch")
    if not items or not all(isinstance(item, dict) for item in items):
        raise bad_parameter("Param batch must be an array of requests.")
    if len(items) > MOST:
        raise GraphError(100, f"(#100) Too many requests in batch message. Maximum batch size is {MOST}")
    requests = cast("list[Item]", items)
    used = {name for item in requests for name, _ in REFERENCE.findall(json.dumps(item))}
    results: dict[str, Any] = {}
    answers: list[Any] = []
    for item in requests:
        status, headers, body = await run(_ask(ask, item, results))
        name = str(item.get("name", ""))
        results[name] = body
        quiet = item.get("omit_response_on_success", name in used)
        answers.append(None if quiet and status == 200 else _written(ask, status, headers, body))
    return answers


def _written(ask: Ask, status: int, headers: dict[str, str], body: Any) -> Item:
    answer: Item = {"code": status, "body": json.dumps(body)}
    if ask.flag("include_headers", True):
        answer["headers"] = [{"name": name, "value": value} for name, value in headers.items()]
    return answer


def _ask(outer: Ask, item: Item, results: dict[str, Any]) -> Ask:
    url = _filled(str(item.get("relative_url", "")), results)
    path, _, query = url.partition("?")
    version, segments = split_path(path)
    body = item.get("body", "")
    fields = list(body.items()) if isinstance(body, dict) else parse_qsl(_filled(str(body), results), True)
    params = merged(parse_qsl(query, keep_blank_values=True), fields)
    inherited = {key: outer.params[key] for key in ("access_token", "appsecret_proof") if key in outer.params}
    params = {**({} if "access_token" in params else inherited), **params}
    own_version = path.lstrip("/").split("/")[0] == version
    return Ask(
        method=meant(str(item.get("method", "GET")), params),
        version=version if own_version else outer.version,
        segments=segments,
        params=params,
        base=outer.base,
        bearer=outer.bearer,
        headers=outer.headers,
        uploads=_attached(outer, item),
    )


def _attached(outer: Ask, item: Item) -> dict[str, Upload]:
    """The files an item names; whatever a lone file is called, it is the item's `source`."""
    names = [name.strip() for name in str(item.get("attached_files", "")).split(",")]
    files = {name: outer.uploads[name] for name in names if name in outer.uploads}
    return {**files, "source": next(iter(files.values()))} if len(files) == 1 else files


def _filled(text: str, results: dict[str, Any]) -> str:
    """References such as `{result=first:$.data[0].id}` replaced by what they point at."""

    def value(found: re.Match[str]) -> str:
        reached = [results.get(found[1])]
        for index, key in STEP.findall(found[2]):
            reached = [inner for one in reached for inner in _step(one, index, key)]
        return ",".join(str(one) for one in reached)

    return REFERENCE.sub(value, text)


def _step(value: Any, index: str, key: str) -> list[Any]:
    if isinstance(value, dict):
        inner = cast("dict[str, Any]", value)
        return list(inner.values()) if key == "*" else [inner[key]] if key in inner else []
    if not isinstance(value, list):
        return []
    items = cast("list[Any]", value)
    if index == "*" or key == "*":
        return items
    return [items[int(index)]] if index and int(index) < len(items) else []
