"""Connecting, looking at, and disconnecting accounts with the vendor's client."""

from __future__ import annotations

from typing import Any

import pydantic
import pytest
import socialapi

from .either import done, every
from .place import DONE, Accounts, Place, typed

pytestmark = pytest.mark.anyio


async def consented(client: Any, place: Place, username: str, **how: Any) -> dict[str, Any]:
    """The arguments of `exchange_oauth` after somebody pressed the button."""
    began = await done(client.accounts.connect(platform="facebook", **how))
    back = place.approve(began.auth_url, username)
    assert back["state"] == began.state
    metadata = {"redirect_uri": back["redirect_uri"], "state": back["state"]}
    return {"platform": "facebook", "code": back["code"], "metadata": metadata}


async def with_two_pages(client: Any, place: Place) -> str:
    """An account with two pages, of which the first is the default."""
    username = place.welcome("facebook", places=["Bakery", "Books"])
    arguments = await consented(client, place, username)
    with pytest.raises(pydantic.ValidationError) as pending:
        await done(client.accounts.exchange_oauth(**arguments))
    offered = pending.value.errors()[0]["input"]
    return place.select(offered, *(page["platform_page_id"] for page in offered["pages"]))


async def account(client: Any, account_id: str) -> Any:
    accounts = await every(client.accounts.list())
    return next((one for one in accounts if one.id == account_id), None)


async def test_an_app_password_connects_an_account_at_once(client: Any, place: Place) -> None:
    username = place.welcome("bluesky")

    made = await done(client.accounts.connect(platform="bluesky", metadata=typed(username)))
    listed = await account(client, made.account_id)

    assert made.account_id.startswith("acc_")
    assert (made.platform, made.username) == ("bluesky", f"{username}.test")
    assert (listed.name, listed.username) == (username.title(), made.username)
    assert listed.status == "active"
    assert listed.metadata == {"sandbox": True}


async def test_connecting_again_keeps_the_account(client: Any, place: Place) -> None:
    metadata = typed(place.welcome("bluesky"))

    first = await done(client.accounts.connect(platform="bluesky", metadata=metadata))
    brand_id = (await account(client, first.account_id)).brand_id
    again = await done(client.accounts.connect(platform="bluesky", metadata=metadata, brand_id=brand_id))
    of_the_brand = await every(client.accounts.list(brand_id=brand_id))

    assert again.account_id == first.account_id
    assert [one.id for one in of_the_brand] == [first.account_id]


async def test_a_consent_page_and_a_code_connect_a_person_with_one_page(client: Any, place: Place) -> None:
    arguments = await consented(client, place, place.welcome("facebook"), redirect_uri=DONE, state="mine")

    [made] = (await done(client.accounts.exchange_oauth(**arguments))).accounts
    [page] = await done(client.accounts.list_pages(made.account_id))

    assert made.platform == "facebook"
    assert (await account(client, made.account_id)).status == "active"
    assert (page.is_default, page.is_active) == (True, True)
    assert page.id.startswith("sapi_page_")


async def test_the_address_given_at_the_start_also_goes_with_the_code(client: Any, place: Place) -> None:
    arguments = await consented(client, place, place.welcome("facebook"), redirect_uri=DONE)
    arguments["metadata"]["redirect_uri"] = DONE

    assert len((await done(client.accounts.exchange_oauth(**arguments))).accounts) == 1


async def test_with_several_pages_the_client_fails_but_the_choice_can_be_made(
    client: Any, place: Place
) -> None:
    """The client knows no pending connection; its failure holds the answer, and with it the connection's id."""
    arguments = await consented(client, place, place.welcome("facebook", places=["Bakery", "Books"]))

    with pytest.raises(pydantic.ValidationError) as failure:
        await done(client.accounts.exchange_oauth(**arguments))
    pending = failure.value.errors()[0]["input"]
    shown = place.call("GET", f"/v1/accounts/pending/{pending['connection_id']}").json()
    books = next(page for page in shown["pages"] if page["name"] == "Books")
    account_id = place.select(pending, books["platform_page_id"])
    pages = await done(client.accounts.list_pages(account_id))
    used_up = place.call("GET", f"/v1/accounts/pending/{pending['connection_id']}")

    assert pending["status"] == "selection_required"
    assert [page["name"] for page in shown["pages"]] == ["Bakery", "Books"]
    assert [page.name for page in pages if page.is_active] == ["Books"]
    assert used_up.status_code == 404


