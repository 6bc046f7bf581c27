"""API keys, without their secrets."""

from __future__ import annotations

import sqlalchemy as sa

from hubbub.runtime import db

api_keys = sa.Table(
    "api_keys",
    db.metadata,
    db.uuid("id", primary_key=True),
    db.uuid("workspace_id", sa.ForeignKey("workspaces.id"), nullable=False),
    db.text("name", nullable=False),
    db.text("mode", nullable=False),
    sa.Column("secret_sha256", sa.LargeBinary, nullable=False, unique=True),
    db.text("preview", nullable=False),
    db.json("scopes", nullable=False),
    db.json("brand_ids", nullable=False),
    db.text("error_format", nullable=False, server_default=sa.text("'native'")),
    db.moment("created_at", nullable=False),
    db.moment("updated_at", nullable=False),
    db.moment("last_used_at"),
    db.moment("revoked_at"),
    sa.Index("ix_api_keys_workspace_created", "workspace_id", "created_at", "id"),
)
