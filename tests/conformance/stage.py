"""One test's way to a platform: connectors built by hand, without a database."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import httpx2

from hubbub.connector.base import AccountRef, App, Connector
from hubbub.connector.http import Http
from hubbub.connector.platform import Format, Platform
from hubbub.connector.promises import Prepared, Receipt, Seeking, Settled, SignsInByConsent, Working
from hubbub.kit import clock
from hubbub.kit.secret import Secret
from hubbub.social.draft import Draft, File
from hubbub.social.person import Grant, Place, SignedIn

from .backends import REDIRECT, Backend, Person, Seen, StandIn
from .files import Shelf

APP = App("conformance-app", Secret("the-secret-of-the-conformance-app"))
ACCOUNT = "acct_conformance"
STATE, VERIFIER = "a-state", "a-verifier-of-more-than-forty-three-characters-in-all"
MOST_LOOKS = 20


@dataclass(frozen=True)
class Member:
    """Somebody who has signed in, and where they publish."""

    person: Person
    signed_in: SignedIn
    place: Place | None

    @property
    def secrets(self) -> list[str]:
        """Everything that must never be shown."""
        grant = self.signed_in.grant
        held = [grant.access_token, grant.refresh_token, *(place.token for place in self.signed_in.places)]
        typed = [value for name, value in self.person.fields.items() if "password" in name]
        return [secret.reveal() for secret in held if secret] + [APP.client_secret.reveal()] + typed


class Stage:
    """Everything a test of one platform needs."""

    def __init__(self, backend: Backend, client: httpx2.AsyncClient) -> None:
        self.backend = backend
        self.client = client
        self.shelf = Shelf()
        self.facts: Platform = backend.found.facts.for_account({"sandbox": backend.sandbox})

    # Connectors

    def connector(
        self, member: Member | None = None, *, grant: Grant | None = None, hosts: dict[str, str] | None = None
    ) -> Any:
        """A connector as the product builds it; without a member, for somebody who is still signing in."""
        http = Http(self.client, hosts or self.backend.hosts, self.backend.found.refusals, account_id=ACCOUNT)
        place = member.place if member else None
        held = grant or (member.signed_in.grant if member else None)
        return self.backend.found.connector(
            http=http,
            facts=self.facts,
            account=self.account(member),
            app=APP,
            grant=held,
            place_token=place.token if place else None,
            opener=self.shelf.open,
            now=clock.now,
            link=self.shelf.link,
        )

    def account(self, member: Member | None) -> AccountRef:
        if member is None:
            return AccountRef(sandbox=self.backend.sandbox)
        identity, place = member.signed_in.identity, member.place
        return AccountRef(
            id=ACCOUNT,
            remote_id=identity.remote_id,
            username=identity.username,
            sandbox=self.backend.sandbox,
            place_id=place.remote_id if place else None,
        )

    # Signing in

    async def sign_in(self, person: Person | None = None) -> Member:
        person = person or self.backend.person()
        connector = self.connector()
        if isinstance(connector, SignsInByConsent):
            signed_in = await connector.exchange(self.code(person, connector), REDIRECT, VERIFIER)
        else:
            signed_in = await connector.sign_in(person.fields)
        return Member(person, signed_in, signed_in.places[0] if signed_in.places else None)

    def code(self, person: Person, connector: SignsInByConsent) -> str:
        assert isinstance(self.backend, StandIn)
        came_back = self.backend.approve(connector.consent_url(REDIRECT, STATE, VERIFIER), person)
        assert came_back["state"] == STATE
        return came_back["code"]

    # Publishing

    def draft(self, form: Format, text: str = "Hello, world", **fields: Any) -> Draft:
        """The smallest draft of a format, which it asks for by name."""
        name = next(name for name, other in self.facts.formats.items() if other == form)
        return Draft(text=text, files=self.shelf.few(form), options={"content_type": name}, **fields)

    async def publish(self, connector: Connector, draft: Draft) -> Settled:
        prepared = await prepare(connector, draft)
        return await settle(connector, await publishing(connector).submit(prepared))

    def seen(self, member: Member) -> list[Seen]:
        return self.backend.seen(member.person)


def publishing(connector: Connector) -> Any:
    return connector


async def prepare(connector: Connector, draft: Draft) -> Prepared:
    made = await publishing(connector).prepare(draft, None)
    while isinstance(made, Working):
        made = await publishing(connector).prepare(draft, made.body)
    assert isinstance(made, Prepared)
    return made


async def settle(connector: Connector, receipt: Receipt) -> Settled:
    """Look until it is up, without waiting as long as the connector would like."""
    for _ in range(MOST_LOOKS):
        looked = await connector.settle(receipt)
        if isinstance(looked, Settled):
            return looked
        receipt = replace(receipt, body=looked.body)
        await asyncio.sleep(0)
    raise AssertionError(f"not up after {MOST_LOOKS} looks")


def seeking(*known: str) -> Seeking:
    return Seeking(since=clock.now(), known=frozenset(known))


def shown(form: Format, text: str) -> str:
    """What people see of a text in this format."""
    return text if form.text.is_shown else ""


def sized(file: File, **fields: Any) -> File:
    """The same file with other facts, for checks that need no bytes."""
    return replace(file, **fields)
