"""What is changed about a post's pictures where somebody asked for it (`platform_data.auto_fix`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from hubbub.connector import fixing, limits
from hubbub.connector.fixing import Fix, How
from hubbub.connector.platform import Platform
from hubbub.domains.media import service as media
from hubbub.domains.posts import rules
from hubbub.errors import Refusal
from hubbub.errors.publishing import MediaUnavailable
from hubbub.errors.validation import FieldInvalid
from hubbub.kit.media import Unfixable
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import Caller
from hubbub.social.draft import Draft


def way(platform: str, at_post: Mapping[str, Any] | None, at_target: Mapping[str, Any] | None) -> How | None:
    """How a target's pictures are to be changed; None for not at all."""
    return fixing.way(rules.auto_fix(platform, at_post or {}, at_target or {}))


def check(prefix: str, given: Mapping[str, Any] | None, platforms: Iterable[str]) -> Iterable[Refusal]:
    """What is wrong with what is asked for, for all platforms or for one."""
    places: dict[str, Any] = {"": given or {}}
    places |= {f"{name}.": (given or {}).get(name) for name in platforms}
    for place, options in places.items():
        if isinstance(options, Mapping) and not fixing.is_wish(options.get(rules.AUTO_FIX)):
            yield FieldInvalid(
                field=f"{prefix}platform_data.{place}{rules.AUTO_FIX}",
                problem='must be true, false, "pad" or "crop".',
                reason="unknown",
                allowed=fixing.WISHES,
            )


def told(facts: Platform, draft: Draft, how: How | None) -> list[tuple[str, str]]:
    """What will be done: the field of each picture, and a sentence."""
    fixes = limits.fixes(facts, draft, how) if how else {}
    return [(f"media[{place}]", _sentence(facts, place, fix)) for place, fix in fixes.items()]


def _sentence(facts: Platform, place: int, fix: Fix) -> str:
    return f"media[{place}] is {fix.says} for {facts.title}."


async def mended(
    runtime: Runtime, caller: Caller, facts: Platform, draft: Draft, how: How | None, account_id: str
) -> Draft:
    """The draft with copies in the place of the pictures that have to be changed. May be called again.

    Raises MediaUnavailable, StorageFull, and FieldInvalid for a picture that cannot be made to fit after all.
    """
    files = list(draft.files)
    for place, fix in (limits.fixes(facts, draft, how) if how else {}).items():
        try:
            copy = await media.changed(runtime, caller, files[place].id, fix.recipe)
        except MediaUnavailable as gone:
            raise replace(gone, platform=facts.name, account_id=account_id) from gone
        except Unfixable as why:
            raise FieldInvalid(
                field=f"media[{place}]",
                problem=f"must fit {facts.title} once it is changed; it does not. {why}",
                reason="unfixable",
                platform=facts.name,
                account_id=account_id,
                media_id=files[place].id,
            ) from None
        files[place] = media.as_file(copy, alt=files[place].alt)
    return replace(draft, files=tuple(files))
