"""Finch: what we ask of it, and in which order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from hubbub.connector.base import Connector
from hubbub.connector.promises import Json, Prepared, Receipt, Seeking, Undecided
from hubbub.connector.refusals import RemoteRefusal
from hubbub.errors.platform import PlatformNotFound
from hubbub.kit.secret import Secret
from hubbub.social.draft import Draft
from hubbub.social.person import Grant, SignedIn

from . import shapes

CLOCK_SKEW = timedelta(seconds=60)
POSTS_READ = 50


class Finch(Connector):
    """Publishes, Deletes, SignsInWithFields."""

    async def sign_in(self, fields: Mapping[str, str]) -> SignedIn:
        """Exchange what was typed for a token, then ask who it is."""
        username = fields["username"].strip().removeprefix("@")
        credentials = {"username": username, "password": fields["app_password"]}
        answer = await self.http.post("api:/v1/tokens", json=credentials)
        grant = Grant(access_token=Secret(shapes.promised(answer, "token")))
        self.http.bearer(grant.access_token)
        return SignedIn(grant, shapes.identity_in(await self.http.get("api:/v1/me")))

    async def prepare(self, draft: Draft, so_far: Json | None) -> Prepared:
        """Nothing has to be uploaded for a text."""
        return Prepared(shapes.post_out(draft))

    async def submit(self, prepared: Prepared) -> Receipt:
        """Create the post. Sent once; after a lost answer `find` decides."""
        return shapes.receipt_in(await self.http.post("api:/v1/posts", json=dict(prepared.body)))

    async def find(self, prepared: Prepared, seeking: Seeking) -> Receipt | None:
        """Look for a post with the same text that is new and belongs to nothing else of ours."""
        answer = await self.http.get("api:/v1/posts", {"limit": POSTS_READ})
        found = shapes.matches(answer, prepared.body["text"], seeking.since - CLOCK_SKEW, seeking.known)
        if len(found) > 1:
            raise Undecided(f"{len(found)} posts have this text, and each could be the one")
        return shapes.receipt_in(found[0]) if found else None

    async def delete(self, remote_id: str) -> None:
        """A post that is gone already is deleted."""
        try:
            await self.http.delete(f"api:/v1/posts/{remote_id}")
        except RemoteRefusal as said:
            if not isinstance(said.refusal, PlatformNotFound):
                raise
