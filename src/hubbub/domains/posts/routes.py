"""Posts over HTTP (contract 5.5)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from hubbub.domains.posts import (
    editing,
    importing,
    numbers,
    reading,
    removing,
    resolving,
    service,
    timekeeping,
    validation,
)
from hubbub.domains.posts.answers import (
    DeletePostOut,
    ImportOut,
    PostMetricsOut,
    PostOut,
    Success,
    ValidationOut,
    post_out,
)
from hubbub.domains.posts.fetched import fetch_media
from hubbub.domains.posts.schemas import (
    ConstraintsQuery,
    DeleteQuery,
    ImportQuery,
    PostIn,
    PostPatch,
    PostsQuery,
    ResolveIn,
    UnpublishIn,
    ValidateIn,
)
from hubbub.domains.posts.store import Filter
from hubbub.domains.posts.timekeeping import SchedulerHealth
from hubbub.domains.posts.validation import ConstraintsOut
from hubbub.errors.account import (
    AccountNotFound,
    NoActivePage,
    PageInactive,
    PagesNotSupported,
    ReconnectionRequired,
    UnsupportedPlatform,
)
from hubbub.errors.billing import PostLimit, StorageQuota
from hubbub.errors.platform import (
    PlatformAccountUnavailable,
    PlatformApiError,
    PlatformAuth,
    PlatformBlocked,
    PlatformConflict,
    PlatformContentRejected,
    PlatformNotFound,
    PlatformNumber,
    PlatformPermissionDenied,
    PlatformRateLimit,
    PlatformUnavailable,
)
from hubbub.errors.publishing import AccountLoadFailed, DuplicateTarget, UnsupportedSource
from hubbub.errors.resource import (
    AmbiguousPostId,
    Conflict,
    NoRetryableDeliveries,
    NotSupported,
    PostNotFound,
    ResourceNotFound,
    StateInvalid,
)
from hubbub.errors.system import StorageFull
from hubbub.errors.validation import FieldInvalid, FieldRequired
from hubbub.kit import paging
from hubbub.kit.clock import from_wire
from hubbub.runtime.lists import Paged, invalid_cursor, page
from hubbub.runtime.process import Runtime
from hubbub.runtime.routes import ANY_KEY, Reply, Router, Upload
from hubbub.runtime.work import Caller, Work

router = Router("/v1", "Posts")

CHECKED = (
    FieldRequired, FieldInvalid, AccountNotFound, ResourceNotFound, NoActivePage, PageInactive,
    PagesNotSupported, DuplicateTarget, UnsupportedSource, Conflict,
)  # fmt: skip
"""What holding a post against its accounts may end in."""

SAID_NO = (
    AccountLoadFailed, PlatformAccountUnavailable, PlatformApiError, PlatformAuth, PlatformBlocked,
    PlatformConflict, PlatformContentRejected, PlatformNotFound, PlatformNumber, PlatformPermissionDenied,
    PlatformRateLimit, PlatformUnavailable, ReconnectionRequired,
)  # fmt: skip
"""What a platform may answer while the caller waits."""


@router.get("posts", scope="posts:read", snapshot=True, raises=(FieldInvalid,))
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
    "posts",
    scope="posts:write",
    status=201,
    first=fetch_media,
    raises=(*CHECKED, PostLimit, StorageQuota, StorageFull),
)
async def create_post(work: Work, body: PostIn) -> PostOut:
    """Create a post: a draft, for later, or for now.

    One post can go to many accounts; each gets a target with a status of its own. Everything is checked
    before anything is stored, and every problem is told at once. Publishing happens in the background.
    """
    return post_out(*await service.create(work, body))


@router.get("posts/validate", scope="posts:read", raises=(UnsupportedPlatform,))
async def get_constraints(runtime: Runtime, query: ConstraintsQuery) -> Reply[ConstraintsOut]:
    """Say what each platform takes, as numbers; 0 is no limit."""
    platforms = {name: found.facts for name, found in runtime.platforms.items()}
    answer = validation.constraints(platforms, query.platform)
    return Reply(answer, headers={"Cache-Control": "private, max-age=3600"})


@router.post("posts/validate", scope="posts:read", raises=(FieldInvalid,))
async def validate_post(runtime: Runtime, caller: Caller, body: ValidateIn) -> ValidationOut:
    """Check a post beforehand. Nothing is stored, and what is wrong is an answer and no error.

    Media named by address are fetched and looked at, at most 20, and thrown away.
    """
    return await validation.validate(runtime, caller, body)


@router.post("posts/import", scope="posts:write", takes="multipart", raises=(FieldInvalid, PostLimit))
async def import_posts(runtime: Runtime, caller: Caller, query: ImportQuery, upload: Upload) -> ImportOut:
    """Make many posts from a CSV file: a draft in each row, or a scheduled post where the row has a time.

    The columns are text, title, account_ids (with | between them), scheduled_at, visibility, first_comment,
    platform_data (JSON), board_id and media_urls (with | between them), in this order or as the first line names
    them. At most 5 MB, 1,000 rows and 50 different addresses of media, which are fetched first. Rows that are
    wrong are reported by their number, the others are kept.
    """
    return await importing.run(runtime, caller, upload, dry_run=query.dry_run)


@router.get("posts/{pid}", scope="posts:read", snapshot=True, raises=(PostNotFound, AmbiguousPostId))
async def get_post(work: Work, pid: str) -> PostOut:
    """Get one post, by its id or by the id a platform gave it."""
    return post_out(*await reading.get(work, pid))


@router.delete("posts/{pid}", scope="posts:write", raises=(PostNotFound, AccountNotFound, StateInvalid))
async def delete_post(runtime: Runtime, caller: Caller, pid: str, query: DeleteQuery) -> DeletePostOut:
    """Delete a post here, and on every platform where it is live and can be deleted."""
    return await removing.delete(runtime, caller, pid, query.platform)


@router.patch(
    "posts/{pid}",
    scope="posts:write",
    raises=(
        PostNotFound,
        StateInvalid,
        NotSupported,
        PostLimit,
        StorageQuota,
        StorageFull,
        *CHECKED,
        *SAID_NO,
    ),
)
async def update_post(runtime: Runtime, caller: Caller, pid: str, body: PostPatch) -> PostOut:
    """Change a post that has not gone out; what is left out stays.

    `targets` replaces all targets. A time makes a draft a scheduled post. A failed post stays failed until it is
    retried. Of a published post the text alone can be changed, where every platform it is live on takes that.
    `hidden` can always be changed.
    """
    return post_out(*await editing.update(runtime, caller, pid, body))


@router.post(
    "posts/{pid}/publish",
    scope="posts:write",
    status=201,
    raises=(PostNotFound, AccountNotFound, StateInvalid, FieldRequired, Conflict, PostLimit),
)
async def publish_post(work: Work, pid: str) -> PostOut:
    """Publish a draft, or a scheduled post ahead of its time."""
    return post_out(*await service.publish(work, pid))


@router.post(
    "posts/{pid}/retry",
    scope="posts:write",
    raises=(PostNotFound, AccountNotFound, StateInvalid, NoRetryableDeliveries, PostLimit),
)
async def retry_post(work: Work, pid: str) -> Success:
    """Send the failed targets of a post again; published and unconfirmed ones are left alone."""
    await service.retry(work, pid)
    return Success(success=True)


@router.post(
    "posts/{pid}/unpublish",
    scope="posts:write",
    raises=(PostNotFound, AccountNotFound, StateInvalid, NotSupported, ResourceNotFound, *SAID_NO),
)
async def unpublish_post(runtime: Runtime, caller: Caller, pid: str, body: UnpublishIn) -> Success:
    """Take a post down from its platforms, or from some accounts' only.

    What could be removed is removed, also when the answer is that something stays up.
    """
    await removing.unpublish(runtime, caller, pid, body)
    return Success(success=True)


@router.get("posts/{pid}/metrics", scope="posts:read", raises=(PostNotFound, AmbiguousPostId))
async def get_post_metrics(runtime: Runtime, caller: Caller, pid: str) -> PostMetricsOut:
    """Ask every platform how the post is doing. A target that cannot be read says why in its `error`."""
    return PostMetricsOut(await numbers.of_post(runtime, caller, pid))


@router.post(
    "posts/{pid}/targets/{account_id}/resolve",
    scope="posts:write",
    raises=(PostNotFound, AccountNotFound, StateInvalid, FieldRequired),
)
async def resolve_target(work: Work, pid: str, account_id: str, body: ResolveIn) -> PostOut:
    """Say what became of a target that is `unconfirmed`: look at the platform first.

    `published` adopts what is there; `absent` makes it failed, so that it can be retried.
    """
    return post_out(*await resolving.resolve(work, pid, account_id, body))


@router.get("health/scheduler", scope=ANY_KEY)
async def scheduler_health(work: Work) -> SchedulerHealth:
    """Say whether posts start in time: how many are overdue, and for how long the oldest has been."""
    return await timekeeping.health(work)
