"""Media: copies that were changed for a platform, which are not in the library."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

READY = "status = 'ready' AND deleted_at IS NULL"


def upgrade() -> None:
    op.add_column("media", sa.Column("source_id", sa.UUID))
    op.create_index(
        "ix_media_source", "media", ["source_id"], postgresql_where=sa.text("source_id IS NOT NULL")
    )
    index_library(f"{READY} AND source_id IS NULL")


def downgrade() -> None:
    # Deleted like every other file, so that their content goes too.
    op.execute("SET LOCAL hubbub.everybody = 'on'")
    op.execute("UPDATE media SET deleted_at = now() WHERE source_id IS NOT NULL AND deleted_at IS NULL")
    index_library(READY)
    op.drop_index("ix_media_source", "media")
    op.drop_column("media", "source_id")


def index_library(which: str) -> None:
    """Make the indexes of what is in the library anew, for another idea of what that is."""
    op.drop_index("ix_media_library", "media")
    op.create_index(
        "ix_media_library",
        "media",
        ["workspace_id", sa.text("created_at DESC"), sa.text("id DESC")],
        postgresql_include=["size_bytes"],
        postgresql_where=sa.text(which),
    )
    op.drop_index("ix_media_content", "media")
    op.create_index("ix_media_content", "media", ["workspace_id", "sha256"], postgresql_where=sa.text(which))
