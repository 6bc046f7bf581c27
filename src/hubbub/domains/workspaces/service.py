"""Make workspaces and brands, and look them up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from hubbub.domains.workspaces import store
from hubbub.domains.workspaces.store import WorkspaceStore
from hubbub.errors.resource import BrandNotFound
from hubbub.kit import clock, ids
from hubbub.runtime.work import Work

PLAN = "enterprise"
"""The plan of everybody who hosts it themselves: nothing is metered."""


@dataclass(frozen=True)
class Workspace:
    id: UUID
    name: str
    user_id: UUID


@dataclass(frozen=True)
class User:
    id: UUID
    email: str
    plan: str
    onboarding: bool
    beta_tester: bool
    lock_accounts_to_brand: bool
    avatar_url: str | None
    use_case: str | None
    allowed_platforms: list[str] | None
    billing_blocked_at: datetime | None


@dataclass(frozen=True)
class Brand:
    id: UUID
    workspace_id: UUID
    name: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Subscription:
    """The plan a workspace is on, and when its first period began."""

    plan: str
    since: datetime


async def create_workspace(place: Work | store.Connection, name: str, email: str) -> Workspace:
    """Make a workspace with its owner, inside the caller's transaction."""
    connection = place.db if isinstance(place, Work) else place
    made = Workspace(ids.new_uuid(), name, ids.new_uuid())
    now = clock.now()
    await store.add_workspace(connection, made.id, name, now)
    await store.add_user(
        connection,
        {
            "id": made.user_id,
            "workspace_id": made.id,
            "email": email,
            "plan": PLAN,
            "onboarding": False,
            "beta_tester": False,
            "lock_accounts_to_brand": False,
            "created_at": now,
            "updated_at": now,
        },
    )
    return made


async def first_workspace(connection: store.Connection) -> UUID | None:
    """The oldest workspace: the one that commands without an API key act for."""
    return await store.oldest(connection)


async def create_first(connection: store.Connection, name: str, email: str) -> Workspace | None:
    """Make a workspace when there is none at all; None when there is one. Processes starting together take turns."""
    await store.take_turns(connection)
    if await store.oldest(connection) is not None:
        return None
    return await create_workspace(connection, name, email)


async def workspace_of(connection: store.Connection, user_id: UUID) -> UUID | None:
    """None for a user who was deleted."""
    return await store.workspace_of(connection, user_id)


async def owner_of(connection: store.Connection, workspace_id: UUID) -> UUID:
    """The user whose workspace it is. Nobody else asks for the same before the transaction ends."""
    return await store.owner_of(connection, workspace_id)


async def rename_owner(connection: store.Connection, user_id: UUID, email: str) -> None:
    """Give a user another e-mail address."""
    await store.change_email(connection, user_id, email, clock.now())


async def user(work: Work) -> User:
    """The workspace's owner."""
    row = await WorkspaceStore(work).user()
    shown: dict[str, Any] = {name: row[name] for name in User.__dataclass_fields__}
    shown["plan"] = work.runtime.settings.plan or row["plan"]
    return User(**shown)


async def subscription(work: Work) -> Subscription:
    """The setting's plan where there is one, else the workspace's own."""
    row = await WorkspaceStore(work).user()
    return Subscription(work.runtime.settings.plan or row["plan"], row["created_at"])


async def brand(work: Work, id: str | UUID) -> Brand:
    """Raises BrandNotFound for one that is unknown, another workspace's, or closed to this key."""
    known = id if isinstance(id, UUID) else ids.as_uuid(id)
    row = await WorkspaceStore(work).brand(known) if known else None
    if row is None:
        raise BrandNotFound(id=str(id))
    return _brand(row)


async def new_brand(work: Work, name: str) -> Brand:
    """Make a brand. Names need not differ. Not to be repeated blindly: each call makes one."""
    made = Brand(ids.new_uuid(), work.workspace_id, name, work.now, work.now)
    await WorkspaceStore(work).add_brand(made.id, name)
    return made


async def default_brand(work: Work) -> Brand:
    """The oldest brand this key may use; made when the workspace has none and the key may use any.

    Raises BrandNotFound for a key restricted to brands that are all gone.
    """
    row = await WorkspaceStore(work).oldest_brand()
    if row is not None:
        return _brand(row)
    if work.caller.brand_ids:
        raise BrandNotFound(id=work.caller.brand_ids[0])
    return await new_brand(work, "Default")


async def count_brands(work: Work) -> int:
    """How many brands the workspace has, also those that are closed to this key."""
    return await WorkspaceStore(work).count_brands()


async def unknown_brands(work: Work, brand_ids: Sequence[str]) -> list[str]:
    """Which of these are not brands of the workspace."""
    known = {text: id for text in brand_ids if (id := ids.as_uuid(text)) is not None}
    own = await WorkspaceStore(work).own_brands(known.values()) if known else set[UUID]()
    return [text for text in brand_ids if known.get(text) not in own]


def _brand(row: store.Row) -> Brand:
    return Brand(**{name: row[name] for name in Brand.__dataclass_fields__})
