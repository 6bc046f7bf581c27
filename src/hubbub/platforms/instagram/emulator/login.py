"""Signing in: Instagram's own login, and Facebook's, whose tokens reach the accounts behind Pages."""

from __future__ import annotations

import secrets
from typing import Any

from hubbub.emulation.consent import consent
from hubbub.emulation.emulator import Call, Reply
from hubbub.emulation.graph.ask import Ask
from hubbub.emulation.graph.errors import GraphError, bad_parameter, token_unreadable

from . import tokens
from .site import Row, Site

CODE_LIFE = 60 * 60
SHORT_LIFE = tokens.HOUR
SORRY = "<!doctype html><title>Instagram</title><h1>Sorry, something went wrong.</h1>"
DENIED = {
    "error": "access_denied",
    "error_code": "200",
    "error_description": "Permissions error",
    "error_reason": "user_denied",
}


class CodeRefused(Exception):
    """The token endpoint of Instagram Login has an envelope of its own."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.body = {"error_type": "OAuthException", "code": 400, "error_message": sentence}


def dialog(site: Site, call: Call, kind: str) -> Reply:
    """The consent page, or the redirect with a code bound to this application and redirect address.

    https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/business-login
    """
    app_id, redirect_uri = call.query.get("client_id", ""), call.query.get("redirect_uri", "")
    if not app_id or "://" not in redirect_uri:
        return Reply(400, SORRY + "<p>client_id and redirect_uri are required.</p>")
    if call.query.get("response_type") != "code":
        return Reply(400, SORRY + "<p>response_type must be code.</p>")
    scopes = list(dict.fromkeys(call.query.get("scope", "").replace(",", " ").split()))
    bound: Row = {"app_id": app_id, "redirect_uri": redirect_uri, "scopes": scopes, "login": kind}

    def approved(person: Row) -> dict[str, str]:
        code = "AQ" + secrets.token_urlsafe(120)
        owner = {"person": person["username"], "person_id": person["id"]}
        site.world.add("codes", id=code, expires_at=site.unix() + CODE_LIFE, used=False, **owner, **bound)
        return {"code": code}

    reply = consent(
        call,
        site.world.all("people"),
        redirect_uri,
        call.query.get("state"),
        approved=approved,
        denied=lambda: dict(DENIED),
        title=f"Log in with {kind.title()}",
        scopes=scopes,
    )
    if "Location" in reply.headers and "#" not in redirect_uri:
        reply.headers["Location"] += "#_" if kind == "instagram" else "#_=_"
    return reply


def code_to_token(site: Site, call: Call) -> Reply:
    """`POST api.instagram.com/oauth/access_token`: a code becomes a token for one hour."""
    form = call.form
    try:
        if form.get("grant_type") != "authorization_code":
            raise CodeRefused("Invalid grant_type")
        token = _redeem(site, form, "instagram", _app(site, form))
    except (CodeRefused, GraphError) as refused:
        body = refused.body if isinstance(refused, CodeRefused) else CodeRefused(str(refused)).body
        return Reply(400, body)
    return Reply(
        200, {"access_token": token["id"], "user_id": int(token["person_id"]), "permissions": token["scopes"]}
    )


def exchange(site: Site, ask: Ask) -> dict[str, Any]:
    """`GET /access_token?grant_type=ig_exchange_token`: an hour's token becomes one for sixty days."""
    if ask.text("grant_type") != "ig_exchange_token":
        raise bad_parameter("Invalid grant_type")
    old = _own(site, ask)
    app = site.world.get("apps", old["app_id"])
    if app is None or app["secret"] != ask.text("client_secret"):
        raise GraphError(1, "Error validating client secret.", status=400)
    if old["long"]:
        raise GraphError(
            452, "Session key invalid. This could be because the session key has an incorrect format"
        )
    return _told(tokens.again(site, old))


def refresh(site: Site, ask: Ask) -> dict[str, Any]:
    """`GET /refresh_access_token`: only a token that is a day old and has not ended.

    https://developers.facebook.com/docs/instagram-platform/reference/refresh_access_token
    """
    if ask.text("grant_type") != "ig_refresh_token":
        raise bad_parameter("Invalid grant_type")
    old = _own(site, ask)
    if not old["long"] or site.unix() - old["issued_at"] < tokens.OLD_ENOUGH:
        raise bad_parameter("The access token must be a long-lived one that is at least 24 hours old")
    return {**_told(tokens.again(site, old)), "permissions": ",".join(old["scopes"])}


def facebook_token(site: Site, ask: Ask) -> dict[str, Any]:
    """`/oauth/access_token` of Facebook: a code, or a short-lived token that becomes a long-lived one."""
    app = _app(site, ask.params)
    if ask.text("grant_type") == "fb_exchange_token":
        old = tokens.working(site, ask.text("fb_exchange_token"))
        if old["app_id"] != app["id"] or old["login"] != "facebook":
            raise token_unreadable()
        return _told(tokens.again(site, old))
    try:
        token = _redeem(site, ask.params, "facebook", app)
    except CodeRefused as refused:
        raise GraphError(100, str(refused), subcode=36009) from refused
    return _told(token)


def _own(site: Site, ask: Ask) -> Row:
    """The token of Instagram's own login in this request."""
    row = tokens.working(site, ask.token or "")
    if row["login"] != "instagram":
        raise token_unreadable()
    return row


def _told(token: Row) -> dict[str, Any]:
    lifetime = token["expires_at"] - token["issued_at"]
    return {"access_token": token["id"], "token_type": "bearer", "expires_in": lifetime}


def _app(site: Site, given: Any) -> Row:
    """Applications register themselves: the first secret seen for an id is its secret."""
    app_id, secret = str(given.get("client_id", "")), str(given.get("client_secret", ""))
    if not app_id or not secret:
        raise GraphError(101, "Missing client_id or client_secret parameter.")
    app = site.world.get("apps", app_id) or site.world.add("apps", id=app_id, secret=secret)
    if app["secret"] != secret:
        raise GraphError(1, "Error validating client secret.", status=400)
    return app


def _redeem(site: Site, given: Any, kind: str, app: Row) -> Row:
    code = site.world.get("codes", str(given.get("code", "")))
    if code is None or code["login"] != kind:
        raise CodeRefused("Invalid authorization code")
    if code["used"]:
        raise CodeRefused("This authorization code has been used")
    if code["expires_at"] <= site.unix():
        raise CodeRefused("This authorization code has expired")
    if code["redirect_uri"] != given.get("redirect_uri") or code["app_id"] != app["id"]:
        raise CodeRefused(
            "Error validating verification code. Please make sure your redirect_uri is identical to the one you "
            "used in the OAuth dialog request"
        )
    site.change("codes", code, used=True)
    kept = {key: code[key] for key in ("app_id", "person", "person_id", "scopes")}
    return tokens.issue(site, kind, lifetime=SHORT_LIFE, session=secrets.token_hex(8), long=False, **kept)
