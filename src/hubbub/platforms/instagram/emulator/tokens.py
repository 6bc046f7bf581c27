"""Access tokens of both kinds of login: made, read, ended."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import UTC, datetime
from typing import Any

from hubbub.emulation.graph.ask import Ask
from hubbub.emulation.graph.errors import GraphError, bad_parameter, token_missing, token_unreadable

from .site import Row, Site

HOUR = 60 * 60
LONG_LIFE = 60 * 24 * HOUR
OLD_ENOUGH = 24 * HOUR
EXPIRED, APP_REMOVED = 463, 458


def issue(site: Site, kind: str, *, lifetime: int, **fields: Any) -> Row:
    """A new token. `kind` is `instagram` or `facebook`; `lifetime` in seconds by the sandbox's clock."""
    now = site.unix()
    prefix = "IGAA" if kind == "instagram" else "EAA"
    text = prefix + secrets.token_urlsafe(90).replace("-", "Z").replace("_", "x")
    return site.world.add(
        "tokens", id=text, login=kind, issued_at=now, expires_at=now + lifetime, ended=0, **fields
    )


def again(site: Site, old: Row, *, lifetime: int = LONG_LIFE) -> Row:
    """Another token of the same login; the old one goes on until it ends by itself."""
    kept = {key: old[key] for key in ("app_id", "person_id", "person", "scopes", "session")}
    return issue(site, old["login"], lifetime=lifetime, long=True, **kept)


def trouble(site: Site, row: Row) -> GraphError | None:
    """Why this token no longer works, in the platform's words; None when it works."""
    if row["ended"] == APP_REMOVED:
        message = f"Error validating access token: The user has not authorized application {row['app_id']}."
        return GraphError(190, message, subcode=APP_REMOVED)
    if row["ended"] == EXPIRED or row["expires_at"] <= site.unix():
        return expired(site, row)
    return None


def expired(site: Site, row: Row) -> GraphError:
    now = site.now()
    ended = min(datetime.fromtimestamp(row["expires_at"], UTC), now) if row["expires_at"] else now
    when, today = (f"{moment:%A, %d-%b-%y %H:%M:%S} UTC" for moment in (ended, now))
    message = f"Error validating access token: Session has expired on {when}. The current time is {today}."
    return GraphError(190, message, subcode=EXPIRED)


def working(site: Site, text: str) -> Row:
    """The row of a token that works. Raises GraphError 190."""
    row = site.world.get("tokens", text)
    if row is None:
        raise token_unreadable()
    ended = trouble(site, row)
    if ended is not None:
        raise ended
    return row


def read(site: Site, ask: Ask, *, by_facebook: bool) -> Row:
    """The working token of this request; each host knows only its own login's.

    Raises GraphError 104 (none), 190 (unreadable, expired, removed) or 100 (wrong proof).
    """
    if not ask.token:
        raise token_missing()
    row = working(site, ask.token)
    if (row["login"] == "facebook") != by_facebook:
        raise token_unreadable()
    _check_proof(site, ask, row)
    return row


def end_session(site: Site, row: Row, reason: int) -> None:
    """All tokens of the login that this token came from stop working."""
    for one in site.world.all("tokens", session=row.get("session")):
        site.change("tokens", one, ended=reason)


def remove_app(site: Site, row: Row) -> None:
    """The person takes the application's permissions back: every login of the pair ends."""
    for one in site.world.all("tokens", app_id=row["app_id"], person=row.get("person")):
        site.change("tokens", one, ended=APP_REMOVED)


def _check_proof(site: Site, ask: Ask, row: Row) -> None:
    """https://developers.facebook.com/docs/facebook-login/security#proof"""
    proof = ask.text("appsecret_proof")
    if not proof:
        return
    app = site.world.get("apps", row["app_id"])
    right = hmac.new((app["secret"] if app else "").encode(), f"{ask.token}".encode(), hashlib.sha256)
    if not hmac.compare_digest(proof.encode(), right.hexdigest().encode()):
        raise bad_parameter("Invalid appsecret_proof provided in the API argument")
