"""Workspaces, the people who own them, and their brands."""

from __future__ import annotations

import sqlalchemy as sa

from hubbub.runtime import db

workspaces = sa.Table(
    "workspaces",
    db.metadata,
    db.uuid("id", primary_key=True),
    db.text("name", nullable=False),
    db.moment("created_at", nullable=False),
)

users = sa.Table(
    "users",
    db.metadata,
    db.uuid("id", primary_key=True),
    db.uuid("workspace_id", sa.ForeignKey("workspaces.id"), nullable=False, unique=True),
    db.text("email", nullable=False),
    db.text("plan", nullable=False),
    db.text("avatar_url"),
    db.text("use_case"),
    db.json("allowed_platforms"),
    sa.Column("onboarding", sa.Boolean, nullable=False),
    sa.Column("beta_tester", sa.Boolean, nullable=False),
    sa.Column("lock_accounts_to_brand", sa.Boolean, nullable=False),
    db.moment("billing_blocked_at"),
    db.moment("created_at", nullable=False),
    db.moment("updated_at", nullable=False),
)

brands = sa.Table(
    "brands",
    db.metadata,
    db.uuid("id", primary_key=True),
    db.uuid("workspace_id", sa.ForeignKey("workspaces.id"), nullable=False),
    db.text("name", nullable=False),
    db.moment("created_at", nullable=False),
    db.moment("updated_at", nullable=False),
    sa.Index("ix_brands_workspace_created", "workspace_id", "created_at", "id"),
)
