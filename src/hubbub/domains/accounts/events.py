"""What can happen to an account."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hubbub.domains.events.service import Event
from hubbub.kit.clock import to_wire

if TYPE_CHECKING:
    from hubbub.domains.accounts.store import Account


def connected(account: Account, at: datetime, user_email: str) -> Event:
    """A sign-in was finished: a new account, or new credentials for an old one."""
    payload = {
        "account_id": account.id,
        "brand_id": account.brand_id,
        "platform": account.platform,
        "platform_user_id": account.remote_id,
        "username": account.username,
        "display_name": account.name,
        "profile_picture_url": account.profile_picture_url or "",
        "bio": account.bio or "",
        "profile_url": account.metadata.get("profile_url") or "",
        "user_email": user_email,
        "connected_at": to_wire(at),
    }
    return _event("account.connected", account, f"{account.name} was connected", payload)


def reconnected(account: Account) -> Event:
    """An account that was known already can be used again; whatever waited for it may go on."""
    payload = {"account_id": account.id, "platform": account.platform}
    return _event("account.reconnected", account, f"{account.name} is back", payload)


def needs_reconnecting(account: Account) -> Event:
    """The platform no longer accepts the sign-in, and only a person can mend that."""
    payload = {
        "account_id": account.id,
        "platform": account.platform,
        "reason": "access_revoked",
        "reconnect_required": True,
    }
    return _event("account.disconnected", account, f"{account.name} has to be reconnected", payload)


def removed(account: Account) -> Event:
    """Somebody took the account out of Hubbub."""
    payload = {
        "account_id": account.id,
        "platform": account.platform,
        "reason": "deleted",
        "reconnect_required": False,
    }
    return _event("account.disconnected", account, f"{account.name} was removed", payload)


def _event(action: str, account: Account, summary: str, payload: Mapping[str, Any]) -> Event:
    return Event(
        category="account",
        action=action,
        resource_id=account.id,
        summary=summary,
        payload=payload,
        platform=account.platform,
        account_id=account.id,
    )
