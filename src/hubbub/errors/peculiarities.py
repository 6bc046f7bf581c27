"""Refusals that only one or two platforms know."""

from __future__ import annotations

from hubbub.errors.platform import OfPlatform
from hubbub.errors.refusal import Action, Refusal


class NoPages(OfPlatform):
    """The person manages no page on the platform.

    Make a page there, or sign in as somebody who manages one, and leave it ticked while signing in.
    """

    code = "platform.{platform}.no_pages"
    status = 404
    action = Action.FIX_REQUEST
    message = "The person must manage a page on {platform}; there is none."


class NoLocations(OfPlatform):
    """The person manages no business location on the platform.

    Add or claim a location there, or sign in as somebody who manages one.
    """

    code = "platform.{platform}.no_locations"
    status = 404
    action = Action.FIX_REQUEST
    message = "The person must manage a location on {platform}; there is none."


class NoChannels(OfPlatform):
    """The person has no channel on the platform.

    Make a channel there, then connect again.
    """

    code = "platform.{platform}.no_channels"
    status = 404
    action = Action.FIX_REQUEST
    message = "The person must have a channel on {platform}; there is none."


class NoUploadsPlaylist(OfPlatform):
    """The channel has no list of its uploads.

    A channel that never had a video may lack it. Upload one on the platform, then try again.
    """

    code = "platform.{platform}.no_uploads_playlist"
    status = 404
    action = Action.FIX_REQUEST
    message = "The channel must have a list of uploads on {platform}; there is none."


class ConsentMissing(OfPlatform):
    """The person has never agreed to exchange messages with the account.

    Only they can change that, by writing first. The last part of the code is the platform's own number.
    """

    code = "platform.{platform}.230"
    status = 403
    action = Action.FIX_REQUEST
    message = "The person must have agreed to messages on {platform}; this one has not."


class PageCap(OfPlatform):
    """The brand has as many pages of this platform as it may have.

    Switch another page off first, or put this one into another brand.
    """

    code = "platform.{platform}.page_cap"
    status = 403
    action = Action.FIX_REQUEST
    message = "A brand takes {max} pages of {platform}; one more would exceed that."

    max: int = 5


class BetaRequired(OfPlatform):
    """The platform gives this only to those it has let into a trial.

    Ask the platform to be let in.
    """

    code = "platform.{platform}.beta_required"
    status = 403
    action = Action.CONTACT_PLATFORM
    message = "The account must be admitted to a trial on {platform}; it is not."


class MediaRequired(OfPlatform):
    """The platform takes no post without a picture or video.

    Add a file to the post, or leave the platform out.
    """

    code = "platform.{platform}.media_required"
    status = 400
    action = Action.FIX_REQUEST
    message = "A post on {platform} must have a picture or video; this one has none."

    field: str = "media"


class ContainerFailed(OfPlatform):
    """The platform could not make a post of the media.

    It happens with files that break a rule, and at times without a cause. Try once more; if it fails again,
    convert the file.
    """

    code = "platform.{platform}.container_failed"
    status = 502
    action = Action.FIX_REQUEST
    message = "The media must be prepared by {platform} first; that failed."

    media_id: str | None = None


class ContainerExpired(OfPlatform):
    """What was prepared on the platform grew too old before it was published.

    It keeps for 24 hours. Retry the post: it will be prepared again.
    """

    code = "platform.{platform}.container_expired"
    status = 410
    action = Action.WAIT
    message = "What is prepared on {platform} keeps for a day; this is older."

    retry_after_seconds: int | None = None


class ContainerTimeout(OfPlatform):
    """The platform was still preparing the media when the time was up.

    Nothing has been published. Retry the post later.
    """

    code = "platform.{platform}.container_timeout"
    status = 504
    action = Action.WAIT
    message = "The media must be prepared by {platform} in time; it was not ready."

    retry_after_seconds: int | None = None


class ProcessingFailed(OfPlatform):
    """The platform failed while working on an uploaded file.

    Retry the post; if it fails again, convert the file.
    """

    code = "platform.{platform}.processing_failed"
    status = 502
    action = Action.WAIT
    message = "The file must be processed by {platform}; that failed."

    media_id: str | None = None
    retry_after_seconds: int | None = None


class InsightsScopeMissing(OfPlatform):
    """The account was connected without the permission to read its numbers.

    Reconnect it and leave every box ticked.
    """

    code = "platform.{platform}.insights_scope_missing"
    status = 403
    action = Action.RECONNECT
    message = "Numbers need a permission on {platform}; it was not given."


class DmScopeMissing(OfPlatform):
    """The account was connected without access to its messages.

    Connect it again with a password or permission that includes messages.
    """

    code = "platform.{platform}.dm_scope_missing"
    status = 403
    action = Action.RECONNECT
    message = "Messages need a permission on {platform}; it was not given."


class InsufficientPermissions(OfPlatform):
    """The account was connected without a permission this needs.

    Reconnect it and leave every box ticked. The last part of the code is spelt as the platform spells it.
    """

    code = "platform.{platform}.insufficientPermissions"
    status = 403
    action = Action.RECONNECT
    message = "This needs a permission on {platform}; it was not given."

    scopes: list[str] | None = None


class AuthFactorRequired(OfPlatform):
    """The platform asks for a second proof of identity.

    It has sent a code to the person. Connect again with that code, or use an app password instead of the
    person's own.
    """

    code = "platform.{platform}.auth_factor_required"
    status = 401
    action = Action.FIX_REQUEST
    message = "Signing in to {platform} takes a second code beside the password; it is missing."


class AccountSuspended(OfPlatform):
    """The platform has suspended the channel.

    Reconnecting does not help. The person has to settle it with the platform.
    """

    code = "platform.{platform}.account_suspended"
    status = 403
    action = Action.CONTACT_PLATFORM
    message = "The channel must be in good standing on {platform}; it is suspended."


class BotCannotMessage(Refusal):
    """The person has not started the bot, has blocked it, or it was removed from the chat.

    Only they can change that: by starting the bot, or by adding it to the chat.
    """

    code = "telegram.cannot_message"
    status = 403
    action = Action.FIX_REQUEST
    message = "A bot may only write to those who let it; this chat does not."

    account_id: str | None = None
    chat_id: str | None = None
