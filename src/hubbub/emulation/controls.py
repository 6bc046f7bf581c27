"""`/_sandbox`: how a script looks at the stand-ins and tells them what to do. A public interface."""

from __future__ import annotations

import json
from typing import Any

from hubbub.emulation import refusal, slow
from hubbub.emulation.call import Call, Reply
from hubbub.emulation.emulator import HAPPENINGS, BadControl
from hubbub.emulation.faults import GARBAGE, KINDS, Fault
from hubbub.emulation.sandbox import Sandbox, Station
from hubbub.kit.clock import to_wire

PACES = ("at_once", "after_seconds", "after_looks", "held")
RETRY_AFTER = 30


def answer(sandbox: Sandbox, call: Call) -> Reply:
    """Answer a control; wrong input is 400 and an unknown path or platform 404, both `{"error": …}`."""
    try:
        reply = _answer(sandbox, call)
    except BadControl as wrong:
        reply = Reply(400, {"error": str(wrong)})
    sandbox.store.commit()
    return reply


def _answer(sandbox: Sandbox, call: Call) -> Reply:
    parts = [part for part in call.path.split("/") if part]
    wide = WIDE.get((call.method, "/".join(parts)))
    if wide is not None:
        return Reply(200, wide(sandbox, _body(call)))
    if len(parts) != 2 or (call.method, parts[1]) not in NARROW:
        return Reply(404, {"error": f"there is no control {call.method} /_sandbox{call.path}"})
    if parts[0] not in sandbox.mounts:
        return Reply(
            404, {"error": f"platform: there is no {parts[0]!r}; there are {', '.join(sandbox.mounts)}"}
        )
    control = NARROW[call.method, parts[1]]
    return Reply(200, control(sandbox.station(parts[0]), call, _body(call)))


