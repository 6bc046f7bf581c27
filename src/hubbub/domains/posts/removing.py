"""Take down what is live: where a platform can, and one account at a time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from hubbub.connector.promises import Deletes
from hubbub.connector.refusals import RemoteRefusal
from hubbub.domains.accounts import service as accounts
from hubbub.domains.events import service as events
from hubbub.domains.posts import events as happened
from hubbub.domains.posts import reading, rules
from hubbub.domains.posts.answers import DeletedOut, DeletePostOut, thread_of
from hubbub.domains.posts.schemas import UnpublishIn
from hubbub.domains.posts.store import PostStore, Row
from hubbub.domains.usage import service as usage
from hubbub.errors import Refusal
from hubbub.errors.account import AccountNotFound
from hubbub.errors.platform import PlatformUnavailable
from hubbub.errors.resource import NotSupported, PostNotFound, ResourceNotFound
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import Caller, Work, open_work


@dataclass(frozen=True)
class Removal:
    """What became of one target's copy; no refusal means that it is gone."""

    target: Row
    refusal: Refusal | None = None

    @property
    def outcome(self) -> str:
        if self.refusal is None:
            return "deleted"
        return "not_supported" if isinstance(self.refusal, NotSupported) else "failed"


async def delete(runtime: Runtime, caller: Caller, pid: str, platform: str | None) -> DeletePostOut:
    """Remove a post here, and what is live of it on its platforms. Raises PostNotFound, StateInvalid."""
    async with open_work(runtime, caller) as work:
        post, targets = await reading.own(work, pid)
        rules.may_delete(post.status)
        await (usage.return_post(work) if post.status == "scheduled" else usage.tell_posts(work))
        if post.status in rules.LOCAL_ONLY:
            await PostStore(work).delete(post.id)
            await events.announce(work, happened.deleted(post))
            return DeletePostOut(success=True, deleted=True, results=[])
    named = [target for target in targets if platform in (None, target.platform)]
    removals = [await take_down(runtime, caller, target) for target in named if target.status == "published"]
    async with open_work(runtime, caller) as work:
        left = await _forget(work, pid, removals)
        if not left:
            await events.announce(work, happened.deleted(post))
    results = [_told(removal) for removal in removals]
    results += [_left_alone(target) for target in named if target.status == "unconfirmed"]
    return DeletePostOut(success=True, deleted=not left, results=results)


async def unpublish(runtime: Runtime, caller: Caller, pid: str, wanted: UnpublishIn) -> None:
    """Take a post down from its platforms, or from some accounts' only.

    Raises PostNotFound, StateInvalid, AccountNotFound; and when a copy stays up NotSupported, which names the
    platforms, or what kept it there. What could be removed is removed by then.
    """
    accounts_named = set(wanted.account_ids or ()) | ({wanted.account_id} if wanted.account_id else set())
    async with open_work(runtime, caller) as work:
        post, targets = await reading.own(work, pid)
        rules.may_unpublish(post.status)
        if unknown := sorted(accounts_named - {target.account_id for target in targets}):
            raise AccountNotFound(id=unknown[0])
    live = [target for target in targets if target.status == "published"]
    removals = [
        await take_down(runtime, caller, target)
        for target in live
        if not accounts_named or target.account_id in accounts_named
    ]
    count = sum(removal.refusal is None for removal in removals)
    if count:
        async with open_work(runtime, caller) as work:
            await _forget(work, pid, removals)
            only = next(iter(accounts_named)) if len(accounts_named) == 1 else None
            await events.announce(work, happened.unpublished(post, only, count))
    _complain(removals)


def _complain(removals: Sequence[Removal]) -> None:
    still_live = [removal for removal in removals if removal.outcome == "not_supported"]
    if still_live:
        names = sorted({removal.target.platform for removal in still_live})
        raise NotSupported(platform=", ".join(names), operation="a way to take a post down")
    for removal in removals:
        if removal.refusal is not None:
            raise removal.refusal


async def take_down(runtime: Runtime, caller: Caller, target: Row) -> Removal:
    """Delete one target's copy, the end of a thread first. May be repeated, so a lost answer is only a failure."""
    platform, account_id = target.platform, target.account_id
    if not runtime.platforms[platform].can("delete"):
        operation = "a way to take a post down"
        return Removal(target, NotSupported(platform=platform, account_id=account_id, operation=operation))
    if target.remote_id is None:
        return Removal(target, ResourceNotFound(resource="platform_post", id=str(target.permalink)))
    ends_first = [*reversed(thread_of(target).get("thread_post_ids", [])), target.remote_id]

    async def delete(connector: Any) -> None:
        assert isinstance(connector, Deletes)
        for remote_id in ends_first:
            await connector.delete(remote_id)

    try:
        await accounts.ask(runtime, caller, account_id, target.page_id, delete)
    except Refusal as refusal:
        return Removal(target, refusal)
    except RemoteRefusal as said:
        return Removal(target, said.refusal)
    return Removal(target)


async def _forget(work: Work, pid: str, removals: Collection[Removal]) -> bool:
    """Drop the rows of what is gone, and the post's with the last; whether something is left."""
    try:
        post, targets = await reading.own(work, pid)
    except PostNotFound:
        return False
    store = PostStore(work)
    gone = {removal.target.id for removal in removals if removal.refusal is None}
    remaining = [target for target in targets if target.id not in gone]
    may_be_up = [target for target in remaining if target.status != "failed"]
    if not may_be_up:
        await store.delete(post.id)
        return False
    for target_id in gone:
        await store.delete_target(target_id)
    status = rules.post_status([target.status for target in remaining]) or post.status
    await store.update(post.id, status=status, updated_at=work.now)
    return True


def _told(removal: Removal) -> DeletedOut:
    target, refusal = removal.target, removal.refusal
    message = refusal.sentence if refusal else None
    if isinstance(refusal, PlatformUnavailable):
        message = f"{refusal.sentence} It is safe to delete again."
    return DeletedOut(target.platform, target.account_id, removal.outcome, message)


def _left_alone(target: Row) -> DeletedOut:
    """Nobody knows where such a copy is, so nobody can delete it."""
    message = "It is not known whether this copy is there; look at the platform."
    return DeletedOut(target.platform, target.account_id, "failed", message)
