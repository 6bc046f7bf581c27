"""Change a post: everything while it has not gone out, the text of what is live where every platform takes that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hubbub.connector.promises import Edits
from hubbub.connector.refusals import RemoteRefusal
from hubbub.domains.accounts import service as accounts
from hubbub.domains.events import service as events
from hubbub.domains.posts import content, reading, rules, service
from hubbub.domains.posts import events as happened
from hubbub.domains.posts.fetched import fetch_media, named_by_address
from hubbub.domains.posts.reading import Loaded
from hubbub.domains.posts.schemas import PostIn, PostPatch, SegmentIn, TargetIn, time_of
from hubbub.domains.posts.store import PostStore, Row
from hubbub.domains.usage import service as usage
from hubbub.errors import Refused
from hubbub.errors.resource import NotSupported, StateInvalid
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import Caller, Work, open_work

EDITABLE = ("draft", "scheduled", "failed")
LIVE = ("published", "partial")
HOW = frozenset({"skip_validation", "skip_duplicate_check"})
"""What says how to check, and is no change of its own."""
COLUMN = {"media_ids": "media"}


async def update(runtime: Runtime, caller: Caller, pid: str, patch: PostPatch) -> Loaded:
    """Change what was sent and leave the rest.

    Raises PostNotFound, StateInvalid, NotSupported, Conflict, Refused; for what is live also the platform's no.
    """
    if named_by_address(patch):
        await _expect_media(runtime, caller, pid)
        patch = await fetch_media(runtime, caller, patch)
    given = patch.model_fields_set - HOW - ({"targets"} if patch.targets is None else set())
    async with open_work(runtime, caller) as work:
        post, targets = await reading.own(work, pid)
        await usage.tell_posts(work)
        if given <= {"hidden"}:
            return await _hide(work, post, patch)
        if post.status in EDITABLE:
            return await _rewrite(work, post, targets, patch, given)
        live = await _editable(work, post, targets, patch, given)
    for target in live:
        await _edit(runtime, caller, target, patch.text or "")
    async with open_work(runtime, caller) as work:
        post, targets = await reading.own(work, pid)
        text = patch.text or ""
        stored = {**_stored(post), "text": text}
        changes = {"text": text, "fingerprint": rules.fingerprint(stored, [_stored(row) for row in targets])}
        return await _keep(work, post, {**changes, **_hidden(patch)}, given)


async def _expect_media(runtime: Runtime, caller: Caller, pid: str) -> None:
    """Nobody is asked for a file that cannot be used. Raises PostNotFound, StateInvalid."""
    async with open_work(runtime, caller) as work:
        post, _ = await reading.own(work, pid)
        if post.status not in EDITABLE:
            raise StateInvalid(post_status=post.status)


async def _hide(work: Work, post: Row, patch: PostPatch) -> Loaded:
    """Hidden in every state; a patch that changes nothing is none."""
    return await _keep(work, post, _hidden(patch), {"hidden"})


def _hidden(patch: PostPatch) -> dict[str, Any]:
    return {} if patch.hidden is None else {"hidden": patch.hidden}


async def _keep(work: Work, post: Row, changes: dict[str, Any], given: set[str]) -> Loaded:
    """Store the changes and announce which of the fields given differ from what was there."""
    before = _stored(post)
    changed = sorted(
        name
        for name in given
        if name == "targets" or before[COLUMN.get(name, name)] != changes.get(COLUMN.get(name, name))
    )
    if changed and changes:
        await PostStore(work).update(post.id, **changes, updated_at=work.now)
        await events.announce(work, happened.updated(post, changes.get("status", post.status), changed))
    return await reading.load(work, post.id)


def _stored(row: Row) -> dict[str, Any]:
    return dict(row)


# What has not gone out


async def _rewrite(
    work: Work, post: Row, targets: Sequence[Row], patch: PostPatch, given: set[str]
) -> Loaded:
    """Check the post as it would be against every account, then replace it and its targets together."""
    command = _merged(post, targets, patch, given)
    checked = await content.check(work, command, times=bool(given & {"scheduled_at", "targets"}))
    if checked.problems:
        raise Refused(checked.problems)
    status = post.status if post.status == "failed" else "scheduled" if command.scheduled_at else "draft"
    mode = next((account.mode for account in checked.chosen.values()), post.mode)
    changes = {**service.said(command), "status": status, "mode": mode, **_hidden(patch)}
    changes["fingerprint"] = rules.fingerprint(changes, checked.rows)
    if status == "scheduled" and post.status == "draft" and not patch.skip_duplicate_check:
        await service.refuse_twin(work, changes["fingerprint"], post.id)
    await _pay(work, post.status, status)
    service.plan(work, {**changes, "id": post.id}, checked.rows)
    if status == "failed":
        _stay_failed(checked.rows, targets)
    await PostStore(work).replace_targets(post.id, checked.rows)
    loaded = await _keep(work, post, changes, given)
    if status == "scheduled" and post.status == "draft":
        await events.announce(work, happened.scheduled(*loaded))
    return loaded


async def _pay(work: Work, before: str, status: str) -> None:
    """A draft costs nothing until it is scheduled, and nothing again once it no longer is. Raises PostLimit."""
    if (before, status) == ("draft", "scheduled"):
        await usage.spend_post(work)
    elif (before, status) == ("scheduled", "draft"):
        await usage.return_post(work)


def _stay_failed(rows: Sequence[dict[str, Any]], before: Sequence[Row]) -> None:
    """What failed keeps its reason until it is sent again."""
    errors = {(target.account_id, target.page_id): target.error for target in before}
    for row in rows:
        error = errors.get((row["account_id"], row["page_id"]))
        row |= {"status": "failed", "stage": "settled", "due_at": None, "planned_at": None, "error": error}


def _merged(post: Row, targets: Sequence[Row], patch: PostPatch, given: set[str]) -> PostIn:
    """The post as somebody would send it who wanted it so from the beginning."""
    kept: dict[str, Any] = {
        "text": post.text,
        "title": post.title,
        "media": post.media,
        "visibility": post.visibility,
        "first_comment": post.first_comment,
        "platform_data": post.platform_data,
        "scheduled_at": time_of(post),
        "segments": [SegmentIn(text=text) for text in post.segments],
        "skip_validation": post.skip_validation,
        "targets": [_as_sent(target) for target in targets],
    }
    if "media_ids" in given:
        kept["media"] = None
    sent = {name: getattr(patch, name) for name in given - {"hidden"}}
    if sent.get("segments", ()) is None:
        sent["segments"] = []
    if patch.skip_validation is not None:
        sent["skip_validation"] = patch.skip_validation
    return PostIn(**{**kept, **sent})


def _as_sent(target: Row) -> TargetIn:
    return TargetIn(
        account_id=target.account_id,
        page_id=target.page_id,
        text=target.text,
        title=target.title,
        visibility=target.visibility,
        first_comment=target.first_comment,
        media=target.media,
        platform_data=target.platform_data,
        scheduled_at=time_of(target),
    )


# What is live


async def _editable(
    work: Work, post: Row, targets: Sequence[Row], patch: PostPatch, given: set[str]
) -> list[Row]:
    """The live targets that say what the post says; all of their platforms take another text.

    Raises StateInvalid, NotSupported, Refused.
    """
    live = [target for target in targets if target.status == "published"]
    able = [target for target in live if work.platforms[target.platform].can("edit")]
    if post.status not in LIVE or not given <= {"text", "hidden"} or not able:
        raise StateInvalid(post_status=post.status)
    if unable := sorted({target.platform for target in live if target not in able}):
        raise NotSupported(platform=", ".join(unable), operation="a way to change a published post")
    command = _merged(post, live, patch, given)
    checked = await content.check(work, command, times=False)
    if checked.problems:
        raise Refused(checked.problems)
    return [target for target in live if target.text is None and target.remote_id is not None]


async def _edit(runtime: Runtime, caller: Caller, target: Row, text: str) -> None:
    """Setting the same text again is harmless, so whoever is refused halfway may send the change again."""

    async def edit(connector: Any) -> None:
        assert isinstance(connector, Edits)
        await connector.edit(target.remote_id, text)

    try:
        await accounts.ask(runtime, caller, target.account_id, target.page_id, edit)
    except RemoteRefusal as said:
        raise said.refusal from said
