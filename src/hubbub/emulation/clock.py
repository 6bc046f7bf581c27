"""The sandbox's clock: real time plus what somebody added to it."""

from __future__ import annotations

from datetime import datetime, timedelta

from hubbub.emulation.world import World
from hubbub.kit import clock


class SandboxClock:
    """Starts at real time; `advance` makes tokens old and windows close, also after a restart."""

    def __init__(self, memory: World) -> None:
        self.memory = memory
        kept = memory.get("clock", "clock")
        self.ahead = timedelta(seconds=kept["seconds"] if kept else 0)

    def now(self) -> datetime:
        """Aware, in UTC."""
        return clock.now() + self.ahead

    def advance(self, seconds: float) -> datetime:
        self.ahead += timedelta(seconds=seconds)
        self.memory.remove("clock", "clock")
        self.memory.add("clock", id="clock", seconds=self.ahead.total_seconds())
        return self.now()
