"""The client a connector is given: signed in, pointed at live or sandbox, speaking our errors."""

from __future__ import annotations

import json as jsonlib
import re
import time
from collections.abc import AsyncIterator, Generator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import httpx2

from hubbub.connector.rate import Budgets
from hubbub.connector.refusals import Answer, LostAnswer, NotSent, Refusals
from hubbub.kit.secret import Secret

Body = bytes | AsyncIterator[bytes]

CONNECT_SECONDS = 10.0

# A connection that was never made, or a request that waited for a free one, reached nobody.
NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)


class Http:
    """One account's way to its platform.

    Every verb returns the parsed JSON of a 2xx answer, and raises RemoteRefusal (the platform said no),
    NotSent (it never heard us; certain) or LostAnswer (it may have happened).
    """

    def __init__(
        self,
        client: httpx2.AsyncClient,
        hosts: Mapping[str, str],
        refusals: Refusals,
        *,
        account_id: str | None = None,
        budgets: Budgets | None = None,
        timeout: float = 30,
    ) -> None:
        self._client = client
        self._hosts = dict(hosts)
        self._refusals = refusals
        self._account_id = account_id
        self._budgets = budgets
        self._timeout = timeout
        self._headers: dict[str, str] = {}
        self._query: dict[str, str] = {}
        self._send_before: float | None = None

    @contextmanager
    def within(self, *, send: float, answer: float) -> Generator[None]:
        """Inside: a call that is not on its way `send` seconds from now never is (NotSent), and one that is not
        answered in `answer` seconds is lost."""
        usual = self._timeout
        self._send_before, self._timeout = time.monotonic() + send, answer
        try:
            yield
        finally:
            self._send_before, self._timeout = None, usual

    def bearer(self, token: Secret) -> None:
        """Sign every call with this token."""
        self._headers["Authorization"] = f"Bearer {token.reveal()}"

    def always(
        self, *, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        """Add these to every call."""
        self._query.update(query or {})
        self._headers.update(headers or {})

    def at(self, host: str, base_url: str) -> None:
        """Point a named host elsewhere: an account's own server."""
        self._hosts[host] = base_url.rstrip("/")

    def url(self, address: str) -> str:
        """`host:/path` as an absolute URL; one that is absolute already stays."""
        if address.startswith(("http://", "https://")):
            return address
        host, _, path = address.partition(":")
        return self._hosts[host] + path

    async def get(self, address: str, query: Mapping[str, Any] | None = None) -> Any:
        return await self.call("GET", address, query=query)

    async def delete(self, address: str, query: Mapping[str, Any] | None = None) -> Any:
        return await self.call("DELETE", address, query=query)

    async def post(
        self,
        address: str,
        *,
        json: Any = None,
        form: Mapping[str, Any] | None = None,
        content: Body | None = None,
        files: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Any:
        return await self.call(
            "POST", address, json=json, form=form, content=content, files=files, query=query,
            headers=headers, timeout=timeout,
        )  # fmt: skip

    async def call(
        self,
        method: str,
        address: str,
        *,
        json: Any = None,
        form: Mapping[str, Any] | None = None,
        content: Body | None = None,
        files: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Any:
        url = self.url(address)
        call = f"{method} {httpx2.URL(url).path}"
        if self._budgets is not None:
            await self._budgets.spend(self._account_id or "")
        patience = self._patience(call, timeout)
        try:
            reply = await self._client.request(
                method,
                url,
                params={**self._query, **{k: v for k, v in (query or {}).items() if v is not None}},
                headers={**self._headers, **(headers or {})},
                json=json,
                data=dict(form) if form is not None else None,
                content=content,
                files=files,
                timeout=patience,
            )
        except NEVER_SENT as failure:
            raise NotSent(f"{call}: {_why(failure)}") from failure
        except httpx2.RequestError as failure:
            raise LostAnswer(f"{call}: {_why(failure)}") from failure
        sent = {**self._query, **(query or {}), **(form or {}), **(json if isinstance(json, Mapping) else {})}
        return self._read(call, reply, _secrets({**self._headers, **(headers or {})}, sent))

    def _patience(self, call: str, timeout: float | None) -> httpx2.Timeout:
        """How long to wait for a connection and for the answer. Raises NotSent when it is too late to send."""
        if self._send_before is None:
            return httpx2.Timeout(timeout or self._timeout, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS)
        left = self._send_before - time.monotonic()
        if left <= 0:
            raise NotSent(f"{call}: it was too late to send it")
        return httpx2.Timeout(self._timeout, connect=left, pool=left)

    def _read(self, call: str, reply: httpx2.Response, secrets: list[str]) -> Any:
        body = _parsed(reply)
        if reply.is_success:
            if isinstance(body, str) and reply.content:
                raise LostAnswer(f"{call}: answered {reply.status_code} with something that is not JSON")
            return body
        headers = {name.lower(): value for name, value in reply.headers.items()}
        answer = Answer(reply.status_code, headers, _redacted(body, secrets), call)
        raise self._refusals.read(answer, self._account_id)


SECRET_FIELD = re.compile(r"(?i)token|secret|password|proof|jwt|^code$")
SECRET_IN_TEXT = re.compile(
    r"""(?ix) ( (?: \w*token | \w*secret | \w*password | \w*proof | \w*jwt | code )
                (?: = | ["'] \s* : \s* ["'] ) ) [^&\s"',}]{4,}"""
)


def _secrets(headers: Mapping[str, str], sent: Mapping[str, Any]) -> list[str]:
    """What a call carried that nobody else may see, the longest first."""
    carried = [headers.get("Authorization", "").removeprefix("Bearer ")]
    carried += [value for name, value in sent.items() if isinstance(value, str) and SECRET_FIELD.search(name)]
    return sorted({value for value in carried if len(value) >= 4}, key=len, reverse=True)


def _redacted(said: Any, secrets: list[str]) -> Any:
    """What a platform said, without any credential it may have repeated."""
    if isinstance(said, Mapping):
        return {name: _redacted(value, secrets) for name, value in cast("Mapping[str, Any]", said).items()}
    if isinstance(said, list):
        return [_redacted(value, secrets) for value in cast("list[Any]", said)]
    if not isinstance(said, str):
        return said
    for secret in secrets:
        said = said.replace(secret, "…")
    return SECRET_IN_TEXT.sub(r"\1…", said)


def _parsed(reply: httpx2.Response) -> Any:
    if not reply.content:
        return {}
    try:
        return jsonlib.loads(reply.content)
    except ValueError:
        return reply.text[:2000]


def _why(failure: Exception) -> str:
    return str(failure) or type(failure).__name__
