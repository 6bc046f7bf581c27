"""What every list has in common: how much of it is asked for, and the shape it is answered in."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from hubbub.errors.validation import FieldInvalid
from hubbub.kit import paging

T = TypeVar("T")


class ListQuery(BaseModel):
    """The query of a paginated list. A route with other bounds subclasses it and declares `limit` again."""

    model_config = ConfigDict(frozen=True)

    limit: int = Field(default=25, ge=1, le=100, description="How many items to return at most.")
    cursor: str | None = Field(default=None, description="The `next_cursor` of the page before.")

    def position(self, parts: int) -> list[Any] | None:
        """Where the page before ended, as `paging.encode` was given it; None on the first page.

        Checks only the number of parts: compare their types yourself, or use `invalid_cursor`.
        Raises FieldInvalid when the cursor is not one of ours.
        """
        if not self.cursor:
            return None
        try:
            return paging.decode(self.cursor, parts)
        except ValueError:
            raise invalid_cursor() from None


def invalid_cursor() -> FieldInvalid:
    """What to raise for a cursor that does not stand for a place in this list."""
    return FieldInvalid(
        field="cursor", problem="must be a next_cursor that this list gave.", reason="unknown"
    )


class Pagination(msgspec.Struct, frozen=True):
    limit: int
    has_more: bool
    next_cursor: str


class Paged(msgspec.Struct, Generic[T], frozen=True, omit_defaults=True):
    """A page of a list, in the form that clients of flat and of nested cursors both read.

    The last page has no top-level `next_cursor` at all: an empty one there makes a client of ours loop.
    """

    data: list[T]
    count: int
    pagination: Pagination
    next_cursor: str | msgspec.UnsetType = msgspec.UNSET


class Listed(msgspec.Struct, Generic[T], frozen=True):
    """A list that is always sent whole."""

    data: list[T]
    count: int


def page(data: list[T], limit: int, next_cursor: str | None) -> Paged[T]:
    """One page of a paginated list; `next_cursor` is None (or empty) on the last one."""
    return Paged(
        data=data,
        count=len(data),
        pagination=Pagination(limit=limit, has_more=bool(next_cursor), next_cursor=next_cursor or ""),
        next_cursor=next_cursor or msgspec.UNSET,
    )


def listed(data: list[T]) -> Listed[T]:
    """A whole list."""
    return Listed(data=data, count=len(data))