@pytest.mark.parametrize("bound", [False, True], ids=["by_id", "bound"])
async def test_pages_are_listed_and_changed(client: Any, place: Place, bound: bool) -> None:
    account_id = await with_two_pages(client, place)

    async def pages() -> dict[str, Any]:
        of = await account(client, account_id)
        found = of.list_pages() if bound else client.accounts.list_pages(account_id)
        return {page.name: page for page in await done(found)}

    async def change(page: Any, **how: bool) -> Any:
        changed = page.update(**how) if bound else client.accounts.update_page(account_id, page.id, **how)
        return await done(changed)

    before = await pages()
    changed = await change(before["Books"], is_default=True)
    switched_off = await change(before["Bakery"], is_active=False)
    after = await pages()

    assert [page.is_default for page in before.values()].count(True) == 1
    assert (changed.id, changed.is_default) == (before["Books"].id, True)
    assert (switched_off.id, switched_off.is_active) == (before["Bakery"].id, False)
    assert {name: (page.is_default, page.is_active) for name, page in after.items()} == {
        "Books": (True, True),
        "Bakery": (False, False),
    }


@pytest.mark.parametrize("how", ["by_id", "bound", "as_usage"])
async def test_limits_are_whole_numbers_and_empty_where_a_platform_tells_of_none(
    client: Any, accounts: Accounts, how: str
) -> None:
    told: dict[str, dict[str, int]] = {}
    for platform in ("bluesky", "facebook", "instagram"):
        account_id = getattr(accounts, platform)
        if how == "bound":
            asked = (await account(client, account_id)).get_limits()
        elif how == "by_id":
            asked = client.accounts.get_limits(account_id)
        else:
            asked = client.usage.get_account_limits(account_id)
        told[platform] = (await done(asked)).limits

    left = told["instagram"].pop("posts_remaining")
    assert 0 < left <= 1_000
    assert told == {"bluesky": {}, "facebook": {}, "instagram": {}}


@pytest.mark.parametrize("bound", [False, True], ids=["by_id", "bound"])
async def test_what_no_platform_here_tells_is_not_supported(
    client: Any, accounts: Accounts, bound: bool
) -> None:
    for account_id in (accounts.bluesky, accounts.facebook, accounts.instagram):
        of = await account(client, account_id)
        for ask in (
            lambda of=of, id=account_id: (
                of.get_creator_info() if bound else client.accounts.get_creator_info(id)
            ),
            lambda of=of, id=account_id: of.list_boards() if bound else client.accounts.list_boards(id),
        ):
            with pytest.raises(socialapi.NotSupportedError) as refused:
                await done(ask())
            assert (refused.value.code, refused.value.status_code) == ("resource.not_supported", 501)


@pytest.mark.parametrize("bound", [False, True], ids=["by_id", "bound"])
async def test_a_disconnected_account_is_gone(client: Any, place: Place, bound: bool) -> None:
    metadata = typed(place.welcome("bluesky"))
    made = await done(client.accounts.connect(platform="bluesky", metadata=metadata))
    listed = await account(client, made.account_id)

    gone = await done(listed.disconnect() if bound else client.accounts.disconnect(made.account_id))

    assert gone is None
    assert await account(client, made.account_id) is None
    with pytest.raises(socialapi.AccountNotFoundError):
        await done(client.accounts.disconnect(made.account_id))
    again = await done(client.accounts.connect(platform="bluesky", metadata=metadata))
    assert (await account(client, again.account_id)).status == "active"
