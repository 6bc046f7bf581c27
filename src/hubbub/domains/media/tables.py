"""Where the library remembers its files."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from hubbub.runtime import db

LISTED = "status = 'ready' AND deleted_at IS NULL AND source_id IS NULL"

media = sa.Table(
    "media",
    db.metadata,
    db.uuid("id", primary_key=True),
    db.uuid("workspace_id", nullable=False),
    db.text("filename", nullable=False),
    db.text("declared_type", nullable=False),
    db.text("content_type", nullable=False),
    db.text("status", nullable=False),
    db.text("kind"),
    sa.Column("size_bytes", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("width", sa.Integer),
    sa.Column("height", sa.Integer),
    sa.Column("seconds", sa.Double),
    db.text("sha256"),
    db.text("blob_key"),
    db.text("incoming_key"),
    sa.Column("stray_keys", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
    db.moment("created_at", nullable=False),
    db.moment("updated_at", nullable=False),
    db.moment("deleted_at"),
    # The file that this is a changed copy of, made for a platform. A copy is not in the library.
    db.uuid("source_id"),
    sa.Index(
        "ix_media_library",
        "workspace_id",
        sa.text("created_at DESC"),
        sa.text("id DESC"),
        postgresql_include=["size_bytes"],
        postgresql_where=sa.text(LISTED),
    ),
    sa.Index(
        "ix_media_content",
        "workspace_id",
        "sha256",
        postgresql_where=sa.text(LISTED),
    ),
    sa.Index("ix_media_source", "source_id", postgresql_where=sa.text("source_id IS NOT NULL")),
    sa.Index("ix_media_incoming", "updated_at", postgresql_where=sa.text("incoming_key IS NOT NULL")),
    sa.Index("ix_media_unfinished", "updated_at", postgresql_where=sa.text("status <> 'ready'")),
    sa.Index(
        "ix_media_removable",
        "updated_at",
        postgresql_where=sa.text(
            "blob_key IS NOT NULL AND (deleted_at IS NOT NULL OR status = 'failed') OR stray_keys <> '{}'"
        ),
    ),
)
