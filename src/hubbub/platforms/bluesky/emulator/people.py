"""Who lives here: handles, DIDs and the documents that say where somebody's repository is.

https://atproto.com/specs/did, https://web.plc.directory/
"""

from __future__ import annotations

import base64
import hashlib
import re
from urllib.parse import urlsplit

from hubbub.emulation.emulator import Thing, World

HANDLE_DOMAIN = ".test"
PASSWORD = "sandbox"  # noqa: S105 - the point of a sandbox is that everybody knows it


def identity_of(person: Thing) -> Thing:
    """What a new person needs here. A username with a dot is a handle already; a `password` may be given."""
    username = person["username"].lower()
    plain = re.sub(r"[^a-z0-9-]+", "-", username).strip("-") or "somebody"
    handle = username if "." in username else plain + HANDLE_DOMAIN
    digits = base64.b32encode(hashlib.sha256(handle.encode()).digest()).decode().lower()
    return {
        "did": f"did:plc:{digits[:24]}",
        "handle": handle,
        "email": person.get("email", f"{plain}@example.com"),
        "password": person.get("password", PASSWORD),
    }


def find(world: World, identifier: str) -> Thing | None:
    """By DID or handle."""
    if identifier.startswith("did:"):
        return world.one("people", did=identifier)
    return world.one("people", handle=identifier.lower())


def find_for_sign_in(world: World, identifier: str) -> Thing | None:
    """By DID, handle, e-mail address, or (only in this sandbox) the bare username."""
    email = world.one("people", email=identifier.lower()) if "@" in identifier else None
    return email or find(world, identifier) or world.one("people", username=identifier)


def document(person: Thing, base_url: str) -> Thing:
    """A person's DID document; `#atproto_pds` is this stand-in."""
    did = person["did"]
    key = {"id": f"{did}#atproto", "type": "Multikey", "controller": did, "publicKeyMultibase": _key(did)}
    pds = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": base_url}
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "alsoKnownAs": [f"at://{person['handle']}"],
        "verificationMethod": [key],
        "service": [pds],
    }


def server_did(base_url: str) -> str:
    """The stand-in's own DID: did:web of its address, a port and a path included."""
    parts = urlsplit(base_url)
    return ":".join(["did:web", parts.netloc.replace(":", "%3A"), *parts.path.strip("/").split("/")])


def _key(did: str) -> str:
    return "zQ3sh" + base64.b32encode(hashlib.sha256(did.encode()).digest()).decode().lower()[:43]
