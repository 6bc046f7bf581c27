"""Refusals by a platform that many platforms share, one family each."""

from __future__ import annotations

from typing import Any

from hubbub.errors.refusal import Action, Refusal


class OfPlatform(Refusal):
    """What every refusal by a platform says: which platform, which account, and the reason as a word."""

    platform: str
    account_id: str | None = None
    reason: str | None = None


class Quoting(OfPlatform):
    """What a refusal adds when no word of ours says enough: the platform's own sentence."""

    hidden = frozenset({"said"})

    said: str = ""
    """What the platform said, secrets removed; ends the sentence. The reason stands in when empty."""

    def __post_init__(self) -> None:
        self.said = self.said or self.reason or "no reason given."


class PlatformAuth(OfPlatform):
    """The platform rejected the account's token.

    The account is marked for reconnection at the same time. Send the person through `GET /v1/oauth/url`;
    posts that were waiting for the account continue by themselves. `meta.reason` says more where the platform
    did, as `expired`, `revoked`, `password_changed` or `checkpoint`.
    """

    code = "platform.{platform}.auth"
    status = 401
    action = Action.RECONNECT
    message = "The account's sign-in must be accepted by {platform}; it was refused."


class PlatformBadCredentials(OfPlatform):
    """The platform does not know this name and password.

    Only when an account is being connected. Check both; where the platform has app passwords, use one.
    """

    code = "platform.{platform}.bad_credentials"
    status = 401
    action = Action.FIX_REQUEST
    message = "The name and password must be known to {platform}; they were refused."


class PlatformPermissionDenied(OfPlatform):
    """The person did not allow this, or the platform does not allow it to the app.

    `meta.scopes` lists the permissions that are missing, where the platform says. Reconnect the account and
    leave every box ticked.
    """

    code = "platform.{platform}.permission_denied"
    status = 403
    action = Action.RECONNECT
    message = "This needs a permission on {platform}; it was not given."

    scopes: list[str] | None = None


class PlatformAccountUnavailable(OfPlatform):
    """The profile is closed, taken down or restricted on the platform.

    Reconnecting does not help. The person has to settle it with the platform.
    """

    code = "platform.{platform}.account_unavailable"
    status = 403
    action = Action.CONTACT_PLATFORM
    message = "The profile must be open on {platform}; it is closed or restricted there."


class PlatformBlocked(OfPlatform):
    """The platform stops the account from acting for a while, because something looked like abuse.

    Trying again makes it longer. The person should look at the platform, where it usually says why and for
    how long.
    """

    code = "platform.{platform}.blocked"
    status = 403
    action = Action.CONTACT_PLATFORM
    message = "The account must be free to act on {platform}; it is blocked there for a while."

    retry_after_seconds: int | None = None


class PlatformRateLimit(OfPlatform):
    """The platform is being called too often.

    The limit is the platform's and costs none of your allowances. Try again after `meta.retry_after_seconds`
    where the platform says (`meta.retry_after` is the same number under its older name), else after some
    minutes. Scheduled posts wait by themselves.
    """

    code = "platform.{platform}.rate_limit"
    status = 429
    action = Action.WAIT
    message = "Calls to {platform} are limited by the platform; that limit is reached."

    retry_after_seconds: int | None = None

    @property
    def meta(self) -> dict[str, Any]:
        seconds = self.retry_after_seconds
        return super().meta | ({} if seconds is None else {"retry_after": seconds})


class PlatformUnavailable(OfPlatform):
    """The platform is not answering, or says that it is out of order.

    Nothing is wrong with the request. Try again later; scheduled posts do so by themselves.
    """

    code = "platform.{platform}.unavailable"
    status = 503
    action = Action.WAIT
    message = "This needs {platform} to be up; it is not answering properly at the moment."

    upstream_status: int | None = None
    retry_after_seconds: int | None = None


class PlatformApiError(Quoting):
    """The platform failed in a way that no other code names.

    The message repeats what it said, `meta.upstream_status` is its HTTP status. One retry may be worth it; if
    it stays, ask the platform.
    """

    code = "platform.{platform}.api_error"
    status = 502
    action = Action.CONTACT_PLATFORM
    message = "A call to {platform} must succeed; it failed: {said}"

    upstream_status: int | None = None


