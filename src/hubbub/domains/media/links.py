"""Signed addresses: whoever holds one may read or write the content of one file until it expires."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hubbub.errors.system import HttpError
from hubbub.runtime.settings import Settings

Purpose = Literal["GET", "PUT"]


class Links:
    """Makes and checks addresses. Raises ValueError when there is no encryption key to derive ours from."""

    def __init__(self, settings: Settings) -> None:
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"hubbub media links")
        self._key = derived.derive(settings.key_bytes())

    def address(
        self,
        base_url: str,
        purpose: Purpose,
        media_id: UUID,
        declared_type: str,
        now: datetime,
        seconds: float,
    ) -> tuple[str, datetime]:
        """The address, and the moment it stops working (whole seconds)."""
        expires_at = (now + timedelta(seconds=seconds)).replace(microsecond=0)
        expires = str(int(expires_at.timestamp()))
        signature = self._sign(purpose, media_id, expires, declared_type)
        path = f"/v1/media/{media_id}/content?expires={expires}&signature={signature}"
        return base_url.rstrip("/") + path, expires_at

    def check(
        self,
        purpose: Purpose,
        media_id: UUID,
        declared_type: str,
        expires: str,
        signature: str,
        now: datetime,
    ) -> None:
        """Raises HttpError (403) unless we signed exactly this and it has not expired."""
        right = self._sign(purpose, media_id, expires, declared_type)
        if not hmac.compare_digest(right.encode(), signature.encode("utf-8", "replace")):
            raise refused()
        if not re.fullmatch("[0-9]{1,12}", expires) or int(expires) < now.timestamp():
            raise HttpError(
                status_code=403,
                problem="A signed address works until it expires; this one has. Ask for another.",
            )

    def _sign(self, purpose: Purpose, media_id: UUID, expires: str, declared_type: str) -> str:
        said = "\n".join((purpose, str(media_id), expires, declared_type))
        return hmac.new(self._key, said.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def refused() -> HttpError:
    """The answer to a signature that is not ours; the same whether or not there is such a file."""
    return HttpError(
        status_code=403,
        problem="A signed address must be used exactly as it was given; this signature does not fit.",
    )
