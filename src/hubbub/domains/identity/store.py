"""Every query about people, their identities and the keys that sign. None belongs to one caller's workspace."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from hubbub.domains.identity.tables import identities, people, sign_in_attempts, signing_keys
from hubbub.runtime.statements import Connection

Row = sa.RowMapping
_SIGNING_LOCK = 4_820_267_113_905_503


async def attempt(db: Connection, email: str, now: datetime) -> Row:
    """What was tried at this address before; locked until the transaction ends. Old attempts are forgotten."""
    await db.execute(sa.delete(sign_in_attempts).where(sign_in_attempts.c.last_at < now - timedelta(days=1)))
    await db.execute(
        insert(sign_in_attempts).values(email=email, attempts=0, last_at=now).on_conflict_do_nothing()
    )
    wanted = sa.select(sign_in_attempts).where(sign_in_attempts.c.email == email).with_for_update()
    return (await db.execute(wanted)).mappings().one()


async def count_attempt(
    db: Connection, email: str, attempts: int, now: datetime, locked_until: datetime | None
) -> None:
    await db.execute(
        sa.update(sign_in_attempts)
        .where(sign_in_attempts.c.email == email)
        .values(attempts=attempts, last_at=now, locked_until=locked_until)
    )


async def forgive(db: Connection, email: str) -> None:
    await db.execute(sa.delete(sign_in_attempts).where(sign_in_attempts.c.email == email))


async def remove_person(db: Connection, id: UUID) -> None:
    await db.execute(sa.delete(people).where(people.c.id == id))


async def person_by_email(db: Connection, email: str) -> Row | None:
    wanted = sa.select(people).where(people.c.email == email)
    return (await db.execute(wanted)).mappings().one_or_none()


async def person(db: Connection, id: UUID) -> Row | None:
    wanted = sa.select(people).where(people.c.id == id)
    return (await db.execute(wanted)).mappings().one_or_none()


async def add_person(db: Connection, id: UUID, email: str, password_hash: str, now: datetime) -> bool:
    """False when the address is taken."""
    added = await db.execute(
        insert(people)
        .values(id=id, email=email, password_hash=password_hash, created_at=now, password_changed_at=now)
        .on_conflict_do_nothing(index_elements=[people.c.email])
    )
    return added.rowcount == 1


async def change_person(db: Connection, id: UUID, **values: Any) -> None:
    await db.execute(sa.update(people).where(people.c.id == id).values(**values))


async def identity(db: Connection, issuer: str, subject: str) -> Row | None:
    wanted = sa.select(identities).where(identities.c.issuer == issuer, identities.c.subject == subject)
    return (await db.execute(wanted)).mappings().one_or_none()


async def add_identity(db: Connection, values: dict[str, Any]) -> bool:
    """False when the identity has a user, or the user an identity, already."""
    return (await db.execute(insert(identities).values(**values).on_conflict_do_nothing())).rowcount == 1


async def keys(db: Connection, now: datetime) -> list[Row]:
    """What still verifies, newest first."""
    wanted = (
        sa.select(signing_keys)
        .where(sa.or_(signing_keys.c.retired_at.is_(None), signing_keys.c.retired_at > now))
        .order_by(signing_keys.c.created_at.desc(), signing_keys.c.kid)
    )
    return list((await db.execute(wanted)).mappings())


async def take_turns(db: Connection) -> None:
    """Until the transaction ends, nobody else makes a signing key."""
    await db.execute(sa.select(sa.func.pg_advisory_xact_lock(_SIGNING_LOCK)))


async def add_key(db: Connection, values: dict[str, Any], retire_others_at: datetime) -> None:
    """A key that signs from now on; the others verify for a while, and those that no longer do are removed."""
    others = signing_keys.c.retired_at.is_(None)
    await db.execute(sa.delete(signing_keys).where(signing_keys.c.retired_at <= values["created_at"]))
    await db.execute(sa.update(signing_keys).where(others).values(retired_at=retire_others_at))
    await db.execute(sa.insert(signing_keys).values(**values))
