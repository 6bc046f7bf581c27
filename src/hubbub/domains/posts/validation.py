"""Say beforehand what a platform would take: its limits as numbers, and what is wrong with a draft."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from hubbub.connector import limits, options
from hubbub.connector.platform import FileRule, Format, Platform
from hubbub.domains.media.service import LookedAt
from hubbub.domains.posts import content, fixing, rules
from hubbub.domains.posts.answers import Issue, ValidationOut
from hubbub.domains.posts.fetched import look_at_media
from hubbub.domains.posts.schemas import ContentIn, PostIn, TargetIn, ValidateIn
from hubbub.errors import Refusal
from hubbub.errors.account import UnsupportedPlatform
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import Caller, Work, open_work
from hubbub.social.draft import File

COUNTING = {"bytes": "bytes", "utf16": "utf16"}
"""Other units have no word in the contract; they are nearest to `chars`."""


class TextLimits(msgspec.Struct, frozen=True):
    """0 is no limit, all through."""

    max_length: int
    counting_mode: str
    max_hashtags: int
    max_mentions: int
    photo_max_length: int


class MediaLimits(msgspec.Struct, frozen=True):
    """A largest size of 0 means that there is no such kind."""

    max_image_size_bytes: int
    max_video_size_bytes: int
    max_video_duration_sec: int
    min_video_duration_sec: int
    max_video_fps: int
    supported_image_types: list[str]
    supported_video_types: list[str]


class CarouselLimits(msgspec.Struct, frozen=True):
    supported: bool
    min_items: int
    max_items: int
    allow_video: bool
    images_only: bool
    photos_only: bool


class SchedulingLimits(msgspec.Struct, frozen=True):
    supported: bool
    mode: str


class Constraints(msgspec.Struct, frozen=True):
    """What one platform takes (contract 4.12)."""

    text: TextLimits
    media: MediaLimits
    carousel: CarouselLimits
    scheduling: SchedulingLimits
    supports_platform_attachment_id: bool
    supports_mixed_media: bool


class ConstraintsOut(msgspec.Struct, frozen=True):
    data: dict[str, Constraints]


def constraints(platforms: Mapping[str, Platform], wanted: str | None) -> ConstraintsOut:
    """Of every platform that publishes, or of one. Raises UnsupportedPlatform."""
    if wanted is not None and wanted not in platforms:
        raise UnsupportedPlatform(platform=wanted, allowed=sorted(platforms))
    return ConstraintsOut(
        {
            name: _constraints(facts)
            for name, facts in platforms.items()
            if wanted in (None, name) and facts.publish is not None
        }
    )


def _constraints(facts: Platform) -> Constraints:
    forms = list(facts.formats.values())
    return Constraints(
        text=_text(forms),
        media=_media(forms),
        carousel=_carousel(forms),
        scheduling=SchedulingLimits(supported=True, mode="server_side"),
        supports_platform_attachment_id=False,
        supports_mixed_media=any(form.media is not None and form.media.mixed for form in forms),
    )


def _text(forms: Sequence[Format]) -> TextLimits:
    longest = max(forms, key=lambda form: form.text.max or 0)
    photo = max((form.text.max or 0 for form in forms if form.image is not None), default=0)
    return TextLimits(
        max_length=longest.text.max or 0,
        counting_mode=COUNTING.get(longest.text.unit, "chars"),
        max_hashtags=longest.text.tags or 0,
        max_mentions=longest.text.mentions or 0,
        photo_max_length=photo if photo != longest.text.max else 0,
    )


def _media(forms: Sequence[Format]) -> MediaLimits:
    images = [form.image for form in forms if form.image is not None]
    videos = [form.video for form in forms if form.video is not None]
    spans = [rule.seconds for rule in videos if rule.seconds is not None]
    return MediaLimits(
        max_image_size_bytes=max((rule.max_bytes or 0 for rule in images), default=0),
        max_video_size_bytes=max((rule.max_bytes or 0 for rule in videos), default=0),
        max_video_duration_sec=int(max((most for _, most in spans), default=0)),
        min_video_duration_sec=int(min((least for least, _ in spans), default=0)),
        max_video_fps=int(max((rule.max_fps or 0 for rule in videos), default=0)),
        supported_image_types=_types(images),
        supported_video_types=_types(videos),
    )


def _types(these: Iterable[FileRule]) -> list[str]:
    return sorted({kind for rule in these for kind in rule.types})


def _carousel(forms: Sequence[Format]) -> CarouselLimits:
    several = [form.media for form in forms if form.media is not None and form.media.max > 1]
    kinds = {kind for media in several for kind in media.kinds}
    only_images = bool(several) and kinds == {"image"}
    return CarouselLimits(
        supported=bool(several),
        min_items=min((max(2, media.min) for media in several), default=0),
        max_items=max((media.max for media in several), default=0),
        allow_video="video" in kinds,
        images_only=only_images,
        photos_only=only_images,
    )


# A draft


async def validate(runtime: Runtime, caller: Caller, wanted: ValidateIn) -> ValidationOut:
    """What creating this post would be refused for, and what would be lost.

    Nothing is stored and no platform is asked; media named by address are fetched, looked at and thrown away.
    """
    looked_at = await look_at_media(runtime, wanted)
    async with open_work(runtime, caller) as work:
        return await _validate(work, wanted, looked_at)


async def _validate(work: Work, wanted: ValidateIn, looked_at: LookedAt) -> ValidationOut:
    named = {target.account_id for target in wanted.targets}
    also = [TargetIn(account_id=one) for one in dict.fromkeys(wanted.account_ids) if one not in named]
    shared = set(ContentIn.model_fields) | {"scheduled_at", "segments"}
    command = PostIn(**{name: getattr(wanted, name) for name in shared}, targets=[*wanted.targets, *also])
    # Whether it leaves decides only which fields are needed; here no target is needed to ask.
    checked = await content.check(work, command, looked_at=looked_at)
    problems = [
        one for one in checked.problems if one.meta.get("field") != "targets" or one.meta.get("reason")
    ]
    warned = list(checked.warnings)
    reached = {row["platform"] for row in checked.rows}
    errors = [_issue(problem) for problem in problems]
    for name in dict.fromkeys(wanted.platforms):
        if name not in work.platforms:
            errors.append(Issue(name, "platforms", UnsupportedPlatform(platform=name).sentence))
        elif name not in reached:
            refused, said = _beside(work.platforms[name].facts, command, checked.files)
            errors += [_issue(problem) for problem in refused]
            warned += said
    warnings = [Issue(one.platform, one.field, one.sentence, one.account_id) for one in warned]
    return ValidationOut(valid=not errors, errors=errors, warnings=warnings)


def _beside(
    facts: Platform, command: PostIn, files: tuple[File, ...] | None
) -> tuple[list[Refusal], list[content.Warned]]:
    """A draft beside a platform without any account of it."""
    given = rules.options_for(facts.name, command.platform_data or {}, {})
    how = fixing.way(facts.name, command.platform_data, None)
    draft = content.draft_of(command, ContentIn(), rules.with_alt(files or (), given), given)
    problems = limits.check(facts, draft, fix=how) if files is not None else []
    problems += options.check(facts, given)
    problems += content.segments(facts, command.segments, None)
    return problems, content.warnings(facts, draft, command.segments, how, None)


def _issue(problem: Refusal) -> Issue:
    told: Mapping[str, Any] = problem.meta
    field = str(told.get("field") or ("account_id" if problem.wire_code.startswith("account.") else "post"))
    return Issue(
        platform=str(told.get("platform") or problem.details.get("platform") or ""),
        field=field,
        message=problem.sentence,
        target=told.get("account_id") or (told.get("id") if field == "account_id" else None),
        segment_index=content.segment_of(field),
        fix=told.get("fix"),
    )
