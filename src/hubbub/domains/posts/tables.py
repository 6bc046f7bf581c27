"""Posts and their targets. A target's row is its workflow: a job goes on where the row says."""

from __future__ import annotations

import sqlalchemy as sa

from hubbub.runtime import db

posts = sa.Table(
    "posts",
    db.metadata,
    db.uuid("id", primary_key=True),
    db.uuid("workspace_id", nullable=False),
    db.text("status", nullable=False),
    db.text("mode", nullable=False),
    db.text("text", nullable=False),
    db.text("title"),
    db.text("visibility"),
    db.text("first_comment"),
    db.json("media", nullable=False),
    db.json("platform_data", nullable=False),
    sa.Column("hidden", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("retry_count", sa.Integer, nullable=False, server_default="0"),
    db.text("fingerprint", nullable=False),
    db.moment("scheduled_at"),
    db.moment("published_at"),
    db.moment("created_at", nullable=False),
    db.moment("updated_at", nullable=False),
    sa.Index("ix_posts_scheduled", "workspace_id", sa.text("coalesce(scheduled_at, created_at)"), "id"),
    sa.Index("ix_posts_created", "workspace_id", "created_at", "id"),
    sa.Index("ix_posts_fingerprint", "workspace_id", "fingerprint", "created_at"),
)

targets = sa.Table(
    "targets",
    db.metadata,
    db.uuid("id", primary_key=True),
    db.uuid("post_id", sa.ForeignKey("posts.id", ondelete="CASCADE"), nullable=False),
    db.uuid("workspace_id", nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    db.text("account_id", nullable=False),
    db.text("page_id"),
    db.text("platform", nullable=False),
    db.text("status", nullable=False),
    # What this target says differently; null means as the post says.
    db.text("text"),
    db.text("title"),
    db.text("visibility"),
    db.text("first_comment"),
    db.json("media"),
    db.json("platform_data", nullable=False),
    db.moment("scheduled_at"),
    # The workflow. `planned_at` is when it was meant to start, `due_at` when to look at it next.
    db.moment("planned_at"),
    db.text("stage", nullable=False),
    db.moment("due_at"),
    sa.Column("claims", sa.Integer, nullable=False, server_default="0"),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("submits", sa.Integer, nullable=False, server_default="0"),
    db.json("working"),
    db.json("prepared"),
    db.moment("fence"),
    db.moment("lost_at"),
    db.text("lost_because"),
    sa.Column("absences", sa.Integer, nullable=False, server_default="0"),
    db.json("receipt"),
    db.moment("sent_at"),
    db.moment("comment_fence"),
    db.text("comment_id"),
    db.moment("waiting_since"),
    # How it ended.
    db.json("error"),
    db.json("warnings"),
    db.text("remote_id"),
    db.text("permalink"),
    db.moment("started_at"),
    db.moment("published_at"),
    db.moment("updated_at", nullable=False),
    sa.Index("ix_targets_post", "post_id", "position"),
    sa.Index("ix_targets_due", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
    sa.Index("ix_targets_remote", "account_id", "remote_id"),
    sa.Index("ix_targets_waiting", "account_id", postgresql_where=sa.text("waiting_since IS NOT NULL")),
)
