"""The limits vocabulary: each key means one thing, with one check, one sentence and one error."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from hubbub.connector import fixing
from hubbub.connector.fixing import Fix, How
from hubbub.connector.platform import FileRule, Format, Platform
from hubbub.errors import Refusal
from hubbub.errors.validation import FieldInvalid, FieldRequired
from hubbub.kit.text import hashtags, links, measure, mentions
from hubbub.social.draft import Draft, File


def check(
    facts: Platform, draft: Draft, account_id: str | None = None, fix: How | None = None
) -> list[Refusal]:
    """Everything that is wrong with a draft for this platform; empty when it may go.

    The draft is measured against the format it goes out as, or where that is none against the one it comes
    nearest to. What could be done about a picture is said beside its problems (`meta.fix`); with `fix`, that
    counts as done.
    """
    against = Measure(facts, draft, account_id, fix)
    name = format_of(facts, draft)
    if name is not None:
        return list(against.all_of(facts.formats[name]))
    attempts = [list(against.all_of(form)) for form in facts.formats.values()]
    return min(attempts, key=len) if attempts else []


def fixes(facts: Platform, draft: Draft, how: How) -> dict[int, Fix]:
    """What can be done about a draft's pictures, by their place in it; nothing where nothing has to be done."""
    form = facts.formats.get(format_of(facts, draft) or "")
    if form is None or form.image is None:
        return {}
    plans = {place: fixing.plan(form.image, file, how) for place, file in enumerate(draft.files)}
    return {place: found for place, found in plans.items() if found is not None}


def format_of(facts: Platform, draft: Draft) -> str | None:
    """The name of the format a draft goes out as: the one it asks for, or the first made for its files.

    Where there are too few or too many files for any, it is the one that takes most. None when no format is
    for files of these kinds.
    """
    asked = draft.options.get("content_type")
    if isinstance(asked, str) and asked in facts.formats:
        return asked
    kinds, count = {file.kind for file in draft.files}, len(draft.files)
    fitting = {name: form for name, form in facts.formats.items() if _is_for(form, kinds)}
    if not count:
        return next(iter(fitting), None)
    room = {name: (form.media.min, form.media.max) for name, form in fitting.items() if form.media}
    holding = (name for name, (least, most) in room.items() if least <= count <= most)
    return next(holding, None) or max(room, key=lambda name: room[name][1], default=None)


def unused_text(facts: Platform, draft: Draft) -> list[str]:
    """What will be lost, in words: a text that the post's format has no place for."""
    form = facts.formats.get(format_of(facts, draft) or "")
    if form is None or form.text.is_shown or not draft.text.strip():
        return []
    return [f"{facts.title} has no place for text in this format; it is left out."]


