"""Renewing grants before they end, handing back those of deleted accounts, forgetting unfinished sign-ins."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import sqlalchemy as sa

from hubbub.connector.promises import Revokes
from hubbub.connector.refusals import LostAnswer, NotSent, RemoteRefusal
from hubbub.domains.accounts import service, vault
from hubbub.domains.accounts.store import AccountStore, account_in
from hubbub.domains.accounts.tables import (
    account_revocations,
    account_secrets,
    accounts,
    oauth_states,
    pending_connections,
)
from hubbub.domains.accounts.vault import Held, Unreadable
from hubbub.errors.account import AccountNotFound
from hubbub.kit import clock
from hubbub.runtime import durable, log
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import EVERYBODY, Caller, open_work

NOBODY = Caller(EVERYBODY)
BATCH = 500
REVOKE_SECONDS = 40.0
TOO_LATE = timedelta(days=1)

_logger = log.logger("accounts")


@durable.job("refresh_grant", per_platform=True, concurrency=8)
async def refresh_grant(runtime: Runtime, id: str) -> None:
    """Renew one grant; `id` is the account's and the version seen. What fails is tried by the next sweep."""
    account_id, _, version = id.partition(" ")
    try:
        await service.renew(runtime, account_id, int(version))
    except AccountNotFound:
        return
    except (RemoteRefusal, NotSent, LostAnswer) as failure:
        _logger.warning("could not renew yet", account=account_id, because=type(failure).__name__)


@durable.every(60)
async def refresh_expiring(runtime: Runtime) -> None:
    """Start a renewal for every grant that ends soon, by each platform's own measure of soon."""
    for name, found in runtime.platforms.items():
        auth = found.facts.auth
        if auth.refresh == "none":
            continue
        soon = clock.now() + timedelta(seconds=auth.refresh_before_seconds)
        async with open_work(runtime, NOBODY) as work:
            rows = await work.db.execute(
                sa.select(accounts.c.id, account_secrets.c.version)
                .join(account_secrets, account_secrets.c.account_id == accounts.c.id)
                .where(
                    accounts.c.platform == name,
                    accounts.c.status == "active",
                    accounts.c.deleted_at.is_(None),
                    account_secrets.c.expires_at < soon,
                )
                .order_by(account_secrets.c.expires_at)
                .limit(BATCH)
            )
            for row in rows:
                id = f"{row.id} {row.version}"
                await durable.start(work, refresh_grant, id, key=id, platform=name)


@durable.job("revoke_grant", per_platform=True, concurrency=4)
async def revoke_grant(runtime: Runtime, id: str) -> None:
    """Tell the platform that we are done with a deleted account's grant, then forget it whatever it said."""
    async with open_work(runtime, NOBODY) as work:
        rows = await work.db.execute(sa.select(accounts).where(accounts.c.id == id))
        account = account_in(rows.one())
        try:
            grant = await vault.to_hand_back(work, id)
        except Unreadable:
            await vault.handed_back(work, id)
            return
        again = await AccountStore(work).same_profile(account.platform, account.mode, account.remote_id)
        if again is not None:
            # Some platforms take every grant of the person back, the new one too.
            await vault.handed_back(work, id)
            return
    if grant is None:
        return
    try:
        connector = service.build(runtime, account, Held(0, grant), None)
        if isinstance(connector, Revokes):
            async with asyncio.timeout(REVOKE_SECONDS):
                await connector.revoke(grant)
    except NotSent:
        return
    except (RemoteRefusal, LostAnswer, TimeoutError) as failure:
        _logger.info("the platform did not take a grant back", account=id, because=type(failure).__name__)
    async with open_work(runtime, NOBODY) as work:
        await vault.handed_back(work, id)


@durable.every(60)
async def hand_back(runtime: Runtime) -> None:
    """Start again what a platform out of reach, or a worker that died, has left; give up after a day."""
    now = clock.now()
    async with open_work(runtime, NOBODY) as work:
        await work.db.execute(
            sa.delete(account_revocations).where(account_revocations.c.created_at < now - TOO_LATE)
        )
        rows = await work.db.execute(
            sa.select(accounts.c.id, accounts.c.platform)
            .join(account_revocations, account_revocations.c.account_id == accounts.c.id)
            .where(account_revocations.c.created_at < now - timedelta(minutes=1))
            .limit(BATCH)
        )
        for row in rows:
            if row.platform in runtime.platforms:
                await durable.start(work, revoke_grant, row.id, key=row.id, platform=row.platform)


@durable.every(300)
async def forget_unfinished(runtime: Runtime) -> None:
    """Remove sign-ins that nobody finished in time, with what was stored for them."""
    async with open_work(runtime, NOBODY) as work:
        for table in (oauth_states, pending_connections):
            await work.db.execute(sa.delete(table).where(table.c.expires_at < work.now))
