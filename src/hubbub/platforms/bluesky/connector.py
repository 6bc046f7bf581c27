"""Bluesky: what we ask of a PDS, and in which order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from hubbub.connector.base import Connector
from hubbub.connector.promises import Json, Prepared, Receipt, Seeking, Settled, Working
from hubbub.connector.refusals import LostAnswer, RemoteRefusal
from hubbub.errors import Action
from hubbub.errors.platform import PlatformApiError, PlatformNotFound
from hubbub.errors.validation import FieldInvalid
from hubbub.kit.secret import Secret
from hubbub.platforms.bluesky import shapes
from hubbub.social.draft import Draft, File
from hubbub.social.numbers import AccountNumbers, PostNumbers
from hubbub.social.person import Grant, Identity, SignedIn

XRPC = "pds:/xrpc/"
MOST_LANGUAGES = 3
HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?", re.IGNORECASE)


class Bluesky(Connector):
    """Publishes, Threads, Deletes, Measures, SignsInWithFields, Refreshes."""

    def authorize(self) -> None:
        super().authorize()
        # In the sandbox everybody lives on the one server, wherever it listens today.
        if self.grant and not self.account.sandbox and (own := self.grant.extra.get("pds")):
            self.http.at("pds", own)

    # Signing in

    async def sign_in(self, fields: Mapping[str, str]) -> SignedIn:
        """Open a session on the account's own server. https://docs.bsky.app/docs/api/com-atproto-server-create-session"""
        identifier = fields["identifier"].strip().removeprefix("@")
        if not self.account.sandbox:
            service = fields.get("service") or await self._server_of(identifier)
            if service:
                self.http.at("pds", _checked(service))
        credentials = {"identifier": identifier, "password": fields["app_password"]}
        session = await self.http.post(XRPC + "com.atproto.server.createSession", json=credentials)
        did, handle = _told(session, "did"), _told(session, "handle")
        own = shapes.pds_in(session.get("didDoc") or {})
        if own and not self.account.sandbox:
            self.http.at("pds", _checked(own))
        grant = _grant_in(session, self.now(), self.http.url("pds:"))
        self.http.bearer(grant.access_token)
        return SignedIn(grant, await self._profile(did, handle))

    async def _server_of(self, identifier: str) -> str | None:
        """From the handle to its DID, from there to its server. https://atproto.com/specs/handle"""
        if "@" in identifier:
            return None
        did = identifier
        if not identifier.startswith("did:"):
            path = "resolver:/xrpc/com.atproto.identity.resolveHandle"
            did = _told(await self.http.get(path, {"handle": identifier}), "did")
        if did.startswith("did:web:"):
            host = _checked(unquote(did.removeprefix("did:web:")))
            document = await self.http.get(f"{host}/.well-known/did.json")
        else:
            document = await self.http.get(f"plc:/{did}")
        return shapes.pds_in(document)

    async def _profile(self, did: str, handle: str) -> Identity:
        """A server without an app view knows no profiles; the handle is enough then."""
        try:
            theirs = await self.http.get(XRPC + "app.bsky.actor.getProfile", {"actor": did})
        except RemoteRefusal:
            theirs = {}
        return Identity(
            remote_id=did,
            name=theirs.get("displayName") or handle,
            username=handle,
            picture_url=theirs.get("avatar"),
            bio=theirs.get("description"),
        )

    async def refresh(self, grant: Grant) -> Grant:
        """Both tokens are replaced. The old refresh token works a little longer, so a crash here is no loss."""
        assert grant.refresh_token is not None
        self.http.bearer(grant.refresh_token)
        session = await self.http.post(XRPC + "com.atproto.server.refreshSession")
        renewed = _grant_in(session, self.now(), self.http.url("pds:"))
        self.http.bearer(renewed.access_token)
        return renewed

    async def revoke(self, grant: Grant) -> None:
        if grant.refresh_token is not None:
            self.http.bearer(grant.refresh_token)
            await self.http.post(XRPC + "com.atproto.server.deleteSession")

    # Publishing

    async def prepare(self, draft: Draft, so_far: Json | None) -> Prepared:
        """Upload the pictures and fix the record and its key. Unused uploads are forgotten by the server."""
        if len(draft.options.get("langs") or ()) > MOST_LANGUAGES:
            raise _bad_option("langs", f"may hold {MOST_LANGUAGES} languages.", "too_many")
        blobs = [await self._upload(file) for file in draft.files]
        record = shapes.post_out(
            draft,
            created_at=self.now(),
            blobs=blobs,
            dids=await self._dids(draft.text),
            reply=await self._reply(draft.options.get("reply_to")),
            quote=await self._quote(draft.options.get("quote")),
        )
        first = {"rkey": shapes.record_key(self.now()), "record": record}
        following = [await self._segment(text, draft) for text in draft.segments]
        return Prepared({**first, "following": following} if following else first)

    async def _segment(self, text: str, draft: Draft) -> dict[str, Any]:
        """One post of the thread under a key of its own; what it answers is known when that is up."""
        langs = {name: value for name, value in draft.options.items() if name == "langs"}
        record = shapes.post_out(
            Draft(text=text, options=langs), created_at=self.now(), dids=await self._dids(text)
        )
        return {"rkey": shapes.record_key(self.now()), "record": record}

    async def _upload(self, file: File) -> Json:
        """https://docs.bsky.app/docs/api/com-atproto-repo-upload-blob"""
        content, headers = await self.read(file), {"Content-Type": file.content_type}
        theirs = await self.http.post(XRPC + "com.atproto.repo.uploadBlob", content=content, headers=headers)
        return _told(theirs, "blob")

    async def submit(self, prepared: Prepared) -> Receipt:
        """Create the record under our own key: a second one with that key cannot exist."""
        return self._first(await self._create(prepared.body["rkey"], prepared.body["record"]), prepared)

    async def _create(self, rkey: str, record: Json) -> Any:
        body = {"repo": self.account.remote_id, "collection": shapes.POST, "rkey": rkey, "record": record}
        return await self.http.post(XRPC + "com.atproto.repo.createRecord", json=body)

    async def find(self, prepared: Prepared, seeking: Seeking) -> Receipt | None:
        """Read the record by the key we chose."""
        found = await self._record(self.account.remote_id, shapes.POST, prepared.body["rkey"])
        return self._first(found, prepared) if found else None

    def _first(self, theirs: Any, prepared: Prepared) -> Receipt:
        """The receipt of a post, with what is to follow it."""
        receipt, following = self._receipt(theirs), prepared.body.get("following")
        if not following:
            return receipt
        first = {"uri": receipt.remote_id, "cid": receipt.body["cid"]}
        root = (prepared.body["record"].get("reply") or {}).get("root") or first
        body = {"cid": first["cid"], "root": root, "parent": first, "following": following}
        return Receipt(receipt.remote_id, receipt.permalink, {**body, "thread_post_ids": []})

    async def settle(self, receipt: Receipt) -> Settled | Working:
        return await self.continue_thread(receipt)

    async def continue_thread(self, receipt: Receipt) -> Settled | Working:
        """The key of each post was chosen beforehand, so one whose answer was lost is found under it."""
        up, following = receipt.body.get("thread_post_ids", []), receipt.body.get("following", [])
        failed_at = receipt.body.get("thread_failed_at_index")
        if failed_at is not None:
            said = f"The thread ends before segment {failed_at + 1}: {receipt.body['thread_failure']}"
            return Settled(receipt.remote_id, receipt.permalink, (said,))
        if len(up) == len(following):
            return Settled(receipt.remote_id, receipt.permalink)
        segment, parent = following[len(up)], receipt.body["parent"]
        record = {**segment["record"], "reply": {"root": receipt.body["root"], "parent": parent}}
        try:
            found = await self._record(self.account.remote_id, shapes.POST, segment["rkey"])
            theirs = found or await self._create(segment["rkey"], record)
        except RemoteRefusal as said:
            if not (said.certain and said.refusal.action is Action.FIX_REQUEST):
                raise
            failure = {"thread_failed_at_index": len(up), "thread_failure": said.refusal.sentence}
            return Working({**receipt.body, **failure}, look_after=0)
        here = {"uri": _told(theirs, "uri"), "cid": _told(theirs, "cid")}
        return Working({**receipt.body, "parent": here, "thread_post_ids": [*up, here["uri"]]}, look_after=0)

    async def post_numbers(self, remote_id: str) -> PostNumbers:
        """https://docs.bsky.app/docs/api/app-bsky-feed-get-posts"""
        theirs = await self.http.get(XRPC + "app.bsky.feed.getPosts", {"uris": remote_id})
        found = _told(theirs, "posts")
        if not found:
            gone = PlatformNotFound(platform=self.facts.name, account_id=self.account.id)
            raise RemoteRefusal(gone, certain=True)
        return shapes.post_numbers_in(found[0])

    async def account_numbers(self) -> AccountNumbers:
        """https://docs.bsky.app/docs/api/app-bsky-actor-get-profile"""
        query = {"actor": self.account.remote_id}
        return shapes.account_numbers_in(await self.http.get(XRPC + "app.bsky.actor.getProfile", query))

    async def delete(self, remote_id: str) -> None:
        """The server answers the same when it is gone already."""
        repo, collection, rkey = shapes.address_in(remote_id)
        body = {"repo": repo, "collection": collection, "rkey": rkey}
        await self.http.post(XRPC + "com.atproto.repo.deleteRecord", json=body)

    def _receipt(self, theirs: Any) -> Receipt:
        uri = _told(theirs, "uri")
        link = shapes.permalink(self.account.username or self.account.remote_id, uri)
        return Receipt(uri, link, {"cid": _told(theirs, "cid")})

    async def _record(self, repo: str, collection: str, rkey: str) -> Any | None:
        query = {"repo": repo, "collection": collection, "rkey": rkey}
        try:
            return await self.http.get(XRPC + "com.atproto.repo.getRecord", query)
        except RemoteRefusal as said:
            if isinstance(said.refusal, PlatformNotFound):
                return None
            raise

    async def _dids(self, text: str) -> dict[str, str]:
        """Who is behind each handle the text mentions; those nobody knows stay plain text."""
        dids: dict[str, str] = {}
        for handle in shapes.handles_in(text):
            try:
                known = await self.http.get(XRPC + "com.atproto.identity.resolveHandle", {"handle": handle})
            except RemoteRefusal as said:
                if not (said.certain and isinstance(said.refusal, PlatformNotFound | PlatformApiError)):
                    raise
                continue
            dids[handle] = _told(known, "did")
        return dids

    async def _reply(self, address: str | None) -> Json | None:
        return shapes.reply_ref(await self._existing("reply_to", address)) if address else None

    async def _quote(self, address: str | None) -> Json | None:
        return shapes.strong_ref(await self._existing("quote", address)) if address else None

    async def _existing(self, option: str, address: str) -> Any:
        """The post an option points at. The server would accept one that does not exist; we do not."""
        try:
            found = await self._record(*shapes.address_in(address))
        except ValueError as unreadable:
            raise _bad_option(option, f"must be a post's address: {unreadable}.") from unreadable
        if found is None:
            raise _bad_option(option, "names a post that does not exist.")
        return found


