"""Every code that can be met is met, over HTTP; every other is on a list with its reason."""

from __future__ import annotations

import pytest

from api import Answer
from hubbub.connector.registry import Registry
from hubbub.errors import Action, Category, class_of, registry
from provoked import by_account, by_key, by_media, by_person, by_post
from provoked.guest import Guest
from provoked.table import TABLE, Provocation, family, status_of, waiting

pytestmark = pytest.mark.anyio

MODULES = (by_key, by_person, by_account, by_media, by_post)
"""Importing them fills the table."""
CATEGORIES = set(Category)
CAUSES = {"user", "platform", "system"}


def said_by_platforms() -> set[str]:
    """Codes that `test_provoked_by_platforms.py` provokes, entry by entry."""
    return {entry.means for found in Registry().values() for entry in found.refusals.entries}


@pytest.mark.parametrize("provocation", TABLE, ids=lambda one: f"{one.code}-{one.how.__name__}")
async def test_a_code_is_answered_as_it_was_promised(guest: Guest, provocation: Provocation) -> None:
    seen = await provocation.how(guest)

    error = seen.json["error"] if isinstance(seen, Answer) else seen
    assert error["code"] == provocation.code, error
    if isinstance(seen, Answer):
        assert seen.status == status_of(provocation.code)
    else:
        check_target_error(error)
    assert provocation.meta <= set(error.get("meta", {})), error
    assert None not in error.get("meta", {}).values()


def check_target_error(error: dict[str, object]) -> None:
    """As contract 4.10 has it, with what is ours beside it."""
    refusal = class_of(str(error["code"]))
    assert refusal is not None
    assert error["category"] in CATEGORIES
    assert error["caused_by"] in CAUSES
    assert Action(str(error["action"])) is refusal.action
    assert error["message"]


async def test_a_code_is_either_provoked_or_listed_and_never_both() -> None:
    provoked = {family(code) for code in {one.code for one in TABLE} | said_by_platforms()}

    assert provoked & waiting() == set(), "it can be provoked: take it off not_yet_provokable.txt"
    assert set(registry) - provoked - waiting() == set(), "nothing provokes it: write how, or list it"
