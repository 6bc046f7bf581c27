"""Connector: what one platform's class is given. It has no database, no settings and no logger."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hubbub.connector.http import Http
from hubbub.connector.platform import Platform
from hubbub.connector.promises import Receipt, Settled, Working
from hubbub.kit.secret import Secret
from hubbub.social.draft import File
from hubbub.social.person import Grant


@dataclass(frozen=True)
class App:
    """Our registration with the platform."""

    client_id: str = ""
    client_secret: Secret = field(default_factory=lambda: Secret(""))


@dataclass(frozen=True)
class AccountRef:
    """The account a connector is built for; empty while somebody is still signing in."""

    id: str = ""
    remote_id: str = ""
    username: str = ""
    sandbox: bool = False
    place_id: str | None = None
    """The chosen place's id at the platform."""
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])


Opener = Callable[[File], AsyncIterator[bytes]]
Linker = Callable[[File], str]


def no_link(file: File) -> str:
    """The linker of a connector that was built for something else than publishing."""
    raise LookupError(f"this connector was built without addresses; {file.id} has none")


class Connector:
    """Base of every connector: built for one account and one purpose, then thrown away."""

    def __init__(
        self,
        *,
        http: Http,
        facts: Platform,
        account: AccountRef,
        app: App,
        grant: Grant | None,
        place_token: Secret | None,
        opener: Opener,
        now: Callable[[], datetime],
        link: Linker = no_link,
    ) -> None:
        self.http = http
        self.facts = facts
        self.account = account
        self.app = app
        self.grant = grant
        self.place_token = place_token
        self.open = opener
        self.link = link
        """An address at which the platform itself can fetch a file, for about an hour."""
        self.now = now
        self.grant_version = 0
        """Which of the account's grants this is; renewing asks for another one than this."""
        self.authorize()

    def authorize(self) -> None:
        """Give `self.http` the credentials it signs calls with. Platforms with another rule override it."""
        token = self.place_token or (self.grant.access_token if self.grant else None)
        if token:
            self.http.bearer(token)

    async def settle(self, receipt: Receipt) -> Settled | Working:
        """Most platforms show a post as soon as they have accepted it."""
        return Settled(remote_id=receipt.remote_id, permalink=receipt.permalink)

    async def read(self, file: File) -> bytes:
        """A whole file in memory; for files whose platform limit is small."""
        return b"".join([chunk async for chunk in self.open(file)])
