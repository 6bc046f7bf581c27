from __future__ import annotations

import pytest
from sandbox import People, connect_bluesky, connect_facebook, events_of

from api import Api
from hubbub.domains.accounts import jobs

pytestmark = pytest.mark.anyio


async def rows(api: Api, table: str) -> int:
    async with api.work() as work:
        counted = await work.db.exec_driver_sql(f"SELECT count(*) FROM {table}")
        return counted.scalar_one()


async def test_a_removed_account_is_gone_and_its_secrets_too(api: Api, people: People) -> None:
    account_id = (await connect_bluesky(api)).json["account_id"]
    removed = await api.delete(f"/v1/accounts/{account_id}")
    assert (removed.status, removed.content) == (204, b"")
    assert (await api.get("/v1/accounts")).json == {"data": [], "count": 0}
    assert (await api.delete(f"/v1/accounts/{account_id}")).code == "account.not_found"
    assert await rows(api, "account_secrets") == 0
    action, payload = (await events_of(api, account_id))[-1]
    assert action == "account.disconnected"
    assert payload["reconnect_required"] is False


async def test_the_platform_is_told_afterwards_and_once(api: Api, people: People) -> None:
    account_id = (await connect_bluesky(api)).json["account_id"]
    await api.delete(f"/v1/accounts/{account_id}")
    assert await people.requests("bluesky", "deleteSession") == []
    await jobs.revoke_grant.run(api.runtime, account_id)
    await jobs.revoke_grant.run(api.runtime, account_id)
    assert len(await people.requests("bluesky", "deleteSession")) == 1
    assert await rows(api, "account_revocations") == 0


async def test_the_tokens_of_pages_are_erased_and_the_app_removed(api: Api, people: People) -> None:
    await people.welcome("facebook", "rosa", places=["Rosa's Cakes"])
    account_id = (await connect_facebook(api, people, "rosa"))[0]["account_id"]
    await api.delete(f"/v1/accounts/{account_id}")
    assert await rows(api, "account_pages WHERE ciphertext IS NOT NULL") == 0
    await jobs.revoke_grant.run(api.runtime, account_id)
    asked = await people.requests("facebook", "/me/permissions")
    assert [one["method"] for one in asked] == ["GET", "DELETE"]


async def test_a_platform_out_of_reach_is_told_later(api: Api, people: People) -> None:
    account_id = (await connect_bluesky(api)).json["account_id"]
    await api.delete(f"/v1/accounts/{account_id}")
    sandbox_url, api.runtime.settings.sandbox_url = api.runtime.settings.sandbox_url, None
    await jobs.revoke_grant.run(api.runtime, account_id)
    assert await rows(api, "account_revocations") == 1
    api.runtime.settings.sandbox_url = sandbox_url
    await people.next("bluesky", "POST /xrpc/com.atproto.server.deleteSession", "drop")
    await jobs.revoke_grant.run(api.runtime, account_id)
    assert await rows(api, "account_revocations") == 0


async def test_a_profile_connected_again_keeps_its_new_grant(api: Api, people: People) -> None:
    account_id = (await connect_bluesky(api)).json["account_id"]
    await api.delete(f"/v1/accounts/{account_id}")
    assert (await connect_bluesky(api)).json["account_id"] != account_id
    await jobs.revoke_grant.run(api.runtime, account_id)
    assert await people.requests("bluesky", "deleteSession") == []
    assert await rows(api, "account_revocations") == 0


async def test_the_sweep_goes_on_with_what_was_left_and_gives_up_after_a_day(
    api: Api, people: People
) -> None:
    account_id = (await connect_bluesky(api)).json["account_id"]
    await api.delete(f"/v1/accounts/{account_id}")
    async with api.work() as work:
        await work.db.exec_driver_sql("DELETE FROM pgqueuer")
    await jobs.hand_back(api.runtime)
    assert await rows(api, "pgqueuer") == 0
    async with api.work() as work:
        await work.db.exec_driver_sql("UPDATE account_revocations SET created_at = now() - interval '2 min'")
    await jobs.hand_back(api.runtime)
    assert await rows(api, "pgqueuer") == 1
    async with api.work() as work:
        await work.db.exec_driver_sql("UPDATE account_revocations SET created_at = now() - interval '25 h'")
    await jobs.hand_back(api.runtime)
    assert await rows(api, "account_revocations") == 0


async def test_sign_ins_that_nobody_finished_are_forgotten(api: Api, people: People) -> None:
    await connect_facebook(api, people)
    await api.post("/v1/accounts/connect", {"platform": "facebook"})
    await jobs.forget_unfinished(api.runtime)
    assert (await rows(api, "oauth_states"), await rows(api, "pending_connections")) == (1, 1)
    async with api.work() as work:
        await work.db.exec_driver_sql("UPDATE oauth_states SET expires_at = now() - interval '1 s'")
        await work.db.exec_driver_sql("UPDATE pending_connections SET expires_at = now() - interval '1 s'")
    await jobs.forget_unfinished(api.runtime)
    assert (await rows(api, "oauth_states"), await rows(api, "pending_connections")) == (0, 0)
