"""The limits vocabulary: each key means one thing, with one check, one sentence and one error."""

from __future__ import annotations

from collections.abc import Iterator

from hubbub.connector.platform import FileRule, Format, Platform
from hubbub.errors import Refusal
from hubbub.errors.publishing import MixingUnsupported
from hubbub.errors.validation import FieldInvalid, FieldRequired
from hubbub.kit.text import hashtags, links, measure, mentions
from hubbub.social.draft import Draft, File


def check(facts: Platform, draft: Draft, account_id: str | None = None) -> list[Refusal]:
    """Everything that is wrong with a draft for this platform; empty when it may go.

    The draft is measured against the format it asks for (`content_type`), or the first that fits.
    """
    where = {"platform": facts.name, "account_id": account_id}
    asked = draft.options.get("content_type")
    if asked and asked in facts.formats:
        return list(_check_format(facts, facts.formats[asked], draft, where))
    attempts = [list(_check_format(facts, form, draft, where)) for form in _candidates(facts, draft)]
    return min(attempts, key=len) if attempts else []


def format_of(facts: Platform, draft: Draft) -> str | None:
    """The name of the format a draft will go out as, if any fits."""
    asked = draft.options.get("content_type")
    if asked in facts.formats:
        return asked
    for form in _candidates(facts, draft):
        if not list(_check_format(facts, form, draft, {"platform": facts.name, "account_id": None})):
            return next(name for name, known in facts.formats.items() if known is form)
    return None


def _candidates(facts: Platform, draft: Draft) -> list[Format]:
    """Formats whose kinds of file cover the draft's; all of them when none does."""
    kinds = {file.kind for file in draft.files}
    fitting = [
        form
        for form in facts.formats.values()
        if (not kinds and not (form.media and form.media.min)) or (kinds and form.media and kinds <= set(form.media.kinds))
    ]
    return fitting or list(facts.formats.values())


def _check_format(facts: Platform, form: Format, draft: Draft, where: dict[str, str | None]) -> Iterator[Refusal]:
    yield from _check_text(facts, form, draft, where)
    yield from _check_count(facts, form, draft, where)
    for position, file in enumerate(draft.files):
        yield from _check_file(facts, form, file, position, where)


def _check_text(facts: Platform, form: Format, draft: Draft, where: dict[str, str | None]) -> Iterator[Refusal]:
    rule, text = form.text, draft.text
    if not text.strip() and (rule.required or not draft.files and not draft.options.get("link")):
        yield FieldRequired(field="text", **where)
        return
    if rule.max is not None and (length := measure(text, rule.unit)) > rule.max:
        yield _too(facts, "text", "too_long", rule.max, length, rule.unit, where)
    if rule.max_bytes is not None and (length := measure(text, "bytes")) > rule.max_bytes:
        yield _too(facts, "text", "too_long", rule.max_bytes, length, "bytes", where)
    counted = (("links", rule.links, links), ("hashtags", rule.tags, hashtags), ("mentions", rule.mentions, mentions))
    for noun, most, finder in counted:
        if most is not None and (count := len(finder(text))) > most:
            yield _too(facts, "text", "too_many", most, count, noun, where)


def _check_count(facts: Platform, form: Format, draft: Draft, where: dict[str, str | None]) -> Iterator[Refusal]:
    rule, count = form.media, len(draft.files)
    if rule is None or (not count and not rule.min):
        if count:
            yield _too(facts, "media", "too_many", rule.max if rule else 0, count, "files", where)
        return
    kinds = {file.kind for file in draft.files}
    if not kinds <= set(rule.kinds):
        allowed = " or ".join(rule.kinds)
        problem = f"must be {allowed} for {facts.title}; {', '.join(sorted(kinds - set(rule.kinds)))} is attached."
        yield FieldInvalid(field="media", problem=problem, reason="type", allowed=list(rule.kinds), **where)
    elif len(kinds) > 1 and not rule.mixed:
        yield MixingUnsupported(platform=facts.name, account_id=where["account_id"])
    if count > rule.max:
        yield _too(facts, "media", "too_many", rule.max, count, "files", where)
    if count < rule.min:
        problem = f"must hold at least {rule.min} for this {facts.title} format; {count} attached."
        yield FieldInvalid(field="media", problem=problem, reason="too_few", min=rule.min, actual=count, **where)


