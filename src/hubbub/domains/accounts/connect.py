"""Connecting and disconnecting: from the first request, over a consent page or a password, to an account."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hubbub.connector.promises import Revokes, SignsInByConsent, SignsInWithFields
from hubbub.connector.refusals import LostAnswer, NotSent, RemoteRefusal
from hubbub.connector.registry import Found
from hubbub.domains.accounts import admission, choice, jobs, rules, service, vault
from hubbub.domains.accounts import events as happened
from hubbub.domains.accounts.choice import Waiting
from hubbub.domains.accounts.store import Account, AccountStore, Attempt, SignInStore
from hubbub.domains.accounts.vault import Sealed, Vault
from hubbub.domains.events import service as events
from hubbub.domains.workspaces import service as workspaces
from hubbub.errors import Refusal, Refused
from hubbub.errors.account import ScopesMissing, UnsupportedPlatform
from hubbub.errors.auth import StateMismatch
from hubbub.errors.byok import CredentialsMissing
from hubbub.errors.peculiarities import NoPages
from hubbub.errors.resource import NotSupported
from hubbub.errors.validation import FieldInvalid, FieldRequired
from hubbub.kit import ids
from hubbub.kit.secret import Secret
from hubbub.runtime import durable
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import EVERYBODY, Caller, Mode, Work, open_work
from hubbub.social.person import SignedIn

Failure = (Refusal, Refused, RemoteRefusal, NotSent, LostAnswer)


@dataclass(frozen=True)
class Wish:
    """What somebody wants connected, unchecked."""

    platform: str | None
    brand_id: str | None = None
    account_id: str | None = None
    redirect_uri: str | None = None
    state: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Consent:
    """Send the person here."""

    url: str
    state: str


@dataclass(frozen=True)
class Returned:
    """How a sign-in ended that came back through our own callback."""

    redirect_uri: str | None
    parameters: Mapping[str, str]
    """As the contract's 6.1 names them, `status` first."""


async def connect(runtime: Runtime, caller: Caller, wish: Wish, base_url: str) -> Consent | Account | Waiting:
    """Begin: a consent page to visit, or, where a person types credentials, the account at once.

    Raises FieldRequired, FieldInvalid, UnsupportedPlatform, BrandNotFound, CredentialsMissing, the platform's
    refusal of the credentials, and what `admission` raises.
    """
    found, attempt = await _attempt(runtime, caller, wish, base_url)
    if found.facts.auth.kind == "oauth2":
        return await _ask_consent(runtime, caller, attempt)
    typed = rules.typed_in(found.facts, wish.metadata)
    connector = service.build_anonymous(runtime, attempt.platform, attempt.mode, attempt.login)
    if not isinstance(connector, SignsInWithFields):
        raise NotSupported(platform=attempt.platform, operation="connecting with typed credentials")
    with service.understood("signing in"):
        signed_in = await connector.sign_in(typed)
    return await _finish(runtime, caller, attempt, signed_in)


async def consent(runtime: Runtime, caller: Caller, wish: Wish, base_url: str) -> Consent:
    """The consent page to connect something, or with `account_id` to reconnect it.

    Raises as `connect`, AccountNotFound, and NotSupported where there is no such page.
    """
    found, attempt = await _attempt(runtime, caller, wish, base_url)
    if found.facts.auth.kind != "oauth2":
        raise NotSupported(platform=attempt.platform, operation="a consent page")
    return await _ask_consent(runtime, caller, attempt)


