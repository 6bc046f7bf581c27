"""Put one post on one account, exactly once or not at all.

Read this file from top to bottom and you know how publishing works. A target's row says how far it is;
each step does one thing, commits, and the next step begins from the row, in this process or another:

    waiting → preparing → submitting → sent → (commenting) → settled
                            ↑      ↓
         prepared ──────────┘      unknown → unconfirmed
            ↑                      │
            └──────── absent ──────┘

Only `submit` and `comment` can be seen by people. Each has a fence, committed before the call (that of
`submit` together with what was prepared): whoever finds a fence and no answer never calls again, but looks (`find`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from hubbub.connector.base import Connector
from hubbub.connector.platform import Platform
from hubbub.connector.promises import Comments, Prepared, Publishes, Receipt, Undecided, Working
from hubbub.connector.refusals import LostAnswer, NotSent, RemoteRefusal
from hubbub.domains.posts import outcome, rules, store
from hubbub.domains.posts.attempt import SEND_WITHIN, Attempt, Later, asked_wait
from hubbub.domains.posts.store import Row
from hubbub.errors import Action, Refusal
from hubbub.errors.platform import PlatformUnavailable
from hubbub.runtime.statements import Connection

LOOK_FOR = timedelta(minutes=10)
"""How long a lost answer is looked for before a person has to."""


class Publication(Attempt):
    """One target's way to its platform, as far as it gets."""

    async def run(self) -> None:
        """Take step after step until the target is settled or has to wait."""
        steps: dict[str, Callable[[], Awaitable[None]]] = {
            "waiting": self.begin,
            "preparing": self.prepare,
            "prepared": self.submit,
            "submitting": self.notice_lost_answer,
            "unknown": self.look,
            "sent": self.settle,
            "commenting": self.comment,
        }
        try:
            while self.row.due_at is not None and self.row.stage in steps:
                before = self.row
                await steps[before.stage]()
                if self.row is before:
                    await self.reload()
        except Later:
            return

    # The steps

    async def begin(self) -> None:
        """Say that the work has started, unless it is too late or somebody has changed the post meanwhile."""
        now, planned = self.now, self.row.planned_at or self.now
        if now - planned > (patience := rules.catch_up(self.runtime.settings.catch_up_hours)):
            await self.end(outcome.too_late(self.row, planned + patience))
            return
        async with self.transaction() as db:
            if not await store.mark_publishing(db, self.row.post_id):
                raise Later
            begun = await store.change(
                db, self.id, store.UNCHANGED, seen=self.row.updated_at, status="publishing",
                stage="preparing", error=None, updated_at=now, started_at=self.row.started_at or now,
            )  # fmt: skip
            self.go_on_from(begun)  # in here: what was not begun leaves the post as it was

    async def prepare(self) -> None:
        """Everything that can be done without being seen. May be repeated."""
        connector = await self.connector()
        assert isinstance(connector, Publishes)
        try:
            draft = await self.draft(connector.facts)
            made = await connector.prepare(draft, self.row.working)
        except (RemoteRefusal, LostAnswer, NotSent, Refusal) as failure:
            await self.take_refusal(failure, connector)
            return
        if isinstance(made, Working):
            due = self.now + timedelta(seconds=made.look_after)
            await self.change(working=dict(made.body), due_at=due, tries=0)
            raise Later
        kept = {"prepared": dict(made.body), "working": None, "tries": 0, "waiting_since": None}
        if await self.take_fence(store.PREPARING, **kept):
            await self.send(connector, made)

    async def submit(self) -> None:
        """Again, after certainty that the call before left nothing."""
        connector = await self.connector()
        if await self.take_fence(store.PREPARED):
            await self.send(connector, Prepared(self.row.prepared))

    async def send(self, connector: Connector, prepared: Prepared) -> None:
        """The one call after which people may see the post. The fence was taken just now."""
        assert isinstance(connector, Publishes)
        try:
            with connector.http.within(
                send=SEND_WITHIN, answer=self.publishing(connector.facts).submit_timeout
            ):
                receipt = await connector.submit(prepared)
        except RemoteRefusal as said:
            if not said.certain:
                await self.lose_answer(f"{said.refusal.sentence} {said.upstream or ''}".strip())
                return
            await self.take_refusal(said, connector)
        except NotSent as failure:
            await self.take_refusal(failure, connector)
        except LostAnswer as lost:
            await self.lose_answer(str(lost))
        else:
            await self.keep_receipt(receipt)

    async def notice_lost_answer(self) -> None:
        """Somebody took the fence and did not come back."""
        await self.lose_answer("the process that was publishing ended before the answer was stored")

    async def look(self) -> None:
        """Find out whether a call whose answer was lost has happened. May be repeated."""
        connector = await self.connector()
        assert isinstance(connector, Publishes)
        rule = self.publishing(connector.facts)
        if rule.certainty == "blind":
            await self.give_up_looking("the platform offers no way to look a post up")
            return
        try:
            found = await connector.find(Prepared(self.row.prepared), await self.seeking(self.row.fence))
        except Undecided as evidence:
            await self.give_up_looking(str(evidence))
            return
        except (RemoteRefusal, LostAnswer, NotSent) as failure:
            await self.look_again(failure, connector)
            return
        if found is not None:
            await self.keep_receipt(found)
            return
        await self.look_until_certain(rule)
        if self.row.submits >= rules.MAX_SUBMITS:
            await self.end(
                outcome.failed(
                    PlatformUnavailable(platform=self.row.platform, account_id=self.row.account_id)
                )
            )
        else:
            await self.drop_fence(after=rules.backoff(self.row.submits - 2) if self.row.submits > 1 else None)

    async def settle(self) -> None:
        """Is it up yet? One look; the row says when to look again."""
        connector = await self.connector()
        assert isinstance(connector, Publishes)
        receipt = Receipt(
            self.row.receipt["remote_id"], self.row.receipt["permalink"], self.row.receipt["body"]
        )
        try:
            settled = await connector.settle(receipt)
        except RemoteRefusal as said:
            if said.certain and said.refusal.action is Action.FIX_REQUEST:
                await self.end(outcome.failed(said.refusal, said.upstream))
                return
            await self.look_again(said, connector)
            return
        except (LostAnswer, NotSent) as failure:
            await self.look_again(failure, connector)
            return
        if isinstance(settled, Working):
            await self.wait_for_platform(connector.facts, settled)
        else:
            await self.end(outcome.published(settled), then_comment=self.wants_comment(connector))

    async def comment(self) -> None:
        """The first comment, with a fence of its own. However it ends, the post stays published."""
        connector = await self.connector()
        assert isinstance(connector, Comments)
        assert self.first_comment is not None
        try:
            comment_id = await (
                self.write_comment(connector, connector, self.first_comment)
                if await self.take_comment_fence()
                else self.find_comment(connector, connector, self.first_comment)
            )
        except RemoteRefusal as said:
            if not said.certain:
                await self.retry_comment(said.refusal.sentence)
                return
            await self.end_comment(warning=f"The first comment was not written: {said.refusal.sentence}")
        except (LostAnswer, NotSent) as lost:
            await self.retry_comment(str(lost))
        except Undecided as evidence:
            await self.end_comment(
                warning=f"Nobody can say whether the first comment was written: {evidence}"
            )
        else:
            if comment_id is not None:
                await self.end_comment(comment_id)

    async def write_comment(self, connector: Connector, commenter: Comments, text: str) -> str:
        with connector.http.within(send=SEND_WITHIN, answer=self.publishing(connector.facts).submit_timeout):
            return await commenter.comment(self.row.remote_id, text)

    async def find_comment(self, connector: Connector, commenter: Comments, text: str) -> str | None:
        """None when it is certainly not there: then the way is free again."""
        fence = self.row.comment_fence
        assert fence is not None
        found = await commenter.find_comment(self.row.remote_id, text, await self.seeking(fence))
        if found is None:
            await self.look_until_certain(self.publishing(connector.facts))
            await self.change(comment_fence=None, absences=0)
        return found

    async def end_comment(self, comment_id: str | None = None, warning: str | None = None) -> None:
        warnings = [*(self.row.warnings or ()), *([warning] if warning else [])]
        await self.change(stage="settled", due_at=None, comment_id=comment_id, warnings=warnings)

    async def wait_for_platform(self, facts: Platform, working: Working) -> None:
        """A platform that never finishes has not certainly failed: it may yet appear."""
        limit = timedelta(seconds=self.publishing(facts).settle_timeout)
        if self.now - (self.row.sent_at or self.now) > limit:
            await self.give_up_looking(f"the platform was still processing it after {limit}")
            return
        receipt = {**self.row.receipt, "body": dict(working.body)}
        await self.change(receipt=receipt, due_at=self.now + timedelta(seconds=working.look_after))
        raise Later

    # Fences

    async def take_fence(self, where: Any, **also: Any) -> bool:
        """Commit, before the call, that it is being made. False when somebody else already has."""
        async with self.transaction() as db:
            taken = await store.change(
                db, self.id, where, fence=self.now, stage="submitting", submits=self.row.submits + 1, **also
            )
        if taken is not None:
            self.go_on_from(taken)
        return taken is not None

    async def drop_fence(self, after: timedelta | None = None) -> None:
        """It certainly did not happen: the way is free again, at once or after a while."""
        due = self.now + after if after else self.row.due_at
        await self.change(
            fence=None, stage="prepared", lost_at=None, lost_because=None, absences=0, tries=0, due_at=due
        )
        if after:
            raise Later

    async def take_comment_fence(self) -> bool:
        async with self.transaction() as db:
            return bool(await store.change(db, self.id, store.UNCOMMENTED, comment_fence=self.now))

    async def retry_comment(self, because: str) -> None:
        if self.row.tries >= rules.MAX_TRIES:
            await self.end_comment(warning=f"Nobody can say whether the first comment was written: {because}")
            return
        await self.try_later()

    # What became of it

    async def keep_receipt(self, receipt: Receipt) -> None:
        kept = {"remote_id": receipt.remote_id, "permalink": receipt.permalink, "body": dict(receipt.body)}
        await self.change(stage="sent", receipt=kept, remote_id=receipt.remote_id, sent_at=self.now, tries=0)

    async def lose_answer(self, because: str) -> None:
        await self.change(stage="unknown", lost_at=self.now, lost_because=because[:500], tries=0)

    async def look_again(self, failure: Exception, connector: Connector) -> None:
        """Looking failed for a reason of its own; it may be repeated for a while."""
        if isinstance(failure, RemoteRefusal) and failure.refusal.action is Action.RECONNECT:
            await self.reconnect(failure, connector, keep="stage")
            return
        since = self.row.lost_at or self.row.sent_at or self.now
        if self.now - since > LOOK_FOR:
            await self.give_up_looking(str(failure))
            return
        await self.try_later(asked_wait(failure))


async def load(db: Connection, target_id: UUID) -> tuple[Row, Row] | None:
    """A target that still has something to do, and its post."""
    row = await store.target(db, target_id)
    if row is None or row.due_at is None:
        return None
    post = await store.post_of(db, row.post_id)
    return (row, post) if post is not None and post.status != "draft" else None
