"""What a platform tells about an account while the caller waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hubbub.connector.promises import KnowsCreator, Limits
from hubbub.domains.accounts import service
from hubbub.domains.accounts.store import Account, AccountStore
from hubbub.errors.resource import NotSupported
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import Caller, Work, open_work
from hubbub.social.creator import Creator


async def limits(runtime: Runtime, caller: Caller, account_id: str) -> Mapping[str, int]:
    """What is left of the account's own allowances; nothing where the platform tells of none.

    Raises AccountNotFound, ReconnectionRequired, RemoteRefusal, PlatformUnavailable.
    """
    account = await _seen(runtime, caller, account_id)
    if not runtime.platforms[account.platform].can("limits"):
        return {}

    async def ask(connector: Any) -> Mapping[str, int]:
        assert isinstance(connector, Limits)
        return await connector.limits()

    return await service.ask(runtime, caller, account.id, None, ask)


async def creator(runtime: Runtime, caller: Caller, account_id: str) -> tuple[str, Creator]:
    """The platform, and what the person may publish there.

    Raises NotSupported where the platform does not tell; and as `limits`.
    """
    account = await _seen(runtime, caller, account_id)
    if not runtime.platforms[account.platform].can("creator_info"):
        raise _lacking(account, "creator information")

    async def ask(connector: Any) -> Creator:
        assert isinstance(connector, KnowsCreator)
        return await connector.creator()

    return account.platform, await service.ask(runtime, caller, account.id, None, ask)


async def no_boards(work: Work, account_id: str) -> NotSupported:
    """What to say about an account's boards. Raises AccountNotFound."""
    return _lacking(await AccountStore(work).get(account_id), "boards")


async def _seen(runtime: Runtime, caller: Caller, account_id: str) -> Account:
    async with open_work(runtime, caller) as work:
        return await AccountStore(work).get(account_id)


def _lacking(account: Account, operation: str) -> NotSupported:
    return NotSupported(platform=account.platform, account_id=account.id, operation=operation)
