"""Answers that are given again, and requests under way whose answer will be."""

from __future__ import annotations

import sqlalchemy as sa

from hubbub.runtime import db

kept_answers = sa.Table(
    "kept_answers",
    db.metadata,
    sa.Column("id", sa.LargeBinary, primary_key=True),
    db.uuid("workspace_id", nullable=False),
    db.uuid("claim"),
    db.moment("claimed_until"),
    sa.Column("fingerprint", sa.LargeBinary),
    sa.Column("status", sa.Integer),
    db.text("content_type"),
    db.json("headers"),
    sa.Column("body", sa.LargeBinary),
    db.moment("expires_at", nullable=False),
    sa.Index("ix_kept_answers_expires_at", "expires_at"),
)
