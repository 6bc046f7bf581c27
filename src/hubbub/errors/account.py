"""Refusals about a connected account."""

from __future__ import annotations

from hubbub.errors.refusal import Action, Refusal


class AccountNotFound(Refusal):
    """No account with this id can be seen with this key.

    It never existed, was disconnected, belongs to another workspace, or to a brand the key may not use. The
    answer is the same for all four. `GET /v1/accounts` lists what the key sees.
    """

    code = "account.not_found"
    status = 404
    action = Action.FIX_REQUEST
    message = "The account must be one of yours; none of them is {id}."

    id: str
    resource: str = "account"


class AlreadyLinked(Refusal):
    """This profile on the platform is already connected elsewhere.

    One profile belongs to one workspace, and to one brand where the workspace locks accounts to brands. Where
    the other place is yours, `meta.account_id` and `meta.brand_id` say which; disconnect it there first.
    """

    code = "account.already_linked"
    status = 409
    action = Action.FIX_REQUEST
    message = "A profile can be connected once; this one already is, elsewhere."

    platform: str | None = None
    account_id: str | None = None
    brand_id: str | None = None


class DifferentLogin(Refusal):
    """The brand's pages on this platform came through another person's sign-in.

    All pages of one brand use one sign-in. Sign in as that person, disconnect their pages first, or use
    another brand.
    """

    code = "account.different_login"
    status = 409
    action = Action.FIX_REQUEST
    message = "A brand's pages share one sign-in; this is a different one."

    platform: str | None = None
    brand_id: str | None = None


class ReconnectionRequired(Refusal):
    """The platform no longer accepts this account's sign-in.

    Usually the person changed their password or removed the app. Send them through `GET /v1/oauth/url` again;
    posts that were waiting for the account continue by themselves.
    """

    code = "account.reconnection_required"
    status = 403
    action = Action.RECONNECT
    message = "An account must be signed in to be used; reconnect the {platform} account {account_id}."

    account_id: str
    platform: str
    reason: str | None = None


class ReconnectedAsAnother(Refusal):
    """The person signed in as somebody else than the account that was to be reconnected.

    Nothing was changed. Sign out on the platform, sign in as the right profile and try again; or connect the
    other profile as an account of its own.
    """

    code = "account.reconnected_as_another"
    status = 409
    action = Action.RECONNECT
    message = "Reconnecting needs the same profile as before; another one came back for account {account_id}."

    account_id: str
    platform: str | None = None
    expected: str | None = None
    """The profile the account stands for, as the platform names it."""
    actual: str | None = None
    """The profile that signed in, as the platform names it."""


class ScopesMissing(Refusal):
    """The person signed in but did not allow everything the account needs.

    `meta.scopes` lists what was left out. Sign in again and leave every box ticked; some platforms only ask
    again after the app is removed in their settings.
    """

    code = "account.scopes_missing"
    status = 403
    action = Action.RECONNECT
    message = "Every permission asked for on {platform} must be given; some were left out."

    platform: str
    scopes: list[str]
    account_id: str | None = None


class UnsupportedPlatform(Refusal):
    """No platform has this name here.

    `GET /v1/platforms` lists the names; `meta.allowed` may repeat them.
    """

    code = "account.unsupported_platform"
    status = 400
    action = Action.FIX_REQUEST
    message = "platform must be one that is supported; {platform} is not."

    platform: str
    field: str = "platform"
    allowed: list[str] | None = None


class PlatformUnsupported(Refusal):
    """The account's platform has no reviews.

    Ask for reviews only with accounts of platforms that have them; `GET /v1/platforms` says which do.
    """

    code = "account.platform_unsupported"
    status = 422
    action = Action.FIX_REQUEST
    message = "Reviews need a platform that has them; {platform} does not."

    platform: str
    account_id: str | None = None


class NoActivePage(Refusal):
    """The account has no page switched on, and this needs one.

    List the pages with `GET /v1/accounts/{id}/pages` and switch one on with `PATCH`.
    """

    code = "account.no_active_page"
    status = 404
    action = Action.FIX_REQUEST
    message = "This needs an active page; the account has none."

    account_id: str | None = None
    platform: str | None = None


class PageInactive(Refusal):
    """The page is switched off.

    Switch it on with `PATCH /v1/accounts/{id}/pages/{page_id}`, or name another page.
    """

    code = "account.page_inactive"
    status = 409
    action = Action.FIX_REQUEST
    message = "A page must be active to be used; {page_id} is not."

    page_id: str
    account_id: str | None = None
    platform: str | None = None


class PagesNotSupported(Refusal):
    """The platform has no pages.

    Leave the page out: the account itself is where things are published.
    """

    code = "account.pages_not_supported"
    status = 501
    action = Action.FIX_REQUEST
    message = "Only some platforms have pages; {platform} has none."

    platform: str
    account_id: str | None = None
