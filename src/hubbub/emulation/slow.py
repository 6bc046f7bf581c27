"""Things that take time: at once, after some seconds, after some looks, or when somebody says so."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hubbub.emulation.world import Thing, World
from hubbub.kit.clock import from_wire

if TYPE_CHECKING:
    from hubbub.emulation.emulator import Emulator

STATES = ("ready", "error")


def choose(world: World, thing: str, pace: dict[str, Any]) -> None:
    """How slow things of this sort begun from now on are.

    `pace` is `{"then": "at_once" | "after_seconds" | "after_looks" | "held", "n": number, "to": state}`.
    """
    world.remove("paces", thing)
    world.add("paces", id=thing, **pace)


def begin(emulator: Emulator, thing: str, id: str) -> str:
    """See Emulator.begin."""
    world = emulator.world
    pace = world.get("paces", thing) or {"then": "at_once"}
    kept = {key: pace[key] for key in ("then", "n", "to") if key in pace}
    since = emulator.clock.now().isoformat()
    slow = world.add(
        "things", id=f"{thing}/{id}", thing=thing, of=id, state="working", looks=0, since=since, **kept
    )
    return _settle(emulator, slow)["state"]


def look(emulator: Emulator, thing: str, id: str) -> str:
    """See Emulator.look."""
    slow = emulator.world.get("things", f"{thing}/{id}")
    if slow is None:
        raise KeyError(f"{thing} {id}")
    if slow["state"] == "working":
        slow = emulator.world.update("things", slow["id"], looks=slow["looks"] + 1)
    return _settle(emulator, slow)["state"]


def settle(emulator: Emulator) -> None:
    """Move on what is due by the clock; the sandbox calls this before each request."""
    for slow in emulator.world.all("things", state="working"):
        _settle(emulator, slow)


def advance(emulator: Emulator, thing: str | None, to: str | None) -> int:
    """See Emulator.advance."""
    waiting = [s for s in emulator.world.all("things", state="working") if thing in (None, s["thing"])]
    for slow in waiting:
        _move(emulator, slow, to or "ready")
    return len(waiting)


def _settle(emulator: Emulator, slow: Thing) -> Thing:
    if slow["state"] != "working" or not _is_due(emulator, slow):
        return slow
    return _move(emulator, slow, slow.get("to", "ready"))


def _is_due(emulator: Emulator, slow: Thing) -> bool:
    if slow["then"] == "after_seconds":
        return emulator.clock.now() >= from_wire(slow["since"]) + timedelta(seconds=slow["n"])
    if slow["then"] == "after_looks":
        return slow["looks"] > slow["n"]
    return slow["then"] == "at_once"


def _move(emulator: Emulator, slow: Thing, to: str) -> Thing:
    moved = emulator.world.update("things", slow["id"], state=to)
    emulator.moved(moved)
    return moved
