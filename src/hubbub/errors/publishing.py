"""Refusals that happen while a post is being delivered, mostly seen on a target."""

from __future__ import annotations

from hubbub.errors.refusal import Action, Refusal


class OfDelivery(Refusal):
    """What every failed delivery says: where it was going."""

    platform: str | None = None
    account_id: str | None = None


class AccountLoadFailed(OfDelivery):
    """The account was gone or unusable when the post was due.

    Connect it again and retry the post, or leave the target out.
    """

    code = "publishing.delivery.account_load_failed"
    status = 422
    action = Action.FIX_REQUEST
    message = "The account must be connected when the post is due; it was not."


class PageResolveFailed(OfDelivery):
    """The page was gone or switched off when the post was due.

    Switch it on or choose another page, then retry the post.
    """

    code = "publishing.delivery.page_resolve_failed"
    status = 422
    action = Action.FIX_REQUEST
    message = "The page must be active when the post is due; it was not."

    page_id: str | None = None


class DeliveryTimeout(OfDelivery):
    """The platform took longer than a delivery may take, and nothing was published.

    Retry the post.
    """

    code = "publishing.delivery.timeout"
    status = 504
    action = Action.WAIT
    message = "A delivery must end in time; the platform took longer."

    retry_after_seconds: int | None = None


class AllFailed(Refusal):
    """Every target of the post failed before the answer was sent.

    The answer is the post itself; each target's own error says why. Mend the causes, then retry the post.
    """

    code = "publishing.delivery.all_failed"
    status = 422
    action = Action.FIX_REQUEST
    message = "At least one target must succeed; all of them failed."

    post_id: str | None = None


class PublishTimeout(OfDelivery):
    """The platform was still working on the post when we stopped asking.

    It may yet appear. Look at the platform before you retry.
    """

    code = "publish_timeout"
    status = 504
    action = Action.CONTACT_PLATFORM
    message = "The platform must report the post within a minute; it was still working on it."


class Unconfirmed(OfDelivery):
    """Nobody can say whether the post went out.

    The platform's answer was lost, and it offers no way to look the post up. Hubbub does not try again by
    itself, because the post might then appear twice. Look at the platform: if the post is there, leave it; if
    it is not, retry. `meta.evidence` says what is known.
    """

    code = "publishing.unconfirmed"
    status = 504
    action = Action.CONTACT_PLATFORM
    message = "A post is repeated only when it certainly did not appear; look there first, this one may have."

    evidence: str | None = None


class Missed(OfDelivery):
    """The post could not begin until it was too late.

    Its account was not reconnected by the deadline, or Hubbub was not running for longer than a post may be late
    (`meta.reason` is `downtime` then). It is given up, so that nothing appears days late. Reconnect the account if
    it needs that, then retry the post or schedule it again.
    """

    code = "post.missed"
    status = 409
    action = Action.FIX_REQUEST
    message = "The post must begin by its deadline; it could not."

    deadline: str | None = None
    """RFC 3339."""
    reason: str | None = None


class MediaUnavailable(OfDelivery):
    """A picture or video of the post could not be read when the post was due.

    The file was removed or damaged where it is stored. Upload it again and make a new post.
    """

    code = "publishing.media_unavailable"
    status = 422
    action = Action.FIX_REQUEST
    message = "The post's media must be readable when it is due; a file was not."

    media_id: str | None = None


class DuplicateTarget(OfDelivery):
    """The post names the same destination twice.

    Each account, with its page or board, may be a target once.
    """

    code = "publishing.duplicate_target"
    status = 400
    action = Action.FIX_REQUEST
    message = "A destination may be a target once; one is named twice."

    field: str | None = None
    page_id: str | None = None
    board_id: str | None = None


class UnsupportedSource(OfDelivery):
    """The platform cannot reuse a file it already has.

    `platform_attachment_id` works with some platforms only. Upload the file here and name its media id.
    """

    code = "publishing.media.unsupported_source"
    status = 422
    action = Action.FIX_REQUEST
    message = "Only some platforms take a platform_attachment_id; this one does not."

    field: str | None = None


class MixingUnsupported(OfDelivery):
    """The platform does not take its own files and uploaded ones in one post.

    Use attachment ids throughout, or uploaded media throughout.
    """

    code = "publishing.media.mixing_unsupported"
    status = 422
    action = Action.FIX_REQUEST
    message = "A post's media must all come from one source on this platform; these are mixed."

    field: str | None = None


class VelocityLimit(Refusal):
    """One account would publish too often within an hour or a day.

    The ceiling protects the account from the platform's spam rules. The whole request was refused. Try again
    after `meta.retry_after_seconds`, or schedule the posts further apart.
    """

    code = "publishing.velocity_limit"
    status = 429
    action = Action.WAIT
    message = "An account may publish {limit} posts per {window}; this would exceed that."

    account_id: str
    window: str
    """`hour` or `day`."""
    limit: int
    retry_after_seconds: int
