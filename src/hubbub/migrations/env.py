"""What Alembic runs a migration in: the connection it was given, and every domain's tables."""

from __future__ import annotations

from alembic import context

from hubbub.runtime import db


def ours(name: str | None, kind: str, _: object) -> bool:
    """The durable engine makes and upgrades its own tables."""
    return kind != "table" or not (name or "").startswith("pgqueuer")


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=db.metadata,
    include_name=ours,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
