"""Instagram: what we ask of it, and in which order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from hubbub.connector.auth.oauth2 import grant_in
from hubbub.connector.promises import Json, Prepared, Receipt, Seeking, Settled, Undecided, Working
from hubbub.connector.refusals import LostAnswer, NotSent, RemoteRefusal
from hubbub.errors import Refusal
from hubbub.errors.peculiarities import (
    ContainerExpired,
    ContainerFailed,
    ContainerTimeout,
    InsightsScopeMissing,
    NoPages,
)
from hubbub.errors.platform import PlatformPermissionDenied
from hubbub.errors.validation import FieldInvalid
from hubbub.families.graph.connector import Graph, told
from hubbub.kit.secret import Secret
from hubbub.platforms.instagram import shapes
from hubbub.social.draft import Draft
from hubbub.social.numbers import AccountNumbers, PostNumbers
from hubbub.social.person import Grant, SignedIn

CLOCK_SKEW = timedelta(seconds=60)
PATIENCE = timedelta(minutes=5)
"""How long containers may take, as the platform advises. https://developers.facebook.com/docs/instagram-platform/content-publishing"""
LOOK_EVERY, LOOK_FIRST = 5.0, 1.0
"""Seconds between looks; pictures are often ready after the first wait."""
FETCH_SECONDS = 120.0
"""Making a container takes as long as Instagram needs to fetch the file."""
PASSING = frozenset({2207001, 2207003, 2207020, 2207032, 2207053, 2207082})
"""Failures of a container that a second one may not have."""


