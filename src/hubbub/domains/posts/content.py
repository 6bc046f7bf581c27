"""Hold what somebody wants to say against every account it is meant for. Nothing is stored here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from hubbub.connector import limits, options
from hubbub.connector.fixing import How
from hubbub.connector.platform import Platform
from hubbub.domains.accounts import service as accounts
from hubbub.domains.media import service as media
from hubbub.domains.posts import fixing, rules
from hubbub.domains.posts.schemas import ContentIn, PostIn, SegmentIn, TargetIn, columns_of, instant
from hubbub.errors import Refusal, Refused
from hubbub.errors.publishing import DuplicateTarget, UnsupportedSource
from hubbub.errors.validation import FieldInvalid, FieldRequired
from hubbub.kit import ids
from hubbub.runtime.work import Work
from hubbub.social.draft import Draft, File

MOST = {"title": 500, "first_comment": 10_000}
"""Characters of a field that no platform takes more of."""


@dataclass(frozen=True)
class Warned:
    """Something that will be lost, or changed."""

    platform: str
    account_id: str | None
    field: str
    sentence: str


@dataclass(frozen=True)
class Checked:
    """A post that was held against its accounts: the rows it makes, and everything that is wrong with it."""

    rows: list[dict[str, Any]]
    chosen: Mapping[str, accounts.Account]
    files: tuple[File, ...] | None
    """The post's own files; None when some are wrong."""
    problems: list[Refusal]
    warnings: list[Warned]


async def check(
    work: Work,
    command: PostIn,
    *,
    times: bool = True,
    looked_at: media.LookedAt = media.NOTHING_LOOKED_AT,
) -> Checked:
    """Everything that is wrong, all at once; `times` is whether a time in the past is.

    Media named by address can only be checked where somebody has `looked_at` them.
    """
    problems = list(_shape(work, command, times))
    chosen, refused = await _accounts(work, command.targets)
    problems += refused
    files, refused = await _files(work, command.media_given() or [], "media", looked_at)
    problems += _told_here(refused) if command.targets else refused
    rows: list[dict[str, Any]] = []
    warnings: list[Warned] = []
    for position, wanted in enumerate(command.targets):
        if account := chosen.get(wanted.account_id):
            row, refused, warned = await _target(work, command, wanted, position, account, files, looked_at)
            rows.append(row)
            problems += refused
            warnings += warned
    problems += _twice(rows)
    return Checked(rows, chosen, files, problems, warnings)


def _shape(work: Work, command: PostIn, times: bool) -> Iterable[Refusal]:
    """What is wrong whoever it is for."""
    has_media = bool(command.media_given()) or any(target.media_given() for target in command.targets)
    says = [command.text, *(target.text for target in command.targets)]
    if not any((text or "").strip() for text in says) and not has_media and not _has_link(command):
        yield FieldRequired(field="text")
    # A key restricted to brands could never see a draft that is for nobody.
    if (_leaves(command) or work.caller.brand_ids) and not command.targets:
        yield FieldRequired(field="targets")
    parts: list[tuple[str, PostIn | TargetIn]] = [("", command)]
    parts += [(f"targets[{position}].", target) for position, target in enumerate(command.targets)]
    for prefix, part in parts:
        yield from _too_long(prefix, part)
        yield from fixing.check(prefix, part.platform_data, work.platforms)
        at = instant(part.scheduled_at)
        if times and not command.publish_now and at is not None and at <= work.now:
            yield FieldInvalid(field=f"{prefix}scheduled_at", problem="must be in the future.", reason="past")


def _too_long(prefix: str, part: ContentIn) -> Iterable[Refusal]:
    for name, most in MOST.items():
        if (length := len(getattr(part, name) or "")) > most:
            problem = f"may have {most:,} characters; this has {length:,}."
            yield FieldInvalid(
                field=prefix + name, problem=problem, reason="too_long", max=most, actual=length, unit="chars"
            )


def _has_link(command: PostIn) -> bool:
    given = [command.platform_data or {}, *(target.platform_data or {} for target in command.targets)]
    return any(
        "link" in data or any(isinstance(d, Mapping) and "link" in d for d in data.values()) for data in given
    )


async def _accounts(
    work: Work, wanted: Sequence[TargetIn]
) -> tuple[Mapping[str, accounts.Account], list[Refusal]]:
    """The accounts the caller sees, and a refusal for each of the others."""
    try:
        chosen = await accounts.visible(work, [target.account_id for target in wanted])
    except (Refused, Refusal) as refused:
        if len(wanted) <= 1:
            return {}, refused.refusals if isinstance(refused, Refused) else [refused]
        chosen, problems = {}, []
        for target in wanted:
            found, several = await _accounts(work, [target])
            chosen |= found
            problems += several
        return chosen, problems
    if len({account.mode for account in chosen.values()}) > 1:
        problem = "must all be live or all be sandbox accounts; both are named."
        return {}, [FieldInvalid(field="targets", problem=problem, reason="mixed")]
    return chosen, []


