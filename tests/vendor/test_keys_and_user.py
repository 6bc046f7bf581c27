"""Who one is, and API keys, with the vendor's client."""

from __future__ import annotations

from typing import Any

import pytest
import socialapi

from .conftest import OpenClient
from .either import done
from .place import Accounts, Place, unheard

pytestmark = pytest.mark.anyio


async def test_it_says_who_one_is(client: Any) -> None:
    me = await done(client.users.get_me())

    assert me.id
    assert "@" in me.email
    assert me.plan == "enterprise"
    assert me.onboarding is False


async def test_usage_is_counted(client: Any, accounts: Accounts) -> None:
    """Others may be posting at the same time, so it is only known that it does not fall."""
    before = await done(client.usage.get())
    made = await done(
        client.publishing.create(
            text=unheard("counted"), scheduled_at="2043-01-01T00:00:00Z", targets=accounts.both
        )
    )
    after = await done(client.usage.get())
    await done(made.delete())

    assert after.posts_used >= before.posts_used + 1
    assert (after.posts_limit, after.interactions_limit, after.brands_limit) == (-1, -1, -1)
    assert after.brands_used >= 2
    assert after.period_start < after.period_end


async def test_the_environment_may_say_where_and_with_which_key(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOCIALAPI_API_KEY", place.key)
    monkeypatch.setenv("SOCIALAPI_BASE_URL", place.api + "/")

    with socialapi.SocialAPI() as client:
        mine = client.users.get_me()
    async with socialapi.AsyncSocialAPI() as client:
        assert await client.users.get_me() == mine


@pytest.mark.parametrize("bound", [False, True], ids=["by_id", "bound"])
async def test_a_key_works_until_it_is_revoked(client: Any, open_client: OpenClient, bound: bool) -> None:
    name = unheard("robot")

    made = await done(client.keys.create(name=name))
    robot = await open_client(key=made.raw_key)
    await done(robot.users.get_me())
    listed = next(key for key in await done(client.keys.list()) if key.id == made.id)
    await done(listed.revoke() if bound else client.keys.revoke(made.id))
    await done(client.keys.revoke(made.id))
    after = next(key for key in await done(client.keys.list()) if key.id == made.id)

    assert (listed.name, listed.is_active) == (name, True)
    assert listed.last_used_at is not None
    assert made.raw_key.startswith(listed.preview.removesuffix("..."))
    assert made.message
    assert after.is_active is False
    with pytest.raises(socialapi.AuthenticationError):
        await done(robot.users.get_me())
