"""What every step of a publication may need: the row, a connector, a draft, and ways to wait."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hubbub.connector import limits
from hubbub.connector.base import Connector
from hubbub.connector.platform import Platform, Publish
from hubbub.connector.promises import Seeking
from hubbub.connector.refusals import LostAnswer, NotSent, RemoteRefusal
from hubbub.domains.accounts import service as accounts
from hubbub.domains.media import service as media
from hubbub.domains.posts import fixing, outcome, rules, store
from hubbub.domains.posts.store import Row
from hubbub.errors import Action, Refusal, Refused
from hubbub.errors.account import AccountNotFound, NoActivePage, PageInactive, ReconnectionRequired
from hubbub.errors.platform import PlatformUnavailable
from hubbub.errors.publishing import AccountLoadFailed, MediaUnavailable, PageResolveFailed, Unconfirmed
from hubbub.errors.resource import ResourceNotFound
from hubbub.runtime.process import Runtime
from hubbub.runtime.statements import Connection
from hubbub.runtime.work import Caller, Work
from hubbub.social.draft import Draft, File

SEND_WITHIN = 2.0
"""Seconds between the fence and the call. A process that was asleep for longer does not call any more, so another
one may conclude after this time that a call which has not arrived never will."""


LOOKS = 6
"""How often a lost post is looked for, after the first time, before it is certainly absent."""


class Later(Exception):
    """The target's row says when to go on; this run is over."""