async def _files(
    work: Work, given: Sequence[Mapping[str, Any]], field: str, looked_at: media.LookedAt
) -> tuple[tuple[File, ...] | None, list[Refusal]]:
    if not given:
        return (), []
    refs = [
        media.MediaRef(item["source_type"], item["source"], item.get("alt_text"), f"{field}[{position}]")
        for position, item in enumerate(given)
    ]
    try:
        return tuple(await media.attach(work, refs, looked_at)), []
    except Refused as several:
        return None, several.refusals
    except Refusal as one:
        return None, [one]


async def _target(
    work: Work,
    command: PostIn,
    wanted: TargetIn,
    position: int,
    account: accounts.Account,
    shared: tuple[File, ...] | None,
    looked_at: media.LookedAt,
) -> tuple[dict[str, Any], list[Refusal], list[Warned]]:
    """One target's row, what is wrong with it, and what will be lost."""
    page_id, problems = await _page(work, account, wanted.page_id, _leaves(command))
    own, field, files, refused = wanted.media_given(), "media", shared, list[Refusal]()
    if own is not None:
        field = f"targets[{position}].media"
        files, refused = await _files(work, own, field, looked_at)
    problems += _told_here(refused)
    facts = facts_for(work, account)
    given = rules.options_for(account.platform, command.platform_data or {}, wanted.platform_data or {})
    problems += _unsupported(account, field, own if own is not None else command.media_given() or [])
    draft = draft_of(command, wanted, rules.with_alt(files or (), given), given)
    how = fixing.way(account.platform, command.platform_data, wanted.platform_data)
    if not command.skip_validation and files is not None:
        problems += limits.check(facts, draft, account.id, how)
    problems += options.check(facts, given, account.id)
    problems += options.check_visibility(facts, draft.visibility, account.id)
    problems += segments(facts, command.segments, account.id, measured=not command.skip_validation)
    warned = warnings(facts, draft, command.segments, how, account.id)
    row = {
        "id": ids.new_uuid(),
        "position": position,
        "account_id": account.id,
        "page_id": page_id,
        "platform": account.platform,
        **wanted.model_dump(include={"text", "title", "visibility", "first_comment"}),
        "media": own,
        "platform_data": wanted.platform_data or {},
        **columns_of(None if command.publish_now else wanted.scheduled_at),
        "warnings": [one.sentence for one in warned],
    }
    return row, problems, warned


def facts_for(work: Work, account: accounts.Account) -> Platform:
    """What holds for one account's platform."""
    known = {**account.metadata, "sandbox": account.mode == "sandbox"}
    return work.platforms[account.platform].facts.for_account(known)


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


def _leaves(command: PostIn) -> bool:
    """Whether it is for now or for later, and no draft."""
    return command.publish_now or command.scheduled_at is not None


def draft_of(
    command: ContentIn, wanted: ContentIn, files: tuple[File, ...], given: Mapping[str, Any]
) -> Draft:
    """What one target will say: the post's content, and its own in its place."""
    return Draft(
        text=wanted.text if wanted.text is not None else command.text or "",
        title=wanted.title or command.title,
        files=files,
        visibility=wanted.visibility or command.visibility,
        first_comment=wanted.first_comment or command.first_comment,
        options=given,
    )


def segments(
    facts: Platform, given: Sequence[SegmentIn], account_id: str | None, *, measured: bool = True
) -> list[Refusal]:
    """What is wrong with the posts that continue a post; `segments[1].text` is where."""
    if given and "thread" not in facts.can:
        problem = f"cannot follow on {facts.title}, which has no threads; leave them out for it."
        return [
            FieldInvalid(
                field="segments",
                problem=problem,
                reason="unsupported",
                platform=facts.name,
                account_id=account_id,
            )
        ]
    problems: list[Refusal] = []
    for position, segment in enumerate(given):
        if measured or not (segment.text or "").strip():
            found = limits.check(facts, Draft(text=segment.text or ""), account_id)
            where = f"segments[{position}]"
            problems += [replace(cast(Any, one), field=f"{where}.{cast(Any, one).field}") for one in found]
    return problems


def segment_of(field: str) -> int | None:
    """Which segment a field belongs to."""
    found = re.match(r"segments\[(\d+)\]", field)
    return int(found.group(1)) if found else None


def warnings(
    facts: Platform, draft: Draft, following: Sequence[SegmentIn], how: How | None, account_id: str | None
) -> list[Warned]:
    """What a platform has no place for, so that it is left out, and what is changed for it."""
    told = [("platform_data", sentence) for sentence in _lost(facts, draft, following)]
    told += fixing.told(facts, draft, how)
    return [Warned(facts.name, account_id, field, sentence) for field, sentence in told]


def _lost(facts: Platform, draft: Draft, following: Sequence[SegmentIn]) -> list[str]:
    said = options.unused(facts, limits.format_of(facts, draft), draft)
    if any(segment.media or segment.media_ids for segment in following):
        said.append("Media of segments are left out; only the first post shows files.")
    return said


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
