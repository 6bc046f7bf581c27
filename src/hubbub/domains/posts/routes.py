"""Posts over HTTP (contract 5.5)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from hubbub.domains.posts import reading, service
from hubbub.domains.posts.schemas import (
    DeletePostOut,
    DeleteQuery,
    PostIn,
    PostOut,
    PostsQuery,
    Success,
    post_out,
)
from hubbub.domains.posts.store import Filter
from hubbub.errors.account import AccountNotFound, NoActivePage, PageInactive, PagesNotSupported
from hubbub.errors.publishing import DuplicateTarget, UnsupportedSource
from hubbub.errors.resource import (
    AmbiguousPostId,
    Conflict,
    NoRetryableDeliveries,
    PostNotFound,
    ResourceNotFound,
    StateInvalid,
)
from hubbub.errors.validation import FieldInvalid, FieldRequired
from hubbub.kit import paging
from hubbub.kit.clock import from_wire
from hubbub.runtime.lists import Paged, invalid_cursor, page
from hubbub.runtime.routes import Router
from hubbub.runtime.work import Work

router = Router("/v1/posts", "Posts")


@router.get(scope="posts:read", snapshot=True, raises=(FieldInvalid,))
async def list_posts(work: Work, query: PostsQuery) -> Paged[PostOut]:
    """List posts.

    By the time they are or were due, those without a schedule by the time they were made.
    """
    wanted = Filter(
        account_ids=tuple(part for part in (query.account_ids or "").split(",") if part),
        status=query.status,
        platform=query.platform,
        page_id=query.page_id,
        since=query.since,
        until=query.until,
        search=query.search,
        sort=query.sort,
        hidden=query.hidden,
        brand_id=query.brand_id,
    )
    found, position = await reading.list_posts(work, wanted, query.limit, _after(query))
    return page([post_out(*one) for one in found], query.limit, paging.encode(position) if position else None)


def _after(query: PostsQuery) -> tuple[datetime, UUID] | None:
    position = query.position(2)
    if position is None:
        return None
    try:
        return from_wire(position[0]), UUID(position[1])
    except (TypeError, ValueError, AttributeError):
        raise invalid_cursor() from None


@router.post(
    scope="posts:write",
    status=201,
    raises=(
        FieldRequired, FieldInvalid, AccountNotFound, ResourceNotFound, NoActivePage, PageInactive,
        PagesNotSupported, DuplicateTarget, UnsupportedSource, Conflict,
    ),
)  # fmt: skip
async def create_post(work: Work, body: PostIn) -> PostOut:
    """Create a post: a draft, for later, or for now.

    One post can go to many accounts; each gets a target with a status of its own. Everything is checked
    before anything is stored, and every problem is told at once. Publishing happens in the background.
    """
    return post_out(*await service.create(work, body))


@router.get("{pid}", scope="posts:read", snapshot=True, raises=(PostNotFound, AmbiguousPostId))
async def get_post(work: Work, pid: str) -> PostOut:
    """Get one post, by its id or by the id a platform gave it."""
    return post_out(*await reading.get(work, pid))


@router.delete("{pid}", scope="posts:write", raises=(PostNotFound, AccountNotFound, StateInvalid))
async def delete_post(work: Work, pid: str, query: DeleteQuery) -> DeletePostOut:
    """Delete a post here, and on every platform where it is live and can be deleted."""
    return await service.delete(work, pid, query.platform)


@router.post(
    "{pid}/publish",
    scope="posts:write",
    status=201,
    raises=(PostNotFound, AccountNotFound, StateInvalid, FieldRequired, Conflict),
)
async def publish_post(work: Work, pid: str) -> PostOut:
    """Publish a draft, or a scheduled post ahead of its time."""
    return post_out(*await service.publish(work, pid))


@router.post(
    "{pid}/retry",
    scope="posts:write",
    raises=(PostNotFound, AccountNotFound, StateInvalid, NoRetryableDeliveries),
)
async def retry_post(work: Work, pid: str) -> Success:
    """Send the failed targets of a post again; published and unconfirmed ones are left alone."""
    await service.retry(work, pid)
    return Success(success=True)