class Attempt:
    """One run of one target. Holds nothing that is not in the row."""

    def __init__(self, runtime: Runtime, row: Row, post: Row) -> None:
        self.runtime = runtime
        self.id: UUID = row.id
        self.row = row
        self.post = post
        self.caller = Caller(row.workspace_id, mode=post.mode)
        self._connector: Connector | None = None
        self._seen = time.monotonic()

    @property
    def now(self) -> datetime:
        """The database's time, the only clock that all workers share; theirs may differ by hours."""
        return self.row.clock + timedelta(seconds=time.monotonic() - self._seen)

    # The row

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        async with self.runtime.database.begin() as db:
            yield db

    def go_on_from(self, row: Row | None) -> None:
        """What the row is now; Later when it is gone."""
        if row is None:
            raise Later
        self.row, self._seen = row, time.monotonic()

    async def change(self, **changes: Any) -> None:
        async with self.transaction() as db:
            row = await store.change(db, self.id, updated_at=self.now, **changes)
        self.go_on_from(row)

    async def reload(self) -> None:
        async with self.transaction() as db:
            row = await store.target(db, self.id)
        self.go_on_from(row)

    async def end(self, ended: outcome.Outcome, *, then_comment: bool = False) -> None:
        """Record how it ended, and what that makes of the post, in one transaction."""
        async with self.transaction() as db:
            work = Work(db, self.runtime, self.caller, self.now)
            row = await outcome.record(work, self.row, ended, then_comment=then_comment)
        self.go_on_from(row)

    # What the steps need

    @property
    def first_comment(self) -> str | None:
        return self.row.first_comment or self.post.first_comment

    def wants_comment(self, connector: Connector) -> bool:
        return bool(self.first_comment) and "first_comment" in connector.facts.can

    def publishing(self, facts: Platform) -> Publish:
        assert facts.publish is not None
        return facts.publish

    async def connector(self) -> Connector:
        """A connector with credentials that last through the run; Later when there is none now."""
        if self._connector is None:
            self._connector = await self._connect()
        return self._connector

    async def _connect(self) -> Connector:
        try:
            async with self.transaction() as db:
                work = Work(db, self.runtime, self.caller, self.now)
                account = (await accounts.visible(work, [self.row.account_id]))[self.row.account_id]
                page = await accounts.page_for(work, account, self.row.page_id)
                if page is not None and self.row.page_id is None:
                    # The default may change; what was begun on one page is looked for and deleted there.
                    await store.change(db, self.id, page_id=page.id)
                granted = await accounts.granted(work, account, page)
            return await accounts.connector_for(
                self.runtime,
                self.row.account_id,
                page.id if page else None,
                granted=granted,
                opener=media.opener(self.runtime),
                link=media.linker(self.runtime, lambda: self.now),
                now=lambda: self.now,
            )
        except ReconnectionRequired as refusal:
            await self.park(refusal, None, keep="stage")
        except AccountNotFound:
            await self.lacking(AccountLoadFailed(platform=self.row.platform, account_id=self.row.account_id))
        except (PageInactive, NoActivePage, ResourceNotFound):
            await self.lacking(PageResolveFailed(platform=self.row.platform, account_id=self.row.account_id))
        except (RemoteRefusal, LostAnswer, NotSent) as failure:
            await self.try_later(asked_wait(failure))
        raise Later

    async def give_up_looking(self, evidence: str) -> None:
        said = Unconfirmed(
            platform=self.row.platform,
            account_id=self.row.account_id,
            evidence=f"Lost answer: {self.row.lost_because}. Looking for it: {evidence}",
        )
        await self.end(outcome.unconfirmed(said))

    async def lacking(self, refusal: Refusal) -> None:
        """Without an account nothing can be sent, nor looked for."""
        if self.row.stage in ("submitting", "unknown", "sent"):
            await self.give_up_looking(refusal.sentence)
        elif self.row.stage == "commenting":
            await self.change(
                stage="settled", due_at=None, warnings=[*(self.row.warnings or ()), refusal.sentence]
            )
        else:
            await self.end(outcome.failed(refusal))

    async def draft(self, facts: Platform) -> Draft:
        """What this target says, measured once more: the limits may have changed since it was written.

        Pictures are changed where that was asked for. Raises Refusal.
        """
        row, post = self.row, self.post
        options = rules.options_for(row.platform, post.platform_data, row.platform_data)
        given = row.media if row.media is not None else post.media
        refs = [
            media.MediaRef(item["source_type"], item["source"], item.get("alt_text"), f"media[{position}]")
            for position, item in enumerate(given)
        ]
        files = await self.files(refs) if refs else []
        draft = Draft(
            text=row.text if row.text is not None else post.text,
            title=row.title or post.title,
            files=rules.with_alt(files, options),
            visibility=row.visibility or post.visibility,
            first_comment=self.first_comment,
            options=options,
            segments=tuple(post.segments),
        )
        how = fixing.way(row.platform, post.platform_data, row.platform_data)
        draft = await fixing.mended(self.runtime, self.caller, facts, draft, how, row.account_id)
        if not post.skip_validation and (problems := limits.check(facts, draft, row.account_id)):
            raise problems[0]
        return draft

    async def files(self, refs: list[media.MediaRef]) -> list[File]:
        """Raises MediaUnavailable when one of them is gone."""
        async with self.transaction() as db:
            try:
                return await media.attach(Work(db, self.runtime, self.caller, self.now), refs)
            except (Refused, Refusal) as gone:
                raise MediaUnavailable(platform=self.row.platform, account_id=self.row.account_id) from gone

    # Waiting

    async def try_later(self, wait: timedelta | None = None) -> None:
        due = self.now + (wait or rules.backoff(self.row.tries))
        await self.change(tries=self.row.tries + 1, due_at=due)
        raise Later

    def past_deadline(self) -> bool:
        started = self.row.started_at or self.now
        return self.now - started > timedelta(hours=self.runtime.settings.account_deadline_hours)

    async def look_until_certain(self, rule: Publish) -> None:
        """Nothing is there yet; Later until that means that nothing will come.

        A call may still be under way at the platform long after its sender has died, and appear late. So the way
        is free again only when several looks, spread over the longest that a call can take, have found nothing.
        A clock that is set meanwhile shortens one of the waits between them, not all. With a key of our own a
        late call can do no harm, and one look is enough.
        """
        if rule.certainty == "idempotent" or self.row.absences >= LOOKS:
            return
        longest = SEND_WITHIN + rule.submit_timeout + rule.visible_after
        due = self.now + timedelta(seconds=longest / LOOKS)
        await self.change(absences=self.row.absences + 1, due_at=due)
        raise Later

    async def seeking(self, fence: datetime) -> Seeking:
        async with self.transaction() as db:
            return Seeking(fence, await store.known_remote_ids(db, self.row.account_id))

    # Whose turn it is

    async def take_refusal(self, failure: Exception, connector: Connector) -> None:
        """Nothing happened at the platform, and its answer (or ours) says whose turn it is."""
        if isinstance(failure, LostAnswer | NotSent):
            refusal: Refusal = PlatformUnavailable(
                platform=self.row.platform, account_id=self.row.account_id, reason=str(failure)
            )
            remote = None
        elif isinstance(failure, RemoteRefusal):
            refusal, remote = failure.refusal, failure
        else:
            assert isinstance(failure, Refusal)
            refusal, remote = failure, None
        if remote is not None and refusal.action is Action.RECONNECT:
            await self.reconnect(remote, connector, keep="prepared")
        elif remote is not None and remote.is_final:
            await self.end(outcome.failed(refusal, remote.upstream))
        elif refusal.action is Action.WAIT or (remote is not None and not remote.certain):
            await self.wait_for(refusal, remote)
        else:
            await self.end(outcome.failed(refusal, remote.upstream if remote else None))

    async def wait_for(self, refusal: Refusal, remote: RemoteRefusal | None) -> None:
        """The platform wants us to come back later: for as long as it says, and not for ever."""
        error = rules.error_of(refusal, remote.upstream if remote else None)
        asked = refusal.retry_after
        if (self.row.tries >= rules.MAX_TRIES and asked is None) or self.past_deadline():
            await self.end(outcome.failed(refusal, remote.upstream if remote else None))
            return
        await self.again_from_the_start(
            error=error,
            tries=self.row.tries + 1,
            due_at=self.now + (timedelta(seconds=asked) if asked else rules.backoff(self.row.tries)),
        )
        raise Later

    async def reconnect(self, said: RemoteRefusal, connector: Connector, keep: str) -> None:
        """Renew the credentials once; if that is no use, wait for the person."""
        version = connector.grant_version
        is_auth = said.refusal.wire_code.endswith(".auth")
        if is_auth and self.row.tries == 0 and said.refreshes and await self.renewed(version):
            await (self.change(tries=1) if keep == "stage" else self.again_from_the_start(tries=1))
            return
        async with self.transaction() as db:
            if is_auth:
                work = Work(db, self.runtime, self.caller, self.now)
                await accounts.expired(
                    work, self.row.account_id, accounts.ACCESS_REVOKED, seen_version=version
                )
        await self.park(said.refusal, said.upstream, keep=keep)

    async def renewed(self, version: int) -> bool:
        self._connector = None
        try:
            return await accounts.renew(self.runtime, self.row.account_id, version)
        except (RemoteRefusal, LostAnswer, NotSent):
            await self.try_later()
            return False

    async def park(self, refusal: Refusal, upstream: dict[str, Any] | None, keep: str) -> None:
        """Wait for the account to come back, until the deadline (DESIGN: `pending` with the reason)."""
        since = self.row.waiting_since or self.now
        deadline = since + timedelta(hours=self.runtime.settings.account_deadline_hours)
        if self.now >= deadline:
            may_be_up = keep == "stage" and self.row.stage in ("submitting", "unknown", "sent")
            await self.end(outcome.missed(self.row, deadline, may_be_up=may_be_up))
            return
        reason = ReconnectionRequired(
            account_id=self.row.account_id, platform=self.row.platform, reason=refusal.wire_code
        )
        waiting = {
            "status": "pending",
            "waiting_since": since,
            "due_at": deadline,
            "error": rules.error_of(reason, upstream),
            "tries": 0,
        }
        await (self.change(**waiting) if keep == "stage" else self.again_from_the_start(**waiting))
        raise Later

    async def again_from_the_start(self, **changes: Any) -> None:
        """Prepare afresh: what was uploaded before a long wait may be gone."""
        fresh = {"stage": "preparing", "prepared": None, "working": None, "fence": None, "lost_at": None}
        if self.row.stage in ("unknown", "sent", "commenting"):
            fresh = {}
        await self.change(**{**fresh, **changes})


def asked_wait(failure: Exception) -> timedelta | None:
    """How long the platform asked us to wait, if it did."""
    asked = failure.refusal.retry_after if isinstance(failure, RemoteRefusal) else None
    return timedelta(seconds=asked) if asked else None
