"""Refusals because of the plan: its allowances and what it includes."""

from __future__ import annotations

from hubbub.errors.refusal import Action, Refusal


class PlanLimit(Refusal):
    """What every refusal of a plan's allowance says: the plan, its allowance, and how much is used."""

    plan: str
    max: int
    used: int | None = None


class BrandsLimit(PlanLimit):
    """The plan allows no further brand.

    Delete a brand or change the plan.
    """

    code = "billing.brands_limit"
    status = 403
    action = Action.CHANGE_PLAN
    message = "The plan {plan} allows {max} brands; one more would exceed that."


class BrandLimitReached(PlanLimit):
    """The plan allows no further brand: the answer of `POST /v1/brands`.

    The same as `billing.brands_limit`. Delete a brand or change the plan.
    """

    code = "brand.limit_reached"
    status = 403
    action = Action.CHANGE_PLAN
    message = "The plan {plan} allows {max} brands; one more would exceed that."


class ProfileUnitsLimit(PlanLimit):
    """The plan allows no further profile.

    Disconnect a profile or change the plan.
    """

    code = "billing.profile_units_limit"
    status = 403
    action = Action.CHANGE_PLAN
    message = "The plan {plan} allows {max} profile units; one more would exceed that."


class PostLimit(PlanLimit):
    """The posts of this month are used up.

    The allowance starts anew with the next billing period, after `meta.retry_after_seconds` where known. A
    larger plan lifts it at once. Drafts can still be saved.
    """

    code = "billing.post_limit"
    status = 429
    action = Action.WAIT
    message = "The plan {plan} allows {max} posts a month; this would exceed that."

    retry_after_seconds: int | None = None


class PostLimitExhausted(PlanLimit):
    """The posts of this month are used up: a later name of `billing.post_limit`.

    Treat both alike.
    """

    code = "validation.post_limit_exhausted"
    status = 429
    action = Action.WAIT
    message = "The plan {plan} allows {max} posts a month; this would exceed that."

    retry_after_seconds: int | None = None


class InteractionLimit(PlanLimit):
    """The replies and messages of this month are used up.

    The allowance starts anew with the next billing period, after `meta.retry_after_seconds` where known. A
    larger plan lifts it at once. Reading stays possible.
    """

    code = "billing.interaction_limit"
    status = 429
    action = Action.WAIT
    message = "The plan {plan} allows {max} interactions a month; this would exceed that."

    retry_after_seconds: int | None = None


class InteractionLimitExhausted(PlanLimit):
    """The replies and messages of this month are used up: a later name of `billing.interaction_limit`.

    Treat both alike.
    """

    code = "validation.interaction_limit_exhausted"
    status = 429
    action = Action.WAIT
    message = "The plan {plan} allows {max} interactions a month; this would exceed that."

    retry_after_seconds: int | None = None


class StorageQuota(PlanLimit):
    """The media library has no room for the file.

    `meta.max` and `meta.used` are bytes; `GET /v1/media/storage` shows them too. Delete files that no post
    needs, or change the plan.
    """

    code = "billing.storage_quota"
    status = 413
    action = Action.CHANGE_PLAN
    message = "The plan {plan} stores {max} bytes; this file would exceed that."


class PlatformNotAvailable(Refusal):
    """The plan does not include this platform.

    Change the plan; accounts that are already connected stay.
    """

    code = "billing.platform_not_available"
    status = 403
    action = Action.CHANGE_PLAN
    message = "The platform must be in the plan; {plan} does not include {platform}."

    plan: str
    platform: str


class ExportLimit(PlanLimit):
    """The exports of this period are used up.

    Try again after `meta.retry_after_seconds` where known, or change the plan.
    """

    code = "billing.export_limit"
    status = 429
    action = Action.WAIT
    message = "The plan {plan} allows {max} exports in this period; this would exceed that."

    retry_after_seconds: int | None = None


class ExportConcurrent(PlanLimit):
    """As many exports are running as the plan allows at one time.

    Wait until one is done; `GET /v1/exports` shows them.
    """

    code = "billing.export_concurrent"
    status = 429
    action = Action.WAIT
    message = "The plan {plan} allows {max} exports at a time; that many are running."

    retry_after_seconds: int | None = None


class ExportCooldown(Refusal):
    """The same account was exported a short while ago.

    Try again after `meta.retry_after_seconds`.
    """

    code = "billing.export_cooldown"
    status = 429
    action = Action.WAIT
    message = "The plan {plan} asks for a pause between exports; wait {retry_after_seconds} seconds."

    plan: str
    retry_after_seconds: int
    max: int | None = None


class PastDue(Refusal):
    """The subscription is not paid.

    Everything but your own user and the billing pages is closed until it is. Scheduled posts are kept.
    """

    code = "billing.past_due"
    status = 402
    action = Action.CHANGE_PLAN
    message = "The subscription must be paid; the last payment is overdue."

    plan: str | None = None
