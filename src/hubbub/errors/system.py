"""Refusals that come from the server itself, not from what was asked of it."""

from __future__ import annotations

from http.client import responses

from hubbub.errors.refusal import Action, Refusal


class Internal(Refusal):
    """Something broke on our side.

    The cause is logged under the request id and shown to nobody. A request that may be repeated safely can be
    sent again; if it keeps failing, report the request id.
    """

    code = "system.internal"
    status = 500
    action = Action.REPORT
    message = "This should have worked and did not; please report the request id."


class HttpError(Refusal):
    """The request cannot be understood as HTTP for this server.

    The last part of the code is the status: 404 for an address that does not exist, 405 for a method the
    address does not take (`meta.allowed` lists those it does), 413 for a body that is too large, 415 for a
    body of another type, and so on.
    """

    code = "http.{status_code}"
    status = 400
    action = Action.FIX_REQUEST
    message = "{problem}"
    hidden = frozenset({"problem"})

    status_code: int
    problem: str = ""
    """The whole sentence; the status's standard phrase when empty."""
    allowed: list[str] | None = None
    max: int | None = None
    retry_after_seconds: int | None = None

    def __post_init__(self) -> None:
        self.problem = self.problem or f"{responses.get(self.status_code, 'Refused')}."

    @property
    def http_status(self) -> int:
        return self.status_code


class StorageFull(Refusal):
    """The server has no room for the file.

    Its disk is full; nothing of the file was kept. Whoever runs the server has to make room, then the same
    upload works.
    """

    code = "system.storage_full"
    status = 507
    action = Action.WAIT
    message = "A file needs room on the server; its disk is full."

    retry_after_seconds: int = 600
    """As often as the server removes what nobody needs any more."""


class RateLimitExceeded(Refusal):
    """Too many requests in too short a time.

    The limit is ours, not a platform's. Try again after `meta.retry_after_seconds`, which `Retry-After`
    repeats.
    """

    code = "ratelimit.exceeded"
    status = 429
    action = Action.WAIT
    message = "{limit} requests are allowed per window; wait {retry_after_seconds} seconds."

    limit: int
    retry_after_seconds: int


class InboxSyncRateLimited(Refusal):
    """The inbox was synchronised a short while ago.

    Once in five minutes for each account is enough. Try again after `meta.retry_after_seconds`.
    """

    code = "inbox.sync_rate_limited"
    status = 429
    action = Action.WAIT
    message = "An inbox can be synchronised every five minutes; wait {retry_after_seconds} seconds."

    retry_after_seconds: int
    account_id: str | None = None
