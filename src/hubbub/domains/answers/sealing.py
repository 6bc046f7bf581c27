"""Bodies of kept answers as they are stored: some hold a secret that is shown once, such as a new key."""

from __future__ import annotations

import secrets

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hubbub.runtime.settings import Settings

NONCE_BYTES = 12


def seal(settings: Settings, id: bytes, body: bytes) -> bytes:
    """Readable only with the encryption key, and only under the id it was kept under."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + _cipher(settings).encrypt(nonce, body, id)


def unseal(settings: Settings, id: bytes, sealed: bytes) -> bytes:
    """Raises cryptography's InvalidTag for what was sealed with another key or under another id."""
    return _cipher(settings).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], id)


def _cipher(settings: Settings) -> AESGCM:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"hubbub kept answers")
    return AESGCM(derived.derive(settings.key_bytes()))
