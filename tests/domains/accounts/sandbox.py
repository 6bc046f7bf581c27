"""People in the sandbox who sign in, and shortcuts to connect what is theirs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2

from api import Answer, Api
from hubbub.domains.accounts import service, vault
from hubbub.domains.accounts.vault import Held
from hubbub.domains.workspaces import service as workspaces
from hubbub.kit import clock

PASSWORD = "sandbox"
CALLBACK = "https://hubbub.test/oauth/callback/facebook"


@dataclass(frozen=True)
class People:
    client: httpx2.AsyncClient

    async def welcome(self, platform: str, username: str, **how: Any) -> Any:
        answer = await self.client.post(
            f"/_sandbox/{platform}/people", json={"username": username, "name": username.title(), **how}
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def next(self, platform: str, on: str, then: str, **how: Any) -> None:
        answer = await self.client.post(f"/_sandbox/{platform}/next", json={"on": on, "then": then, **how})
        assert answer.status_code == 200, answer.text

    async def requests(self, platform: str, ending: str) -> list[Any]:
        """The requests so far to paths with this ending."""
        answer = await self.client.get(f"/_sandbox/{platform}/requests?limit=1000")
        return [one for one in answer.json()["requests"] if one["path"].endswith(ending)]

    async def approve(self, auth_url: str, username: str, **how: Any) -> dict[str, str]:
        """What the platform sends back after somebody pressed the button: the query of the callback."""
        return (await self.approved(auth_url, username, **how))[1]

    async def approved(self, auth_url: str, username: str, **how: Any) -> tuple[str, dict[str, str]]:
        """The callback's address without its query, and the query."""
        query = urlencode({"sandbox_person": username, **how})
        answer = await self.client.get(f"{auth_url}&{query}")
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["location"])
        return f"{back.scheme}://{back.netloc}{back.path}", dict(parse_qsl(back.query))


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


async def connect_bluesky(api: Api, username: str = "demo", **body: Any) -> Answer:
    """The demo person always exists."""
    metadata = {"identifier": username, "app_password": PASSWORD, "sandbox": True}
    return await api.post("/v1/accounts/connect", {"platform": "bluesky", "metadata": metadata, **body})


async def connect_facebook(
    api: Api, people: People, username: str = "demo", **body: Any
) -> tuple[dict[str, str], Answer]:
    """Over the consent page and our own callback; the parameters of the final redirect."""
    body = {"redirect_uri": "https://customer.example/done", **body}
    began = await api.post("/v1/accounts/connect", {"platform": "facebook", **body})
    assert began.status == 202, began.json
    back = await people.approve(began.json["auth_url"], username)
    ended = await api.get("/oauth/callback/facebook", back, headers={"Authorization": None})
    assert ended.status == 302, ended.content
    return query_of(ended.headers["location"]), ended


async def account_of(api: Api, account_id: str) -> Any:
    """The account as the list shows it; None when it does not."""
    listed = (await api.get("/v1/accounts")).json["data"]
    return next((account for account in listed if account["id"] == account_id), None)


async def held(api: Api, account_id: str) -> Held:
    async with api.work() as work:
        found = await vault.held(work, account_id)
    assert found is not None
    return found


async def let_grant_end_in(api: Api, account_id: str, seconds: float) -> Held:
    """Pretend that the grant ends so soon."""
    async with api.work() as work:
        now = await vault.held(work, account_id)
        assert now is not None
        ends = clock.now() + timedelta(seconds=seconds)
        await vault.keep(work, account_id, replace(now.grant, expires_at=ends))
    return await held(api, account_id)


async def events_of(api: Api, account_id: str) -> list[Any]:
    async with api.work() as work:
        rows = await work.db.exec_driver_sql(
            "SELECT action, payload FROM events WHERE account_id = $1 ORDER BY seq", (account_id,)
        )
        return [(row.action, row.payload) for row in rows]


async def expire(api: Api, account_id: str) -> None:
    """As if the platform had refused the sign-in for good."""
    async with api.work() as work:
        await service.expired(work, account_id, "access_revoked")


async def new_brand(api: Api, name: str = "Other") -> str:
    async with api.work() as work:
        return str((await workspaces.new_brand(work, name)).id)
