"""How a post is doing, asked of its platforms this moment."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

import msgspec

from hubbub.connector.promises import Measures
from hubbub.connector.refusals import RemoteRefusal
from hubbub.domains.accounts import service as accounts
from hubbub.domains.posts import reading, rules, store
from hubbub.domains.posts.answers import PostMetrics, TargetErrorOut, TargetOut, target_out
from hubbub.domains.posts.store import Row
from hubbub.errors import Refusal
from hubbub.errors.platform import PlatformNotFound
from hubbub.errors.resource import NotSupported, ResourceNotFound
from hubbub.kit import clock
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import Caller, open_work
from hubbub.social.numbers import PostNumbers


async def of_post(runtime: Runtime, caller: Caller, pid: str) -> PostMetrics:
    """The numbers of every published target; one that cannot be read carries the reason as its error.

    The platforms are asked at the same time. Raises PostNotFound, AmbiguousPostId.
    """
    async with open_work(runtime, caller) as work:
        post, targets = await reading.get(work, pid)
    live = [target for target in targets if target.status == "published"]
    asked = await asyncio.gather(*(_ask(runtime, caller, target) for target in live))
    async with open_work(runtime, caller) as work:
        for target, told in zip(live, asked, strict=True):
            if not isinstance(told, Refusal):
                await store.change(work.db, target.id, metrics=asdict(told), metrics_synced_at=clock.now())
        now_kept = {row.id: row for row in (await store.PostStore(work).targets_of([post.id]))[post.id]}
    return PostMetrics(
        str(post.id),
        [
            _shown(now_kept[target.id], told, post.mode)
            for target, told in zip(live, asked, strict=True)
            if target.id in now_kept
        ],
    )


def _shown(target: Row, told: PostNumbers | Refusal, mode: str) -> TargetOut:
    shown = target_out(target, mode)
    if not isinstance(told, Refusal):
        return shown
    return msgspec.structs.replace(shown, error=msgspec.convert(rules.error_of(told), TargetErrorOut))


async def _ask(runtime: Runtime, caller: Caller, target: Row) -> PostNumbers | Refusal:
    platform, account_id = target.platform, target.account_id
    if not runtime.platforms[platform].can("metrics"):
        return NotSupported(platform=platform, account_id=account_id, operation="numbers of a post")
    if target.remote_id is None:
        return ResourceNotFound(resource="platform_post", id=str(target.permalink))
    remote_id = target.remote_id

    async def ask(connector: Any) -> PostNumbers:
        assert isinstance(connector, Measures)
        return await connector.post_numbers(remote_id)

    try:
        return await accounts.ask(runtime, caller, account_id, target.page_id, ask)
    except Refusal as refusal:
        return refusal
    except RemoteRefusal as said:
        if isinstance(said.refusal, PlatformNotFound):
            return ResourceNotFound(resource="platform_post", id=remote_id)
        return said.refusal