def _check_file(
    facts: Platform, form: Format, file: File, position: int, where: dict[str, str | None]
) -> Iterator[Refusal]:
    field = f"media[{position}]"
    rule: FileRule | None = form.image if file.kind == "image" else form.video if file.kind == "video" else None
    if form.alt and (length := measure(file.alt, form.alt.unit)) > form.alt.max:
        yield _too(facts, f"{field}.alt_text", "too_long", form.alt.max, length, form.alt.unit, where)
    if rule is None:
        return

    def invalid(reason: str, problem: str, **numbers: float | str | list[str] | None) -> FieldInvalid:
        known = {"min": None, "max": None, "actual": None, "allowed": None, **numbers}
        return FieldInvalid(field=field, problem=problem, reason=reason, media_id=file.id, **where, **known)  # type: ignore[arg-type]

    if rule.types and file.content_type not in rule.types:
        yield invalid(
            "type", f"must be one of {', '.join(rule.types)} for {facts.title}; this file is {file.content_type}.",
            allowed=rule.types, actual=file.content_type,
        )  # fmt: skip
    if rule.max_bytes is not None and file.size_bytes > rule.max_bytes:
        yield invalid(
            "too_large", f"may have {rule.max_bytes:,} bytes for {facts.title}; this file has {file.size_bytes:,}.",
            max=rule.max_bytes, actual=file.size_bytes,
        )  # fmt: skip
    if rule.ratio and file.width and file.height:
        ratio = round(file.width / file.height, 3)
        if not rule.ratio[0] <= ratio <= rule.ratio[1]:
            yield invalid(
                "ratio", f"must be {rule.ratio[0]} to {rule.ratio[1]} times as wide as high for {facts.title}; this file is {ratio}.",
                min=rule.ratio[0], max=rule.ratio[1], actual=ratio,
            )  # fmt: skip
    if rule.min_pixels and file.width and file.height:
        least = rule.min_pixels
        if file.width < least[0] or file.height < least[1]:
            yield invalid(
                "too_small", f"must have at least {least[0]}×{least[1]} pixels for {facts.title}; "
                f"this file has {file.width}×{file.height}.", actual=f"{file.width}x{file.height}",
            )  # fmt: skip
    if rule.seconds and file.seconds is not None and not rule.seconds[0] <= file.seconds <= rule.seconds[1]:
        yield invalid(
            "duration", f"must last {rule.seconds[0]} to {rule.seconds[1]} seconds for {facts.title}; "
            f"this file lasts {file.seconds:.1f}.", min=rule.seconds[0], max=rule.seconds[1], actual=file.seconds,
        )  # fmt: skip


def _too(
    facts: Platform, field: str, reason: str, most: int, actual: int, unit: str, where: dict[str, str | None]
) -> FieldInvalid:
    problem = f"may have {most:,} {unit} for {facts.title}; this has {actual:,}."
    return FieldInvalid(field=field, problem=problem, reason=reason, max=most, actual=actual, unit=unit, **where)


def sentences(form: Format) -> list[str]:
    """A format's limits as a person would read them."""
    said: list[str] = []
    if form.text.max:
        also = f" and {form.text.max_bytes:,} bytes" if form.text.max_bytes else ""
        said.append(f"Text: up to {form.text.max:,} {form.text.unit}{also}.")
    if form.text.required:
        said.append("Text is required.")
    if form.media and form.media.max:
        span = f"{form.media.min} to {form.media.max}" if form.media.min != form.media.max else f"{form.media.max}"
        said.append(f"Files: {span} ({', '.join(form.media.kinds)}).")
    for kind, rule in (("Image", form.image), ("Video", form.video)):
        if rule and rule.types:
            said.append(f"{kind} types: {', '.join(t.partition('/')[2] for t in rule.types)}.")
        if rule and rule.max_bytes:
            said.append(f"{kind} size: up to {rule.max_bytes:,} bytes.")
        if rule and rule.seconds:
            said.append(f"{kind} length: {rule.seconds[0]:g} to {rule.seconds[1]:g} seconds.")
    if form.alt:
        said.append(f"Alternative text: up to {form.alt.max:,} {form.alt.unit}.")
    return said
