"""Accounts over HTTP (contract 5.2 and 6)."""

from __future__ import annotations

from hubbub.domains.accounts import asking, choice, connect, service
from hubbub.domains.accounts.connect import Consent, Wish
from hubbub.domains.accounts.rules import PageChange
from hubbub.domains.accounts.schemas import (
    AccountOut,
    AccountsQuery,
    Boards,
    ConnectedOut,
    ConnectIn,
    ConnectOut,
    ConsentOut,
    ConsentQuery,
    ConsentUrlOut,
    CreatorOut,
    ExchangeIn,
    ExchangeMetadata,
    ExchangeOut,
    LimitsOut,
    PageChangeIn,
    PageOut,
    Pages,
    PendingDetailOut,
    PendingOut,
    SelectIn,
)
from hubbub.domains.accounts.store import Account
from hubbub.errors.account import (
    AccountNotFound,
    AlreadyLinked,
    DifferentLogin,
    PageInactive,
    PagesNotSupported,
    ReconnectedAsAnother,
    ReconnectionRequired,
    ScopesMissing,
    UnsupportedPlatform,
)
from hubbub.errors.auth import StateMismatch
from hubbub.errors.byok import CredentialsMissing
from hubbub.errors.peculiarities import AuthFactorRequired, NoPages, PageCap
from hubbub.errors.platform import (
    PlatformAccountUnavailable,
    PlatformApiError,
    PlatformAuth,
    PlatformBadCredentials,
    PlatformBlocked,
    PlatformNotFound,
    PlatformNumber,
    PlatformPermissionDenied,
    PlatformRateLimit,
    PlatformUnavailable,
)
from hubbub.errors.resource import BrandNotFound, NotSupported, ResourceNotFound
from hubbub.errors.system import HttpError
from hubbub.errors.validation import FieldInvalid, FieldRequired
from hubbub.runtime.lists import Listed, listed
from hubbub.runtime.process import Runtime
from hubbub.runtime.routes import Reply, Router
from hubbub.runtime.work import Caller, Work

router = Router("/v1", "Accounts")

BEGINNING = (
    FieldRequired,
    FieldInvalid,
    UnsupportedPlatform,
    BrandNotFound,
    CredentialsMissing,
    NotSupported,
    HttpError,
)
JOINING = (AlreadyLinked, DifferentLogin, ReconnectedAsAnother, AccountNotFound, BrandNotFound, PageCap)
SIGNING_IN = (
    ScopesMissing,
    NoPages,
    AuthFactorRequired,
    PlatformAccountUnavailable,
    PlatformApiError,
    PlatformAuth,
    PlatformBadCredentials,
    PlatformBlocked,
    PlatformNotFound,
    PlatformNumber,
    PlatformPermissionDenied,
    PlatformRateLimit,
    PlatformUnavailable,
)


TOLD = (
    AccountNotFound, ReconnectionRequired, PlatformAccountUnavailable, PlatformApiError, PlatformAuth,
    PlatformBlocked, PlatformNotFound, PlatformNumber, PlatformPermissionDenied, PlatformRateLimit,
    PlatformUnavailable,
)  # fmt: skip
"""What asking a platform about an account may end in."""


@router.get("/accounts", scope="accounts:read")
async def list_accounts(work: Work, query: AccountsQuery) -> Listed[AccountOut]:
    """List the connected accounts, oldest first, those that must be reconnected too."""
    return listed([AccountOut.of(*found) for found in await service.listed(work, query.brand_id)])


@router.post(
    "/accounts/connect",
    status=201,
    also=(200, 202),
    scope="accounts:manage",
    raises=(*BEGINNING, *JOINING, *SIGNING_IN),
)
async def connect_account(
    runtime: Runtime, caller: Caller, body: ConnectIn, base_url: str
) -> Reply[ConnectOut]:
    """Begin to connect an account.

    Where a person types credentials it is connected at once (201). Else the answer is the address of the
    platform's consent page (202): send the person there. Connecting a profile again replaces its sign-in.
    """
    wish = Wish(
        body.platform,
        brand_id=body.brand_id,
        redirect_uri=body.redirect_uri,
        state=body.state,
        metadata=body.metadata or {},
    )
    result = await connect.connect(runtime, caller, wish, base_url)
    if isinstance(result, Consent):
        return Reply(ConnectOut(ConsentOut.of(result)), status=202)
    if isinstance(result, Account):
        return Reply(ConnectOut(ConnectedOut.of(result)))
    return Reply(ConnectOut(PendingOut.of(result)), status=200)


