"""Every query about accounts and their pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
import sqlalchemy as sa

from hubbub.domains.accounts.tables import account_pages, accounts, oauth_states, pending_connections
from hubbub.domains.accounts.vault import Sealed
from hubbub.errors.account import AccountNotFound
from hubbub.errors.resource import ResourceNotFound
from hubbub.kit import ids
from hubbub.runtime.statements import Ready, Row
from hubbub.runtime.work import Caller, Mode, Work

Status = Literal["active", "reconnect_required"]


@dataclass(frozen=True)
class Account:
    """One connected profile."""

    id: str
    workspace_id: UUID
    platform: str
    remote_id: str
    username: str
    name: str
    status: Status
    brand_id: str | None
    mode: Mode
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    login_id: str | None = None
    reconnect_reason: str | None = None
    profile_picture_url: str | None = None
    bio: str | None = None


@dataclass(frozen=True)
class PageRow:
    """One page an account may publish to. `sealed` is the page's own token, where it has one."""

    id: str
    account_id: str
    remote_id: str
    name: str
    username: str | None
    category: str | None
    picture_url: str | None
    link: str | None
    is_default: bool
    is_active: bool
    lost_at: datetime | None
    sealed: Sealed | None


@dataclass(frozen=True)
class OtherPage:
    """A page that some account of the workspace holds, and where."""

    remote_id: str
    account_id: str
    brand_id: str | None
    profile: str
    """The remote id of the account's profile."""


_MANY = Ready(
    sa.select(accounts).where(
        accounts.c.workspace_id == sa.bindparam("workspace"),
        sa.text("deleted_at IS NULL AND id = ANY (:ids) AND mode = coalesce(:mode, mode)"),
        sa.text("(cast(:brands AS uuid[]) IS NULL OR brand_id = ANY (:brands))"),
    )
)
_OF_ACCOUNT = sa.select(account_pages).where(account_pages.c.account_id == sa.bindparam("account"))
_PAGES = Ready(_OF_ACCOUNT.order_by(account_pages.c.created_at, account_pages.c.id))
_PAGES_LOCKED = Ready(_PAGES.statement.with_for_update())