async def exchange(
    runtime: Runtime, caller: Caller, platform: str | None, code: str, state: str, redirect_uri: str | None
) -> Account | Waiting:
    """Finish with a code that the customer received.

    `redirect_uri` is where the platform sent the code, unless it is the address the attempt began with: then
    the platform had been told ours. Raises UnsupportedPlatform, StateMismatch, the platform's refusal of the
    code, ScopesMissing, NoPages, and what `admission` raises.
    """
    if platform is not None:
        _known(runtime, platform)
    async with open_work(runtime, caller) as work:
        taken = await SignInStore(work).take_state(state, platform)
    if taken is None:
        raise StateMismatch()
    _, attempt, sealed = taken
    if redirect_uri not in (None, attempt.redirect_uri):
        attempt = replace(attempt, callback_uri=redirect_uri)
    return await _redeem(runtime, caller, attempt, state, sealed, code)


async def returned(runtime: Runtime, platform: str, said: Mapping[str, str]) -> Returned | None:
    """Finish with what a platform sent to our own callback; None when the state is not one of ours any more."""
    async with open_work(runtime, Caller(EVERYBODY)) as work:
        taken = await SignInStore(work).take_state(said.get("state", ""), platform, of_anybody=True)
    if taken is None:
        return None
    caller, attempt, sealed = taken
    ending = {"platform": platform, "state": attempt.state or ""}
    code = said.get("code")
    if not code:
        error = said.get("error") or "invalid_request"
        description = said.get("error_description") or said.get("error_reason") or ""
        return _failed(attempt, error, description)
    try:
        result = await _redeem(runtime, caller, attempt, said["state"], sealed, code)
    except Failure as failure:
        return _failed(attempt, *_described(failure))
    if isinstance(result, Waiting):
        parameters = {"status": "selection_required", "connection_id": result.id, **ending}
    else:
        parameters = {"status": "success", **ending, "account_id": result.id}
    return Returned(attempt.redirect_uri, parameters)


async def disconnect(work: Work, account_id: str) -> None:
    """Gone from every list, its secrets erased; the platform is told afterwards. Raises AccountNotFound."""
    store = AccountStore(work)
    account = await store.get(account_id)
    await store.change(account_id, deleted_at=work.now)
    hand_back = issubclass(work.platforms[account.platform].connector, Revokes)
    await vault.erase(work, account_id, hand_back=hand_back)
    if hand_back:
        await durable.start(work, jobs.revoke_grant, account_id, key=account_id, platform=account.platform)
    await events.announce(work, happened.removed(account))


def _known(runtime: Runtime, platform: str) -> Found:
    found = runtime.platforms.get(platform)
    if found is None:
        raise UnsupportedPlatform(platform=platform, allowed=list(runtime.platforms))
    return found


async def _attempt(runtime: Runtime, caller: Caller, wish: Wish, base_url: str) -> tuple[Found, Attempt]:
    """Everything that was asked for, checked."""
    account: Account | None = None
    platform, brand_id = wish.platform, None
    redirect_uri = rules.return_address(wish.redirect_uri, "redirect_uri")
    state = rules.correlation(wish.state)
    async with open_work(runtime, caller) as work:
        if wish.account_id is not None:
            account = await AccountStore(work).get(wish.account_id)
            platform = platform or account.platform
        if not platform:
            raise FieldRequired(field="platform")
        found = _known(runtime, platform)
        if account is None:
            brand_id = await _brand(work, wish.brand_id)
    if account is not None and account.platform != platform:
        raise FieldInvalid(
            field="account_id",
            problem="must be an account of the platform; it is of another.",
            reason="unknown",
        )
    login = account.metadata.get("login") if account else rules.login(found.facts, wish.metadata)
    attempt = Attempt(
        platform=platform,
        mode=account.mode if account else _world(runtime, caller, found, login, wish.metadata),
        brand_id=brand_id,
        account_id=account.id if account else None,
        redirect_uri=redirect_uri,
        state=state,
        callback_uri=f"{base_url.rstrip('/')}/oauth/callback/{platform}",
        key_mode=caller.mode,
        key_brands=caller.brand_ids,
        login=login,
    )
    return found, attempt


async def _brand(work: Work, brand_id: str | None) -> str | None:
    if brand_id:
        return str((await workspaces.brand(work, brand_id)).id)
    if work.caller.brand_ids:
        raise FieldRequired(field="brand_id")
    return None


