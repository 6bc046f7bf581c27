"""Every stand-in in one place, and what one request to one of them goes through."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hubbub.emulation import slow
from hubbub.emulation.call import Call, Reply
from hubbub.emulation.clock import SandboxClock
from hubbub.emulation.emulator import Emulator
from hubbub.emulation.faults import (
    ANSWER_AFTERWARDS,
    ANSWER_INSTEAD,
    CUT_AFTERWARDS,
    CUT_INSTEAD,
    Cut,
    Fault,
    Faults,
)
from hubbub.emulation.mounts import Mount
from hubbub.emulation.world import Store, World

DEMO = {"username": "demo", "name": "Demo Person"}
REMEMBERED = 1000


class Station:
    """One platform while the sandbox runs: its stand-in, the faults waiting, the requests it had."""

    def __init__(self, mount: Mount, emulator: Emulator) -> None:
        self.mount = mount
        self.emulator = emulator
        self.faults = Faults()
        self.requests: deque[dict[str, Any]] = deque(maxlen=REMEMBERED)

    async def answer(self, call: Call) -> Reply | Cut:
        """The reply to a call, or how its connection must be cut without one."""
        fault = self.faults.take(call.method, call.path, self.emulator.plain(call.path))
        entry: dict[str, Any] = {"at": self.emulator.now(), "method": call.method, "path": call.path}
        entry |= {"status": None, "fault": fault.kind if fault else None}
        self.requests.append(entry)
        reply = await self._reply(call, fault)
        if isinstance(reply, Reply):
            reply = self.emulator.answered(call, reply)
            entry["status"] = reply.status
        return reply

    async def _reply(self, call: Call, fault: Fault | None) -> Reply | Cut:
        kind = fault.kind if fault else ""
        params = fault.params if fault else {}
        if kind in CUT_INSTEAD:
            return CUT_INSTEAD[kind]
        if kind in ANSWER_INSTEAD:
            return self.emulator.fault(kind, params, call)
        if kind == "slow":
            await asyncio.sleep(params["seconds"])
        slow.settle(self.emulator)
        reply = await self.emulator.respond(call)
        if kind in CUT_AFTERWARDS:
            return CUT_AFTERWARDS[kind]
        if kind == "accept_then_hang":
            await asyncio.sleep(params["seconds"])
        return self.emulator.fault(kind, params, call) if kind in ANSWER_AFTERWARDS else reply


class Sandbox:
    """The mounts, one store, one clock. A platform's code is imported when it is first called."""

    def __init__(self, data_dir: Path | None, mounts: Mapping[str, Mount]) -> None:
        self.store = Store(data_dir)
        self.mounts = mounts
        self._begin()

    def _begin(self) -> None:
        self.clock = SandboxClock(World(self.store, "_sandbox"))
        self.stations: dict[str, Station] = {}

    def station(self, platform: str) -> Station:
        """Raises KeyError when there is no such platform."""
        if platform not in self.stations:
            mount = self.mounts[platform]
            emulator = mount.load()(mount.facts, World(self.store, platform), self.clock)
            emulator.welcome(dict(DEMO))
            self.stations[platform] = Station(mount, emulator)
        return self.stations[platform]

    def reset(self) -> None:
        """Forget everything, people, faults and the clock included."""
        self.store.forget()
        self._begin()