class PlatformNumber(Quoting):
    """The platform's own error number, passed on because there is no better word for it.

    The last part of the code is the number as the platform's documentation has it. The status is the
    platform's where it is a 4xx, else 502.
    """

    code = "platform.{platform}.{number}"
    status = 502
    action = Action.CONTACT_PLATFORM
    message = "A call to {platform} must succeed; it failed with the number {number}: {said}"

    number: int
    upstream_status: int | None = None

    @property
    def http_status(self) -> int:
        upstream = self.upstream_status or 0
        return upstream if 400 <= upstream < 500 else self.status


class PlatformNotFound(OfPlatform):
    """The platform has no such thing any more.

    It was deleted there, made private, or the account may not see it.
    """

    code = "platform.{platform}.not_found"
    status = 404
    action = Action.FIX_REQUEST
    message = "The thing must exist on {platform}; the account finds nothing there."

    id: str | None = None


class PlatformConflict(OfPlatform):
    """The thing was changed on the platform in the meantime.

    Read it again and repeat the change.
    """

    code = "platform.{platform}.conflict"
    status = 409
    action = Action.FIX_REQUEST
    message = "The thing must not have changed on {platform} meanwhile; it has."


class PlatformDuplicatePost(OfPlatform):
    """The platform refuses the same post a second time.

    Change the text or the picture, or wait some hours.
    """

    code = "platform.{platform}.duplicate_post"
    status = 409
    action = Action.FIX_REQUEST
    message = "Posts on {platform} must differ; this one equals an earlier one."


class PlatformContentRejected(Quoting):
    """The platform does not accept what the post says.

    It breaks a rule that could not be checked beforehand: the platform's standards, a word, a link. Change
    the post.
    """

    code = "platform.{platform}.content_rejected"
    status = 400
    action = Action.FIX_REQUEST
    message = "The post must follow the rules of {platform}; it was turned down: {said}"

    field: str | None = None


class PlatformMediaInvalid(Quoting):
    """The platform does not accept a picture or video.

    Its format, size, shape or length breaks a rule of the platform's. `GET /v1/platforms` lists the rules
    that are known; convert the file and upload it again.
    """

    code = "platform.{platform}.media_invalid"
    status = 400
    action = Action.FIX_REQUEST
    message = "The file must follow the rules of {platform} for media; it was turned down: {said}"

    field: str | None = None
    media_id: str | None = None


class PlatformMediaFetchFailed(OfPlatform):
    """The platform could not get hold of a picture or video, or lost it again.

    It passes most of the time. If it stays, see that the address of the media is reachable from the internet.
    """

    code = "platform.{platform}.media_fetch_failed"
    status = 502
    action = Action.WAIT
    message = "The media must be within reach of {platform}; it could not be fetched."

    media_id: str | None = None
    retry_after_seconds: int | None = None


class PlatformWindowClosed(OfPlatform):
    """The time in which the platform allows an answer is over.

    Only the other person can open it again, by writing. `meta.blocked_locally` is true when the platform was
    not even asked.
    """

    code = "platform.{platform}.window_closed"
    status = 410
    action = Action.FIX_REQUEST
    message = "An answer on {platform} is allowed for a limited time; that time is over."

    blocked_locally: bool | None = None


class PlatformPrivateReplyIneligible(OfPlatform):
    """The comment cannot be answered in private.

    A comment takes one private answer, within seven days. This one had its answer or is older.
    """

    code = "platform.{platform}.private_reply_ineligible"
    status = 400
    action = Action.FIX_REQUEST
    message = "A recent comment on {platform} takes one private reply; this comment is past that."


class PlatformRecipientUnavailable(OfPlatform):
    """The person cannot be written to.

    They closed their profile, blocked the account, or do not take messages.
    """

    code = "platform.{platform}.recipient_unavailable"
    status = 410
    action = Action.FIX_REQUEST
    message = "The recipient must take messages on {platform}; this one does not."
