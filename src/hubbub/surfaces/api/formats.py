"""Which envelope a caller gets refusals in."""

from __future__ import annotations

from typing import Any

from hubbub.surfaces.api.envelope import Envelope, native
from hubbub.surfaces.dialects.flat.envelope import flat

HEADER = b"x-error-format"
ENVELOPES: dict[str, Envelope] = {"native": native, "flat": flat}


def envelope_of(scope: dict[str, Any]) -> Envelope:
    """The one the request asks for, else the one its key is set to, else the native one."""
    asked = next((value for name, value in scope["headers"] if name == HEADER), b"").decode("latin-1")
    wanted = asked.strip().lower()
    return ENVELOPES.get(wanted if wanted in ENVELOPES else scope.get("hubbub.error_format", ""), native)
