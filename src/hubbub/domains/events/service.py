"""Announce what happened, and hear about it in another domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hubbub.domains.events.tables import events
from hubbub.kit import ids
from hubbub.runtime import durable
from hubbub.runtime.statements import insertion
from hubbub.runtime.work import Work


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened. `payload` is what a webhook's `data` will carry."""

    category: str
    """`post`, `webhook`, `inbox`, `api` or `account`."""
    action: str
    resource_id: str
    summary: str
    payload: Mapping[str, Any]
    status: str = "success"
    platform: str | None = None
    account_id: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    error_category: str | None = None


_reactions: dict[str, list[durable.Job]] = {}


def on(action: str, job: durable.Job) -> None:
    """Start this job, with the event's id, whenever an event of that action is announced."""
    _reactions.setdefault(action, []).append(job)


async def announce(work: Work, *happened: Event) -> None:
    """Write events in the caller's transaction, in this order, together with the start of everything that follows."""
    rows = [_row(work, event) for event in happened]
    await work.db.execute(insertion(events, frozenset(rows[0])), rows)
    for event, row in zip(happened, rows, strict=True):
        id = str(row["id"])
        for job in _reactions.get(event.action, ()):
            await durable.start(work, job, id, key=id)


def _row(work: Work, event: Event) -> dict[str, Any]:
    return {
        "id": ids.new_uuid(),
        "workspace_id": work.workspace_id,
        "created_at": work.now,
        "category": event.category,
        "action": event.action,
        "status": event.status,
        "summary": event.summary,
        "platform": event.platform,
        "account_id": event.account_id,
        "resource_id": event.resource_id,
        "error_code": event.error_code,
        "error_message": event.error_message,
        "error_category": event.error_category,
        "payload": dict(event.payload),
    }


async def payload_of(work: Work, event_id: UUID) -> tuple[UUID, Mapping[str, Any]]:
    """The workspace an event belongs to, and what it carries; for jobs that react to it."""
    found = await work.db.execute(
        sa.select(events.c.workspace_id, events.c.payload).where(events.c.id == event_id)
    )
    row = found.one()
    return row.workspace_id, row.payload
