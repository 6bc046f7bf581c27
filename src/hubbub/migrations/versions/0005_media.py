"""Media: upload addresses of a bucket, and files found by their content."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("media", sa.Column("incoming_key", sa.Text))
    ready = sa.text("status = 'ready' AND deleted_at IS NULL")
    op.create_index("ix_media_content", "media", ["workspace_id", "sha256"], postgresql_where=ready)
    incoming = sa.text("incoming_key IS NOT NULL")
    op.create_index("ix_media_incoming", "media", ["updated_at"], postgresql_where=incoming)


def downgrade() -> None:
    op.drop_index("ix_media_incoming", "media")
    op.drop_index("ix_media_content", "media")
    op.drop_column("media", "incoming_key")
