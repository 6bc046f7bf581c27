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
from datetime import datetime
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hubbub.kit.secret import Secret
from hubbub.runtime.settings import Settings
from hubbub.social.person import Grant, Identity, Place, SignedIn

NONCE_BYTES = 12


class Unreadable(Exception):  # noqa: N818
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
        except InvalidTag:
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
            "identity": {**_plain(identity), "metadata": dict(identity.metadata)},
            "places": [{**_plain(p), "token": p.token.reveal() if p.token else None} for p in places],
        }
        return self.seal(value, row)

    def open_sign_in(self, sealed: Sealed, row: str) -> SignedIn:
        value = self.open(sealed, row)
        return SignedIn(
            grant=_grant_in(value["grant"]),
            identity=Identity(**value["identity"]),
            places=tuple(
                Place(**{**place, "token": Secret(place["token"]) if place["token"] else None})
                for place in value["places"]
            ),
        )


def _plain(thing: Identity | Place) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in thing.__dataclass_fields__}


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
