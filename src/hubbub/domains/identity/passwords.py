"""Signing up and in with an e-mail address and a password."""

from __future__ import annotations

import math
from datetime import datetime
from functools import cache
from uuid import UUID

from anyio import to_thread
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from hubbub.domains.identity import rules, service, store
from hubbub.domains.identity.service import BUILT_IN, Token
from hubbub.errors.auth import InvalidSecret, NotAuthenticated
from hubbub.errors.resource import Conflict
from hubbub.errors.system import RateLimitExceeded
from hubbub.errors.validation import FieldInvalid
from hubbub.kit import clock, ids
from hubbub.kit.secret import Secret
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import Identity

_hashes = PasswordHash((Argon2Hasher(),))


@cache
def _nobodys() -> str:
    """Checked for addresses nobody has, so that they take as long as others."""
    return _hashes.hash("nobody has this password")


async def sign_up(runtime: Runtime, email: str, password: Secret, api_key: str | None) -> Token:
    """Make a person. With the key of a workspace nobody owns yet, it becomes theirs at once.

    Raises NotAuthenticated when the settings want a key or allow nobody, InvalidKey, and Conflict when the
    address is taken or the workspace has its owner.
    """
    allowed = runtime.settings.sign_up
    if allowed == "closed" or (allowed == "owners" and api_key is None):
        raise NotAuthenticated()
    if api_key is not None:
        await service.owned_workspace(runtime, api_key)
    email, person_id = rules.normal(email), ids.new_uuid()
    if "@" not in email:
        raise FieldInvalid(field="email", problem="must be an e-mail address; it is not.", reason="format")
    hashed = await to_thread.run_sync(_hashes.hash, password.reveal())
    async with runtime.database.begin() as db:
        if not await store.add_person(db, person_id, email, hashed, clock.now()):
            raise Conflict(resource="person", reason="email_taken")
    if api_key is not None:
        try:
            await service.provision(runtime, Identity(BUILT_IN, str(person_id), email), api_key)
        except Conflict:
            async with runtime.database.begin() as db:
                await store.remove_person(db, person_id)
            raise
    return await service.issue_dashboard_token(runtime, person_id, email)


async def sign_in(runtime: Runtime, email: str, password: Secret) -> Token:
    """Raises InvalidSecret, the same for an address nobody has, and RateLimitExceeded after too many wrong guesses."""
    email = rules.normal(email)
    person = await _checked(runtime, email, password)
    return await service.issue_dashboard_token(runtime, person, email)


async def change_password(runtime: Runtime, who: Identity, old: Secret, new: Secret) -> None:
    """Tokens from before stop working. Raises NotAuthenticated for people of another sign-in service; as `sign_in`."""
    person_id = ids.as_uuid(who.subject)
    if who.issuer != BUILT_IN or person_id is None or who.email is None:
        raise NotAuthenticated()
    await _checked(runtime, who.email, old)
    hashed = await to_thread.run_sync(_hashes.hash, new.reveal())
    async with runtime.database.begin() as db:
        await store.change_person(db, person_id, password_hash=hashed, password_changed_at=clock.now())


async def _checked(runtime: Runtime, email: str, password: Secret) -> UUID:
    """Counted before it is checked, so that guesses sent at once are not free."""
    async with runtime.database.begin() as db:
        await _admit(db, email, clock.now())
        person = await store.person_by_email(db, email)
    right = await to_thread.run_sync(_matches, password, person["password_hash"] if person else None)
    if person is None or not right:
        raise InvalidSecret()
    async with runtime.database.begin() as db:
        await store.forgive(db, email)
    return person["id"]


def _matches(password: Secret, stored: str | None) -> bool:
    return _hashes.verify(password.reveal(), stored or _nobodys())


async def _admit(db: store.Connection, email: str, now: datetime) -> None:
    row = await store.attempt(db, email, now)
    until = row["locked_until"]
    if until is not None and until > now:
        seconds = math.ceil((until - now).total_seconds())
        raise RateLimitExceeded(limit=rules.FREE_FAILURES, retry_after_seconds=seconds)
    count = row["attempts"] + 1
    await store.count_attempt(db, email, count, now, rules.lock(count, now))
