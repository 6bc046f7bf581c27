from __future__ import annotations

import asyncio

import pytest
from sandbox import People, account_of, connect_bluesky, connect_facebook, events_of, held, let_grant_end_in

from api import Api
from hubbub.connector.refusals import LostAnswer, NotSent, RemoteRefusal
from hubbub.domains.accounts import jobs, service, vault
from hubbub.errors.account import AccountNotFound, ReconnectionRequired
from hubbub.runtime.process import Runtime

pytestmark = pytest.mark.anyio

REFRESH = "POST /xrpc/com.atproto.server.refreshSession"


@pytest.fixture
async def account_id(api: Api, people: People) -> str:
    return (await connect_bluesky(api)).json["account_id"]


async def refreshes(people: People) -> int:
    return len(await people.requests("bluesky", "refreshSession"))


async def test_a_hundred_callers_make_one_renewal(api: Api, people: People, account_id: str) -> None:
    old = await let_grant_end_in(api, account_id, 30)
    connectors = await asyncio.gather(
        *(service.connector_for(api.runtime, account_id, None) for _ in range(100))
    )
    assert await refreshes(people) == 1
    now = await held(api, account_id)
    assert now.version == old.version + 1
    assert {connector.__dict__["grant_version"] for connector in connectors} == {now.version}
    assert all(connector.grant == now.grant for connector in connectors)


async def test_two_processes_make_one_renewal(api: Api, people: People, account_id: str) -> None:
    version = (await held(api, account_id)).version
    await people.next("bluesky", REFRESH, "slow", params={"seconds": 0.5})
    others = [Runtime.build(api.runtime.settings) for _ in range(2)]
    try:
        renewed = await asyncio.gather(
            *(service.renew(runtime, account_id, version) for runtime in (api.runtime, *others) for _ in "ab")
        )
    finally:
        for runtime in others:
            await runtime.close()
    assert renewed == [True] * 6
    assert await refreshes(people) == 1


async def test_what_somebody_has_renewed_already_is_not_renewed_again(
    api: Api, people: People, account_id: str
) -> None:
    version = (await held(api, account_id)).version
    assert await service.renew(api.runtime, account_id, version)
    assert await service.renew(api.runtime, account_id, version)
    assert await refreshes(people) == 1


async def test_a_grant_with_time_left_is_used_as_it_is(api: Api, people: People, account_id: str) -> None:
    await service.connector_for(api.runtime, account_id, None)
    await let_grant_end_in(api, account_id, 200)
    await service.connector_for(api.runtime, account_id, None)
    assert await refreshes(people) == 0
    await service.connector_for(api.runtime, account_id, None, fresh_for=300)
    assert await refreshes(people) == 1


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        ("drop", LostAnswer),
        ("accept_then_drop", LostAnswer),
        ("accept_then_500", RemoteRefusal),
        ("throttle", RemoteRefusal),
        ("garbage", LostAnswer),
    ],
)
async def test_a_passing_failure_never_disconnects(
    api: Api, people: People, account_id: str, fault: str, raised: type[Exception]
) -> None:
    old = await let_grant_end_in(api, account_id, 30)
    await people.next("bluesky", REFRESH, fault)
    with pytest.raises(raised):
        await service.connector_for(api.runtime, account_id, None)
    assert (await account_of(api, account_id))["status"] == "active"
    assert (await held(api, account_id)).version == old.version
    connector = await service.connector_for(api.runtime, account_id, None)
    assert connector.__dict__["grant_version"] == old.version + 1


async def test_an_unreachable_platform_never_disconnects(api: Api, people: People, account_id: str) -> None:
    await let_grant_end_in(api, account_id, 30)
    sandbox_url = api.runtime.settings.sandbox_url
    for nowhere in ("http://127.0.0.1:9", None):
        api.runtime.settings.sandbox_url = nowhere
        with pytest.raises(NotSent):
            await service.connector_for(api.runtime, account_id, None)
    api.runtime.settings.sandbox_url = sandbox_url
    assert (await account_of(api, account_id))["status"] == "active"
    assert await service.connector_for(api.runtime, account_id, None)


