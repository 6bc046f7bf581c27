"""What the product does with accounts: see them, speak through them, renew and end their sign-in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from hubbub.connector.base import Connector, Linker, Opener, no_link
from hubbub.connector.promises import Refreshes
from hubbub.connector.refusals import LostAnswer, NotSent, RemoteRefusal
from hubbub.connector.registry import Found
from hubbub.domains.accounts import events as happened
from hubbub.domains.accounts import vault
from hubbub.domains.accounts.building import app_of, build, build_anonymous, no_files
from hubbub.domains.accounts.rules import PageChange, changed_page
from hubbub.domains.accounts.store import Account, AccountStore, PageRow, account_in
from hubbub.domains.accounts.tables import account_secrets, accounts
from hubbub.domains.accounts.vault import Held, Sealed, Unreadable, Vault
from hubbub.domains.events import service as events
from hubbub.errors.account import (
    AccountNotFound,
    NoActivePage,
    PageInactive,
    PagesNotSupported,
    ReconnectionRequired,
)
from hubbub.errors.peculiarities import PageCap
from hubbub.errors.platform import PlatformUnavailable
from hubbub.errors.validation import FieldRequired
from hubbub.kit import clock, ids
from hubbub.kit.secret import Secret
from hubbub.runtime.db import Database
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import EVERYBODY, Caller, Work, open_work
from hubbub.social.person import Grant

__all__ = ["Account", "PageRow", "Sealed", "Unreadable", "Vault", "app_of", "build_anonymous"]

T = TypeVar("T")

ACCESS_REVOKED = "access_revoked"
PATIENCE = 20.0
"""Seconds a platform may take to answer somebody who waits; a caller's own patience ends at 30."""
RENEW_SECONDS = 50.0
"""How long a renewal may take; its claim lasts a little longer, so two never overlap."""
CLAIM_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 0.1

_under_way: WeakKeyDictionary[Database, dict[tuple[str, int], asyncio.Task[bool]]] = WeakKeyDictionary()


@contextmanager
def understood(call: str) -> Generator[None]:
    """An answer without what it must hold is as good as none: what the connector trips over becomes LostAnswer."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as trip:
        raise LostAnswer(f"{call}: the answer was not the one that was promised") from trip


async def visible(work: Work, account_ids: Iterable[str]) -> dict[str, Account]:
    """These accounts, by id. A sandbox key sees only the sandbox, a restricted key only its brands.

    Raises AccountNotFound naming the first that the caller may not see.
    """
    return await AccountStore(work).many(account_ids)


async def listed(work: Work, brand_id: str | None) -> list[tuple[Account, str | None]]:
    """The accounts the caller sees, oldest first, each with the name of its only active page.

    `brand_id` is a filter: one that is unknown leaves nothing.
    """
    wanted = ids.as_uuid(brand_id) if brand_id else None
    if brand_id and wanted is None:
        return []
    return await AccountStore(work).all(wanted)


async def within(work: Work, brand_ids: Iterable[str]) -> frozenset[str]:
    """The ids of these brands' accounts, the disconnected ones too: what was done with them stays theirs."""
    return await AccountStore(work).within(brand_ids)


async def page_for(work: Work, account: Account, page_id: str | None) -> PageRow | None:
    """The page to publish to: the one named, else the default, else the only one that is active.

    None on platforms without pages. Raises PagesNotSupported, ResourceNotFound, PageInactive, NoActivePage.
    """
    if work.platforms[account.platform].facts.places is None:
        if page_id is not None:
            raise PagesNotSupported(platform=account.platform, account_id=account.id)
        return None
    if page_id is not None:
        page = await AccountStore(work).page(account.id, page_id)
        if not page.is_active:
            raise PageInactive(page_id=page.id, account_id=account.id, platform=account.platform)
        return page
    active = [page for page in await AccountStore(work).pages(account.id) if page.is_active]
    chosen = next((page for page in active if page.is_default), active[0] if len(active) == 1 else None)
    if chosen is None:
        raise NoActivePage(account_id=account.id, platform=account.platform)
    return chosen


Granted = tuple[Account, Held, tuple[str, Secret | None] | None]
"""An account, its grant, and a place's remote id with the place's own token."""


async def granted(work: Work, account: Account, page: PageRow | None) -> Granted:
    """What a connector for this account and page is made of; for `connector_for`. Raises ReconnectionRequired."""
    held = await vault.held(work, account.id) if account.status == "active" else None
    if held is None:
        raise _must_reconnect(account, account.reconnect_reason)
    if page is None:
        return account, held, None
    token = Vault.of(work.runtime.settings).open_text(page.sealed, page.id) if page.sealed else None
    return account, held, (page.remote_id, token)


