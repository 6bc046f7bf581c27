"""The first tables."""

from __future__ import annotations

from alembic import op

from hubbub.runtime import db, migrate

revision = "0001"
down_revision = None


def upgrade() -> None:
    migrate.load_tables()
    db.metadata.create_all(op.get_bind())


def downgrade() -> None:
    migrate.load_tables()
    db.metadata.drop_all(op.get_bind())
