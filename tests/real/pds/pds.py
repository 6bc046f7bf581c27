"""A PDS to test against: calls, accounts, app passwords, takedowns and tokens that are out of date."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from . import process

ADMIN_SECONDS = 30.0


@dataclass(frozen=True)
class Account:
    """A fresh account with the session that creating it opened. `password` is the account's own."""

    did: str
    handle: str
    email: str
    password: str
    access: str
    refresh: str


class Pds:
    """A real PDS on loopback and what a test needs to play its operator.

    Calls block, also in an async test: the PDS is another process and answers within milliseconds.
    """

    def __init__(self, network: process.Network, *, jwt_secret: str, admin_password: str) -> None:
        self.network = network
        self.url = network.pds
        self.plc = network.plc
        self._jwt_secret = jwt_secret
        self._admin = httpx2.BasicAuth("admin", admin_password)
        self._http = httpx2.Client(base_url=f"{self.url}/xrpc/", timeout=ADMIN_SECONDS, trust_env=False)

    @classmethod
    @contextmanager
    def running(cls, **settings: str) -> Generator[Pds]:
        """Start one with its own data, stop it afterwards. `settings` are PDS_* variables, such as
        PDS_RATE_LIMITS_ENABLED="true". Raises process.StartFailed, install.InstallFailed."""
        jwt_secret, admin_password = secrets.token_hex(16), secrets.token_hex(16)
        own = {"PDS_JWT_SECRET": jwt_secret, "PDS_ADMIN_PASSWORD": admin_password}
        network = process.start({**settings, **own})
        try:
            server = cls(network, jwt_secret=jwt_secret, admin_password=admin_password)
            with server._http:
                yield server
        finally:
            network.stop()

    def query(self, nsid: str, *, token: str | None = None, **params: Any) -> httpx2.Response:
        """Call a method that reads. The response comes back as it is, whatever its status."""
        return self._http.get(nsid, params=params, headers=_bearer(token))

    def procedure(
        self,
        nsid: str,
        body: Mapping[str, Any] | bytes | None = None,
        *,
        token: str | None = None,
        content_type: str = "application/octet-stream",
    ) -> httpx2.Response:
        """Call a method that changes something: JSON, raw bytes of `content_type`, or no body at all."""
        if isinstance(body, bytes):
            headers = {**_bearer(token), "content-type": content_type}
            return self._http.post(nsid, content=body, headers=headers)
        return self._http.post(nsid, json=body, headers=_bearer(token))

    def administer(self, nsid: str, body: Mapping[str, Any]) -> httpx2.Response:
        """Call a method as the operator of the PDS."""
        return self._http.post(nsid, json=body, auth=self._admin)

    def create_account(self, handle: str | None = None) -> Account:
        """A new account. A handle of your own is 3 to 18 characters and `.test`."""
        handle = handle or f"a{secrets.token_hex(6)}.test"
        email, password = f"{handle}@example.com", secrets.token_hex(8)
        body = {"handle": handle, "email": email, "password": password}
        answer = self.procedure("com.atproto.server.createAccount", body)
        made = answer.raise_for_status().json()
        return Account(made["did"], handle, email, password, made["accessJwt"], made["refreshJwt"])

    def create_app_password(
        self, account: Account, *, name: str | None = None, privileged: bool = False
    ) -> str:
        """A password for a program; `privileged` lets it reach direct messages."""
        body = {"name": name or secrets.token_hex(6), "privileged": privileged}
        answer = self.procedure("com.atproto.server.createAppPassword", body, token=account.access)
        return answer.raise_for_status().json()["password"]

    def revoke_app_password(self, account: Account, name: str) -> None:
        body = {"name": name}
        self.procedure("com.atproto.server.revokeAppPassword", body, token=account.access).raise_for_status()

    def take_down(self, did: str, *, applied: bool = True) -> None:
        """What a moderator does to an account; `applied=False` takes it back."""
        subject = {"$type": "com.atproto.admin.defs#repoRef", "did": did}
        takedown = {"applied": applied, "ref": "test"}
        body = {"subject": subject, "takedown": takedown}
        self.administer("com.atproto.admin.updateSubjectStatus", body).raise_for_status()

    def expired_access_token(self, did: str, *, scope: str = "com.atproto.appPass") -> str:
        """An access token this PDS would have taken until an hour ago."""
        an_hour_ago = int(time.time()) - 3600
        claims = {"scope": scope, "aud": "did:web:localhost", "sub": did}
        claims |= {"iat": an_hour_ago - 7200, "exp": an_hour_ago}
        signed = f"{_segment({'typ': 'at+jwt', 'alg': 'HS256'})}.{_segment(claims)}"
        signature = hmac.digest(self._jwt_secret.encode(), signed.encode(), hashlib.sha256)
        return f"{signed}.{_base64url(signature)}"


def _bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"authorization": f"Bearer {token}"}


def _segment(content: Mapping[str, Any]) -> str:
    return _base64url(json.dumps(content).encode())


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
