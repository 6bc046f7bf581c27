"""The vendor's two clients under one hand: a test is written once and runs with each."""

from __future__ import annotations

import inspect
from typing import Any


async def done(result: Any) -> Any:
    """What a call of either client gives: the async one has to be waited for."""
    return await result if inspect.isawaitable(result) else result


async def every(pages: Any) -> list[Any]:
    """All items of a list, over as many pages as there are, the way each client iterates."""
    pages = await done(pages)
    if hasattr(pages, "__aiter__"):
        return [item async for item in pages]
    return list(pages)


def error_in(refused: Any) -> Any:
    """What a refusal the client raised says, as it came."""
    return refused.body["error"]
