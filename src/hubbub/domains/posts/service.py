"""What can be done with posts: create, read, list, publish, retry, delete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from hubbub.connector import limits, options
from hubbub.connector.promises import Deletes
from hubbub.connector.refusals import LostAnswer, NotSent, RemoteRefusal
from hubbub.domains.accounts import service as accounts
from hubbub.domains.events import service as events
from hubbub.domains.media import service as media
from hubbub.domains.posts import events as happened
from hubbub.domains.posts import rules
from hubbub.domains.posts.reading import Loaded, load, own
from hubbub.domains.posts.schemas import DeletedOut, DeletePostOut, PostIn, TargetIn
from hubbub.domains.posts.store import PostStore, Row
from hubbub.errors import Refusal, Refused
from hubbub.errors.publishing import DuplicateTarget, UnsupportedSource
from hubbub.errors.resource import Conflict, NoRetryableDeliveries
from hubbub.errors.validation import FieldInvalid, FieldRequired
from hubbub.kit import ids
from hubbub.runtime.work import Work
from hubbub.social.draft import Draft, File

DUPLICATE_WINDOW = timedelta(hours=24)
DUE = "hubbub_due"
"""Nudged when something became due this moment."""

# Creating


async def create(work: Work, command: PostIn) -> Loaded:
    """Check a post against every account it is meant for, then keep it. Nothing is stored when anything is wrong."""
    leaving = command.publish_now or command.scheduled_at is not None
    problems = list(_check_shape(work, command, leaving))
    chosen, refused = await _accounts(work, command.targets)
    problems += refused
    content = command.media_given() or []
    shared, refused = await _files(work, content, "media")
    problems += _told_here(refused) if command.targets else refused
    files = None if refused else shared
    rows: list[dict[str, Any]] = []
    for position, wanted in enumerate(command.targets):
        account = chosen.get(wanted.account_id)
        if account is None:
            continue
        row, refused = await _target(work, command, wanted, position, account, files)
        rows.append(row)
        problems += refused
    problems += _twice(rows)
    if problems:
        raise Refused(problems)
    return await _keep(work, command, content, rows, chosen)


def _check_shape(work: Work, command: PostIn, leaving: bool) -> Sequence[Refusal]:
    problems: list[Refusal] = []
    has_media = bool(command.media_given()) or any(target.media_given() for target in command.targets)
    if not (command.text or "").strip() and not has_media and not _has_link(command):
        problems.append(FieldRequired(field="text"))
    # A key restricted to brands could never see a draft that is for nobody.
    if (leaving or work.caller.brand_ids) and not command.targets:
        problems.append(FieldRequired(field="targets"))
    if not command.publish_now:
        times = [("scheduled_at", command.scheduled_at)]
        times += [
            (f"targets[{i}].scheduled_at", target.scheduled_at) for i, target in enumerate(command.targets)
        ]
        problems += [
            FieldInvalid(field=field, problem="must be in the future.", reason="past")
            for field, at in times
            if at is not None and at <= work.now
        ]
    return problems


def _has_link(command: PostIn) -> bool:
    given = [command.platform_data or {}, *(target.platform_data or {} for target in command.targets)]
    return any(
        "link" in data or any(isinstance(d, Mapping) and "link" in d for d in data.values()) for data in given
    )


async def _accounts(
    work: Work, wanted: Sequence[TargetIn]
) -> tuple[Mapping[str, accounts.Account], list[Refusal]]:
    try:
        chosen = await accounts.visible(work, [target.account_id for target in wanted])
    except Refused as several:
        return {}, several.refusals
    except Refusal as one:
        return {}, [one]
    if len({account.mode for account in chosen.values()}) > 1:
        problem = "must all be live or all be sandbox accounts; both are named."
        return {}, [FieldInvalid(field="targets", problem=problem, reason="mixed")]
    return chosen, []


async def _files(
    work: Work, given: Sequence[Mapping[str, Any]], field: str
) -> tuple[tuple[File, ...], list[Refusal]]:
    refs = [
        media.MediaRef(
            source_type=item["source_type"],
            source=item["source"],
            alt_text=item.get("alt_text"),
            field=f"{field}[{position}]",
        )
        for position, item in enumerate(given)
    ]
    try:
        return tuple(await media.attach(work, refs)), []
    except Refused as several:
        return (), several.refusals
    except Refusal as one:
        return (), [one]


async def _target(
    work: Work,
    command: PostIn,
    wanted: TargetIn,
    position: int,
    account: accounts.Account,
    shared: tuple[File, ...] | None,
) -> tuple[dict[str, Any], list[Refusal]]:
    """One target's row, and what is wrong with it. `shared` are the post's files, None when some are refused."""
    leaving = command.publish_now or command.scheduled_at is not None
    page_id, problems = await _page(work, account, wanted.page_id, leaving)
    own, field, files, refused = wanted.media_given(), "media", shared, list[Refusal]()
    if own is not None:
        field = f"targets[{position}].media"
        found, refused = await _files(work, own, field)
        files = None if refused else found
    problems += _told_here(refused)
    facts = work.platforms[account.platform].facts.for_account(
        {**account.metadata, "sandbox": account.mode == "sandbox"}
    )
    given = rules.options_for(account.platform, command.platform_data or {}, wanted.platform_data or {})
    problems += _unsupported(account, field, own if own is not None else command.media_given() or [])
    draft = _draft(command, wanted, rules.with_alt(files or (), given), given)
    if not command.skip_validation and files is not None:
        problems += limits.check(facts, draft, account.id)
    problems += options.check(facts, given, account.id)
    problems += options.check_visibility(facts, draft.visibility, account.id)
    row = {
        "id": ids.new_uuid(),
        "position": position,
        "account_id": account.id,
        "page_id": page_id,
        "platform": account.platform,
        **wanted.model_dump(include={"text", "title", "visibility", "first_comment"}),
        "media": own,
        "platform_data": wanted.platform_data or {},
        "scheduled_at": None if command.publish_now else wanted.scheduled_at,
        "warnings": options.unused(facts, limits.format_of(facts, draft), draft),
    }
    return row, problems


def _unsupported(
    account: accounts.Account, field: str, content: Sequence[Mapping[str, Any]]
) -> list[Refusal]:
    """Files that a platform is said to have already; none takes them yet."""
    return [
        UnsupportedSource(platform=account.platform, account_id=account.id, field=f"{field}[{number}]")
        for number, item in enumerate(content)
        if item["source_type"] == "platform_attachment_id"
    ]


def _told_here(refused: Sequence[Refusal]) -> list[Refusal]:
    """Without what each target tells for its own platform."""
    return [refusal for refusal in refused if not isinstance(refusal, UnsupportedSource)]


async def _page(
    work: Work, account: accounts.Account, page_id: str | None, leaving: bool
) -> tuple[str | None, list[Refusal]]:
    """The page that was named. Without one the default counts when the post leaves; now there has to be any."""
    if page_id is None and not leaving:
        return None, []
    try:
        await accounts.page_for(work, account, page_id)
    except Refusal as refusal:
        return page_id, [refusal]
    return page_id, []


def _draft(command: PostIn, wanted: TargetIn, files: tuple[File, ...], given: Mapping[str, Any]) -> Draft:
    return Draft(
        text=wanted.text if wanted.text is not None else command.text or "",
        title=wanted.title or command.title,
        files=files,
        visibility=wanted.visibility or command.visibility,
        first_comment=wanted.first_comment or command.first_comment,
        options=given,
    )


def _twice(rows: Sequence[Mapping[str, Any]]) -> list[Refusal]:
    """The same account and page as two targets would be the same post twice."""
    seen: set[tuple[str, str | None]] = set()
    problems: list[Refusal] = []
    for row in rows:
        place = (row["account_id"], row["page_id"])
        if place in seen:
            field = f"targets[{row['position']}].account_id"
            problems.append(
                DuplicateTarget(field=field, platform=row["platform"], account_id=row["account_id"])
            )
        seen.add(place)
    return problems


async def _keep(
    work: Work,
    command: PostIn,
    content: list[dict[str, Any]],
    rows: list[dict[str, Any]],
    chosen: Mapping[str, accounts.Account],
) -> Loaded:
    store = PostStore(work)
    mode = next((account.mode for account in chosen.values()), work.mode)
    post = _post(work, command, content, mode)
    post["fingerprint"] = rules.fingerprint(post, rows)
    status, post_id = post["status"], post["id"]
    if status != "draft" and not command.skip_duplicate_check:
        await _refuse_twin(work, store, post["fingerprint"])
    for row in rows:
        due = (
            rules.first_due(row["scheduled_at"] or post["scheduled_at"], work.now)
            if status != "draft"
            else None
        )
        row |= {"post_id": post_id, "status": "pending", "stage": "waiting", "updated_at": work.now}
        row |= {"due_at": due, "planned_at": due}
    await store.add(post, rows)
    loaded = await load(work, post_id)
    await events.announce(work, happened.created(loaded[0]))
    if status == "scheduled":
        await events.announce(work, happened.scheduled(*loaded))
    if status == "publishing":
        await work.nudge(DUE)
    return loaded


def _post(work: Work, command: PostIn, content: list[dict[str, Any]], mode: str) -> dict[str, Any]:
    return {
        "id": ids.new_uuid(),
        "status": "publishing" if command.publish_now else "scheduled" if command.scheduled_at else "draft",
        "mode": mode,
        "text": command.text or "",
        **command.model_dump(include={"title", "visibility", "first_comment"}),
        "media": content,
        "platform_data": command.platform_data or {},
        "scheduled_at": None if command.publish_now else command.scheduled_at,
        "created_at": work.now,
        "updated_at": work.now,
    }


async def _refuse_twin(work: Work, store: PostStore, fingerprint: str) -> None:
    twin = await store.twin(fingerprint, work.now - DUPLICATE_WINDOW)
    if twin is not None:
        raise Conflict(
            resource="post",
            problem="must differ from one sent to the same accounts within 24 hours; it does not.",
            reason="duplicate_content",
            post_id=str(twin),
        )


# Acting


async def publish(work: Work, pid: str) -> Loaded:
    """Send a draft or a scheduled post now. Raises StateInvalid, FieldRequired, Refused."""
    post, targets = await own(work, pid)
    rules.may_publish(post.status)
    if not targets:
        raise FieldRequired(field="targets")
    if post.status == "draft":
        await _refuse_twin(work, PostStore(work), post.fingerprint)
    await PostStore(work).restart(post.id, ["pending"], work.now, planned_at=work.now)
    await PostStore(work).update(post.id, status="publishing", updated_at=work.now)
    await work.nudge(DUE)
    return await load(work, post.id)


async def retry(work: Work, pid: str) -> None:
    """Send the failed targets again. Raises StateInvalid, NoRetryableDeliveries."""
    post, targets = await own(work, pid)
    rules.may_retry(post.status)
    if not any(target.status == "failed" for target in targets):
        raise NoRetryableDeliveries()
    store = PostStore(work)
    count = await store.restart(post.id, ["failed"], work.now, planned_at=work.now)
    await store.update(post.id, status="publishing", retry_count=post.retry_count + 1, updated_at=work.now)
    await events.announce(work, happened.retried(post, count))
    await work.nudge(DUE)


async def delete(work: Work, pid: str, platform: str | None) -> DeletePostOut:
    """Remove a post here, and what is live of it on its platforms. Raises PostNotFound, StateInvalid."""
    post, targets = await own(work, pid)
    rules.may_delete(post.status)
    store = PostStore(work)
    if post.status in rules.LOCAL_ONLY:
        await store.delete(post.id)
        await events.announce(work, happened.deleted(post))
        return DeletePostOut(success=True, deleted=True, results=[])
    live = [t for t in targets if t.status == "published" and platform in (None, t.platform)]
    results = [await _take_down(work, target) for target in live]
    results += [
        _left_alone(t) for t in targets if t.status == "unconfirmed" and platform in (None, t.platform)
    ]
    gone = {target.id for target, result in zip(live, results, strict=False) if result.outcome == "deleted"}
    left = [t for t in targets if t.id not in gone and t.status in ("published", "unconfirmed")]
    if left:
        for target_id in gone:
            await store.delete_target(target_id)
        remaining = [t.status for t in targets if t.id not in gone]
        await store.update(post.id, status=rules.post_status(remaining) or post.status, updated_at=work.now)
    else:
        await store.delete(post.id)
        await events.announce(work, happened.deleted(post))
    return DeletePostOut(success=True, deleted=not left, results=results)


async def _take_down(work: Work, target: Row) -> DeletedOut:
    """Delete one target's copy on its platform; deleting may be repeated, so a lost answer is only a failure."""

    def result(outcome: str, message: str | None = None) -> DeletedOut:
        return DeletedOut(
            platform=target.platform, account_id=target.account_id, outcome=outcome, message=message
        )

    if not work.platforms[target.platform].can("delete"):
        title = work.platforms[target.platform].facts.title
        return result("not_supported", f"{title} has no way to delete a post from outside.")
    try:
        connector = await accounts.connector_for(work.runtime, target.account_id, target.page_id)
        assert isinstance(connector, Deletes)
        await connector.delete(target.remote_id)
    except Refusal as refusal:
        return result("failed", refusal.sentence)
    except RemoteRefusal as said:
        return result("failed", said.refusal.sentence)
    except (LostAnswer, NotSent):
        return result("failed", "The platform did not answer; it is safe to delete again.")
    return result("deleted")


def _left_alone(target: Row) -> DeletedOut:
    """Nobody knows where such a copy is, so nobody can delete it."""
    message = "It is not known whether this copy is there; look at the platform."
    return DeletedOut(
        platform=target.platform, account_id=target.account_id, outcome="failed", message=message
    )


async def using_media(work: Work, media_id: UUID) -> list[str]:
    """Posts that still need a file: what keeps it from being deleted."""
    return await PostStore(work).pending_with_media(str(media_id))


media.in_use_checks.append(using_media)
