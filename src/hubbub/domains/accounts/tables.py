"""Connected accounts, their pages and credentials, and sign-ins that are under way."""

from __future__ import annotations

import sqlalchemy as sa

from hubbub.runtime import db


def sealed() -> tuple[sa.Column[str], sa.Column[bytes]]:
    """What the vault gives: which key it used, and the ciphertext."""
    return db.text("key_id"), sa.Column("ciphertext", sa.LargeBinary)


accounts = sa.Table(
    "accounts",
    db.metadata,
    db.text("id", primary_key=True),
    db.uuid("workspace_id", nullable=False),
    db.uuid("brand_id"),
    db.text("platform", nullable=False),
    db.text("remote_id", nullable=False),
    db.text("name", nullable=False),
    db.text("username", nullable=False),
    db.text("status", nullable=False),
    db.text("reconnect_reason"),
    db.text("profile_picture_url"),
    db.text("bio"),
    db.json("metadata", nullable=False),
    db.text("mode", nullable=False),
    db.text("login_id"),
    db.moment("created_at", nullable=False),
    db.moment("updated_at", nullable=False),
    db.moment("deleted_at"),
    sa.Index(
        "uq_accounts_profile",
        "platform",
        "mode",
        "remote_id",
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    ),
    sa.Index("ix_accounts_workspace", "workspace_id", "created_at"),
    sa.CheckConstraint("status IN ('active', 'reconnect_required')", name="ck_accounts_status"),
    sa.CheckConstraint("mode IN ('live', 'sandbox')", name="ck_accounts_mode"),
)

account_secrets = sa.Table(
    "account_secrets",
    db.metadata,
    db.text("account_id", sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    *sealed(),
    db.moment("expires_at"),
    db.moment("renewing_until"),
    db.moment("updated_at", nullable=False),
    sa.Index("ix_account_secrets_expires_at", "expires_at"),
)
"""`version` counts renewals; whoever renews holds the row until `renewing_until`."""

account_pages = sa.Table(
    "account_pages",
    db.metadata,
    db.text("id", primary_key=True),
    db.text("account_id", sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    db.text("remote_id", nullable=False),
    db.text("name", nullable=False),
    db.text("username"),
    db.text("category"),
    db.text("picture_url"),
    db.text("link"),
    sa.Column("is_default", sa.Boolean, nullable=False),
    sa.Column("is_active", sa.Boolean, nullable=False),
    *sealed(),
    db.moment("lost_at"),
    db.moment("created_at", nullable=False),
    db.moment("updated_at", nullable=False),
    sa.UniqueConstraint("account_id", "remote_id"),
    sa.Index("uq_account_pages_default", "account_id", unique=True, postgresql_where=sa.text("is_default")),
    sa.Index("ix_account_pages_remote_id", "remote_id"),
)
"""`lost_at` is when the sign-in stopped offering the page; once it is offered again it is back by itself."""

account_revocations = sa.Table(
    "account_revocations",
    db.metadata,
    db.text("account_id", sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    *sealed(),
    db.moment("created_at", nullable=False),
)
"""Grants of deleted accounts, for as long as it takes to hand them back to the platform."""

oauth_states = sa.Table(
    "oauth_states",
    db.metadata,
    db.text("state", primary_key=True),
    db.uuid("workspace_id", nullable=False),
    db.uuid("key_id"),
    db.text("platform", nullable=False),
    db.text("mode", nullable=False),
    db.json("attempt", nullable=False),
    db.text("sealed_with"),
    sa.Column("ciphertext", sa.LargeBinary),
    db.moment("expires_at", nullable=False),
    sa.Index("ix_oauth_states_expires_at", "expires_at"),
)
"""A consent page somebody is looking at. `key_id` is the API key that asked, `mode` the account's world,
`ciphertext` the PKCE verifier; the rest of what is needed to finish is in `attempt`."""

pending_connections = sa.Table(
    "pending_connections",
    db.metadata,
    db.text("id", primary_key=True),
    db.uuid("workspace_id", nullable=False),
    db.text("platform", nullable=False),
    db.text("mode", nullable=False),
    db.json("attempt", nullable=False),
    *sealed(),
    db.moment("expires_at", nullable=False),
    sa.Index("ix_pending_connections_expires_at", "expires_at"),
)
"""Somebody signed in and has yet to choose; who, where and with what is in the ciphertext."""
