"""Finding posts for a caller: only those his key covers (contract 2.4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from hubbub.domains.accounts import service as accounts
from hubbub.domains.posts.store import Filter, PostStore, Row
from hubbub.errors.account import AccountNotFound
from hubbub.errors.resource import AmbiguousPostId, PostNotFound
from hubbub.kit import ids
from hubbub.runtime.work import Work

Loaded = tuple[Row, list[Row]]
"""A post and its targets."""


async def load(work: Work, post_id: UUID, *, lock: bool = False) -> Loaded:
    """A post with its targets. Raises PostNotFound, also for one that the key does not cover.

    A key restricted to brands sees a post when one of its accounts is in them; a sandbox key sees the sandbox.
    """
    store = PostStore(work)
    post = await store.get(post_id, lock=lock)
    if post is None or (work.mode == "sandbox" and post.mode != "sandbox"):
        raise PostNotFound(id=str(post_id))
    targets = (await store.targets_of([post_id]))[post_id]
    covered = await _covered(work)
    if covered is not None and not any(target.account_id in covered for target in targets):
        raise PostNotFound(id=str(post_id))
    return post, targets


async def get(work: Work, pid: str) -> Loaded:
    """By our id, or by the platform's own id of a published target. Raises PostNotFound, AmbiguousPostId."""
    post_id = ids.as_uuid(pid)
    if post_id is not None:
        return await load(work, post_id)
    found: list[Loaded] = []
    for one in await PostStore(work).by_remote_id(pid):
        try:
            found.append(await load(work, one))
        except PostNotFound:
            continue
    if len(found) > 1:
        raise AmbiguousPostId(post_ids=[str(post.id) for post, _ in found])
    if not found:
        raise PostNotFound(id=pid)
    return found[0]


async def own(work: Work, pid: str) -> Loaded:
    """To be changed: by our id only, locked against everybody else until the transaction ends.

    Raises PostNotFound, and AccountNotFound for a post that goes to an account outside the key's brands too.
    """
    post_id = ids.as_uuid(pid)
    if post_id is None:
        raise PostNotFound(id=pid)
    post, targets = await load(work, post_id, lock=True)
    covered = await _covered(work)
    for target in targets:
        if covered is not None and target.account_id not in covered:
            raise AccountNotFound(id=target.account_id)
    return post, targets


async def list_posts(
    work: Work, wanted: Filter, limit: int, after: tuple[datetime, UUID] | None
) -> tuple[list[Loaded], list[Any] | None]:
    """One page, and the position the next one starts after (None on the last page)."""
    store = PostStore(work)
    covered = await _covered(work)
    if wanted.brand_id is not None:
        of_brand = await accounts.within(work, [wanted.brand_id])
        covered = of_brand if covered is None else covered & of_brand
    only_mode = "sandbox" if work.mode == "sandbox" else None
    rows = list(await store.list(replace(wanted, covered=covered, mode=only_mode), limit, after))
    shown, more = rows[:limit], len(rows) > limit
    targets = await store.shown_targets_of([row.id for row in shown])
    position = [shown[-1].sort_key.isoformat(), str(shown[-1].id)] if more else None
    return [(row, targets[row.id]) for row in shown], position


async def _covered(work: Work) -> frozenset[str] | None:
    """The accounts of the key's brands; None for a key that is not restricted to any."""
    return await accounts.within(work, work.caller.brand_ids) if work.caller.brand_ids else None
