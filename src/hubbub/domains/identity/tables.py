"""People who sign in with a password, whose user each identity is, and the keys that sign tokens."""

from __future__ import annotations

import sqlalchemy as sa

from hubbub.runtime import db

people = sa.Table(
    "people",
    db.metadata,
    db.uuid("id", primary_key=True),
    db.text("email", nullable=False, unique=True),
    db.text("password_hash", nullable=False),
    db.moment("created_at", nullable=False),
    db.moment("password_changed_at", nullable=False),
)
"""Belongs to no workspace: signing in comes before having one."""

sign_in_attempts = sa.Table(
    "sign_in_attempts",
    db.metadata,
    db.text("email", primary_key=True),
    sa.Column("attempts", sa.Integer, nullable=False),
    db.moment("last_at", nullable=False),
    db.moment("locked_until"),
    sa.Index("ix_sign_in_attempts_last_at", "last_at"),
)
"""Also of addresses that nobody has, so that a refusal does not tell who has one."""

identities = sa.Table(
    "identities",
    db.metadata,
    db.text("issuer", primary_key=True),
    db.text("subject", primary_key=True),
    db.uuid("workspace_id", nullable=False),
    db.uuid("user_id", nullable=False, unique=True),
    db.moment("created_at", nullable=False),
)
"""No foreign key to users: a token of a deleted user is known for what it is."""

signing_keys = sa.Table(
    "signing_keys",
    db.metadata,
    db.text("kid", primary_key=True),
    db.json("public_key", nullable=False),
    db.text("key_id", nullable=False),
    sa.Column("ciphertext", sa.LargeBinary, nullable=False),
    db.moment("created_at", nullable=False),
    db.moment("retired_at"),
)
