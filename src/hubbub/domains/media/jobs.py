"""Keeping the library tidy."""

from __future__ import annotations

from hubbub.domains.media import contents
from hubbub.runtime import durable
from hubbub.runtime.process import Runtime


@durable.every(600, nudged_by=contents.DELETED)
async def tidy_media(runtime: Runtime) -> None:
    """Remove the content of deleted files at once, and uploads that nobody completed after a day."""
    await contents.sweep(runtime)
