"""What happens to kept answers in the background."""

from __future__ import annotations

from hubbub.domains.answers import service
from hubbub.runtime import durable
from hubbub.runtime.process import Runtime


@durable.every(600)
async def forget_answers(runtime: Runtime) -> None:
    """Forget what is older than 72 hours."""
    await service.forget(runtime)
