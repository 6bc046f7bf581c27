"""Facebook Login: the dialog, codes, tokens, and what a token can tell about another."""

from __future__ import annotations

import secrets
from typing import Any

from hubbub.emulation.consent import consent
from hubbub.emulation.emulator import Call, Reply
from hubbub.emulation.graph.ask import Ask
from hubbub.emulation.graph.errors import GraphError, bad_parameter, token_missing

from . import tokens
from .site import Row, Site

CODE_LIFE = 10 * 60
ALWAYS_GRANTED = "public_profile"
BUSINESS_SCOPES = (
    "business_management",
    "pages_manage_engagement",
    "pages_manage_metadata",
    "pages_manage_posts",
    "pages_messaging",
    "pages_read_engagement",
    "pages_read_user_content",
    "pages_show_list",
    "read_insights",
)
SORRY = "<!doctype html><title>Facebook</title><h1>Sorry, something went wrong.</h1>"
DENIED = {
    "error": "access_denied",
    "error_code": "200",
    "error_description": "Permissions error",
    "error_reason": "user_denied",
}


def dialog(site: Site, call: Call) -> Reply:
    """The consent page, or the redirect with a code bound to this application and redirect address.

    https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow
    """
    app_id, redirect_uri = call.query.get("client_id", ""), call.query.get("redirect_uri", "")
    if not app_id or "://" not in redirect_uri:
        return Reply(400, SORRY + "<p>client_id and redirect_uri are required.</p>")
    if call.query.get("response_type", "code") != "code":
        return Reply(400, SORRY + "<p>response_type must be code.</p>")
    bound: Row = {"app_id": app_id, "redirect_uri": redirect_uri, "scopes": _scopes(call)}

    def approved(person: Row) -> dict[str, str]:
        code = "AQ" + secrets.token_urlsafe(120)
        until = site.unix() + CODE_LIFE
        site.world.add("codes", id=code, person=person["username"], expires_at=until, used=False, **bound)
        return {"code": code}

    reply = consent(
        call,
        site.world.all("people"),
        redirect_uri,
        call.query.get("state"),
        approved=approved,
        denied=lambda: dict(DENIED),
        title="Log in with Facebook",
        scopes=bound["scopes"],
    )
    if "Location" in reply.headers and "#" not in redirect_uri:
        reply.headers["Location"] += "#_=_"
    return reply


def _scopes(call: Call) -> list[str]:
    """What `scope` lists; a Login-for-Business `config_id` stands for everything about pages."""
    if call.query.get("config_id"):
        return [ALWAYS_GRANTED, *BUSINESS_SCOPES]
    asked = call.query.get("scope", "").replace(",", " ").split()
    return list(dict.fromkeys([ALWAYS_GRANTED, *asked]))


def access_token(site: Site, ask: Ask) -> dict[str, Any]:
    """`/oauth/access_token`: a code, a short-lived token or the application's secret becomes a token."""
    app = _application(site, ask)
    grant = ask.text("grant_type")
    if grant == "client_credentials":
        return {"access_token": f"{app['id']}|{app['secret']}", "token_type": "bearer"}
    if grant == "fb_exchange_token":
        return _exchange(site, ask, app)
    if grant not in ("", "authorization_code"):
        raise bad_parameter("Invalid grant_type")
    return _redeem(site, ask, app)


def _application(site: Site, ask: Ask) -> Row:
    """Applications register themselves: the first secret seen for an id is its secret."""
    app_id, secret = ask.text("client_id"), ask.text("client_secret")
    if not app_id:
        raise GraphError(101, "Missing client_id parameter.")
    if not secret:
        raise GraphError(1, "Missing client_secret parameter.", status=400)
    app = site.world.get("apps", app_id) or site.world.add(
        "apps", id=app_id, secret=secret, name="Sandbox app"
    )
    if app["secret"] != secret:
        raise GraphError(1, "Error validating client secret.", status=400)
    return app


def _redeem(site: Site, ask: Ask, app: Row) -> dict[str, Any]:
    if not ask.text("code"):
        raise bad_parameter("Missing authorization code")
    code = site.world.get("codes", ask.text("code"))
    if code is None:
        raise GraphError(100, "Invalid verification code format.")
    if code["used"]:
        raise GraphError(100, "This authorization code has been used.", subcode=36009)
    if code["expires_at"] <= site.unix():
        raise GraphError(100, "This authorization code has expired.", subcode=36007)
    if code["redirect_uri"] != ask.text("redirect_uri") or code["app_id"] != app["id"]:
        message = (
            "Error validating verification code. Please make sure your redirect_uri is identical to the one "
            "you used in the OAuth dialog request"
        )
        raise GraphError(100, message, subcode=36008)
    site.change("codes", code, used=True)
    token = tokens.issue(
        site,
        "USER",
        lifetime=tokens.SHORT_LIFE,
        app_id=app["id"],
        person=code["person"],
        scopes=code["scopes"],
        session=secrets.token_hex(8),
        long=False,
    )
    return {"access_token": token["id"], "token_type": "bearer", "expires_in": tokens.SHORT_LIFE}


def _exchange(site: Site, ask: Ask, app: Row) -> dict[str, Any]:
    """A token that no longer works cannot be exchanged."""
    old = tokens.find(site, ask.text("fb_exchange_token"))
    if old is None or old["type"] != "USER":
        raise GraphError(190, "Invalid OAuth access token - Cannot parse access token")
    ended = tokens.trouble(site, old)
    if ended is not None:
        raise ended
    if old["app_id"] != app["id"]:
        raise bad_parameter("The access token does not belong to application " + app["id"])
    kept = {key: old[key] for key in ("app_id", "person", "scopes", "session")}
    new = tokens.issue(site, "USER", lifetime=tokens.LONG_LIFE, long=True, **kept)
    return {"access_token": new["id"], "token_type": "bearer", "expires_in": tokens.LONG_LIFE}


def debug_token(site: Site, ask: Ask) -> dict[str, Any]:
    """https://developers.facebook.com/docs/graph-api/reference/debug_token"""
    if not ask.token:
        raise token_missing()
    asker = tokens.read(site, ask)
    if not ask.given("input_token"):
        raise bad_parameter("The parameter input_token is required")
    row = tokens.find(site, ask.text("input_token"))
    if row is None:
        trouble = {"code": 190, "message": "Invalid OAuth access token."}
        return {"data": {"is_valid": False, "scopes": [], "error": trouble}}
    if row["app_id"] != asker["app_id"]:
        raise bad_parameter("You must provide an app access token, or a user access token of the same app")
    return {"data": _inspected(site, row)}


def _inspected(site: Site, row: Row) -> dict[str, Any]:
    app = site.world.get("apps", row["app_id"])
    ended = tokens.trouble(site, row)
    data: dict[str, Any] = {
        "app_id": row["app_id"],
        "type": row["type"],
        "application": app["name"] if app else "",
        "expires_at": row["expires_at"],
        "is_valid": ended is None,
        "scopes": row["scopes"],
    }
    if ended is not None:
        error = ended.error
        data["error"] = {"code": 190, "message": error["message"], "subcode": error.get("error_subcode")}
    if row["type"] == "APP":
        return data
    person = site.world.one("people", username=row["person"])
    data |= {
        "issued_at": row["issued_at"],
        "data_access_expires_at": row["data_access_expires_at"],
        "user_id": person["id"] if person else None,
        "granular_scopes": [{"scope": scope} for scope in row["scopes"]],
    }
    if row["type"] == "PAGE":
        data["profile_id"] = row["page_id"]
    return data
