"""Posts: segments, wall times, numbers read from the platforms."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

MEANS_A_WALL_TIME = sa.text("time_zone IS NOT NULL")


def upgrade() -> None:
    segments = sa.Column(
        "segments", postgresql.JSONB(none_as_null=True), nullable=False, server_default=sa.text("'[]'")
    )
    op.add_column("posts", segments)
    op.add_column(
        "posts", sa.Column("skip_validation", sa.Boolean, nullable=False, server_default=sa.false())
    )
    for table in ("posts", "targets"):
        for name in ("local_time", "time_zone", "zone_rules"):
            op.add_column(table, sa.Column(name, sa.Text))
        op.create_index(f"ix_{table}_zone_rules", table, ["zone_rules"], postgresql_where=MEANS_A_WALL_TIME)
    op.add_column("targets", sa.Column("metrics", postgresql.JSONB(none_as_null=True)))
    op.add_column("targets", sa.Column("metrics_synced_at", postgresql.TIMESTAMP(timezone=True)))


def downgrade() -> None:
    for name in ("metrics_synced_at", "metrics"):
        op.drop_column("targets", name)
    for table in ("targets", "posts"):
        op.drop_index(f"ix_{table}_zone_rules", table_name=table)
        for name in ("zone_rules", "time_zone", "local_time"):
            op.drop_column(table, name)
    for name in ("skip_validation", "segments"):
        op.drop_column("posts", name)
