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

# Of the whole installation, as the platforms count it; no workspace's own.
budget_shares = sa.Table(
    "budget_shares",
    db.metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    db.text("name", nullable=False),
    sa.Column("calls", sa.Integer, nullable=False),
    db.moment("taken_at", nullable=False),
    sa.Column("seconds", sa.Double, nullable=False),
    sa.Index("ix_budget_shares_name_taken", "name", "taken_at"),
)
