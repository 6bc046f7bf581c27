"""Facebook: what we ask of Graph, and in which order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from hubbub.connector.promises import Json, Prepared, Receipt, Seeking, Settled, Undecided, Working
from hubbub.connector.refusals import LostAnswer, RemoteRefusal
from hubbub.errors.platform import PlatformMediaInvalid, PlatformNotFound
from hubbub.families.graph.connector import Graph, told
from hubbub.platforms.facebook import shapes
from hubbub.social.draft import Draft, File
from hubbub.social.numbers import AccountNumbers, PostNumbers
from hubbub.social.person import Grant, SignedIn

CLOCK_SKEW = timedelta(seconds=60)
LOOKS_FOR_POST = 3
"""How often a video that is ready is asked which post shows it; without one the video itself stands for it."""
PAGE_LIMIT = 100
VIDEO_FIELDS = "status,post_id,permalink_url,published"


class Facebook(Graph):
    """Publishes, Comments, Edits, Deletes, Measures, SignsInByConsent, Revokes."""

    def authorize(self) -> None:
        token = self.place_token or (self.grant.access_token if self.grant else None)
        if token:
            self.sign(token)

    @property
    def page(self) -> str:
        assert self.account.place_id is not None
        return self.account.place_id

    # Signing in

    async def exchange(self, code: str, redirect_uri: str, verifier: str) -> SignedIn:
        """Code, short token, long token, then who it is and which pages they may publish to."""
        long = await self.long_lived(await self.redeem(code, redirect_uri, verifier))
        self.sign(long.access_token)
        me = await self.http.get("graph:/me", {"fields": "id,name,picture{url}"})
        grant = Grant(long.access_token, expires_at=long.expires_at, scopes=await self.granted())
        query = {"fields": "id,name,access_token,category,username,link,picture{url}", "limit": PAGE_LIMIT}
        places = [shapes.place_in(row) async for row in self.rows("graph:/me/accounts", query)]
        return SignedIn(grant, shapes.identity_in(me), tuple(places))

    async def revoke(self, grant: Grant) -> None:
        self.sign(grant.access_token)
        await self.http.delete("graph:/me/permissions")

    # Publishing

    async def prepare(self, draft: Draft, so_far: Json | None) -> Prepared:
        """Upload without publishing: pictures unpublished, a video up to its last step."""
        if draft.files and draft.files[0].kind == "video":
            return await self._prepare_video(draft, draft.files[0])
        photos = [await self._upload_photo(file) for file in draft.files]
        return Prepared({"form": shapes.feed_out(draft, photos), "photos": photos})

    async def _upload_photo(self, file: File) -> str:
        """https://developers.facebook.com/docs/graph-api/reference/page/photos"""
        form = {"published": "false", **({"alt_text_custom": file.alt} if file.alt else {})}
        source = (file.filename or "picture", await self.read(file), file.content_type)
        theirs = await self.http.post(
            f"graph:/{self.page}/photos", form=form, files={"source": source}, timeout=120
        )
        return told(theirs, "id")

    async def _prepare_video(self, draft: Draft, file: File) -> Prepared:
        """Chunked upload; only its `finish` makes the video visible.
        https://developers.facebook.com/docs/video-api/guides/publishing"""
        edge = f"graph:/{self.page}/videos"
        theirs = await self.http.post(edge, form={"upload_phase": "start", "file_size": str(file.size_bytes)})
        session, video = told(theirs, "upload_session_id"), told(theirs, "video_id")
        content = _Forward(self.open(file))
        # The platform says which bytes it wants next, and refuses a chunk of another length.
        while chunk := await content.between(*_range(theirs)):
            form = {
                "upload_phase": "transfer",
                "upload_session_id": session,
                "start_offset": told(theirs, "start_offset"),
            }
            part = {"video_file_chunk": ("chunk", chunk, "application/octet-stream")}
            theirs = await self.http.post(edge, form=form, files=part, timeout=300)
        return Prepared({"form": shapes.video_out(draft, session), "video": video})

    async def submit(self, prepared: Prepared) -> Receipt:
        """Make it visible. Sent once; after a lost answer, `find` decides."""
        if video := prepared.body.get("video"):
            theirs = await self.http.post(f"graph:/{self.page}/videos", form=prepared.body["form"])
            if told(theirs, "success") is not True:
                raise LostAnswer("the answer does not say that the upload was finished")
            return Receipt(video, body={"video": video})
        theirs = await self.http.post(f"graph:/{self.page}/feed", form=prepared.body["form"])
        return _receipt(theirs)

    async def settle(self, receipt: Receipt) -> Settled | Working:
        """A video is up when Facebook has processed it; everything else at once."""
        video = receipt.body.get("video")
        if not video:
            return Settled(receipt.remote_id, receipt.permalink)
        theirs = await self.http.get(f"graph:/{video}", {"fields": VIDEO_FIELDS})
        status = (theirs.get("status") or {}).get("video_status")
        if status in ("error", "upload_failed", "expired"):
            refusal = PlatformMediaInvalid(
                platform=self.facts.name, account_id=self.account.id, reason="processing"
            )
            raise RemoteRefusal(refusal, certain=True, upstream={"message": f"video_status: {status}"})
        if status != "ready":
            return Working(receipt.body, look_after=5)
        looks = receipt.body.get("looks_for_post", 0)
        if not theirs.get("post_id") and looks < LOOKS_FOR_POST:
            return Working({**receipt.body, "looks_for_post": looks + 1}, look_after=5)
        post = theirs.get("post_id") or video
        remote_id = post if "_" in post or post == video else f"{self.page}_{post}"
        return Settled(remote_id, _absolute(theirs.get("permalink_url")) or shapes.permalink(remote_id))

    async def find(self, prepared: Prepared, seeking: Seeking) -> Receipt | None:
        """Look at the video we uploaded, or through the page's posts since the call."""
        if video := prepared.body.get("video"):
            return await self._find_video(video)
        photos, form = set(prepared.body["photos"]), prepared.body["form"]
        same: list[Json] = []
        similar = 0
        since = int((seeking.since - CLOCK_SKEW).timestamp())
        query = {"fields": shapes.POST_FIELDS, "since": since, "limit": PAGE_LIMIT}
        async for post in self.rows(f"graph:/{self.page}/published_posts", query):
            if photos & shapes.targets_in(post):
                return _receipt(post)
            if photos or post["id"] in seeking.known or not shapes.says_the_same(post, form):
                continue
            if shapes.shows_link(post, form.get("link")):
                same.append(post)
            else:
                similar += 1
        # Facebook may show a link as the address it leads to, so another link under the same text proves nothing.
        if len(same) > 1 or (similar and not same):
            raise Undecided(f"{len(same) + similar} posts on the page since the call say the same.")
        return _receipt(same[0]) if same else None

    async def _find_video(self, video: str) -> Receipt | None:
        """Whether its upload was finished; from then on it appears by itself, sooner or later."""
        theirs = await self.http.get(f"graph:/{video}", {"fields": VIDEO_FIELDS})
        return Receipt(video, body={"video": video}) if shapes.is_taken(theirs) else None

    async def comment(self, remote_id: str, text: str) -> str:
        theirs = await self.http.post(f"graph:/{remote_id}/comments", form={"message": text})
        return told(theirs, "id")

    async def find_comment(self, remote_id: str, text: str, seeking: Seeking) -> str | None:
        """Ours is the page's own comment with the same text."""
        query = {
            "fields": "id,message,from",
            "filter": "stream",
            "order": "reverse_chronological",
            "limit": PAGE_LIMIT,
        }
        theirs = await self.http.get(f"graph:/{remote_id}/comments", query)
        for row in told(theirs, "data"):
            author = (row.get("from") or {}).get("id")
            if row.get("message") == text and row["id"] not in seeking.known and author in (None, self.page):
                return row["id"]
        return None

    async def edit(self, remote_id: str, text: str) -> None:
        """https://developers.facebook.com/docs/graph-api/reference/page-post#updating"""
        field = "message" if "_" in remote_id else "description"
        await self.http.post(f"graph:/{remote_id}", form={field: text})

    async def post_numbers(self, remote_id: str) -> PostNumbers:
        """https://developers.facebook.com/docs/graph-api/reference/page-post"""
        fields = shapes.POST_NUMBERS if "_" in remote_id else shapes.VIDEO_NUMBERS
        return shapes.post_numbers_in(await self.http.get(f"graph:/{remote_id}", {"fields": fields}))

    async def account_numbers(self) -> AccountNumbers:
        """https://developers.facebook.com/docs/graph-api/reference/page"""
        fields = {"fields": "id,followers_count,fan_count"}
        return shapes.account_numbers_in(await self.http.get(f"graph:/{self.page}", fields))

    async def delete(self, remote_id: str) -> None:
        try:
            await self.http.delete(f"graph:/{remote_id}")
        except RemoteRefusal as said:
            if not isinstance(said.refusal, PlatformNotFound):
                raise


class _Forward:
    """A file that can only be read on: pieces by their place in it."""

    def __init__(self, stream: AsyncIterator[bytes]) -> None:
        self._stream = stream
        self._waiting = bytearray()
        self._at = 0

    async def between(self, start: int, end: int) -> bytes:
        """The bytes from `start` to `end`; fewer where the file ends. Raises LostAnswer for bytes that are past."""
        if start < self._at:
            raise LostAnswer(f"the upload went back from byte {self._at} to {start}")
        async for piece in self._stream:
            self._waiting += piece
            if self._at + len(self._waiting) >= end:
                break
        del self._waiting[: start - self._at]
        self._at = start
        return bytes(self._waiting[: end - start])


def _range(theirs: Any) -> tuple[int, int]:
    return int(told(theirs, "start_offset")), int(told(theirs, "end_offset"))


def _receipt(theirs: Any) -> Receipt:
    post = told(theirs, "id")
    return Receipt(post, _absolute(theirs.get("permalink_url")) or shapes.permalink(post))


def _absolute(link: str | None) -> str | None:
    return f"https://www.facebook.com{link}" if link and link.startswith("/") else link