class AccountStore:
    """What one caller may see: his workspace, his key's brands; with a sandbox key only the sandbox."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.db = work.db

    async def get(self, account_id: str) -> Account:
        """Raises AccountNotFound."""
        return (await self.many([account_id]))[account_id]

    async def many(self, account_ids: Iterable[str]) -> dict[str, Account]:
        """All of them, by id, in the order asked for. Raises AccountNotFound naming one that is missing."""
        wanted = list(dict.fromkeys(account_ids))
        caller = self.work.caller
        brands = (
            [brand for text in caller.brand_ids if (brand := ids.as_uuid(text))] if caller.brand_ids else None
        )
        mode = "sandbox" if caller.mode == "sandbox" else None
        given = {"ids": wanted, "workspace": caller.workspace_id, "brands": brands, "mode": mode}
        rows = await self.db.execute(_MANY, given)
        found = {row.id: account_in(row) for row in rows}
        for account_id in wanted:
            if account_id not in found:
                raise AccountNotFound(id=account_id)
        return {account_id: found[account_id] for account_id in wanted}

    async def all(self, brand_id: UUID | None) -> list[tuple[Account, str | None]]:
        """Every account, oldest first, each with the name of its only active page."""
        only_page = (
            sa.select(account_pages.c.account_id, sa.func.min(account_pages.c.name).label("page_name"))
            .where(account_pages.c.is_active)
            .group_by(account_pages.c.account_id)
            .having(sa.func.count() == 1)
            .subquery()
        )
        query = (
            sa.select(accounts, only_page.c.page_name)
            .outerjoin(only_page, only_page.c.account_id == accounts.c.id)
            .where(*self._mine())
            .order_by(accounts.c.created_at, accounts.c.id)
        )
        if brand_id is not None:
            query = query.where(accounts.c.brand_id == brand_id)
        return [(account_in(row), row.page_name) for row in await self.db.execute(query)]

    async def within(self, brand_ids: Iterable[str]) -> frozenset[str]:
        """The ids of these brands' accounts, the disconnected ones too."""
        brands = [brand for text in brand_ids if (brand := ids.as_uuid(text))]
        mine = accounts.c.workspace_id == self.work.workspace_id
        rows = await self.db.execute(sa.select(accounts.c.id).where(mine, accounts.c.brand_id.in_(brands)))
        return frozenset(rows.scalars())

    async def same_profile(self, platform: str, mode: Mode, remote_id: str) -> Account | None:
        """The account of this profile, whoever's it is. Nobody else connects it before the transaction ends."""
        await self.lock(f"profile {platform} {mode} {remote_id}")
        wanted = sa.select(accounts).where(
            accounts.c.platform == platform,
            accounts.c.mode == mode,
            accounts.c.remote_id == remote_id,
            accounts.c.deleted_at.is_(None),
        )
        async with self.work.seeing_everybody():
            row = (await self.db.execute(wanted)).one_or_none()
        return account_in(row) if row else None

    async def lock(self, what: str) -> None:
        """Wait until nobody else holds this word; it is held until the transaction ends."""
        await self.db.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(what, 0))))

    async def add(self, account: Account) -> None:
        values = {name: getattr(account, name) for name in Account.__dataclass_fields__}
        values |= {"brand_id": UUID(account.brand_id) if account.brand_id else None}
        values |= {"created_at": self.work.now, "updated_at": self.work.now}
        await self.db.execute(sa.insert(accounts).values(**values))

    async def change(self, account_id: str, **values: Any) -> bool:
        """Whether there was a row to change."""
        changed = await self.db.execute(
            sa.update(accounts)
            .where(
                accounts.c.id == account_id,
                accounts.c.workspace_id == self.work.workspace_id,
                accounts.c.deleted_at.is_(None),
            )
            .values(updated_at=self.work.now, **values)
        )
        return changed.rowcount == 1

    async def other_logins(self, platform: str, mode: Mode, brand_id: UUID, remote_id: str) -> bool:
        """Whether the brand holds this platform through another profile."""
        found = await self.db.execute(
            sa.select(accounts.c.id)
            .where(
                accounts.c.workspace_id == self.work.workspace_id,
                accounts.c.platform == platform,
                accounts.c.mode == mode,
                accounts.c.brand_id == brand_id,
                accounts.c.remote_id != remote_id,
                accounts.c.deleted_at.is_(None),
            )
            .limit(1)
        )
        return found.first() is not None

    def _mine(self) -> list[sa.ColumnElement[bool]]:
        caller = self.work.caller
        mine = [accounts.c.workspace_id == caller.workspace_id, accounts.c.deleted_at.is_(None)]
        if caller.mode == "sandbox":
            mine.append(accounts.c.mode == "sandbox")
        if caller.brand_ids:
            brands = [brand for text in caller.brand_ids if (brand := ids.as_uuid(text))]
            mine.append(accounts.c.brand_id.in_(brands))
        return mine

    async def pages(self, account_id: str, *, lock: bool = False) -> list[PageRow]:
        """An account's pages, oldest first; the account was looked up with `get` before."""
        rows = await self.db.execute(_PAGES_LOCKED if lock else _PAGES, {"account": account_id})
        return [page_in(row) for row in rows]

    async def page(self, account_id: str, page_id: str) -> PageRow:
        """Raises ResourceNotFound."""
        for page in await self.pages(account_id):
            if page.id == page_id:
                return page
        raise ResourceNotFound(resource="page", id=page_id)

    async def add_page(self, account_id: str, **values: Any) -> None:
        stamps = {"created_at": self.work.now, "updated_at": self.work.now}
        await self.db.execute(sa.insert(account_pages).values(account_id=account_id, **stamps, **values))

    async def change_page(self, page_id: str, **values: Any) -> None:
        await self.db.execute(
            sa.update(account_pages)
            .where(account_pages.c.id == page_id)
            .values(updated_at=self.work.now, **values)
        )

    async def active_pages(self, account: Account) -> int:
        """How many pages of the account's platform are switched on in its brand."""
        await self.lock(f"pages {account.platform} {account.brand_id}")
        count = await self.db.scalar(
            sa.select(sa.func.count())
            .select_from(account_pages.join(accounts, accounts.c.id == account_pages.c.account_id))
            .where(
                accounts.c.workspace_id == self.work.workspace_id,
                accounts.c.platform == account.platform,
                accounts.c.mode == account.mode,
                accounts.c.brand_id == (UUID(account.brand_id) if account.brand_id else None),
                accounts.c.deleted_at.is_(None),
                account_pages.c.is_active,
            )
        )
        return count or 0

    async def other_pages(
        self, platform: str, mode: Mode, remote_ids: Sequence[str]
    ) -> dict[str, list[OtherPage]]:
        """Which of these pages are switched on in some account of the workspace, and where."""
        rows = await self.db.execute(
            sa.select(
                account_pages.c.remote_id,
                accounts.c.id,
                accounts.c.brand_id,
                accounts.c.remote_id.label("profile"),
            )
            .join(accounts, accounts.c.id == account_pages.c.account_id)
            .where(
                accounts.c.workspace_id == self.work.workspace_id,
                accounts.c.platform == platform,
                accounts.c.mode == mode,
                accounts.c.deleted_at.is_(None),
                account_pages.c.is_active,
                account_pages.c.remote_id.in_(remote_ids),
            )
        )
        found: dict[str, list[OtherPage]] = {}
        for row in rows:
            brand_id = str(row.brand_id) if row.brand_id else None
            found.setdefault(row.remote_id, []).append(
                OtherPage(row.remote_id, row.id, brand_id, row.profile)
            )
        return found


