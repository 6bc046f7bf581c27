"""OAuth 2 with a code, driven by `[auth]`: consent page, exchange, refresh. RFC 6749, RFC 7636."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from hubbub.connector.base import Connector
from hubbub.kit.secret import Secret
from hubbub.social.person import Grant


class OAuth2(Connector):
    """The parts of a code flow that differ only in data. A platform adds how to learn who signed in."""

    def consent_url(self, redirect_uri: str, state: str, verifier: str) -> str:
        auth = self.facts.auth
        assert auth.authorize is not None
        query = {
            "client_id": self.app.client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": auth.scope_separator.join(auth.scopes),
            "state": state,
            **auth.params,
        }
        if auth.pkce:
            query |= {"code_challenge": challenge(verifier), "code_challenge_method": "S256"}
        return f"{self.http.url(auth.authorize)}?{urlencode(query)}"

    async def redeem(self, code: str, redirect_uri: str, verifier: str) -> Grant:
        """The token endpoint's answer to a code."""
        return grant_in(await self.redeemed(code, redirect_uri, verifier), self.now())

    async def redeemed(self, code: str, redirect_uri: str, verifier: str) -> Any:
        """The same as the platform wrote it."""
        form = {
            "grant_type": "authorization_code",
            "client_id": self.app.client_id,
            "client_secret": self.app.client_secret.reveal(),
            "redirect_uri": redirect_uri,
            "code": code,
        }
        if self.facts.auth.pkce:
            form["code_verifier"] = verifier
        assert self.facts.auth.token is not None
        return await self.http.post(self.facts.auth.token, form=form)


def challenge(verifier: str) -> str:
    """PKCE's S256 challenge."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def grant_in(theirs: Any, now: datetime) -> Grant:
    """A token endpoint's JSON as our grant."""
    lifetime = theirs.get("expires_in")
    refresh = theirs.get("refresh_token")
    scope = theirs.get("scope") or ""
    return Grant(
        access_token=Secret(theirs["access_token"]),
        refresh_token=Secret(refresh) if refresh else None,
        expires_at=now + timedelta(seconds=int(lifetime)) if lifetime else None,
        scopes=tuple(scope.replace(",", " ").split()),
    )
