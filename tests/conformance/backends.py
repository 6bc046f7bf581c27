"""What the suite runs against: a platform's stand-in, and the real server where one can be started here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

from hubbub.connector.registry import Found
from real.pds.pds import Account, Pds

REDIRECT = "http://127.0.0.1:1/callback"
PASSWORD = "sandbox"


@dataclass(frozen=True)
class Person:
    """Somebody who can sign in: by what they type, or by pressing Approve."""

    username: str
    remote_id: str
    fields: Mapping[str, str]


@dataclass(frozen=True)
class Seen:
    """A post as the platform itself shows it."""

    id: str
    text: str
    alts: tuple[str, ...]


class StandIn:
    """A platform's emulator behind a real socket."""

    kind = "stand-in"
    sandbox = True

    def __init__(self, found: Found, root: str) -> None:
        self.found = found
        self.name = found.facts.name
        self.root = root
        self.hosts = {host: f"{root}/{self.name}{at.sandbox}" for host, at in found.facts.hosts.items()}
        self._http = httpx2.Client(base_url=f"{root}/_sandbox/", timeout=20, trust_env=False, verify=False)

    def close(self) -> None:
        self._http.close()

    def control(self, name: str, /, **body: Any) -> Any:
        answer = self._http.post(name, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def reset(self) -> None:
        self.control("reset")

    def person(self, username: str = "ada", **fields: Any) -> Person:
        made = self.control(f"{self.name}/people", username=username, name="Ada Baker", **fields)
        asked = self.found.facts.auth.fields
        typed = {
            key: PASSWORD if field.secret else username for key, field in asked.items() if field.required
        }
        return Person(username, made.get("did") or made["id"], typed)

    def world(self) -> dict[str, list[dict[str, Any]]]:
        return self._http.get(f"{self.name}/world").json()

    def seen(self, person: Person) -> list[Seen]:
        """This person's posts; comments are not posts."""
        posts = self.world()["posts"]
        return [Seen(post["id"], post["text"], tuple(_alt(item) for item in post["media"])) for post in posts]

    def next(self, then: str, on: str | None = None, **params: Any) -> None:
        """What happens to the next call (of a kind)."""
        where = {} if on is None else {"on": on}
        self.control(f"{self.name}/next", then=then, params=params, **where)

    def lose(self, fault: str) -> None:
        self.next(fault)

    def approve(self, consent_url: str, person: Person, *, deny: bool = False) -> dict[str, str]:
        """The parameters that come back when the person presses a button on the consent page."""
        extra = {"sandbox_person": person.username, **({"sandbox_deny": "1"} if deny else {})}
        pressed = httpx2.URL(consent_url).copy_merge_params(extra)
        with httpx2.Client(timeout=20, trust_env=False, verify=False) as browser:
            answer = browser.get(pressed)
        assert answer.status_code == 302, answer.text
        query = urlsplit(answer.headers["location"]).query
        return {name: values[0] for name, values in parse_qs(query).items()}


class RealPds:
    """The reference PDS, found the way it is found on the open network: from the handle."""

    kind = "real"
    sandbox = False

    def __init__(self, found: Found, pds: Pds) -> None:
        self.found = found
        self.name = found.facts.name
        self.pds = pds
        # Nobody lives at the default server here, so a sign-in works only if the person's own one is found.
        self.hosts = {"pds": "http://127.0.0.1:1", "resolver": pds.url, "plc": pds.plc}
        self.fault: str | None = None

    def close(self) -> None: ...

    def reset(self) -> None:
        self.fault = None

    def person(self) -> Person:
        """The same one for every test of a server, with nothing written: making accounts takes long."""
        account, password = _account_on(self.pds)
        for record in self._records(account.did):
            collection, rkey = record["uri"].split("/")[-2:]
            body = {"repo": account.did, "collection": collection, "rkey": rkey}
            answer = self.pds.procedure("com.atproto.repo.deleteRecord", body, token=account.access)
            answer.raise_for_status()
        return Person(account.handle, account.did, {"identifier": account.handle, "app_password": password})

    def seen(self, person: Person) -> list[Seen]:
        return [_seen_record(record) for record in self._records(person.remote_id)]

    def _records(self, did: str) -> list[dict[str, Any]]:
        answer = self.pds.query("com.atproto.repo.listRecords", repo=did, collection="app.bsky.feed.post")
        return answer.raise_for_status().json()["records"]

    def lose(self, fault: str) -> None:
        self.fault = fault


@cache
def _account_on(pds: Pds) -> tuple[Account, str]:
    account = pds.create_account()
    return account, pds.create_app_password(account)


Backend = StandIn | RealPds


class Losing(httpx2.AsyncBaseTransport):
    """The way to a real server, on which answers are lost when the backend says so."""

    def __init__(self, backend: RealPds) -> None:
        self.backend = backend
        self.inner = httpx2.AsyncHTTPTransport(verify=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        fault, self.backend.fault = self.backend.fault, None
        if fault == "drop":
            raise httpx2.ReadError("the connection was cut", request=request)
        response = await self.inner.handle_async_request(request)
        if fault is None:
            return response
        await response.aread()
        await response.aclose()
        if fault == "accept_then_500":
            return httpx2.Response(500, text="Internal Server Error", request=request)
        raise httpx2.ReadError("the connection was cut", request=request)

    async def aclose(self) -> None:
        await self.inner.aclose()


def transport_for(backend: Backend) -> httpx2.AsyncBaseTransport:
    return Losing(backend) if isinstance(backend, RealPds) else httpx2.AsyncHTTPTransport(verify=False)


def _alt(item: Mapping[str, Any]) -> str:
    return item.get("alt") or item.get("alt_text") or ""


def _seen_record(record: Mapping[str, Any]) -> Seen:
    embed = record["value"].get("embed", {})
    images = embed.get("media", embed).get("images", [])
    return Seen(record["uri"], record["value"]["text"], tuple(image["alt"] for image in images))
