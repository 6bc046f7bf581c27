"""The vault: the only file that encrypts and decrypts what platforms gave us.

AES-256-GCM with a random 96-bit nonce in front of the ciphertext; the id of the row it belongs to is the
associated data, so a ciphertext copied to another row does not open
(https://csrc.nist.gov/pubs/sp/800/38/d/final).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.dialects.postgresql import insert

from hubbub.domains.accounts.tables import account_pages, account_revocations, account_secrets
from hubbub.kit import clock
from hubbub.kit.secret import Secret
from hubbub.runtime.settings import Settings
from hubbub.runtime.statements import Ready
from hubbub.runtime.work import Work
from hubbub.social.person import Grant, Identity, Place, SignedIn

NONCE_BYTES = 12


class Unreadable(Exception):
    """A ciphertext that this key, or this row, does not open. The message names the row, nothing else."""


@dataclass(frozen=True)
class Sealed:
    """A ciphertext, and which key opens it."""

    key_id: str
    ciphertext: bytes

    def __repr__(self) -> str:
        return f"Sealed(key_id={self.key_id})"


class Vault:
    """One encryption key. `row` is always the id of the row that holds the ciphertext."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self.key_id = hashlib.sha256(b"hubbub vault key" + key).hexdigest()[:12]

    @classmethod
    def of(cls, settings: Settings) -> Vault:
        """Raises ValueError when no key is set."""
        return cls(settings.key_bytes())

    def seal(self, value: Any, row: str) -> Sealed:
        nonce = os.urandom(NONCE_BYTES)
        plain = msgspec.json.encode(value)
        return Sealed(self.key_id, nonce + self._cipher.encrypt(nonce, plain, row.encode()))

    def open(self, sealed: Sealed, row: str) -> Any:
        """Raises Unreadable."""
        if sealed.key_id != self.key_id:
            raise Unreadable(f"{row} was encrypted with another HUBBUB_ENCRYPTION_KEY ({sealed.key_id})")
        nonce, ciphertext = sealed.ciphertext[:NONCE_BYTES], sealed.ciphertext[NONCE_BYTES:]
        try:
            return msgspec.json.decode(self._cipher.decrypt(nonce, ciphertext, row.encode()))
        except (InvalidTag, ValueError):
            raise Unreadable(f"what is stored for {row} was altered or belongs to another row") from None

    def seal_grant(self, grant: Grant, row: str) -> Sealed:
        return self.seal(_grant_out(grant), row)

    def open_grant(self, sealed: Sealed, row: str) -> Grant:
        return _grant_in(self.open(sealed, row))

    def seal_text(self, text: Secret, row: str) -> Sealed:
        return self.seal(text.reveal(), row)

    def open_text(self, sealed: Sealed, row: str) -> Secret:
        return Secret(self.open(sealed, row))

    def seal_sign_in(self, signed_in: SignedIn, row: str) -> Sealed:
        """Everything a finished sign-in brought, while the person chooses."""
        identity, places = signed_in.identity, signed_in.places
        value = {
            "grant": _grant_out(signed_in.grant),
            "identity": {**vars(identity), "metadata": dict(identity.metadata)},
            "places": [{**vars(p), "token": p.token.reveal() if p.token else None} for p in places],
        }
        return self.seal(value, row)

    def open_sign_in(self, sealed: Sealed, row: str) -> SignedIn:
        value = self.open(sealed, row)
        return SignedIn(
            grant=_grant_in(value["grant"]),
            identity=Identity(**value["identity"]),
            places=tuple(_place_in(place) for place in value["places"]),
        )


def _place_in(value: dict[str, Any]) -> Place:
    token = value.pop("token")
    return Place(**value, token=Secret(token) if token else None)


def _grant_out(grant: Grant) -> dict[str, Any]:
    return {
        "access_token": grant.access_token.reveal(),
        "refresh_token": grant.refresh_token.reveal() if grant.refresh_token else None,
        "expires_at": grant.expires_at.isoformat() if grant.expires_at else None,
        "scopes": list(grant.scopes),
        "extra": dict(grant.extra),
    }


def _grant_in(value: Mapping[str, Any]) -> Grant:
    refresh, expires_at = value["refresh_token"], value["expires_at"]
    return Grant(
        access_token=Secret(value["access_token"]),
        refresh_token=Secret(refresh) if refresh else None,
        expires_at=datetime.fromisoformat(expires_at) if expires_at else None,
        scopes=tuple(value["scopes"]),
        extra=value["extra"],
    )