def _bad_option(option: str, problem: str, reason: str = "unknown") -> FieldInvalid:
    return FieldInvalid(
        field=f"platform_data.bluesky.{option}", problem=problem, reason=reason, platform="bluesky"
    )


def _checked(server: str) -> str:
    """A server's base URL, from what its owner typed or a document says. Raises FieldInvalid.

    Passwords and tokens do not travel in the clear beyond this machine.
    """
    scheme, _, rest = server.strip().rpartition("://")
    host = rest.rstrip("/")
    is_local = urlsplit(f"//{host}").hostname in ("localhost", "127.0.0.1") if HOST.fullmatch(host) else False
    allowed = ("", "https", "http") if is_local else ("", "https")
    if not HOST.fullmatch(host) or scheme.lower() not in allowed:
        raise FieldInvalid(
            field="metadata.service",
            problem="must be the https address of a server, without a path.",
            reason="format",
            platform="bluesky",
        )
    return f"{scheme.lower() or 'https'}://{host.lower()}"


def _told(theirs: Any, name: str) -> Any:
    """What was promised for a success. Raises LostAnswer when it is not there: something may have happened."""
    if isinstance(theirs, Mapping) and name in theirs:
        return cast("Mapping[str, Any]", theirs)[name]
    raise LostAnswer(f"the answer has no {name}")


def _grant_in(session: Any, now: datetime, pds: str) -> Grant:
    access = _told(session, "accessJwt")
    return Grant(
        access_token=Secret(access),
        refresh_token=Secret(_told(session, "refreshJwt")),
        expires_at=shapes.expiry_in(access) or now + timedelta(hours=2),
        extra={"pds": pds},
    )