def _index(sandbox: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    return {"platforms": list(sandbox.mounts), "now": to_wire(sandbox.clock.now())}


def _health(sandbox: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    return {"status": "ok"}


def _reset(sandbox: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    sandbox.reset()
    return {"reset": True}


def _clock(sandbox: Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    seconds = _number(body, "advance_seconds")
    return {"now": to_wire(sandbox.clock.advance(seconds))}


def _people(station: Station, call: Call, body: dict[str, Any]) -> dict[str, Any]:
    username = _text(body, "username")
    if station.emulator.world.one("people", username=username) is not None:
        raise BadControl("username", f"{username!r} exists already")
    if "name" in body:
        _text(body, "name")
    if not isinstance(body.get("places", []), list):
        raise BadControl("places", "must be a list")
    return station.emulator.welcome({k: v for k, v in body.items() if k != "id"})


def _world(station: Station, call: Call, body: dict[str, Any]) -> dict[str, Any]:
    slow.settle(station.emulator)
    return dict(station.emulator.export())


def _requests(station: Station, call: Call, body: dict[str, Any]) -> dict[str, Any]:
    limit = call.query.get("limit", "100")
    if not limit.isdecimal() or int(limit) < 1:
        raise BadControl("limit", "must be a whole number above 0")
    return {"requests": list(station.requests)[-int(limit) :]}


def _next(station: Station, call: Call, body: dict[str, Any]) -> dict[str, Any]:
    kind = _one_of(body, "then", KINDS)
    method, prefix = _on(body)
    times = body.get("times", 1)
    if not isinstance(times, int) or isinstance(times, bool) or times < 1:
        raise BadControl("times", "must be a whole number above 0")
    params = body.get("params", {})
    if not isinstance(params, dict):
        raise BadControl("params", "must be an object")
    station.faults.add(Fault(kind, method, prefix, times, _params(station, kind, params)))
    return {"then": kind, "on": body.get("on"), "times": times}


def _params(station: Station, kind: str, params: dict[str, Any]) -> dict[str, Any]:
    if kind in ("slow", "accept_then_hang"):
        return {**params, "seconds": _number(params, "seconds", "params.seconds")}
    if kind in ("garbage", "accept_then_garbage"):
        return {**params, "of": _one_of({"of": GARBAGE[0]} | params, "of", GARBAGE, "params.of")}
    if kind == "throttle":
        wait = _number({"retry_after": RETRY_AFTER} | params, "retry_after", "params.retry_after")
        return {**params, "retry_after": int(wait)}
    if kind == "refuse":
        wanted = _text(params, "error", "params.error")
        entry = refusal.find(station.mount.refusals, wanted)
        if entry is None:
            known = sorted({str(e.get("name") or e.get("is")) for e in station.mount.refusals})
            raise BadControl(
                "params.error", f"{wanted!r} is not in errors.toml; there are: {', '.join(known)}"
            )
        return {**params, "entry": entry}
    return params


def _emit(station: Station, call: Call, body: dict[str, Any]) -> dict[str, Any]:
    kind = _one_of(body, "happening", tuple(HAPPENINGS))
    _text(body, "text")
    for optional in ("on", "from"):
        if body.get(optional) is not None:
            _text(body, optional)
    emulator = station.emulator
    happened = emulator.happening(kind, body)
    emulator.world.add("happenings", happening=kind, of=happened["id"], at=emulator.now())
    return {"id": happened["id"]}


def _advance(station: Station, call: Call, body: dict[str, Any]) -> dict[str, Any]:
    thing = _text(body, "thing") if body.get("thing") is not None else None
    to = _one_of(body, "to", slow.STATES) if body.get("to") is not None else None
    return {"moved": station.emulator.advance(thing, to)}


def _pace(station: Station, call: Call, body: dict[str, Any]) -> dict[str, Any]:
    thing, then = _text(body, "thing"), _one_of(body, "then", PACES)
    n = _number(body, "n") if then in ("after_seconds", "after_looks") else 0
    to = _one_of({"to": "ready"} | body, "to", slow.STATES)
    pace = {"then": then, "n": n, "to": to}
    slow.choose(station.emulator.world, thing, pace)
    return {"thing": thing, **pace}


WIDE = {
    ("GET", ""): _index,
    ("GET", "health"): _health,
    ("POST", "reset"): _reset,
    ("POST", "clock"): _clock,
}
NARROW = {
    ("POST", "people"): _people,
    ("GET", "world"): _world,
    ("GET", "requests"): _requests,
    ("POST", "next"): _next,
    ("POST", "emit"): _emit,
    ("POST", "advance"): _advance,
    ("POST", "pace"): _pace,
}


def _body(call: Call) -> dict[str, Any]:
    if not call.body.strip():
        return {}
    try:
        body = json.loads(call.body)
    except ValueError as broken:
        raise BadControl("body", "is not JSON") from broken
    if not isinstance(body, dict):
        raise BadControl("body", "must be a JSON object")
    return body


def _on(body: dict[str, Any]) -> tuple[str | None, str | None]:
    if body.get("on") is None:
        return None, None
    method, _, prefix = _text(body, "on").partition(" ")
    if not method.isalpha() or not prefix.startswith("/"):
        raise BadControl("on", 'must be "METHOD /path-prefix"')
    return method.upper(), prefix


def _text(body: dict[str, Any], field: str, called: str = "") -> str:
    value = body.get(field)
    if not isinstance(value, str) or not value:
        raise BadControl(called or field, "must be a text that is not empty")
    return value


def _number(body: dict[str, Any], field: str, called: str = "") -> float:
    value = body.get(field)
    if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
        raise BadControl(called or field, "must be a number, 0 or more")
    return value


def _one_of(body: dict[str, Any], field: str, allowed: tuple[str, ...], called: str = "") -> str:
    value = body.get(field)
    if value not in allowed:
        raise BadControl(called or field, f"must be one of {', '.join(allowed)}")
    return str(value)