@dataclass(frozen=True)
class Held:
    """A grant as it is stored. `version` counts how often it was replaced."""

    version: int
    grant: Grant


async def keep(work: Work, account_id: str, grant: Grant) -> None:
    """Store the grant of a sign-in, instead of any that was there."""
    sealed = Vault.of(work.runtime.settings).seal_grant(grant, account_id)
    values = _columns(sealed, grant)
    await work.db.execute(
        insert(account_secrets)
        .values(account_id=account_id, version=1, **values)
        .on_conflict_do_update(
            index_elements=[account_secrets.c.account_id],
            set_={**values, "version": account_secrets.c.version + 1, "renewing_until": None},
        )
    )


_HELD = Ready(sa.select(account_secrets).where(account_secrets.c.account_id == sa.bindparam("account")))


async def held(work: Work, account_id: str) -> Held | None:
    """Raises Unreadable."""
    row = (await work.db.execute(_HELD, {"account": account_id})).one_or_none()
    if row is None:
        return None
    sealed = Sealed(row.key_id, row.ciphertext)
    return Held(row.version, Vault.of(work.runtime.settings).open_grant(sealed, account_id))


async def claim(work: Work, account_id: str, version: int, seconds: float) -> bool:
    """Take the right to renew this version, for so many seconds; False when somebody has it already."""
    now = sa.func.clock_timestamp()
    claimed = await work.db.execute(
        sa.update(account_secrets)
        .where(
            account_secrets.c.account_id == account_id,
            account_secrets.c.version == version,
            sa.or_(account_secrets.c.renewing_until.is_(None), account_secrets.c.renewing_until < now),
        )
        .values(renewing_until=now + timedelta(seconds=seconds))
    )
    return claimed.rowcount == 1


async def release(work: Work, account_id: str, version: int) -> None:
    """Give the right to renew back, unused."""
    await work.db.execute(
        sa.update(account_secrets)
        .where(account_secrets.c.account_id == account_id, account_secrets.c.version == version)
        .values(renewing_until=None)
    )


async def rotate(work: Work, account_id: str, version: int, grant: Grant) -> bool:
    """Put a renewed grant in the place of this version; False when that version is no longer there."""
    sealed = Vault.of(work.runtime.settings).seal_grant(grant, account_id)
    rotated = await work.db.execute(
        sa.update(account_secrets)
        .where(account_secrets.c.account_id == account_id, account_secrets.c.version == version)
        .values(version=version + 1, renewing_until=None, **_columns(sealed, grant))
    )
    return rotated.rowcount == 1


async def erase(work: Work, account_id: str, *, hand_back: bool) -> None:
    """Remove everything secret about an account; `hand_back` keeps the grant until it has been revoked."""
    if hand_back:
        kept = sa.select(
            account_secrets.c.account_id,
            account_secrets.c.key_id,
            account_secrets.c.ciphertext,
            sa.literal(work.now),
        ).where(account_secrets.c.account_id == account_id)
        columns = ["account_id", "key_id", "ciphertext", "created_at"]
        await work.db.execute(insert(account_revocations).from_select(columns, kept).on_conflict_do_nothing())
    await work.db.execute(sa.delete(account_secrets).where(account_secrets.c.account_id == account_id))
    await work.db.execute(
        sa.update(account_pages)
        .where(account_pages.c.account_id == account_id)
        .values(key_id=None, ciphertext=None)
    )


async def to_hand_back(work: Work, account_id: str) -> Grant | None:
    """The grant of a deleted account that the platform has yet to be told about. Raises Unreadable."""
    rows = await work.db.execute(
        sa.select(account_revocations).where(account_revocations.c.account_id == account_id)
    )
    row = rows.one_or_none()
    if row is None:
        return None
    return Vault.of(work.runtime.settings).open_grant(Sealed(row.key_id, row.ciphertext), account_id)


async def handed_back(work: Work, account_id: str) -> None:
    """Forget the grant of a deleted account for good."""
    await work.db.execute(
        sa.delete(account_revocations).where(account_revocations.c.account_id == account_id)
    )


def _columns(sealed: Sealed, grant: Grant) -> dict[str, Any]:
    return {
        "key_id": sealed.key_id,
        "ciphertext": sealed.ciphertext,
        "expires_at": grant.expires_at,
        "updated_at": clock.now(),
    }
