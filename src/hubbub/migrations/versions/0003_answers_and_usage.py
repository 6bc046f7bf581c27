"""Answers that are given again, what workspaces have used, and the envelope a key wants refusals in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"


def moment(name: str, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, postgresql.TIMESTAMP(timezone=True), nullable=null)


def upgrade() -> None:
    op.create_table(
        "kept_answers",
        sa.Column("id", sa.LargeBinary, nullable=False),
        sa.Column("workspace_id", sa.UUID, nullable=False),
        sa.Column("claim", sa.UUID),
        moment("claimed_until", null=True),
        sa.Column("fingerprint", sa.LargeBinary),
        sa.Column("status", sa.Integer),
        sa.Column("content_type", sa.Text),
        sa.Column("headers", postgresql.JSONB(none_as_null=True)),
        sa.Column("body", sa.LargeBinary),
        moment("expires_at"),
        sa.PrimaryKeyConstraint("id", name="pk_kept_answers"),
    )
    op.create_index("ix_kept_answers_expires_at", "kept_answers", ["expires_at"])
    op.create_table(
        "usage_counts",
        sa.Column("workspace_id", sa.UUID, nullable=False),
        moment("period_start"),
        sa.Column("slot", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("posts", sa.Integer, nullable=False),
        sa.Column("interactions", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_usage_counts_workspace_id"),
        sa.PrimaryKeyConstraint("workspace_id", "period_start", "slot", name="pk_usage_counts"),
    )
    op.create_table(
        "request_counts",
        sa.Column("workspace_id", sa.UUID, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        moment("started_at"),
        sa.Column("requests", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_request_counts_workspace_id"),
        sa.PrimaryKeyConstraint("workspace_id", "name", name="pk_request_counts"),
    )
    op.add_column(
        "api_keys", sa.Column("error_format", sa.Text, nullable=False, server_default=sa.text("'native'"))
    )


def downgrade() -> None:
    op.drop_column("api_keys", "error_format")
    for table in ("request_counts", "usage_counts", "kept_answers"):
        op.drop_table(table)
