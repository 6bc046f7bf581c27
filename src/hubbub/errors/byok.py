"""Refusals about the caller's own app credentials on a platform."""

from __future__ import annotations

from hubbub.errors.refusal import Action, Refusal


class CredentialsMissing(Refusal):
    """The platform needs an app of your own, and none is stored.

    Register an app with the platform and store its credentials, for the user or for the brand, before
    connecting an account.
    """

    code = "byok.credentials_missing"
    status = 412
    action = Action.FIX_REQUEST
    message = "Connecting {platform} needs app credentials of your own; none are stored."

    platform: str
    brand_id: str | None = None


class CredentialsInvalid(Refusal):
    """The platform does not accept the app credentials.

    They were mistyped, or replaced on the platform's side. Store the current ones.
    """

    code = "byok.credentials_invalid"
    status = 401
    action = Action.FIX_REQUEST
    message = "The app credentials must be accepted by {platform}; they are not."

    platform: str
    brand_id: str | None = None


class CredentialsForbidden(Refusal):
    """The brand the credentials are for is not yours.

    Only a brand's owner may store, read or delete its app credentials.
    """

    code = "byok.credentials_forbidden"
    status = 403
    action = Action.FIX_REQUEST
    message = "Only a brand's owner may touch its app credentials; this brand is not yours."

    platform: str | None = None
    brand_id: str | None = None


class TestRateLimited(Refusal):
    """The credentials were tested too often within a minute.

    Try again after `meta.retry_after_seconds`.
    """

    __test__ = False

    code = "byok.test_rate_limited"
    status = 429
    action = Action.WAIT
    message = "Credentials can be tested a few times a minute; wait {retry_after_seconds} seconds."

    retry_after_seconds: int
    platform: str | None = None