@dataclass(frozen=True)
class Measure:
    """One draft beside one platform's facts."""

    facts: Platform
    draft: Draft
    account_id: str | None
    fix: How | None = None

    def all_of(self, form: Format) -> Iterator[Refusal]:
        yield from self.text(form)
        yield from self.count(form)
        for position, file in enumerate(self.draft.files):
            yield from self.file(form, file, f"media[{position}]")

    def text(self, form: Format) -> Iterator[Refusal]:
        rule, text = form.text, self.draft.text
        says_nothing = not self.draft.files and not self.draft.options.get("link")
        if not text.strip() and (rule.required or says_nothing):
            yield FieldRequired(field="text", platform=self.facts.name, account_id=self.account_id)
            return
        if rule.max is not None and (length := measure(text, rule.unit)) > rule.max:
            yield self.too("text", "too_long", rule.max, length, rule.unit)
        if rule.max_bytes is not None and (length := measure(text, "bytes")) > rule.max_bytes:
            yield self.too("text", "too_long", rule.max_bytes, length, "bytes")
        counted = (
            ("links", rule.links, links),
            ("hashtags", rule.tags, hashtags),
            ("mentions", rule.mentions, mentions),
        )
        for noun, most, finder in counted:
            if most is not None and (count := len(finder(text))) > most:
                yield self.too("text", "too_many", most, count, noun)

    def count(self, form: Format) -> Iterator[Refusal]:
        rule, count = form.media, len(self.draft.files)
        if rule is None:
            if count:
                yield self.too("media", "too_many", 0, count, "files")
            return
        if not count:
            if rule.min:
                yield FieldRequired(field="media", platform=self.facts.name, account_id=self.account_id)
            return
        kinds = {file.kind for file in self.draft.files}
        if foreign := sorted(kinds - set(rule.kinds)):
            problem = (
                f"must be {' or '.join(rule.kinds)} for {self.facts.title}; {', '.join(foreign)} is attached."
            )
            yield self.invalid("media", "type", problem, allowed=list(rule.kinds))
        elif len(kinds) > 1 and not rule.mixed:
            problem = (
                f"must all be of one kind for {self.facts.title}; {' and '.join(sorted(kinds))} are attached."
            )
            yield self.invalid("media", "mixed", problem)
        if count > rule.max:
            yield self.too("media", "too_many", rule.max, count, "files")
        if count < rule.min:
            problem = f"must hold at least {rule.min} for this {self.facts.title} format; {count} attached."
            yield self.invalid("media", "too_few", problem, min=rule.min, actual=count)

    def file(self, form: Format, file: File, field: str) -> Iterator[Refusal]:
        if form.alt and (length := measure(file.alt, form.alt.unit)) > form.alt.max:
            yield self.too(f"{field}.alt_text", "too_long", form.alt.max, length, form.alt.unit)
        rule = {"image": form.image, "video": form.video}.get(file.kind)
        if rule is None:
            return
        found = [*self.content(rule, file, field), *self.shape(rule, file, field)]
        change = fixing.plan(rule, file, self.fix or "pad") if found else None
        if change is None:
            yield from found
        elif self.fix is None:
            yield from (replace(problem, fix=change.offer) for problem in found)

    def content(self, rule: FileRule, file: File, field: str) -> Iterator[FieldInvalid]:
        title = self.facts.title
        if rule.types and file.content_type not in rule.types:
            problem = f"must be one of {', '.join(rule.types)} for {title}; this file is {file.content_type}."
            yield self.invalid(
                field, "type", problem, media_id=file.id, allowed=rule.types, actual=file.content_type
            )
        if rule.max_bytes is not None and file.size_bytes > rule.max_bytes:
            problem = f"may have {rule.max_bytes:,} bytes for {title}; this file has {file.size_bytes:,}."
            yield self.invalid(
                field, "too_large", problem, media_id=file.id, max=rule.max_bytes, actual=file.size_bytes
            )
        if rule.seconds and file.seconds is not None and not _within(file.seconds, rule.seconds):
            least, most = rule.seconds
            problem = (
                f"must last {least:g} to {most:g} seconds for {title}; this file lasts {file.seconds:.1f}."
            )
            yield self.invalid(
                field, "duration", problem, media_id=file.id, min=least, max=most, actual=file.seconds
            )

    def shape(self, rule: FileRule, file: File, field: str) -> Iterator[FieldInvalid]:
        if not file.width or not file.height:
            return
        title, ratio = self.facts.title, round(file.width / file.height, 3)
        if rule.ratio and not fixing.has_ratio(rule, file.width, file.height):
            least, most = rule.ratio
            problem = (
                f"must be {least:g} to {most:g} times as wide as high for {title}; this file is {ratio:g}."
            )
            yield self.invalid(field, "ratio", problem, media_id=file.id, min=least, max=most, actual=ratio)
        if rule.min_pixels and fixing.is_too_small(rule, file.width, file.height):
            least, size = f"{rule.min_pixels[0]}×{rule.min_pixels[1]}", f"{file.width}×{file.height}"
            problem = f"must have at least {least} pixels for {title}; this file has {size}."
            yield self.invalid(field, "too_small", problem, media_id=file.id, actual=size)

    def too(self, field: str, reason: str, most: int, actual: int, unit: str) -> FieldInvalid:
        problem = f"may have {most:,} {unit} for {self.facts.title}; this has {actual:,}."
        return self.invalid(field, reason, problem, max=most, actual=actual, unit=unit)

    def invalid(self, field: str, reason: str, problem: str, **rest: Any) -> FieldInvalid:
        return FieldInvalid(
            field=field,
            problem=problem,
            reason=reason,
            platform=self.facts.name,
            account_id=self.account_id,
            **rest,
        )


def _is_for(form: Format, kinds: set[str]) -> bool:
    if not kinds:
        return form.media is None or form.media.min == 0
    return form.media is not None and kinds <= set(form.media.kinds)


def _within(number: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= number <= bounds[1]


def sentences(form: Format) -> list[str]:
    """A format's limits as a person would read them."""
    return [
        *_text_sentences(form),
        *_file_sentences("Image", form.image),
        *_file_sentences("Video", form.video),
        *([f"Alternative text: up to {form.alt.max:,} {form.alt.unit}."] if form.alt else []),
    ]


def _text_sentences(form: Format) -> Iterator[str]:
    if form.text.max:
        also = f" and {form.text.max_bytes:,} bytes" if form.text.max_bytes else ""
        yield f"Text: up to {form.text.max:,} {form.text.unit}{also}."
    if form.text.required:
        yield "Text is required."
    if form.media and form.media.max:
        least, most = form.media.min, form.media.max
        span = f"{least} to {most}" if least != most else f"{most}"
        yield f"Files: {span} ({', '.join(form.media.kinds)})."


def _file_sentences(noun: str, rule: FileRule | None) -> Iterator[str]:
    if rule is None:
        return
    if rule.types:
        yield f"{noun} types: {', '.join(type.partition('/')[2] for type in rule.types)}."
    if rule.max_bytes:
        yield f"{noun} size: up to {rule.max_bytes:,} bytes."
    if rule.ratio:
        yield f"{noun} shape: {rule.ratio[0]:g} to {rule.ratio[1]:g} times as wide as high."
    if rule.seconds:
        yield f"{noun} length: {rule.seconds[0]:g} to {rule.seconds[1]:g} seconds."
