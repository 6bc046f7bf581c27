"""Finds every router: a domain or surface offers routes because its folder has a routes.py."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import hubbub
from hubbub.runtime.routes import Router

ROOT = Path(hubbub.__file__).parent


def found() -> list[Router]:
    """The `router` of every `domains/<name>/routes.py` and `surfaces/<name>/routes.py`, sorted by folder."""
    modules = [
        f"hubbub.{tier}.{file.parent.name}.routes"
        for tier in ("domains", "surfaces")
        for file in sorted((ROOT / tier).glob("*/routes.py"))
    ]
    return [import_module(module).router for module in modules]
