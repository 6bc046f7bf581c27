"""Connectors: made for one account and one purpose, live or in the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime

from hubbub.connector.base import AccountRef, App, Connector, Linker, Opener, no_link
from hubbub.connector.http import Http
from hubbub.connector.platform import Platform
from hubbub.connector.refusals import NotSent
from hubbub.connector.registry import Found
from hubbub.domains.accounts.store import Account
from hubbub.domains.accounts.vault import Held
from hubbub.domains.usage import service as usage
from hubbub.kit import clock
from hubbub.kit.secret import Secret
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import Mode
from hubbub.social.draft import File


def no_files(file: File) -> AsyncIterator[bytes]:
    """The opener of a connector that was built for something else than publishing."""
    raise LookupError(f"this connector was built without files; {file.id} cannot be read")


def build_anonymous(runtime: Runtime, platform: str, mode: Mode, login: str | None = None) -> Connector:
    """A connector for somebody who is still signing in, by one of the platform's `logins` or the usual way.

    Raises NotSent when there is no sandbox.
    """
    found = runtime.platforms[platform]
    sandbox = mode == "sandbox"
    metadata = {"login": login} if login else {}
    facts = found.facts.for_account({**metadata, "sandbox": sandbox})
    return found.connector(
        http=_http(runtime, found, facts, mode, None),
        facts=facts,
        account=AccountRef(sandbox=sandbox, metadata=metadata),
        app=app_of(runtime, platform, login, mode),
        grant=None,
        place_token=None,
        opener=no_files,
        now=clock.now,
    )


def build(
    runtime: Runtime,
    account: Account,
    held: Held,
    place: tuple[str, Secret | None] | None,
    opener: Opener = no_files,
    link: Linker = no_link,
    now: Callable[[], datetime] = clock.now,
) -> Connector:
    """A connector with this grant; `place` is a page's remote id and its own token."""
    found = runtime.platforms[account.platform]
    sandbox = account.mode == "sandbox"
    place_id, place_token = place or (None, None)
    facts = found.facts.for_account({**account.metadata, "sandbox": sandbox})
    connector = found.connector(
        http=_http(runtime, found, facts, account.mode, account.id),
        facts=facts,
        account=AccountRef(
            id=account.id,
            remote_id=account.remote_id,
            username=account.username,
            sandbox=sandbox,
            place_id=place_id,
            metadata=account.metadata,
        ),
        app=app_of(runtime, account.platform, account.metadata.get("login"), account.mode),
        grant=held.grant,
        place_token=place_token,
        opener=opener,
        now=now,
        link=link,
    )
    connector.grant_version = held.version
    return connector


def app_of(runtime: Runtime, platform: str, login: str | None, mode: Mode) -> App:
    """Our registration; another way to sign in has one of its own (`HUBBUB_<PLATFORM>_<LOGIN>_CLIENT_ID`)."""
    name = f"{platform}_{login}" if login else platform
    return runtime.settings.app(name, sandbox=mode == "sandbox")


def _http(runtime: Runtime, found: Found, facts: Platform, mode: Mode, account_id: str | None) -> Http:
    """The way to the platform or to its stand-in. The sandbox's calls cost none of the platform's budgets."""
    hosts = facts.hosts
    if mode == "live":
        live = {name: host.live for name, host in hosts.items()}
        budgets = usage.platform_budgets(runtime, found.facts.name)
        return Http(runtime.outbound, live, found.refusals, account_id=account_id, budgets=budgets)
    if runtime.settings.sandbox_url is None:
        raise NotSent("the sandbox is not running")
    mount = f"{runtime.settings.sandbox_url.rstrip('/')}/{found.facts.name}"
    stand_in = {name: mount + host.sandbox for name, host in hosts.items()}
    return Http(runtime.local, stand_in, found.refusals, account_id=account_id)
