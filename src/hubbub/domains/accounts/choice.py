"""Choosing among the pages a sign-in offers, when there are several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hubbub.domains.accounts.admission import admit
from hubbub.domains.accounts.rules import PENDING_LIFETIME
from hubbub.domains.accounts.store import Account, AccountStore, Attempt, OtherPage, SignInStore
from hubbub.domains.accounts.vault import Vault
from hubbub.domains.workspaces import service as workspaces
from hubbub.errors.resource import BrandNotFound
from hubbub.errors.validation import FieldInvalid, FieldRequired
from hubbub.kit import ids
from hubbub.runtime.work import Work
from hubbub.social.person import Place, SignedIn


@dataclass(frozen=True)
class Candidate:
    """A page that may be chosen, and who has it already."""

    place: Place
    is_free: bool
    brand_id: str | None = None
    brand_name: str | None = None
    account_id: str | None = None


@dataclass(frozen=True)
class Lost:
    """A page the account had and this sign-in no longer offers."""

    remote_id: str
    name: str
    brand_id: str | None
    brand_name: str | None


@dataclass(frozen=True)
class Waiting:
    """A sign-in that waits for somebody to choose."""

    id: str
    platform: str
    login_id: str
    candidates: list[Candidate]
    lost: list[Lost]
    expires_at: datetime


async def ask(work: Work, attempt: Attempt, signed_in: SignedIn) -> Waiting:
    """Keep a finished sign-in, encrypted, until somebody has chosen or half an hour has passed."""
    existing = await AccountStore(work).same_profile(
        attempt.platform, attempt.mode, signed_in.identity.remote_id
    )
    login_id = (existing.login_id if existing else None) or ids.new_ulid("cred_")
    attempt = replace(attempt, login_id=login_id)
    id, expires_at = ids.new_hex("pc_", 32), work.now + PENDING_LIFETIME
    sealed = Vault.of(work.runtime.settings).seal_sign_in(signed_in, id)
    await SignInStore(work).add_pending(id, attempt, sealed, expires_at)
    return await _waiting(work, id, attempt, signed_in, expires_at)


async def show(work: Work, id: str) -> Waiting:
    """Raises ResourceNotFound."""
    attempt, sealed, expires_at = await SignInStore(work).pending(id)
    signed_in = Vault.of(work.runtime.settings).open_sign_in(sealed, id)
    return await _waiting(work, id, attempt, signed_in, expires_at)


async def select(
    work: Work, id: str, page_ids: Sequence[str] | None, platform_account_id: str | None
) -> Account:
    """Connect the chosen pages, by the platform's ids; the first success uses the sign-in up.

    Raises ResourceNotFound, FieldRequired, FieldInvalid, and what `admit` raises.
    """
    store = SignInStore(work)
    attempt, sealed, _ = await store.pending(id, lock=True)
    signed_in = Vault.of(work.runtime.settings).open_sign_in(sealed, id)
    if page_ids:
        fields = {page_id: f"page_ids[{number}]" for number, page_id in enumerate(page_ids)}
    elif platform_account_id:
        fields = {platform_account_id: "platform_account_id"}
    else:
        raise FieldRequired(field="page_ids", platform=attempt.platform)
    offered = {one.place.remote_id: one for one in await _candidates(work, attempt, signed_in)}
    chosen = [_choose(offered, remote_id, field) for remote_id, field in fields.items()]
    account = await admit(work, attempt, signed_in, chosen)
    await store.use_pending(id)
    return account


def _choose(offered: dict[str, Candidate], remote_id: str, field: str) -> Place:
    candidate = offered.get(remote_id)
    if candidate is None:
        problem = "must be one of the pages that this sign-in offers; it is not."
        raise FieldInvalid(field=field, problem=problem, reason="unknown", allowed=list(offered))
    if not candidate.is_free:
        problem = "must be a page that no other brand has; another brand has this one."
        raise FieldInvalid(field=field, problem=problem, reason="taken")
    return candidate.place


async def _waiting(
    work: Work, id: str, attempt: Attempt, signed_in: SignedIn, expires_at: datetime
) -> Waiting:
    return Waiting(
        id=id,
        platform=attempt.platform,
        login_id=attempt.login_id or "",
        candidates=await _candidates(work, attempt, signed_in),
        lost=await _lost(work, attempt, signed_in),
        expires_at=expires_at,
    )


async def _candidates(work: Work, attempt: Attempt, signed_in: SignedIn) -> list[Candidate]:
    wanted = [place.remote_id for place in signed_in.places]
    others = await AccountStore(work).other_pages(attempt.platform, attempt.mode, wanted)
    return [
        await _candidate(work, signed_in, place, others.get(place.remote_id, []))
        for place in signed_in.places
    ]


async def _candidate(
    work: Work, signed_in: SignedIn, place: Place, holders: Sequence[OtherPage]
) -> Candidate:
    mine = next((page for page in holders if page.profile == signed_in.identity.remote_id), None)
    held = mine or next(iter(holders), None)
    if held is None:
        return Candidate(place, is_free=True)
    name = await _brand_name(work, held.brand_id)
    if name is None:
        return Candidate(place, is_free=mine is not None)
    return Candidate(place, mine is not None, held.brand_id, name, held.account_id)


async def _lost(work: Work, attempt: Attempt, signed_in: SignedIn) -> list[Lost]:
    store = AccountStore(work)
    existing = await store.same_profile(attempt.platform, attempt.mode, signed_in.identity.remote_id)
    if existing is None or existing.workspace_id != work.workspace_id:
        return []
    offered = {place.remote_id for place in signed_in.places}
    gone = [
        page
        for page in await store.pages(existing.id)
        if page.remote_id not in offered and (page.is_active or page.lost_at)
    ]
    name = await _brand_name(work, existing.brand_id) if gone else None
    return [Lost(page.remote_id, page.name, existing.brand_id, name) for page in gone]


async def _brand_name(work: Work, brand_id: str | None) -> str | None:
    """None for a brand this key does not see."""
    if brand_id is None:
        return None
    try:
        return (await workspaces.brand(work, brand_id)).name
    except BrandNotFound:
        return None