@router.get("/oauth/url", scope="accounts:manage", raises=(*BEGINNING, AccountNotFound))
async def get_consent_url(
    runtime: Runtime, caller: Caller, query: ConsentQuery, base_url: str
) -> ConsentUrlOut:
    """Get the address of a platform's consent page, to connect an account or to reconnect `account_id`."""
    wish = Wish(
        query.platform,
        brand_id=query.brand_id,
        account_id=query.account_id,
        redirect_uri=query.redirect_uri,
        state=query.state,
    )
    return ConsentUrlOut.of(await connect.consent(runtime, caller, wish, base_url))


@router.post(
    "/oauth/exchange",
    status=201,
    also=(200,),
    scope="accounts:manage",
    raises=(
        StateMismatch,
        FieldRequired,
        FieldInvalid,
        UnsupportedPlatform,
        NotSupported,
        HttpError,
        *JOINING,
        *SIGNING_IN,
    ),
)
async def exchange_code(runtime: Runtime, caller: Caller, body: ExchangeIn) -> Reply[ExchangeOut]:
    """Finish connecting with the code that a consent page sent back.

    201 with the account; 200 when the sign-in offers several pages and some have to be chosen.
    """
    metadata = body.metadata or ExchangeMetadata()
    state = metadata.state or body.state
    if not state:
        raise FieldRequired(field="metadata.state")
    result = await connect.exchange(runtime, caller, body.platform, body.code, state, metadata.redirect_uri)
    if isinstance(result, Account):
        return Reply(ExchangeOut(ConnectedOut.of(result)))
    return Reply(ExchangeOut(PendingOut.of(result)), status=200)


@router.get("/accounts/pending/{connection_id}", scope="accounts:read", raises=(ResourceNotFound,))
async def get_pending_connection(work: Work, connection_id: str) -> PendingDetailOut:
    """Show the pages that a sign-in offers, while it waits for a choice: half an hour."""
    return PendingDetailOut.of(await choice.show(work, connection_id))


@router.post(
    "/accounts/pending/{connection_id}/select",
    status=201,
    scope="accounts:manage",
    raises=(ResourceNotFound, FieldRequired, FieldInvalid, *JOINING),
)
async def select_pages(work: Work, connection_id: str, body: SelectIn) -> ConnectedOut:
    """Choose the pages to connect. The first success uses the sign-in up."""
    account = await choice.select(work, connection_id, body.page_ids, body.platform_account_id)
    return ConnectedOut.of(account)


@router.delete("/accounts/{id}", scope="accounts:manage", raises=(AccountNotFound,))
async def disconnect_account(work: Work, id: str) -> None:
    """Disconnect an account: its sign-in is erased, and given back to the platform where it takes it."""
    await connect.disconnect(work, id)


@router.get("/accounts/{id}/limits", scope="accounts:read", raises=TOLD)
async def get_account_limits(runtime: Runtime, caller: Caller, id: str) -> LimitsOut:
    """Ask the platform what is left of the account's allowances, as `posts_remaining`.

    Empty where the platform tells of none.
    """
    return LimitsOut(dict(await asking.limits(runtime, caller, id)))


@router.get("/accounts/{id}/creator-info", scope="accounts:read", raises=(*TOLD, NotSupported))
async def get_creator_info(runtime: Runtime, caller: Caller, id: str) -> CreatorOut:
    """Ask the platform what the person behind an account may publish, where it wants that asked before a post.

    No `privacy_level_options` means that the posts of the day are used up.
    """
    return CreatorOut.of(*await asking.creator(runtime, caller, id))


@router.get("/accounts/{id}/boards", scope="accounts:read", raises=(AccountNotFound, NotSupported))
async def list_boards(work: Work, id: str) -> Boards:
    """List an account's boards. No platform that is here sorts posts onto boards."""
    raise await asking.no_boards(work, id)


@router.get("/accounts/{id}/pages", scope="accounts:read", raises=(AccountNotFound, PagesNotSupported))
async def list_pages(work: Work, id: str) -> Pages:
    """List the pages an account may publish to."""
    return Pages([PageOut.of(page) for page in await service.pages(work, id)])


@router.patch(
    "/accounts/{id}/pages/{page_id}",
    scope="accounts:manage",
    raises=(AccountNotFound, PagesNotSupported, ResourceNotFound, PageInactive, PageCap, FieldRequired),
)
async def change_page(work: Work, id: str, page_id: str, body: PageChangeIn) -> PageOut:
    """Switch a page on or off, or make it the default."""
    change = PageChange(is_default=body.is_default, is_active=body.is_active)
    return PageOut.of(await service.change_page(work, id, page_id, change))