async def test_a_platform_that_will_not_renew_ends_the_sign_in_once(
    api: Api, people: People, account_id: str
) -> None:
    old = await let_grant_end_in(api, account_id, 30)
    await people.next("bluesky", REFRESH, "refuse", params={"error": "token_revoked"}, times=100)
    results = await asyncio.gather(
        *(service.connector_for(api.runtime, account_id, None) for _ in range(20)), return_exceptions=True
    )
    assert {type(result) for result in results} == {ReconnectionRequired}
    assert await refreshes(people) == 1
    assert (await account_of(api, account_id))["status"] == "reconnect_required"
    assert not await service.renew(api.runtime, account_id, old.version)
    assert await refreshes(people) == 1
    actions = [action for action, _ in await events_of(api, account_id)]
    assert actions.count("account.disconnected") == 1


async def test_a_platform_without_renewal_ends_the_sign_in(api: Api, people: People) -> None:
    await people.welcome("facebook", "rosa", places=["Rosa's Cakes"])
    account_id = (await connect_facebook(api, people, "rosa"))[0]["account_id"]
    assert not await service.renew(api.runtime, account_id, 1)
    assert (await account_of(api, account_id))["status"] == "reconnect_required"


async def test_the_claim_of_a_process_that_died_runs_out(api: Api, people: People, account_id: str) -> None:
    version = (await held(api, account_id)).version
    async with api.work() as work:
        assert await vault.claim(work, account_id, version, 0.4)
    async with api.work() as work:
        assert not await vault.claim(work, account_id, version, 0.4)
    assert await service.renew(api.runtime, account_id, version)
    assert await refreshes(people) == 1


async def test_a_caller_that_goes_away_does_not_stop_the_renewal(
    api: Api, people: People, account_id: str
) -> None:
    version = (await held(api, account_id)).version
    await people.next("bluesky", REFRESH, "slow", params={"seconds": 0.3})
    first = asyncio.create_task(service.renew(api.runtime, account_id, version))
    second = asyncio.create_task(service.renew(api.runtime, account_id, version))
    await asyncio.sleep(0.15)
    first.cancel()
    assert await second
    assert (await held(api, account_id)).version == version + 1


async def test_the_sweep_renews_what_ends_soon_and_only_that(
    api: Api, people: People, account_id: str
) -> None:
    await jobs.refresh_expiring(api.runtime)
    assert await queued(api) == []
    await let_grant_end_in(api, account_id, 300)
    version = (await held(api, account_id)).version
    await jobs.refresh_expiring(api.runtime)
    await jobs.refresh_expiring(api.runtime)
    assert await queued(api) == [("refresh_grant/bluesky", f"{account_id} {version}")]
    await jobs.refresh_grant.run(api.runtime, f"{account_id} {version}")
    assert (await held(api, account_id)).version == version + 1
    await jobs.refresh_grant.run(api.runtime, f"{account_id} {version}")
    assert await refreshes(people) == 1


async def test_a_job_leaves_what_fails_to_the_next_sweep(api: Api, people: People, account_id: str) -> None:
    version = (await held(api, account_id)).version
    await people.next("bluesky", REFRESH, "drop")
    await jobs.refresh_grant.run(api.runtime, f"{account_id} {version}")
    assert (await held(api, account_id)).version == version
    await jobs.refresh_grant.run(api.runtime, "acc_gone 1")


async def queued(api: Api) -> list[tuple[str, str]]:
    async with api.work() as work:
        rows = await work.db.exec_driver_sql("SELECT entrypoint, payload FROM pgqueuer ORDER BY id")
        return [(row.entrypoint, row.payload.decode()) for row in rows]


async def test_a_removed_account_has_no_connector(api: Api, account_id: str) -> None:
    await api.delete(f"/v1/accounts/{account_id}")
    with pytest.raises(AccountNotFound):
        await service.connector_for(api.runtime, account_id, None)
    with pytest.raises(AccountNotFound):
        await service.renew(api.runtime, account_id, 1)
