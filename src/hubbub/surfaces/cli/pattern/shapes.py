"""Finch: pure translation between its JSON and our nouns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hubbub.connector.promises import Receipt
from hubbub.connector.refusals import LostAnswer
from hubbub.kit.clock import from_wire
from hubbub.social.draft import Draft
from hubbub.social.person import Identity


def post_out(draft: Draft) -> dict[str, Any]:
    """Our draft, as the body that creates a post."""
    return {"text": draft.text}


def receipt_in(theirs: Any) -> Receipt:
    """Their post, as what we keep of it. Raises LostAnswer when it is not one."""
    return Receipt(promised(theirs, "id"), promised(theirs, "url"))


def identity_in(theirs: Any) -> Identity:
    """Their account, as ours."""
    return Identity(remote_id=theirs["id"], name=theirs["name"], username=theirs["username"])


def matches(theirs: Any, text: str, since: datetime, known: frozenset[str]) -> list[dict[str, Any]]:
    """The posts of a listing that have this text, are not older than `since`, and are not known already."""
    return [
        post
        for post in promised(theirs, "posts", list)
        if post["text"] == text and post["id"] not in known and from_wire(post["created_at"]) >= since
    ]


def promised(theirs: Any, name: str, kind: type = str) -> Any:
    """A field that every success has. Raises LostAnswer without it: something may have happened."""
    value = theirs.get(name) if isinstance(theirs, Mapping) else None
    if not isinstance(value, kind):
        raise LostAnswer(f"the answer has no {name}")
    return value
