"""The one stream of everything that happened."""

from __future__ import annotations

import sqlalchemy as sa

from hubbub.runtime import db

events = sa.Table(
    "events",
    db.metadata,
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    db.uuid("id", nullable=False, unique=True),
    db.uuid("workspace_id", nullable=False),
    db.text("category", nullable=False),
    db.text("action", nullable=False),
    db.text("status", nullable=False),
    db.text("summary", nullable=False),
    db.text("platform"),
    db.text("account_id"),
    db.text("resource_id"),
    db.text("error_code"),
    db.text("error_message"),
    db.text("error_category"),
    db.json("payload", nullable=False),
    db.moment("created_at", nullable=False),
    sa.Index("ix_events_workspace_seq", "workspace_id", sa.text("seq DESC")),
    sa.Index("ix_events_resource", "resource_id", "seq"),
)