def account_in(row: Row) -> Account:
    """A row of `accounts` as what the rest of the product knows."""
    values: dict[str, Any] = {name: row[name] for name in Account.__dataclass_fields__}
    values["brand_id"] = str(row["brand_id"]) if row["brand_id"] else None
    return Account(**values)


def page_in(row: Row) -> PageRow:
    """A row of `account_pages`."""
    return PageRow(
        id=row.id,
        account_id=row.account_id,
        remote_id=row.remote_id,
        name=row.name,
        username=row.username,
        category=row.category,
        picture_url=row.picture_url,
        link=row.link,
        is_default=row.is_default,
        is_active=row.is_active,
        lost_at=row.lost_at,
        sealed=Sealed(row.key_id, row.ciphertext) if row.ciphertext else None,
    )


@dataclass(frozen=True)
class Attempt:
    """One try to connect something: what was asked for, and by whom. It outlives the request it began in."""

    platform: str
    mode: Mode
    brand_id: str | None = None
    account_id: str | None = None
    """The account to be reconnected, when it is one."""
    redirect_uri: str | None = None
    """Where the customer wants the person to end up."""
    state: str | None = None
    """The customer's own word, given back at the end."""
    callback_uri: str = ""
    """Where the platform was told to send the person."""
    key_mode: Mode = "live"
    key_brands: tuple[str, ...] = ()
    login_id: str | None = None
    login: str | None = None
    """Which of the platform's `logins`; None is the usual one."""


class SignInStore:
    """Sign-ins under way: consent pages being looked at, and choices to be made. Each is used once."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.db = work.db

    async def add_state(self, state: str, attempt: Attempt, verifier: Sealed, expires_at: datetime) -> None:
        await self.db.execute(
            sa.insert(oauth_states).values(
                state=state,
                workspace_id=self.work.workspace_id,
                key_id=self.work.caller.key_id,
                platform=attempt.platform,
                mode=attempt.mode,
                attempt=asdict(attempt),
                sealed_with=verifier.key_id,
                ciphertext=verifier.ciphertext,
                expires_at=expires_at,
            )
        )

    async def take_state(
        self, state: str, platform: str | None, *, of_anybody: bool = False
    ) -> tuple[Caller, Attempt, Sealed] | None:
        """Use up a state: who began, what he wanted, and the sealed verifier. None when it is not usable.

        Only the key that began may use it, unless the platform itself brings it back (`of_anybody`).
        """
        conditions = [oauth_states.c.state == state, oauth_states.c.expires_at > self.work.now]
        if platform is not None:
            conditions.append(oauth_states.c.platform == platform)
        if not of_anybody:
            conditions.append(oauth_states.c.workspace_id == self.work.workspace_id)
            conditions.append(oauth_states.c.key_id.is_not_distinct_from(self.work.caller.key_id))
        taken = await self.db.execute(sa.delete(oauth_states).where(*conditions).returning(oauth_states))
        row = taken.one_or_none()
        if row is None:
            return None
        attempt = msgspec.convert(row.attempt, Attempt)
        caller = Caller(row.workspace_id, row.key_id, attempt.key_mode, brand_ids=attempt.key_brands)
        return caller, attempt, Sealed(row.sealed_with, row.ciphertext)

    async def add_pending(self, id: str, attempt: Attempt, sealed: Sealed, expires_at: datetime) -> None:
        await self.db.execute(
            sa.insert(pending_connections).values(
                id=id,
                workspace_id=self.work.workspace_id,
                platform=attempt.platform,
                mode=attempt.mode,
                attempt=asdict(attempt),
                key_id=sealed.key_id,
                ciphertext=sealed.ciphertext,
                expires_at=expires_at,
            )
        )

    async def pending(self, id: str, *, lock: bool = False) -> tuple[Attempt, Sealed, datetime]:
        """Raises ResourceNotFound when it is unknown, used, too old or nothing for this key."""
        query = sa.select(pending_connections).where(
            pending_connections.c.id == id,
            pending_connections.c.workspace_id == self.work.workspace_id,
            pending_connections.c.expires_at > self.work.now,
        )
        rows = await self.db.execute(query.with_for_update() if lock else query)
        row = rows.one_or_none()
        attempt = msgspec.convert(row.attempt, Attempt) if row else None
        if row is None or attempt is None or not self._is_visible(attempt):
            raise ResourceNotFound(resource="pending_connection", id=id)
        return attempt, Sealed(row.key_id, row.ciphertext), row.expires_at

    def _is_visible(self, attempt: Attempt) -> bool:
        caller = self.work.caller
        if caller.mode == "sandbox" and attempt.mode != "sandbox":
            return False
        brands = {ids.as_uuid(brand_id) for brand_id in caller.brand_ids}
        return not brands or (attempt.brand_id is not None and ids.as_uuid(attempt.brand_id) in brands)

    async def use_pending(self, id: str) -> None:
        await self.db.execute(sa.delete(pending_connections).where(pending_connections.c.id == id))
