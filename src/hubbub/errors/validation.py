"""Refusals of what the caller sent."""

from __future__ import annotations

from typing import Any

from hubbub.errors.refusal import Action, Refusal


class FieldRequired(Refusal):
    """A required field is missing or empty.

    `meta.field` names it; fields inside lists carry their position, as in `targets[1].account_id`.
    """

    code = "validation.field_required"
    status = 400
    action = Action.FIX_REQUEST
    message = "{field} is required."

    field: str
    platform: str | None = None
    account_id: str | None = None


class FieldInvalid(Refusal):
    """A field has the wrong type, format or value.

    `meta.field` names it and `meta.reason` says which rule it breaks: `too_long`, `too_many`, `type`,
    `too_large`, `ratio`, `duration`, `past`, `unknown`, `format`, … Where a number is the rule, `meta.max` or
    `meta.min` is the limit and `meta.actual` what was sent. `meta.fix` is there when Hubbub can change the
    picture so that it is taken: send its `auto_fix` as `platform_data.auto_fix`.
    """

    code = "validation.field_invalid"
    status = 400
    action = Action.FIX_REQUEST
    message = "{field} {problem}"
    hidden = frozenset({"problem"})

    field: str
    problem: str
    """The rule and the fact, as the end of a sentence: "must be a date in the future.\""""
    reason: str | None = None
    platform: str | None = None
    account_id: str | None = None
    media_id: str | None = None
    min: float | None = None
    max: float | None = None
    actual: float | str | None = None
    allowed: list[Any] | None = None
    unit: str | None = None
    fix: dict[str, Any] | None = None


class BodyInvalid(Refusal):
    """The request body is not a JSON object.

    Send one JSON object, UTF-8, with `Content-Type: application/json`. An absent body counts as `{}`.
    """

    code = "validation.body_invalid"
    status = 400
    action = Action.FIX_REQUEST
    message = "The request body {problem}"
    hidden = frozenset({"problem"})

    problem: str


class RedirectUriDuplicate(Refusal):
    """The return address is already registered.

    Nothing needs to be done: it can be used.
    """

    code = "validation.redirect_uri_duplicate"
    status = 400
    action = Action.FIX_REQUEST
    message = "{field} must be new; this address is already registered."

    field: str = "uri"


class ScopeInvalid(Refusal):
    """A scope for the key does not exist.

    `GET /v1/keys/scopes` lists the scopes; `meta.unknown` names those that are not among them.
    """

    code = "validation.scope_invalid"
    status = 400
    action = Action.FIX_REQUEST
    message = "{field} must hold known scopes only; some are not."

    field: str = "scopes"
    unknown: list[str] | None = None


class BrandInvalid(Refusal):
    """A brand the key is to be restricted to is not yours.

    `GET /v1/brands` lists the brands; `meta.unknown` names those that are not among them.
    """

    code = "validation.brand_invalid"
    status = 400
    action = Action.FIX_REQUEST
    message = "{field} must hold your own brands only; some are not."

    field: str = "brand_ids"
    unknown: list[str] | None = None


class BoardIdRequired(Refusal):
    """A pin needs a board.

    Put the board's id into the target's `board_id`; `GET /v1/accounts/{id}/boards` lists the boards.
    """

    code = "validation.board_id_required"
    status = 400
    action = Action.FIX_REQUEST
    message = "{field} must name the board to pin to; it is missing."

    field: str = "board_id"
    platform: str | None = None
    account_id: str | None = None


class UseBoardId(Refusal):
    """The board was given in the wrong place.

    `board_id` belongs to the target itself, once; not to `platform_data`, and not beside `page_id`.
    """

    code = "validation.use_board_id"
    status = 400
    action = Action.FIX_REQUEST
    message = "{field} belongs to the target itself and only once; it was given elsewhere."

    field: str = "board_id"
    platform: str | None = None
    account_id: str | None = None


class MediaTypeMismatch(Refusal):
    """The file is not of the kind the post is.

    A video post takes a video, a photo post takes pictures. Change the file, or the kind of post.
    """

    code = "validation.media_type_mismatch"
    status = 400
    action = Action.FIX_REQUEST
    message = "{field} must be of the kind the post is; a file is of another kind."

    field: str = "media"
    platform: str | None = None
    account_id: str | None = None
    media_id: str | None = None


class UnsupportedPhotoFormat(Refusal):
    """The platform does not take pictures in this format.

    Convert the picture; `meta.allowed` lists the formats that are taken.
    """

    code = "validation.unsupported_photo_format"
    status = 400
    action = Action.FIX_REQUEST
    message = "{field} must hold pictures in a format the platform takes; one is in another."

    field: str = "media"
    platform: str | None = None
    account_id: str | None = None
    media_id: str | None = None
    allowed: list[str] | None = None


class PrivacyLevelRequired(Refusal):
    """The platform insists that the person chooses who may see the post.

    Set `privacy_level` to one of the values that `GET /v1/accounts/{id}/creator-info` lists for the account.
    """

    code = "privacy_level_required"
    status = 400
    action = Action.FIX_REQUEST
    message = "{field} must be chosen for this platform; it is missing."

    field: str = "privacy_level"
    platform: str | None = None
    account_id: str | None = None
    allowed: list[str] | None = None
