"""Signing in with an app password: sessions, and the tokens that stand for them.

https://docs.bsky.app/docs/api/com-atproto-server-create-session; lifetimes and the grace of a used refresh
token as in @atproto/pds 0.5.35.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from datetime import datetime, timedelta
from typing import Any

from hubbub.emulation.emulator import Call, SandboxClock, Thing, World
from hubbub.platforms.bluesky.emulator.answers import refuse

ACCESS_LIFE = timedelta(hours=2)
REFRESH_LIFE = timedelta(days=90)
GRACE = timedelta(hours=2)
ACCESS, REFRESH = "at+jwt", "refresh+jwt"


class Sessions:
    """`sessions` in the world: one per refresh token; `tokens`: access tokens that died before their time."""

    def __init__(self, world: World, clock: SandboxClock) -> None:
        self.world = world
        self.clock = clock

    def open(self, person: Thing) -> dict[str, str]:
        """A new session: `accessJwt` and `refreshJwt`."""
        return {"accessJwt": self._access(person["did"]), "refreshJwt": self._refresh(person["did"])}

    def refresh(self, call: Call) -> tuple[Thing, dict[str, str]]:
        """Exchange the refresh token that the call carries.

        A used one lives on for two hours and gives the same successor. Raises Refuse.
        """
        claims = self._claims(_bearer(call, refreshing=True), REFRESH)
        session = self.world.get("sessions", claims["jti"])
        person = self.world.one("people", did=claims["sub"])
        if session is None or person is None or self._over(session["expires_at"]):
            raise refuse(400, "ExpiredToken", "Token has been revoked")
        if session["successor"] is None:
            until = min(datetime.fromisoformat(session["expires_at"]), self.clock.now() + GRACE)
            successor = self._refresh(person["did"])
            session = self.world.update(
                "sessions", session["id"], successor=successor, expires_at=until.isoformat()
            )
        return person, {"accessJwt": self._access(person["did"]), "refreshJwt": session["successor"]}

    def close(self, call: Call) -> None:
        """Log out; the access token lives until it expires. Raises Refuse."""
        claims = self._claims(_bearer(call, refreshing=True), REFRESH, even_expired=True)
        self.world.remove("sessions", claims["jti"])

    def person(self, call: Call) -> Thing:
        """Who is calling. Raises Refuse."""
        token = _bearer(call)
        claims = self._claims(token, ACCESS)
        if self.world.get("tokens", _digest(token)) is not None or int(claims["jti"]) < self._revoked(
            claims["sub"]
        ):
            raise refuse(400, "ExpiredToken", "Token has expired")
        person = self.world.one("people", did=claims["sub"])
        if person is None:
            raise refuse(403, "AccountNotFound", "Account not found")
        return person

    def expire(self, call: Call) -> None:
        """The token this call carries is over, whatever it was good for."""
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        claims = _unread(token)
        if claims.get("scope") == "com.atproto.refresh":
            self.world.remove("sessions", claims["jti"])
        elif token and self.world.get("tokens", _digest(token)) is None:
            self.world.add("tokens", id=_digest(token), state="expired")

    def revoke(self, call: Call) -> None:
        """The app password of whoever calls is gone, and with it every session it opened.

        Its access tokens end at once (the real server lets them run out), so that it shows now. The
        password itself stays good: it stands for the one the person makes next.
        """
        did = _unread(call.headers.get("authorization", "").removeprefix("Bearer ")).get("sub")
        for session in self.world.all("sessions", did=did):
            self.world.remove("sessions", session["id"])
        self.world.remove("revocations", str(did))
        self.world.add("revocations", id=str(did), before=self.world.number("access"))

    def _revoked(self, did: str) -> int:
        revocation = self.world.get("revocations", did)
        return revocation["before"] if revocation else 0

    def _access(self, did: str) -> str:
        number = self.world.number("access")
        return self._sign(ACCESS, did, ACCESS_LIFE, {"scope": "com.atproto.appPass", "jti": str(number)})

    def _refresh(self, did: str) -> str:
        id = secrets.token_urlsafe(24)
        until = self.clock.now() + REFRESH_LIFE
        self.world.add("sessions", id=id, did=did, expires_at=until.isoformat(), successor=None)
        return self._sign(REFRESH, did, REFRESH_LIFE, {"scope": "com.atproto.refresh", "jti": id})

    def _over(self, moment: str) -> bool:
        return datetime.fromisoformat(moment) <= self.clock.now()

    def _claims(self, token: str, kind: str, even_expired: bool = False) -> dict[str, Any]:
        head, _, signature = token.rpartition(".")
        good = hmac.compare_digest(self._signature(head), signature)
        if not good or _part(head.partition(".")[0]).get("typ") != kind:
            raise refuse(400, "InvalidToken", "Token could not be verified")
        claims = _unread(token)
        if claims["exp"] <= self.clock.now().timestamp() and not even_expired:
            raise refuse(400, "ExpiredToken", "Token has expired")
        return claims

    def _sign(self, kind: str, did: str, life: timedelta, claims: dict[str, Any]) -> str:
        now = int(self.clock.now().timestamp())
        times = {"iat": now, "exp": now + int(life.total_seconds())}
        body = {**claims, "aud": "did:web:localhost", "sub": did, **times}
        head = f"{_segment({'typ': kind, 'alg': 'HS256'})}.{_segment(body)}"
        return f"{head}.{self._signature(head)}"

    def _signature(self, head: str) -> str:
        kept = self.world.get("secrets", "jwt") or self.world.add(
            "secrets", id="jwt", key=secrets.token_hex(32)
        )
        return _base64url(hmac.digest(kept["key"].encode(), head.encode(), hashlib.sha256))


def _bearer(call: Call, refreshing: bool = False) -> str:
    said = call.headers.get("authorization")
    if said is None:
        raise refuse(401, "AuthMissing")
    words = said.split(" ")
    if len(words) != 2:
        raise refuse(400, "InvalidToken", "Malformed authorization header")
    if words[0].lower() in ("basic", "dpop"):
        if refreshing:
            raise refuse(401, "AuthMissing")
        raise refuse(400, "InvalidToken", "Unexpected authorization type")
    if words[0].lower() != "bearer":
        raise refuse(400, "InvalidToken", f"Unsupported authorization type: {words[0]}")
    return words[1]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _unread(token: str) -> dict[str, Any]:
    """The claims of a token nobody has verified; {} when there are none."""
    return _part(token.split(".")[1]) if token.count(".") == 2 else {}


def _part(segment: str) -> dict[str, Any]:
    try:
        part = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except ValueError:
        return {}
    return part if isinstance(part, dict) else {}


def _segment(content: dict[str, Any]) -> str:
    return _base64url(json.dumps(content, separators=(",", ":")).encode())


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
