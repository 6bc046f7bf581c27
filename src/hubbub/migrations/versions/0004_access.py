"""Access: people who sign in, the keys that sign their tokens, and row security on everything."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from hubbub.migrations import row_security

revision = "0004"
down_revision = "0003"

PARTS = {
    "account_secrets": ("account_id", "accounts"),
    "account_pages": ("account_id", "accounts"),
    "account_revocations": ("account_id", "accounts"),
}
OF_A_WORKSPACE = """
    SELECT table_name FROM information_schema.columns
    WHERE column_name = 'workspace_id' AND table_schema = current_schema() ORDER BY table_name
"""


def moment(name: str, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, postgresql.TIMESTAMP(timezone=True), nullable=null)


def upgrade() -> None:
    make_people()
    make_signing()
    row_security.make_role()
    row_security.protect("workspaces", "id")
    for table in op.get_bind().execute(sa.text(OF_A_WORKSPACE)).scalars().all():
        row_security.protect(table)
    for table, (column, whole) in PARTS.items():
        row_security.protect_parts(table, column, whole)


def make_people() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.UUID, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        moment("created_at"),
        moment("password_changed_at"),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
        sa.UniqueConstraint("email", name="uq_people_email"),
    )
    op.create_table(
        "sign_in_attempts",
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        moment("last_at"),
        moment("locked_until", null=True),
        sa.PrimaryKeyConstraint("email", name="pk_sign_in_attempts"),
    )
    op.create_index("ix_sign_in_attempts_last_at", "sign_in_attempts", ["last_at"])


def make_signing() -> None:
    op.create_table(
        "identities",
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("workspace_id", sa.UUID, nullable=False),
        sa.Column("user_id", sa.UUID, nullable=False),
        moment("created_at"),
        sa.PrimaryKeyConstraint("issuer", "subject", name="pk_identities"),
        sa.UniqueConstraint("user_id", name="uq_identities_user_id"),
    )
    op.create_table(
        "signing_keys",
        sa.Column("kid", sa.Text, nullable=False),
        sa.Column("public_key", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("ciphertext", sa.LargeBinary, nullable=False),
        moment("created_at"),
        moment("retired_at", null=True),
        sa.PrimaryKeyConstraint("kid", name="pk_signing_keys"),
    )


def downgrade() -> None:
    protected = op.get_bind().execute(
        sa.text(
            "SELECT tablename FROM pg_policies WHERE policyname = :name AND schemaname = current_schema()"
        ),
        {"name": row_security.POLICY},
    )
    for table in protected.scalars().all():
        row_security.unprotect(table)
    row_security.take_grants()
    for table in ("signing_keys", "identities", "sign_in_attempts", "people"):
        op.drop_table(table)