class Instagram(Graph):
    """Publishes, Comments, Measures, Limits, SignsInByConsent, Refreshes."""

    @property
    def is_by_facebook(self) -> bool:
        return self.account.metadata.get("login") == "facebook"

    @property
    def ig(self) -> str:
        return self.account.remote_id

    def authorize(self) -> None:
        if self.grant:
            self.sign(self.grant.access_token, prove=self.is_by_facebook)

    # Signing in

    async def exchange(self, code: str, redirect_uri: str, verifier: str) -> SignedIn:
        """Code, token for an hour, token for sixty days, then who it is."""
        if self.is_by_facebook:
            return await self._exchange_at_facebook(code, redirect_uri, verifier)
        short = shapes.token_in(await self.redeemed(code.removesuffix("#_"), redirect_uri, verifier))
        query = {
            "grant_type": "ig_exchange_token",
            "client_secret": self.app.client_secret.reveal(),
            "access_token": told(short, "access_token"),
        }
        long = grant_in(await self.http.get("tokens:/access_token", query), self.now())
        self.sign(long.access_token, prove=False)
        me = await self.http.get("graph:/me", {"fields": shapes.PROFILE_FIELDS})
        grant = Grant(long.access_token, expires_at=long.expires_at, scopes=shapes.permissions_in(short))
        return SignedIn(grant, shapes.identity_in(me))

    async def _exchange_at_facebook(self, code: str, redirect_uri: str, verifier: str) -> SignedIn:
        """The account behind the one Page that was left ticked, with that Page's token, which does not end.

        Raises NoPages (none has an account) and FieldInvalid (several have).
        """
        long = await self.long_lived(await self.redeem(code, redirect_uri, verifier))
        self.sign(long.access_token)
        query = {"fields": f"access_token,instagram_business_account{{{shapes.LINKED_FIELDS}}}", "limit": 100}
        linked = [
            row async for row in self.rows("graph:/me/accounts", query) if "instagram_business_account" in row
        ]
        if not linked:
            raise NoPages(platform=self.facts.name)
        if len(linked) > 1:
            problem = (
                f"must lead to one Instagram account; {len(linked)} were left ticked on the consent page."
            )
            raise FieldInvalid(field="metadata.login", problem=problem, reason="ambiguous")
        token = Secret(told(linked[0], "access_token"))
        grant = Grant(token, scopes=await self.granted())
        return SignedIn(grant, shapes.linked_in(linked[0]["instagram_business_account"]))

    async def refresh(self, grant: Grant) -> Grant:
        """Sixty more days, for a token that is a day old and has not ended.
        https://developers.facebook.com/docs/instagram-platform/reference/refresh_access_token"""
        query = {"grant_type": "ig_refresh_token", "access_token": grant.access_token.reveal()}
        theirs = await self.http.get("tokens:/refresh_access_token", query)
        token = Secret(told(theirs, "access_token"))
        return Grant(token, None, grant_in(theirs, self.now()).expires_at, grant.scopes, grant.extra)

    # Publishing

    async def prepare(self, draft: Draft, so_far: Json | None) -> Prepared | Working:
        """Containers: made once, then looked at once each time, whatever process does the looking.

        Raises ContainerFailed, ContainerExpired (both certain) and, after PATIENCE, ContainerTimeout.
        """
        work = dict(so_far) if so_far else await self._begin(draft, again=False)
        while True:
            waiting = [one for one in work["children"] if one not in work["finished"]]
            for one in waiting if work["container"] is None else (work["container"],):
                said = await self._look(one)
                if said == "FINISHED":
                    work["finished"] = [*work["finished"], one]
                elif said != "IN_PROGRESS":
                    work = await self._begin_again(draft, work, said)
                    return Working(work, look_after=LOOK_EVERY)
            if (container := work["container"]) and container in work["finished"]:
                return self._prepared(draft, container)
            if work["container"] or not set(work["children"]) <= set(work["finished"]):
                return self._wait(work)
            work["container"] = await self._make(shapes.carousel_out(draft, work["children"]))

    async def _begin(self, draft: Draft, *, again: bool) -> dict[str, Any]:
        container: str | None = None
        children: list[str] = []
        if shapes.kind_of(draft) == "carousel":
            children = [await self._make(shapes.item_out(file, self.link(file))) for file in draft.files]
        else:
            container = await self._make(shapes.container_out(draft, self.link(draft.files[0])))
        return {
            "container": container,
            "children": children,
            "finished": [],
            "since": self.now().isoformat(),
            "again": again,
        }

    async def _begin_again(self, draft: Draft, work: Json, said: str) -> dict[str, Any]:
        """Once, when the failure may pass. Raises ContainerFailed, ContainerExpired."""
        if said == "EXPIRED":
            refusal = ContainerExpired(
                platform=self.facts.name, account_id=self.account.id, retry_after_seconds=1
            )
            raise self._certain(refusal, said)
        number = shapes.failure_in(said)
        if number in PASSING and not work["again"]:
            return await self._begin(draft, again=True)
        reason = str(number) if number else None
        raise self._certain(
            ContainerFailed(platform=self.facts.name, account_id=self.account.id, reason=reason), said
        )

    async def _make(self, form: Mapping[str, str]) -> str:
        theirs = await self.http.post(f"graph:/{self.ig}/media", form=form, timeout=FETCH_SECONDS)
        return told(theirs, "id")

    async def _look(self, container: str) -> str:
        """IN_PROGRESS, FINISHED, PUBLISHED, EXPIRED, or the sentence of a failure."""
        theirs = await self.http.get(f"graph:/{container}", {"fields": "status_code,status"})
        code = told(theirs, "status_code")
        return theirs.get("status") or code if code == "ERROR" else code

    def _wait(self, work: Json) -> Working:
        waited = self.now() - datetime.fromisoformat(work["since"])
        if waited < PATIENCE:
            is_new = waited < timedelta(seconds=LOOK_EVERY)
            return Working(work, look_after=LOOK_FIRST if is_new else LOOK_EVERY)
        refusal = ContainerTimeout(platform=self.facts.name, account_id=self.account.id)
        raise self._certain(refusal, "IN_PROGRESS", is_final=True)

    def _certain(self, refusal: Refusal, said: str, *, is_final: bool = False) -> RemoteRefusal:
        upstream = {"platform": self.facts.name, "message": said}
        return RemoteRefusal(refusal, certain=True, upstream=upstream, is_final=is_final)

    def _prepared(self, draft: Draft, container: str) -> Prepared:
        product = shapes.product_of(draft)
        caption = "" if product == "STORY" else draft.text
        return Prepared({"container": container, "product": product, "caption": caption})

    async def submit(self, prepared: Prepared) -> Receipt:
        """Make it visible. Sent once; after a lost answer, `find` decides."""
        form = {"creation_id": prepared.body["container"]}
        theirs = await self.http.post(f"graph:/{self.ig}/media_publish", form=form)
        return Receipt(told(theirs, "id"))

    async def settle(self, receipt: Receipt) -> Settled:
        """It is up; only its address is still to be read, and a post without one is published all the same."""
        if receipt.permalink:
            return Settled(receipt.remote_id, receipt.permalink)
        try:
            theirs = await self.http.get(f"graph:/{receipt.remote_id}", {"fields": "permalink"})
            return Settled(receipt.remote_id, told(theirs, "permalink"))
        except (RemoteRefusal, LostAnswer, NotSent) as failure:
            return Settled(receipt.remote_id, warnings=(f"The post's address could not be read: {failure}",))

    async def find(self, prepared: Prepared, seeking: Seeking) -> Receipt | None:
        """The container says whether it was published, the account's newest media as what."""
        said = await self._look(prepared.body["container"])
        if said != "PUBLISHED":
            return None
        edge = "stories" if prepared.body["product"] == "STORY" else "media"
        since = seeking.since - CLOCK_SKEW
        query = {"fields": shapes.MEDIA_FIELDS, "limit": 25}
        theirs = await self.http.get(f"graph:/{self.ig}/{edge}", query)
        same = [
            row
            for row in told(theirs, "data")
            if row["id"] not in seeking.known and shapes.is_same(row, prepared.body, since)
        ]
        if len(same) != 1:
            raise Undecided(f"It was published; {len(same)} media since the call look like it.")
        return Receipt(same[0]["id"], same[0].get("permalink"))

    async def comment(self, remote_id: str, text: str) -> str:
        theirs = await self.http.post(f"graph:/{remote_id}/comments", form={"message": text})
        return told(theirs, "id")

    async def find_comment(self, remote_id: str, text: str, seeking: Seeking) -> str | None:
        """Ours is the account's own comment with the same text."""
        query = {"fields": "id,text,username,from", "limit": 50}
        async for row in self.rows(f"graph:/{remote_id}/comments", query):
            is_own = (
                row.get("username") == self.account.username or (row.get("from") or {}).get("id") == self.ig
            )
            if is_own and row.get("text") == text and row["id"] not in seeking.known:
                return row["id"]
        return None

    # Numbers

    async def post_numbers(self, remote_id: str) -> PostNumbers:
        """Likes and comments for certain; the rest where its insights can be read."""
        fields = "like_count,comments_count,media_product_type"
        media = await self.http.get(f"graph:/{remote_id}", {"fields": fields})
        metrics = shapes.POST_METRICS.get(media.get("media_product_type"), shapes.POST_METRICS["FEED"])
        try:
            insights = await self.http.get(f"graph:/{remote_id}/insights", {"metric": ",".join(metrics)})
        except RemoteRefusal:
            insights = {}
        return shapes.post_numbers_in(media, insights)

    async def account_numbers(self) -> AccountNumbers:
        """Raises InsightsScopeMissing when the person did not allow it."""
        fields = "followers_count,follows_count,media_count"
        profile = await self.http.get(f"graph:/{self.ig}", {"fields": fields})
        query = {
            "metric": ",".join(shapes.ACCOUNT_METRICS), "period": "day", "metric_type": "total_value"
        }  # fmt: skip
        try:
            insights = await self.http.get(f"graph:/{self.ig}/insights", query)
        except RemoteRefusal as said:
            if not isinstance(said.refusal, PlatformPermissionDenied):
                raise
            refusal = InsightsScopeMissing(platform=self.facts.name, account_id=self.account.id)
            raise RemoteRefusal(refusal, certain=True, upstream=said.upstream) from said
        return shapes.account_numbers_in(profile, insights)

    async def limits(self) -> Mapping[str, int]:
        """https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/content_publishing_limit"""
        query = {"fields": "config,quota_usage"}
        theirs = await self.http.get(f"graph:/{self.ig}/content_publishing_limit", query)
        return {"posts_remaining": shapes.remaining_in(theirs)}
