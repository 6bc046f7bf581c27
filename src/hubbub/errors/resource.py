"""Refusals about things that are missing, gone, in use or in the wrong state."""

from __future__ import annotations

from hubbub.errors.refusal import Action, Refusal


class ResourceNotFound(Refusal):
    """Nothing of this kind has this id.

    `meta.resource` says what was looked for and `meta.id` with which id. It never existed, was deleted, or
    belongs to another workspace; the answer is the same for all three.
    """

    code = "resource.not_found"
    status = 404
    action = Action.FIX_REQUEST
    message = "The {resource} must be one of yours; none of them is {id}."

    resource: str
    id: str


class Conflict(Refusal):
    """The thing is in a state, or has a name, that rules this out.

    `meta.resource` says which kind of thing and `meta.reason` what is in the way, as a word. Where a post
    with the same content is in the way, `meta.post_id` is that post. Read it again, then decide.
    """

    code = "resource.conflict"
    status = 409
    action = Action.FIX_REQUEST
    message = "The {resource} {problem}"
    hidden = frozenset({"problem"})

    resource: str
    problem: str = "conflicts with what is already there."
    """The rule and the fact, as the end of a sentence: "must have a name of its own; this one is taken.\""""
    reason: str | None = None
    id: str | None = None
    post_id: str | None = None


class Gone(Refusal):
    """The thing existed and was removed for good.

    It will not come back under this id. An expired export, for example, has to be made again.
    """

    code = "resource.gone"
    status = 410
    action = Action.FIX_REQUEST
    message = "The {resource} was removed for good."

    resource: str
    id: str | None = None


class NotSupported(Refusal):
    """The platform cannot do this, whatever is sent.

    It is no fault and will not pass. `GET /v1/platforms` says what each platform can do.
    """

    code = "resource.not_supported"
    status = 501
    action = Action.FIX_REQUEST
    message = "The platform must offer {operation}; {platform} does not."

    platform: str
    operation: str = "this"
    account_id: str | None = None


class BrandNotFound(Refusal):
    """No brand with this id can be seen with this key.

    `GET /v1/brands` lists the brands the key sees.
    """

    code = "brand.not_found"
    status = 404
    action = Action.FIX_REQUEST
    message = "The brand must be one of yours; none of them is {id}."

    id: str
    resource: str = "brand"


class MediaNotFound(Refusal):
    """No file with this id is in the media library.

    Upload it with `POST /v1/media/upload`, or list what is there with `GET /v1/media`.
    """

    code = "media.not_found"
    status = 404
    action = Action.FIX_REQUEST
    message = "The file must be in your media library; none there is {id}."

    id: str
    resource: str = "media"


class MediaInUse(Refusal):
    """A post still needs the file, so it cannot be deleted.

    `meta.post_ids` lists the posts. Delete them, take the file out of them, or wait until they are published.
    """

    code = "media.in_use"
    status = 409
    action = Action.FIX_REQUEST
    message = "A file can be deleted when no post needs it; posts still need this one."

    post_ids: list[str]
    id: str | None = None


class ConversationNotFound(Refusal):
    """No conversation with this id can be seen with this key.

    `GET /v1/inbox/conversations` lists those the key sees.
    """

    code = "conversation.not_found"
    status = 404
    action = Action.FIX_REQUEST
    message = "The conversation must be one of yours; none of them is {id}."

    id: str
    resource: str = "conversation"


class PostNotFound(Refusal):
    """No post with this id can be seen with this key.

    Give the id Hubbub gave the post (`post_…`), not the platform's. `GET /v1/posts` lists the posts.
    """

    code = "post.not_found"
    status = 404
    action = Action.FIX_REQUEST
    message = "The post must be one of yours; none of them is {id}."

    id: str
    resource: str = "post"


class StateInvalid(Refusal):
    """A post in this state does not allow the action.

    `meta.status` is the state the post is in. Only drafts and scheduled posts can be changed; only failed
    ones retried.
    """

    code = "post.state_invalid"
    status = 409
    action = Action.FIX_REQUEST
    message = "The post's state must allow this; a post that is {post_status} cannot be {operation}."
    hidden = frozenset({"operation"})
    wire_names = {"post_status": "status"}

    post_status: str
    operation: str = "changed"
    """What was asked for, as a past participle: "deleted", "published"."""
    id: str | None = None


class NoRetryableDeliveries(Refusal):
    """Nothing in the post failed, so there is nothing to try again.

    A retry repeats only the targets that failed; the others are left alone.
    """

    code = "post.no_retryable_deliveries"
    status = 400
    action = Action.FIX_REQUEST
    message = "A retry needs a target that failed; this post has none."

    id: str | None = None


class AmbiguousPostId(Refusal):
    """The platform's post id fits several posts.

    Two platforms may use the same id. Ask again with one of the ids in `meta.post_ids`.
    """

    code = "ambiguous_post_id"
    status = 409
    action = Action.FIX_REQUEST
    message = "A platform's post id must fit one post; this one fits several."

    post_ids: list[str]


class InviteExpired(Refusal):
    """The invitation is too old.

    Ask the person who sent it for a new one.
    """

    code = "invite.expired"
    status = 410
    action = Action.FIX_REQUEST
    message = "An invitation must be used before it expires; this one has expired."


class InviteInvalid(Refusal):
    """The invitation cannot be used.

    It was used before, withdrawn, or its link was cut off while copying.
    """

    code = "invite.invalid"
    status = 400
    action = Action.FIX_REQUEST
    message = "An invitation works once and unaltered; this one is unknown or used."


class WebhookVerificationFailed(Refusal):
    """The webhook's address did not answer the trial call.

    It must answer any 2xx within ten seconds. `meta.status_code` is what it answered, `meta.reason` why there
    was no answer.
    """

    code = "webhook_verification_failed"
    status = 400
    action = Action.FIX_REQUEST
    message = "The webhook address must answer 2xx within 10 seconds; it did not."

    status_code: int | None = None
    reason: str | None = None