async def connector_for(
    runtime: Runtime,
    account_id: str,
    page_id: str | None,
    *,
    granted: Granted | None = None,
    fresh_for: float = 120,
    opener: Opener = no_files,
    link: Linker = no_link,
    now: Callable[[], datetime] = clock.now,
) -> Connector:
    """A connector for this account and page, whose grant stays good for `fresh_for` seconds; `now` is its clock.

    Its `grant_version` goes to `renew` when the platform refuses the grant all the same. Raises
    AccountNotFound, ResourceNotFound (page), ReconnectionRequired, and from renewing a grant that is about
    to end RemoteRefusal, NotSent and LostAnswer.
    """
    account, held, place = granted or await _load(runtime, account_id, page_id)
    if _ends_within(held.grant, fresh_for, now()) and _renews(runtime.platforms[account.platform]):
        if not await renew(runtime, account_id, held.version):
            raise _must_reconnect(account, ACCESS_REVOKED)
        account, held, place = await _load(runtime, account_id, page_id)
    return build(runtime, account, held, place, opener, link, now)


async def ask(
    runtime: Runtime,
    caller: Caller,
    account_id: str,
    page_id: str | None,
    question: Callable[[Any], Awaitable[T]],
) -> T:
    """What a platform answers while the caller waits, to a call that may be repeated.

    Where the sign-in is refused it is renewed and the call made once more; an account whose sign-in is over is
    marked. Raises Refusal for what we know beforehand, RemoteRefusal for what the platform says, and
    PlatformUnavailable where it says nothing in time.
    """
    connector = await connector_for(runtime, account_id, page_id)
    try:
        return await _in_time(connector, question)
    except RemoteRefusal as said:
        if not said.certain or not said.refusal.wire_code.endswith(".auth"):
            raise
        seen = connector.grant_version
        if said.refreshes and await renew(runtime, account_id, seen):
            return await _in_time(await connector_for(runtime, account_id, page_id), question)
        async with open_work(runtime, Caller(caller.workspace_id)) as work:
            await expired(work, account_id, ACCESS_REVOKED, seen_version=seen)
        raise


async def _in_time(connector: Connector, question: Callable[[Any], Awaitable[T]]) -> T:
    try:
        async with asyncio.timeout(PATIENCE):
            with understood("asking"):
                return await question(connector)
    except (LostAnswer, NotSent, TimeoutError):
        raise PlatformUnavailable(platform=connector.facts.name, account_id=connector.account.id) from None


async def renew(runtime: Runtime, account_id: str, seen_version: int) -> bool:
    """Renew the grant unless somebody has since `seen_version`; however many ask, the platform is asked once.

    False when the platform will not renew it any more, and the account has to be reconnected: that has been
    recorded. Raises AccountNotFound; RemoteRefusal, NotSent or LostAnswer when it may work another time.
    """
    flights = _under_way.setdefault(runtime.database, {})
    key = (account_id, seen_version)
    if key not in flights:
        flight = asyncio.create_task(_renew(runtime, account_id, seen_version))
        flights[key] = flight
        flight.add_done_callback(lambda done: _landed(flights, key, done))
    return await asyncio.shield(flights[key])


def _landed(
    flights: dict[tuple[str, int], asyncio.Task[bool]], key: tuple[str, int], done: asyncio.Task[bool]
) -> None:
    flights.pop(key, None)
    if not done.cancelled():
        done.exception()  # Whoever asked may be gone by now; then nobody else would look at it.


async def _renew(runtime: Runtime, account_id: str, seen_version: int) -> bool:
    while True:
        async with open_work(runtime, Caller(EVERYBODY)) as work:
            account = await _any_account(work, account_id)
            held = await vault.held(work, account_id)
            if held is None:
                raise AccountNotFound(id=account_id)
            if held.version != seen_version:
                return True
            if account.status != "active":
                return False
            claimed = await vault.claim(work, account_id, seen_version, CLAIM_SECONDS)
        if claimed:
            return await _renew_claimed(runtime, account, held)
        await asyncio.sleep(LOOK_AGAIN_SECONDS)


async def _renew_claimed(runtime: Runtime, account: Account, held: Held) -> bool:
    caller = Caller(account.workspace_id)
    grant: Grant | None = None
    try:
        grant = await _ask_for_another(runtime, account, held)
    except BaseException:
        async with open_work(runtime, caller) as work:
            await vault.release(work, account.id, held.version)
        raise
    if grant is None:
        async with open_work(runtime, caller) as work:
            await vault.release(work, account.id, held.version)
            await expired(work, account.id, ACCESS_REVOKED, seen_version=held.version)
        return False
    await _store_renewed(runtime, account, held, grant)
    return True