def _world(
    runtime: Runtime, caller: Caller, found: Found, login: str | None, metadata: Mapping[str, Any]
) -> Mode:
    """Live, or the sandbox: for a sandbox key, when it is asked for, or for want of app credentials."""
    settings = runtime.settings
    if caller.mode == "sandbox":
        return "sandbox"
    if metadata.get("sandbox") is True:
        if settings.sandbox_url is None:
            problem = "can be true while the sandbox is on; it is off."
            raise FieldInvalid(field="metadata.sandbox", problem=problem, reason="unknown")
        return "sandbox"
    if (
        found.facts.auth.kind != "oauth2"
        or service.app_of(runtime, found.facts.name, login, "live").client_id
    ):
        return "live"
    if settings.sandbox_url is None:
        raise CredentialsMissing(platform=found.facts.name)
    return "sandbox"


async def _ask_consent(runtime: Runtime, caller: Caller, attempt: Attempt) -> Consent:
    connector = service.build_anonymous(runtime, attempt.platform, attempt.mode, attempt.login)
    if not isinstance(connector, SignsInByConsent):
        raise NotSupported(platform=attempt.platform, operation="a consent page")
    state, verifier = ids.new_hex("", 32), secrets.token_urlsafe(48)
    sealed = Vault.of(runtime.settings).seal_text(Secret(verifier), state)
    async with open_work(runtime, caller) as work:
        await SignInStore(work).add_state(state, attempt, sealed, work.now + rules.STATE_LIFETIME)
    return Consent(connector.consent_url(attempt.callback_uri, state, verifier), state)


async def _redeem(
    runtime: Runtime, caller: Caller, attempt: Attempt, state: str, sealed: Sealed, code: str
) -> Account | Waiting:
    verifier = Vault.of(runtime.settings).open_text(sealed, state)
    connector = service.build_anonymous(runtime, attempt.platform, attempt.mode, attempt.login)
    if not isinstance(connector, SignsInByConsent):
        raise NotSupported(platform=attempt.platform, operation="a consent page")
    with service.understood("exchanging the code"):
        signed_in = await connector.exchange(code, attempt.callback_uri, verifier.reveal())
    return await _finish(runtime, caller, attempt, signed_in)


async def _finish(
    runtime: Runtime, caller: Caller, attempt: Attempt, signed_in: SignedIn
) -> Account | Waiting:
    """The sign-in worked: an account, or a choice to be made."""
    facts = runtime.platforms[attempt.platform].facts.for_account({"login": attempt.login})
    missing = rules.missing_scopes(facts, signed_in.grant.scopes)
    if missing:
        raise ScopesMissing(platform=attempt.platform, scopes=missing, account_id=attempt.account_id)
    if facts.places is not None and not signed_in.places:
        raise NoPages(platform=attempt.platform, account_id=attempt.account_id)
    async with open_work(runtime, caller) as work:
        chosen = await admission.obvious(work, attempt, signed_in)
        if chosen is None:
            return await choice.ask(work, attempt, signed_in)
        return await admission.admit(work, attempt, signed_in, chosen)


def _failed(attempt: Attempt, error: str, description: str) -> Returned:
    parameters = {
        "status": "error",
        "error": error[:200],
        "error_description": description[:500],
        "platform": attempt.platform,
        "state": attempt.state or "",
    }
    return Returned(attempt.redirect_uri, parameters)


def _described(failure: BaseException) -> tuple[str, str]:
    """A code and a sentence for the address bar."""
    match failure:
        case Refusal():
            return failure.wire_code, failure.sentence
        case Refused():
            return failure.refusals[0].wire_code, failure.refusals[0].sentence
        case RemoteRefusal():
            return failure.refusal.wire_code, failure.refusal.sentence
        case _:
            return "platform_unreachable", "The platform did not answer; try again in a moment."
