"""Access tokens: made, read, ended. Every token belongs to one login, its session."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import UTC, datetime
from typing import Any

from hubbub.emulation.graph.ask import Ask
from hubbub.emulation.graph.errors import GraphError, bad_parameter, token_missing, token_unreadable

from .site import Row, Site

SHORT_LIFE = 2 * 60 * 60
LONG_LIFE = 60 * 24 * 60 * 60
DATA_ACCESS = 90 * 24 * 60 * 60
NEVER = 0
EXPIRED, APP_REMOVED, LOGGED_OUT = 463, 458, 467


def issue(site: Site, kind: str, *, lifetime: int, **fields: Any) -> Row:
    """A new token row. `lifetime` in seconds by the sandbox's clock, NEVER for none."""
    now = site.unix()
    row: Row = {
        "id": "EAA" + secrets.token_urlsafe(90).replace("-", "Z").replace("_", "x"),
        "type": kind,
        "issued_at": now,
        "expires_at": now + lifetime if lifetime else NEVER,
        "data_access_expires_at": now + DATA_ACCESS,
        "ended": 0,
        "page_id": None,
        **fields,
    }
    site.world.add("tokens", **row)
    return row


def page_token(site: Site, user_token: Row, page: Row) -> Row:
    """The page's token for this login: the same each time it is asked for, while it works.

    It has no expiry when it comes from a long-lived user token, else it ends with that token.
    https://developers.facebook.com/documentation/facebook-login/guides/access-tokens/get-long-lived
    """
    for row in site.world.all("tokens", type="PAGE", page_id=page["id"], parent=user_token["id"]):
        if trouble(site, row) is None:
            return row
    row = issue(
        site,
        "PAGE",
        lifetime=NEVER,
        app_id=user_token["app_id"],
        person=user_token["person"],
        page_id=page["id"],
        scopes=user_token["scopes"],
        session=user_token["session"],
        parent=user_token["id"],
    )
    if not user_token["long"]:
        site.change("tokens", row, expires_at=user_token["expires_at"])
    return row


def find(site: Site, token: str) -> Row | None:
    """The row of a user's, page's or application's token; None for a text that is none of these.

    `app|secret` is always a token of that application.
    """
    row = site.world.get("tokens", token)
    if row is not None:
        return row
    app_id, _, secret = token.partition("|")
    app = site.world.get("apps", app_id) if secret else None
    if app is None or not hmac.compare_digest(secret.encode(), app["secret"].encode()):
        return None
    return {"id": token, "type": "APP", "app_id": app_id, "scopes": [], "ended": 0, "expires_at": NEVER}


def trouble(site: Site, row: Row) -> GraphError | None:
    """Why this token no longer works, in the platform's words; None when it works."""
    if row["ended"] == APP_REMOVED:
        message = f"Error validating access token: The user has not authorized application {row['app_id']}."
        return GraphError(190, message, subcode=APP_REMOVED)
    if row["ended"] == LOGGED_OUT:
        message = "Error validating access token: The session is invalid because the user logged out."
        return GraphError(190, message, subcode=LOGGED_OUT)
    if row["ended"] == EXPIRED or (row["expires_at"] and row["expires_at"] <= site.unix()):
        return expired(site, row)
    return None


def expired(site: Site, row: Row) -> GraphError:
    now = site.now()
    at = datetime.fromtimestamp(row["expires_at"], UTC) if row["expires_at"] else now
    when, today = (f"{moment:%A, %d-%b-%y %H:%M:%S} UTC" for moment in (min(at, now), now))
    message = f"Error validating access token: Session has expired on {when}. The current time is {today}."
    return GraphError(190, message, subcode=EXPIRED)


def read(site: Site, ask: Ask) -> Row:
    """The working token of this request, its proof checked.

    Raises GraphError 104 (none), 190 (unreadable, expired, removed) or 100 (wrong proof).
    """
    if not ask.token:
        raise token_missing()
    row = find(site, ask.token)
    if row is None:
        raise token_unreadable()
    ended = trouble(site, row)
    if ended is not None:
        raise ended
    _check_proof(site, ask, row)
    return row


def end_session(site: Site, row: Row, reason: int) -> None:
    """All tokens of the login that this token came from stop working."""
    for one in site.world.all("tokens", session=row.get("session")):
        site.change("tokens", one, ended=reason)


def remove_app(site: Site, row: Row) -> None:
    """The person takes the application's permissions back: every login of the pair ends."""
    for one in site.world.all("tokens", app_id=row["app_id"], person=row.get("person")):
        site.change("tokens", one, ended=APP_REMOVED, scopes=[])


def _check_proof(site: Site, ask: Ask, row: Row) -> None:
    """https://developers.facebook.com/docs/facebook-login/security#proof"""
    proof = ask.text("appsecret_proof")
    if not proof:
        return
    app = site.world.get("apps", row["app_id"])
    time = ask.text("appsecret_time")
    message = f"{ask.token}|{time}" if time else f"{ask.token}"
    secret = app["secret"] if app else ""
    right = hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(proof.encode(), right.encode()):
        raise bad_parameter("Invalid appsecret_proof provided in the API argument")
