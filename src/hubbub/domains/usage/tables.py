"""What workspaces have used."""

from __future__ import annotations

import sqlalchemy as sa

from hubbub.runtime import db

# Several rows for one period, added up when somebody asks: with one row all writers of a workspace would wait
# for each other until they commit.
usage_counts = sa.Table(
    "usage_counts",
    db.metadata,
    db.uuid("workspace_id", sa.ForeignKey("workspaces.id"), primary_key=True),
    db.moment("period_start", primary_key=True),
    sa.Column("slot", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("posts", sa.Integer, nullable=False),
    sa.Column("interactions", sa.Integer, nullable=False),
)

request_counts = sa.Table(
    "request_counts",
    db.metadata,
    db.uuid("workspace_id", sa.ForeignKey("workspaces.id"), primary_key=True),
    db.text("name", primary_key=True),
    db.moment("started_at", nullable=False),
    sa.Column("requests", sa.Integer, nullable=False),
)