async def _ask_for_another(runtime: Runtime, account: Account, held: Held) -> Grant | None:
    """The renewed grant; None when the platform certainly will not give one."""
    connector = build(runtime, account, held, None)
    if not _renews(runtime.platforms[account.platform]) or not isinstance(connector, Refreshes):
        return None
    try:
        with understood("renewing"):
            async with asyncio.timeout(RENEW_SECONDS):
                return await connector.refresh(held.grant)
    except RemoteRefusal as refused:
        if refused.certain and refused.refusal.wire_code.endswith(".auth"):
            return None
        raise
    except TimeoutError:
        raise LostAnswer(f"renewing took longer than {RENEW_SECONDS:g} seconds") from None


async def _store_renewed(runtime: Runtime, account: Account, held: Held, grant: Grant) -> None:
    """A rotated token exists nowhere else until it is stored, so a database that is away is waited for."""
    for wait in (0.1, 0.5, 2.0, None):
        try:
            async with open_work(runtime, Caller(account.workspace_id)) as work:
                await vault.rotate(work, account.id, held.version, grant)
            return
        except (DBAPIError, OSError):
            if wait is None:
                raise
            await asyncio.sleep(wait)


async def expired(work: Work, account_id: str, reason: str, *, seen_version: int | None = None) -> None:
    """The platform no longer accepts the sign-in: only a person can mend it. Twice is once.

    With `seen_version` nothing happens when the grant was replaced since: then somebody has reconnected.
    """
    if seen_version is not None:
        version = sa.select(account_secrets.c.version).where(account_secrets.c.account_id == account_id)
        if await work.db.scalar(version.with_for_update()) != seen_version:
            return
    rows = await work.db.execute(
        sa.update(accounts)
        .where(
            accounts.c.id == account_id,
            accounts.c.workspace_id == work.workspace_id,
            accounts.c.deleted_at.is_(None),
            accounts.c.status == "active",
        )
        .values(status="reconnect_required", reconnect_reason=reason, updated_at=work.now)
        .returning(accounts)
    )
    row = rows.one_or_none()
    if row is not None:
        await events.announce(work, happened.needs_reconnecting(account_in(row)))


async def pages(work: Work, account_id: str) -> list[PageRow]:
    """Raises AccountNotFound, PagesNotSupported."""
    account = await _with_pages(work, account_id)
    return await AccountStore(work).pages(account.id)


async def _with_pages(work: Work, account_id: str) -> Account:
    account = await AccountStore(work).get(account_id)
    if work.platforms[account.platform].facts.places is None:
        raise PagesNotSupported(platform=account.platform, account_id=account.id)
    return account


async def stay_within_page_cap(work: Work, account: Account) -> None:
    """After pages were switched on. Raises PageCap when the brand now has too many; that rolls it back."""
    places = work.platforms[account.platform].facts.places
    most = places.per_brand if places else None
    if most is not None and await AccountStore(work).active_pages(account) > most:
        raise PageCap(platform=account.platform, account_id=account.id, max=most)


async def change_page(work: Work, account_id: str, page_id: str, change: PageChange) -> PageRow:
    """Switch a page on or off, or make it the default, which it then is alone.

    Raises AccountNotFound, PagesNotSupported, ResourceNotFound, PageInactive, PageCap, FieldRequired.
    """
    if change == PageChange():
        raise FieldRequired(field="is_default")
    account = await _with_pages(work, account_id)
    store = AccountStore(work)
    siblings = await store.pages(account_id, lock=True)
    page = await store.page(account_id, page_id)
    default, active = changed_page(page.is_default, page.is_active, change)
    if default and not active:
        raise PageInactive(page_id=page_id, account_id=account_id)
    if default:
        for sibling in siblings:
            if sibling.is_default and sibling.id != page_id:
                await store.change_page(sibling.id, is_default=False)
    await store.change_page(page_id, is_default=default, is_active=active, lost_at=None)
    if active and not page.is_active:
        await stay_within_page_cap(work, account)
    return await store.page(account_id, page_id)


async def _load(runtime: Runtime, account_id: str, page_id: str | None) -> Granted:
    async with open_work(runtime, Caller(EVERYBODY)) as work:
        account = await _any_account(work, account_id)
        page = await AccountStore(work).page(account_id, page_id) if page_id is not None else None
        return await granted(work, account, page)


async def _any_account(work: Work, account_id: str) -> Account:
    """By id alone: for jobs, which act for whoever owns it. Raises AccountNotFound."""
    rows = await work.db.execute(
        sa.select(accounts).where(accounts.c.id == account_id, accounts.c.deleted_at.is_(None))
    )
    row = rows.one_or_none()
    if row is None:
        raise AccountNotFound(id=account_id)
    return account_in(row)


def _must_reconnect(account: Account, reason: str | None) -> ReconnectionRequired:
    return ReconnectionRequired(account_id=account.id, platform=account.platform, reason=reason)


def _ends_within(grant: Grant, seconds: float, now: datetime) -> bool:
    return grant.expires_at is not None and (grant.expires_at - now).total_seconds() < seconds


def _renews(found: Found) -> bool:
    return found.facts.auth.refresh != "none"
