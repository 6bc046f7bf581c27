"""Row security for a table: what a migration that makes one with a workspace_id calls."""

from __future__ import annotations

from alembic import op

from hubbub.runtime.db import APP_ROLE

POLICY = "one_workspace"
_EVERYBODY = "(SELECT current_setting('hubbub.everybody', true)) = 'on'"
# Sub-selects are evaluated once for a statement, not once for a row.
_WORKSPACE = "(SELECT nullif(current_setting('hubbub.workspace_id', true), '')::uuid)"


def protect(table: str, column: str = "workspace_id") -> None:
    """Let nobody see or write a row of another workspace, the table's owner included."""
    _policy(table, f"{column} = {_WORKSPACE}")


def protect_parts(table: str, column: str, of: str) -> None:
    """Let the rows of a table without a workspace_id be seen by whoever sees the row that they are a part of."""
    _policy(table, f"EXISTS (SELECT FROM {of} whole WHERE whole.id = {table}.{column})")


def unprotect(table: str) -> None:
    op.execute(f"DROP POLICY {POLICY} ON {table}")
    op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY")


def _policy(table: str, own: str) -> None:
    op.execute(f"CREATE POLICY {POLICY} ON {table} USING ({_EVERYBODY} OR {own})")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")


def make_role() -> None:
    """Make the role that a superuser steps down to; of many databases on one server, the first makes it.

    Where the user of DATABASE_URL may not make roles, row security applies to that user itself.
    """
    op.execute(f"""
        DO $$
        BEGIN
            IF (SELECT rolsuper OR (rolcreaterole AND rolbypassrls) FROM pg_roles WHERE rolname = session_user) THEN
                BEGIN
                    CREATE ROLE {APP_ROLE} NOLOGIN;
                EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
                END;
                EXECUTE format('GRANT {APP_ROLE} TO %I', session_user);
                EXECUTE format('GRANT USAGE ON SCHEMA %I TO {APP_ROLE}', current_schema());
                {_grants("TABLES", "SELECT, INSERT, UPDATE, DELETE")}
                {_grants("SEQUENCES", "USAGE, SELECT")}
            END IF;
        END $$
    """)  # noqa: S608 - only names of ours are put in


def take_grants() -> None:
    """Undo `make_role`, but for the role: other databases of the server may use it."""
    op.execute(f"""
        DO $$
        BEGIN
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN
                DROP OWNED BY {APP_ROLE};
            END IF;
        END $$
    """)


def _grants(kind: str, rights: str) -> str:
    """Of everything there is, the durable engine's too, and of everything that this user makes later."""
    return f"""
                EXECUTE format('GRANT {rights} ON ALL {kind} IN SCHEMA %I TO {APP_ROLE}', current_schema());
                EXECUTE format(
                    'ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT {rights} ON {kind} TO {APP_ROLE}', current_schema());
    """
