"""The second lock behind every query: the database itself shows one workspace's rows only."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from api import *  # noqa: F403
from api import Api
from hubbub.domains.keys.store import KeyStore
from hubbub.domains.keys.tables import api_keys
from hubbub.domains.workspaces.store import WorkspaceStore
from hubbub.domains.workspaces.tables import brands, workspaces
from hubbub.runtime import db
from hubbub.runtime.look import look
from hubbub.runtime.work import EVERYBODY, Caller, open_work

pytestmark = pytest.mark.anyio

HAS_WORKSPACE = """
    SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS is_forced,
           EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polpermissive AND p.polcmd = '*') AS has_policy
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'workspace_id' AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
"""


async def test_every_table_with_a_workspace_is_locked(api: Api) -> None:
    async with api.runtime.database.begin() as connection:
        found = (await connection.execute(sa.text(HAS_WORKSPACE))).all()
    assert {"api_keys", "accounts", "posts", "targets", "events", "media", "users"} <= {
        row.relname for row in found
    }
    assert [row.relname for row in found if not (row.is_forced and row.has_policy)] == []


async def test_a_query_that_forgets_the_workspace_sees_one_all_the_same(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stores' own filter is taken away; what is left is the database's."""
    elsewhere = await api.elsewhere()
    async with elsewhere.work() as work:
        foreign = await WorkspaceStore(work).user()
        [foreign_key] = await KeyStore(work).all()
    monkeypatch.setattr(KeyStore, "_own", lambda _: sa.select(api_keys))
    async with api.work() as work:
        everything = await KeyStore(work).all()
        assert [key["workspace_id"] for key in everything] == [api.workspace_id]
        assert await KeyStore(work).get(foreign_key["id"]) is None
        assert (await work.db.execute(sa.select(workspaces.c.id))).scalars().all() == [api.workspace_id]
        changed = await work.db.execute(sa.update(api_keys).values(name="mine"))
        assert changed.rowcount == 1
        assert (await work.db.execute(sa.delete(brands))).rowcount == 0
    async with elsewhere.work() as work:
        assert (await KeyStore(work).all())[0]["name"] == "test"
        assert (await WorkspaceStore(work).user())["id"] == foreign["id"]


async def test_nothing_can_be_written_for_another_workspace(api: Api) -> None:
    elsewhere = await api.elsewhere()
    values: dict[str, Any] = {
        "id": elsewhere.workspace_id,
        "name": "x",
        "workspace_id": elsewhere.workspace_id,
    }
    with pytest.raises(sa.exc.DBAPIError, match="row-level security"):
        async with api.work() as work:
            await work.db.execute(
                sa.insert(brands).values(**values, created_at=work.now, updated_at=work.now)
            )


async def test_a_connection_that_nobody_has_spoken_for_sees_nothing(api: Api) -> None:
    async with api.runtime.database.connect() as connection:
        assert (await connection.execute(sa.select(api_keys.c.id))).all() == []
        role = (await connection.execute(sa.text("SELECT current_user"))).scalar_one()
    assert role == db.APP_ROLE


async def test_what_one_transaction_saw_the_next_does_not(api: Api) -> None:
    elsewhere = await api.elsewhere()
    for one in (api, elsewhere, api):
        async with one.work() as work:
            seen = (await work.db.execute(sa.select(api_keys.c.workspace_id))).scalars().all()
        assert seen == [one.workspace_id]
        async with open_work(api.runtime, Caller(EVERYBODY)) as work:
            everybody = (await work.db.execute(sa.select(api_keys.c.workspace_id))).scalars().all()
        assert len(everybody) == 2


async def test_seeing_everybody_lasts_for_a_moment(api: Api) -> None:
    await api.elsewhere()
    keys = sa.select(sa.func.count()).select_from(api_keys)
    async with api.work() as work:
        async with work.seeing_everybody():
            assert (await work.db.execute(keys)).scalar_one() == 2
        assert (await work.db.execute(keys)).scalar_one() == 1


async def test_a_failed_transaction_leaves_a_clean_connection(api: Api) -> None:
    async def changes_its_mind() -> None:
        async with api.work() as work:
            await WorkspaceStore(work).add_brand(api.workspace_id, "never")
            raise ZeroDivisionError

    for _ in range(8):
        with pytest.raises(sa.exc.DBAPIError):
            async with api.work() as work:
                await work.db.execute(sa.text("SELECT 1 / 0"))
        with pytest.raises(ZeroDivisionError):
            await changes_its_mind()
    async with api.work() as work:
        assert await WorkspaceStore(work).count_brands() == 0


async def test_a_commit_that_the_database_refuses_is_an_error_like_any_other(api: Api) -> None:
    async def twice() -> None:
        async with api.work() as work:
            await work.db.exec_driver_sql(
                "CREATE TEMP TABLE once (id int UNIQUE DEFERRABLE INITIALLY DEFERRED) ON COMMIT DROP"
            )
            await work.db.exec_driver_sql("INSERT INTO once VALUES (1), (1)")

    with pytest.raises(sa.exc.DBAPIError):
        await twice()
    async with api.work() as work:
        assert await WorkspaceStore(work).count_brands() == 0


async def test_the_owner_of_the_database_is_told_whether_it_holds(api: Api) -> None:
    url = api.runtime.database.url
    assert (await look(url)).unlocked == []
    async with db.as_owner(url) as connection:
        await connection.execute(sa.text("ALTER TABLE brands DISABLE ROW LEVEL SECURITY"))
        await connection.execute(sa.text("CREATE TABLE stray (workspace_id uuid)"))
    assert (await look(url)).unlocked == ["brands", "stray"]
