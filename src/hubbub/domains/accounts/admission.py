"""Taking in a profile whose owner has signed in: whose it may be, where it belongs, which pages it brings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from hubbub.domains.accounts import events as happened
from hubbub.domains.accounts import service, vault
from hubbub.domains.accounts.store import Account, AccountStore, Attempt, PageRow
from hubbub.domains.accounts.vault import Vault
from hubbub.domains.events import service as events
from hubbub.domains.workspaces import service as workspaces
from hubbub.errors.account import AccountNotFound, AlreadyLinked, DifferentLogin, ReconnectedAsAnother
from hubbub.errors.validation import FieldRequired
from hubbub.kit import ids
from hubbub.runtime.work import Work
from hubbub.social.person import Identity, Place, SignedIn


async def holder(work: Work, attempt: Attempt, identity: Identity) -> Account | None:
    """The account this profile already is, if any; nobody else connects the profile meanwhile.

    Raises AlreadyLinked (somebody else's, or in a brand the key may not use), ReconnectedAsAnother,
    AccountNotFound (the one to reconnect is gone) and DifferentLogin.
    """
    store = AccountStore(work)
    existing = await store.same_profile(attempt.platform, attempt.mode, identity.remote_id)
    if attempt.account_id is not None and (existing is None or existing.id != attempt.account_id):
        expected = await store.get(attempt.account_id)
        raise ReconnectedAsAnother(
            account_id=expected.id,
            platform=attempt.platform,
            expected=expected.username or expected.name,
            actual=identity.username or identity.name,
        )
    if existing is not None:
        try:
            await store.get(existing.id)
        except AccountNotFound:
            raise AlreadyLinked(platform=attempt.platform) from None
        await _must_stay(work, attempt, existing)
    brand_id = attempt.brand_id or (existing.brand_id if existing else None)
    places = work.platforms[attempt.platform].facts.places
    if places is not None and brand_id is not None:
        another = await store.other_logins(attempt.platform, attempt.mode, UUID(brand_id), identity.remote_id)
        if another:
            raise DifferentLogin(platform=attempt.platform, brand_id=brand_id)
    return existing


async def _must_stay(work: Work, attempt: Attempt, existing: Account) -> None:
    """An account may move to another brand of the workspace, unless the workspace forbids it."""
    moves = attempt.brand_id is not None and attempt.brand_id != existing.brand_id
    if moves and (await workspaces.user(work)).lock_accounts_to_brand:
        raise AlreadyLinked(platform=attempt.platform, account_id=existing.id, brand_id=existing.brand_id)


async def obvious(work: Work, attempt: Attempt, signed_in: SignedIn) -> tuple[Place, ...] | None:
    """The places that need no choice; None when a person has to choose.

    A reconnected account keeps the pages it had. Raises what `holder` raises.
    """
    places, facts = signed_in.places, work.platforms[attempt.platform].facts.places
    existing = await holder(work, attempt, signed_in.identity)
    if facts is None:
        return ()
    if attempt.account_id is not None and existing is not None:
        had = {page.remote_id for page in await AccountStore(work).pages(existing.id)}
        if had & {place.remote_id for place in places}:
            return ()
    if len(places) == 1 or not facts.choose or work.runtime.settings.auto_select_pages:
        await _must_be_free(work, attempt, signed_in)
        return places
    return None


async def _must_be_free(work: Work, attempt: Attempt, signed_in: SignedIn) -> None:
    wanted = [place.remote_id for place in signed_in.places]
    others = await AccountStore(work).other_pages(attempt.platform, attempt.mode, wanted)
    for held in (page for pages in others.values() for page in pages):
        if held.profile != signed_in.identity.remote_id:
            raise AlreadyLinked(platform=attempt.platform, account_id=held.account_id, brand_id=held.brand_id)


async def admit(work: Work, attempt: Attempt, signed_in: SignedIn, chosen: Sequence[Place]) -> Account:
    """Store the account, its grant and the chosen pages, and say that it is connected.

    Raises what `holder` raises, BrandNotFound, and PageCap.
    """
    existing = await holder(work, attempt, signed_in.identity)
    brand_id = await _brand(work, attempt, existing, signed_in.identity)
    account = _account(work, attempt, signed_in.identity, existing, brand_id)
    store = AccountStore(work)
    if existing is None:
        await store.add(account)
    else:
        fresh = ("name", "username", "profile_picture_url", "bio", "metadata", "login_id")
        values = {name: getattr(account, name) for name in fresh}
        await store.change(
            account.id, brand_id=UUID(brand_id), status="active", reconnect_reason=None, **values
        )
    await vault.keep(work, account.id, signed_in.grant)
    await _keep_pages(work, account, signed_in.places, chosen)
    await service.stay_within_page_cap(work, account)
    owner = await workspaces.user(work)
    await events.announce(work, happened.connected(account, work.now, owner.email))
    if existing is not None:
        await events.announce(work, happened.reconnected(account))
    return account


async def _brand(work: Work, attempt: Attempt, existing: Account | None, identity: Identity) -> str:
    if attempt.brand_id is not None:
        return str((await workspaces.brand(work, attempt.brand_id)).id)
    if existing is not None and existing.brand_id is not None:
        return existing.brand_id
    if work.caller.brand_ids:
        raise FieldRequired(field="brand_id", platform=attempt.platform)
    name = identity.name or identity.username or attempt.platform
    return str((await workspaces.new_brand(work, name)).id)


def _account(
    work: Work, attempt: Attempt, identity: Identity, existing: Account | None, brand_id: str
) -> Account:
    has_places = work.platforms[attempt.platform].facts.places is not None
    login_id = (existing.login_id if existing else None) or attempt.login_id
    account = Account(
        id=existing.id if existing else ids.new_ulid("acc_"),
        workspace_id=work.workspace_id,
        platform=attempt.platform,
        remote_id=identity.remote_id,
        username=identity.username,
        name=identity.name or identity.username,
        status="active",
        brand_id=brand_id,
        mode=attempt.mode,
        metadata=dict(identity.metadata),
        login_id=login_id,
        profile_picture_url=identity.picture_url,
        bio=identity.bio,
    )
    return replace(account, login_id=login_id or ids.new_ulid("cred_")) if has_places else account


async def _keep_pages(
    work: Work, account: Account, offered: Sequence[Place], chosen: Sequence[Place]
) -> None:
    """Pages that were chosen are switched on; those known already are refreshed, those no longer offered lost."""
    store = AccountStore(work)
    known = {page.remote_id: page for page in await store.pages(account.id, lock=True)}
    wanted = {place.remote_id for place in chosen}
    for remote_id in known.keys() - {place.remote_id for place in offered}:
        page = known[remote_id]
        lost_at = work.now if page.is_active else page.lost_at
        await store.change_page(
            page.id, is_active=False, is_default=False, lost_at=lost_at, key_id=None, ciphertext=None
        )
    for place in offered:
        page = known.get(place.remote_id)
        if page is not None or place.remote_id in wanted:
            await _keep_page(work, account, place, page, switch_on=place.remote_id in wanted)
    active = [page for page in await store.pages(account.id) if page.is_active]
    if active and not any(page.is_default for page in active) and (wanted or len(active) == 1):
        first = next((page for page in active if page.remote_id in wanted), active[0])
        await store.change_page(first.id, is_default=True)


async def _keep_page(
    work: Work, account: Account, place: Place, page: PageRow | None, *, switch_on: bool
) -> None:
    store = AccountStore(work)
    page_id = page.id if page else ids.new_ulid("sapi_page_")
    sealed = Vault.of(work.runtime.settings).seal_text(place.token, page_id) if place.token else None
    values = {
        "name": place.name,
        "username": place.username,
        "category": place.category,
        "picture_url": place.picture_url,
        "link": place.link,
        "key_id": sealed.key_id if sealed else None,
        "ciphertext": sealed.ciphertext if sealed else None,
        "lost_at": None,
    }
    if page is None:
        await store.add_page(
            account.id, id=page_id, remote_id=place.remote_id, is_default=False, is_active=True, **values
        )
        return
    is_active = page.is_active or switch_on or page.lost_at is not None
    await store.change_page(page.id, is_active=is_active, **values)
