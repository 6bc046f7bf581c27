"""How many requests a workspace may make, and the headers that tell it."""

from __future__ import annotations

from collections.abc import Sequence

from hubbub.domains.usage import service as usage
from hubbub.domains.usage.rules import Window, tightest
from hubbub.errors.system import RateLimitExceeded
from hubbub.runtime import log
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import Caller

_logger = log.logger("limits")


async def admit(runtime: Runtime, caller: Caller, headers: dict[str, str]) -> None:
    """Count the request, and tell in `headers` what is left.

    Raises RateLimitExceeded. When the count itself fails, everybody is let in.
    """
    try:
        windows = await usage.count_request(runtime, caller.workspace_id)
    except Exception as failure:  # noqa: BLE001 - not to be counted is better than to be refused
        _logger.warning("requests not counted", because=type(failure).__name__)
        return
    if not windows:
        return
    headers.update(headers_of(windows))
    exceeded = [window for window in windows if window.is_exceeded]
    if exceeded:
        last = tightest(exceeded)
        raise RateLimitExceeded(limit=last.limit, retry_after_seconds=last.resets_in_seconds)


def headers_of(windows: Sequence[Window]) -> dict[str, str]:
    """The customary headers for the window that is used up first, and the draft's for all of them.

    https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
    """
    first = tightest(windows)
    return {
        "X-RateLimit-Limit": str(first.limit),
        "X-RateLimit-Remaining": str(first.remaining),
        "X-RateLimit-Reset": str(first.resets_in_seconds),
        "RateLimit-Policy": ", ".join(f'"{each.name}";q={each.limit};w={each.seconds}' for each in windows),
        "RateLimit": ", ".join(
            f'"{each.name}";r={each.remaining};t={each.resets_in_seconds}' for each in windows
        ),
    }
