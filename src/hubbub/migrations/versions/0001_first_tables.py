"""The first tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def text(name: str, *, null: bool = False, **how: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=null, **how)


def uuid(name: str, *, null: bool = False, **how: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.UUID, nullable=null, **how)


def moment(name: str, *, null: bool = False, **how: Any) -> sa.Column[Any]:
    return sa.Column(name, postgresql.TIMESTAMP(timezone=True), nullable=null, **how)


def json(name: str, *, null: bool = False, **how: Any) -> sa.Column[Any]:
    return sa.Column(name, postgresql.JSONB(none_as_null=True), nullable=null, **how)


def boolean(name: str, *, null: bool = False, **how: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean, nullable=null, **how)


def integer(name: str, *, null: bool = False, **how: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=null, **how)


def binary(name: str, *, null: bool = False, **how: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.LargeBinary, nullable=null, **how)


TABLES: dict[str, tuple[Any, ...]] = {
    "workspaces": (
        uuid("id"),
        text("name"),
        moment("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_workspaces"),
    ),
    "users": (
        uuid("id"),
        uuid("workspace_id"),
        text("email"),
        text("plan"),
        text("avatar_url", null=True),
        text("use_case", null=True),
        json("allowed_platforms", null=True),
        boolean("onboarding"),
        boolean("beta_tester"),
        boolean("lock_accounts_to_brand"),
        moment("billing_blocked_at", null=True),
        moment("created_at"),
        moment("updated_at"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_users_workspace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("workspace_id", name="uq_users_workspace_id"),
    ),
    "brands": (
        uuid("id"),
        uuid("workspace_id"),
        text("name"),
        moment("created_at"),
        moment("updated_at"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_brands_workspace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_brands"),
    ),
    "api_keys": (
        uuid("id"),
        uuid("workspace_id"),
        text("name"),
        text("mode"),
        binary("secret_sha256"),
        text("preview"),
        json("scopes"),
        json("brand_ids"),
        moment("created_at"),
        moment("updated_at"),
        moment("last_used_at", null=True),
        moment("revoked_at", null=True),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_api_keys_workspace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("secret_sha256", name="uq_api_keys_secret_sha256"),
    ),
    "events": (
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        uuid("id"),
        uuid("workspace_id"),
        text("category"),
        text("action"),
        text("status"),
        text("summary"),
        text("platform", null=True),
        text("account_id", null=True),
        text("resource_id", null=True),
        text("error_code", null=True),
        text("error_message", null=True),
        text("error_category", null=True),
        json("payload"),
        moment("created_at"),
        sa.PrimaryKeyConstraint("seq", name="pk_events"),
        sa.UniqueConstraint("id", name="uq_events_id"),
    ),
    "accounts": (
        text("id"),
        uuid("workspace_id"),
        uuid("brand_id", null=True),
        text("platform"),
        text("remote_id"),
        text("name"),
        text("username"),
        text("status"),
        text("reconnect_reason", null=True),
        text("profile_picture_url", null=True),
        text("bio", null=True),
        json("metadata"),
        text("mode"),
        text("login_id", null=True),
        moment("created_at"),
        moment("updated_at"),
        moment("deleted_at", null=True),
        sa.CheckConstraint("mode IN ('live', 'sandbox')", name="ck_accounts_mode"),
        sa.CheckConstraint("status IN ('active', 'reconnect_required')", name="ck_accounts_status"),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
    ),
    "account_secrets": (
        text("account_id"),
        integer("version"),
        text("key_id", null=True),
        binary("ciphertext", null=True),
        moment("expires_at", null=True),
        moment("renewing_until", null=True),
        moment("updated_at"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_account_secrets_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name="pk_account_secrets"),
    ),
    "account_pages": (
        text("id"),
        text("account_id"),
        text("remote_id"),
        text("name"),
        text("username", null=True),
        text("category", null=True),
        text("picture_url", null=True),
        text("link", null=True),
        boolean("is_default"),
        boolean("is_active"),
        text("key_id", null=True),
        binary("ciphertext", null=True),
        moment("lost_at", null=True),
        moment("created_at"),
        moment("updated_at"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_account_pages_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_account_pages"),
        sa.UniqueConstraint("account_id", "remote_id", name="uq_account_pages_account_id_remote_id"),
    ),
    "account_revocations": (
        text("account_id"),
        text("key_id", null=True),
        binary("ciphertext", null=True),
        moment("created_at"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_account_revocations_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name="pk_account_revocations"),
    ),
    "oauth_states": (
        text("state"),
        uuid("workspace_id"),
        uuid("key_id", null=True),
        text("platform"),
        text("mode"),
        json("attempt"),
        text("sealed_with", null=True),
        binary("ciphertext", null=True),
        moment("expires_at"),
        sa.PrimaryKeyConstraint("state", name="pk_oauth_states"),
    ),
    "pending_connections": (
        text("id"),
        uuid("workspace_id"),
        text("platform"),
        text("mode"),
        json("attempt"),
        text("key_id", null=True),
        binary("ciphertext", null=True),
        moment("expires_at"),
        sa.PrimaryKeyConstraint("id", name="pk_pending_connections"),
    ),
    "media": (
        uuid("id"),
        uuid("workspace_id"),
        text("filename"),
        text("declared_type"),
        text("content_type"),
        text("status"),
        text("kind", null=True),
        sa.Column("size_bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        integer("width", null=True),
        integer("height", null=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        text("sha256", null=True),
        text("blob_key", null=True),
        sa.Column("stray_keys", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        moment("created_at"),
        moment("updated_at"),
        moment("deleted_at", null=True),
        sa.PrimaryKeyConstraint("id", name="pk_media"),
    ),
    "posts": (
        uuid("id"),
        uuid("workspace_id"),
        text("status"),
        text("mode"),
        text("text"),
        text("title", null=True),
        text("visibility", null=True),
        text("first_comment", null=True),
        json("media"),
        json("platform_data"),
        boolean("hidden", server_default=sa.text("false")),
        integer("retry_count", server_default="0"),
        text("fingerprint"),
        moment("scheduled_at", null=True),
        moment("published_at", null=True),
        moment("created_at"),
        moment("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_posts"),
    ),
    "targets": (
        uuid("id"),
        uuid("post_id"),
        uuid("workspace_id"),
        integer("position"),
        text("account_id"),
        text("page_id", null=True),
        text("platform"),
        text("status"),
        text("text", null=True),
        text("title", null=True),
        text("visibility", null=True),
        text("first_comment", null=True),
        json("media", null=True),
        json("platform_data"),
        moment("scheduled_at", null=True),
        moment("planned_at", null=True),
        text("stage"),
        moment("due_at", null=True),
        integer("claims", server_default="0"),
        integer("tries", server_default="0"),
        integer("submits", server_default="0"),
        json("working", null=True),
        json("prepared", null=True),
        moment("fence", null=True),
        moment("lost_at", null=True),
        text("lost_because", null=True),
        integer("absences", server_default="0"),
        json("receipt", null=True),
        moment("sent_at", null=True),
        moment("comment_fence", null=True),
        text("comment_id", null=True),
        moment("waiting_since", null=True),
        json("error", null=True),
        json("warnings", null=True),
        text("remote_id", null=True),
        text("permalink", null=True),
        moment("started_at", null=True),
        moment("published_at", null=True),
        moment("updated_at"),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name="fk_targets_post_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_targets"),
    ),
}

INDEXES: tuple[tuple[str, str, list[Any], dict[str, Any]], ...] = (
    ("ix_brands_workspace_created", "brands", ["workspace_id", "created_at", "id"], {}),
    ("ix_api_keys_workspace_created", "api_keys", ["workspace_id", "created_at", "id"], {}),
    ("ix_events_resource", "events", ["resource_id", "seq"], {}),
    ("ix_events_workspace_seq", "events", ["workspace_id", sa.text("seq DESC")], {}),
    ("ix_accounts_workspace", "accounts", ["workspace_id", "created_at"], {}),
    (
        "uq_accounts_profile",
        "accounts",
        ["platform", "mode", "remote_id"],
        {"unique": True, "postgresql_where": sa.text("deleted_at IS NULL")},
    ),
    ("ix_account_secrets_expires_at", "account_secrets", ["expires_at"], {}),
    ("ix_account_pages_remote_id", "account_pages", ["remote_id"], {}),
    (
        "uq_account_pages_default",
        "account_pages",
        ["account_id"],
        {"unique": True, "postgresql_where": sa.text("is_default")},
    ),
    ("ix_oauth_states_expires_at", "oauth_states", ["expires_at"], {}),
    ("ix_pending_connections_expires_at", "pending_connections", ["expires_at"], {}),
    (
        "ix_media_library",
        "media",
        ["workspace_id", sa.text("created_at DESC"), sa.text("id DESC")],
        {
            "postgresql_include": ["size_bytes"],
            "postgresql_where": sa.text("status = 'ready' AND deleted_at IS NULL"),
        },
    ),
    (
        "ix_media_removable",
        "media",
        ["updated_at"],
        {
            "postgresql_where": sa.text(
                "blob_key IS NOT NULL AND (deleted_at IS NOT NULL OR status = 'failed') OR stray_keys <> '{}'"
            )
        },
    ),
    ("ix_media_unfinished", "media", ["updated_at"], {"postgresql_where": sa.text("status <> 'ready'")}),
    ("ix_posts_created", "posts", ["workspace_id", "created_at", "id"], {}),
    ("ix_posts_fingerprint", "posts", ["workspace_id", "fingerprint", "created_at"], {}),
    (
        "ix_posts_scheduled",
        "posts",
        ["workspace_id", sa.text("coalesce(scheduled_at, created_at)"), "id"],
        {},
    ),
    ("ix_targets_due", "targets", ["due_at"], {"postgresql_where": sa.text("due_at IS NOT NULL")}),
    ("ix_targets_post", "targets", ["post_id", "position"], {}),
    ("ix_targets_remote", "targets", ["account_id", "remote_id"], {}),
    (
        "ix_targets_waiting",
        "targets",
        ["account_id"],
        {"postgresql_where": sa.text("waiting_since IS NOT NULL")},
    ),
)


def upgrade() -> None:
    for name, parts in TABLES.items():
        op.create_table(name, *parts)
    for name, table, columns, how in INDEXES:
        op.create_index(name, table, columns, **how)


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(name)
