"""Make, change and revoke API keys, and recognise them."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from hubbub.domains.keys import scopes as known
from hubbub.domains.keys import store
from hubbub.domains.keys.store import KeyStore
from hubbub.domains.workspaces import service as workspaces
from hubbub.errors import Refusal, Refused
from hubbub.errors.resource import ResourceNotFound
from hubbub.errors.validation import BrandInvalid, FieldInvalid, ScopeInvalid
from hubbub.kit import clock, ids
from hubbub.kit.secret import Secret
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import Caller, Mode, Work

PREFIX = "sapi_key_"
SECRET_LENGTH = 62
FORM = re.compile(rf"{PREFIX}[0-9a-f]{{{SECRET_LENGTH}}}")
USED_EVERY = timedelta(minutes=1)
"""How exact `last_used_at` is."""


ErrorFormat = Literal["native", "flat"]
"""The envelope a key gets refusals in."""


@dataclass(frozen=True)
class Key:
    id: UUID
    name: str
    preview: str
    mode: Mode
    scopes: list[str]
    brand_ids: list[str]
    error_format: ErrorFormat
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None

    @property
    def is_active(self) -> bool:
        return self.revoked_at is None


@dataclass(frozen=True)
class NewKey:
    """A key together with its secret, which nobody can read again."""

    key: Key
    raw_key: Secret


async def create(
    work: Work,
    name: str,
    scopes: Sequence[str] = (),
    brand_ids: Sequence[str] = (),
    mode: Mode | None = None,
    error_format: ErrorFormat = "native",
) -> NewKey:
    """Make a key; `mode` is the caller's own unless given.

    Raises Refused with ScopeInvalid, BrandInvalid, and FieldInvalid where a sandbox key asks for a live one.
    """
    await _check(work, scopes, brand_ids, mode)
    raw, stored = _new_secret()
    key = Key(
        id=ids.new_uuid(),
        name=name,
        preview=_preview(raw),
        mode=mode or work.mode,
        scopes=list(dict.fromkeys(scopes)),
        brand_ids=list(dict.fromkeys(brand_ids)),
        error_format=error_format,
        created_at=work.now,
        last_used_at=None,
        revoked_at=None,
    )
    await KeyStore(work).add(
        {**key.__dict__, "secret_sha256": stored["secret_sha256"], "updated_at": work.now}
    )
    return NewKey(key, raw)


async def all_keys(work: Work) -> list[Key]:
    """Newest first, the revoked ones too."""
    return [_key(row) for row in await KeyStore(work).all()]


async def change(
    work: Work,
    id: str,
    name: str | None = None,
    scopes: Sequence[str] | None = None,
    brand_ids: Sequence[str] | None = None,
    error_format: ErrorFormat | None = None,
) -> Key:
    """Replace what is given; None leaves it. Raises ResourceNotFound, and Refused as `create` does."""
    key = await _active(work, id)
    await _check(work, scopes or (), brand_ids or (), None)
    given = {
        "name": name,
        "scopes": None if scopes is None else list(dict.fromkeys(scopes)),
        "brand_ids": None if brand_ids is None else list(dict.fromkeys(brand_ids)),
        "error_format": error_format,
    }
    return _key(
        await KeyStore(work).change(
            key.id, {field: value for field, value in given.items() if value is not None}
        )
    )


async def rotate(work: Work, id: str) -> NewKey:
    """Give a key another secret; the old one stops working with the commit. Raises ResourceNotFound."""
    key = await _active(work, id)
    raw, stored = _new_secret()
    return NewKey(_key(await KeyStore(work).change(key.id, {**stored, "preview": _preview(raw)})), raw)


async def revoke(work: Work, id: str) -> None:
    """End a key for good. Revoking again changes nothing. Raises ResourceNotFound."""
    key = await _any(work, id)
    if key.is_active:
        await KeyStore(work).change(key.id, {"revoked_at": work.now})


async def create_first(
    runtime: Runtime, name: str = "First key", workspace: str = "My workspace", email: str = "owner@localhost"
) -> NewKey | None:
    """Make a workspace, its owner and a key without restrictions in an empty installation.

    None when there is a workspace already: the secret of its first key cannot be shown again. May be called by
    several processes at once; one of them makes it.
    """
    async with runtime.database.begin() as connection:
        made = await workspaces.create_first(connection, workspace, email)
        if made is None:
            return None
        return await create(Work(connection, runtime, Caller(workspace_id=made.id)), name)


async def caller_of(runtime: Runtime, token: str) -> Caller | None:
    """Whom this key speaks for; None when it is malformed, unknown, rotated away or revoked.

    Asks the database every time, so that a revoked key is refused from the next request on.
    """
    if not FORM.fullmatch(token):
        return None
    digest = _digest(token)
    async with runtime.database.begin() as connection:
        row = await store.active(connection, digest)
    if row is None or not hmac.compare_digest(row["secret_sha256"], digest):
        return None
    now = clock.now()
    if row["last_used_at"] is None or row["last_used_at"] < now - USED_EVERY:
        async with runtime.database.begin() as connection:
            await store.mark_used(connection, row["id"], now, USED_EVERY)
    return Caller(
        workspace_id=row["workspace_id"],
        key_id=row["id"],
        mode=row["mode"],
        scopes=tuple(row["scopes"]),
        brand_ids=tuple(row["brand_ids"]),
        error_format=row["error_format"],
    )


async def _check(work: Work, scopes: Sequence[str], brand_ids: Sequence[str], mode: Mode | None) -> None:
    wrong: list[Refusal] = []
    if unknown := [name for name in scopes if name not in known.NAMES]:
        wrong.append(ScopeInvalid(unknown=unknown))
    if foreign := await workspaces.unknown_brands(work, brand_ids):
        wrong.append(BrandInvalid(unknown=foreign))
    if mode == "live" and work.mode == "sandbox":
        problem = "must be sandbox: a sandbox key cannot make a live one."
        wrong.append(FieldInvalid(field="mode", problem=problem, reason="not_allowed", allowed=["sandbox"]))
    if wrong:
        raise Refused(wrong)


async def _any(work: Work, id: str) -> Key:
    known_id = ids.as_uuid(id)
    row = await KeyStore(work).get(known_id) if known_id else None
    if row is None:
        raise ResourceNotFound(resource="key", id=id)
    return _key(row)


async def _active(work: Work, id: str) -> Key:
    key = await _any(work, id)
    if not key.is_active:
        raise ResourceNotFound(resource="key", id=id)
    return key


def _new_secret() -> tuple[Secret, dict[str, Any]]:
    raw = ids.new_hex(PREFIX, SECRET_LENGTH)
    return Secret(raw), {"secret_sha256": _digest(raw)}


def _digest(raw: str) -> bytes:
    # A fast hash is right here: the secret is 248 random bits, so there is nothing to guess.
    return hashlib.sha256(raw.encode()).digest()


def _preview(raw: Secret) -> str:
    return raw.reveal()[: len(PREFIX) + 5] + "..."


def _key(row: store.Row) -> Key:
    return Key(**{name: row[name] for name in Key.__dataclass_fields__})
