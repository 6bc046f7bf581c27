"""Graph: long-lived tokens, the proof that we use them, and lists page by page."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

from hubbub.connector.auth.oauth2 import OAuth2, grant_in
from hubbub.connector.refusals import LostAnswer
from hubbub.kit.secret import Secret
from hubbub.social.person import Grant

Json = Mapping[str, Any]


class Graph(OAuth2):
    """A connector that speaks Graph. Its facts have a host called `graph`."""

    def sign(self, token: Secret, *, prove: bool = True) -> None:
        """Use this token from now on, with the proof that it is used by us where the host knows proofs.
        https://developers.facebook.com/docs/graph-api/guides/secure-requests"""
        self.http.bearer(token)
        if prove and (secret := self.app.client_secret.reveal()):
            proof = hmac.new(secret.encode(), token.reveal().encode(), hashlib.sha256).hexdigest()
            self.http.always(query={"appsecret_proof": proof})

    async def long_lived(self, short: Grant) -> Grant:
        """Facebook Login's token for sixty days, from the one that a code gave.
        https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived"""
        query = {
            "grant_type": "fb_exchange_token",
            "client_id": self.app.client_id,
            "client_secret": self.app.client_secret.reveal(),
            "fb_exchange_token": short.access_token.reveal(),
        }
        return grant_in(await self.http.get("graph:/oauth/access_token", query), self.now())

    async def granted(self) -> tuple[str, ...]:
        """The permissions that a person left ticked.
        https://developers.facebook.com/docs/graph-api/reference/user/permissions"""
        theirs = await self.http.get("graph:/me/permissions")
        return tuple(row["permission"] for row in told(theirs, "data") if row.get("status") == "granted")

    async def rows(self, address: str, query: Mapping[str, Any]) -> AsyncIterator[Json]:
        """Every row of a list. Only a missing `next` ends it: `after` may be there on the last page too.
        https://developers.facebook.com/docs/graph-api/results"""
        after: str | None = None
        while True:
            theirs = await self.http.get(address, {**query, "after": after})
            for row in told(theirs, "data"):
                yield row
            paging = theirs.get("paging") or {}
            after = (paging.get("cursors") or {}).get("after")
            if not paging.get("next") or not after:
                return


def told(theirs: Any, name: str) -> Any:
    """What was promised for a success. Raises LostAnswer when it is not there: something may have happened."""
    if isinstance(theirs, Mapping) and name in theirs:
        return cast("Mapping[str, Any]", theirs)[name]
    raise LostAnswer(f"the answer has no {name}")
