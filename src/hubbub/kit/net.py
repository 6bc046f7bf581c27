"""Requests to addresses that strangers chose: refuses everything that is not on the public internet.

Checked where it counts, at connecting: the name is resolved once, every address it has must be public,
and the connection goes to the very address that was checked. TLS and `Host` keep the name. Proxies from
the environment are not used, redirects are not followed.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import anyio
import httpcore2
import httpx2

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Awaitable[list[str]]]

EVERYTHING = ("0.0.0.0/0", "::/0")
TIMEOUT = httpx2.Timeout(connect=10, read=30, write=30, pool=10)
LIMITS = httpx2.Limits(max_connections=200, max_keepalive_connections=40, keepalive_expiry=15)

# https://www.iana.org/assignments/iana-ipv4-special-registry
PRIVATE_V4 = [
    IPv4Network(net)
    for net in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' shared space; 100.100.100.200 is a metadata service
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's platform channel, inside public space
        "169.254.0.0/16",  # link-local; 169.254.169.254 is the metadata service of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments; 192.0.0.192 is Oracle's metadata service
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
]
# https://www.iana.org/assignments/iana-ipv6-special-registry: only 2000::/3 is handed out, which leaves out
# ::1, mapped IPv4, NAT64 (64:ff9b::/96, 64:ff9b:1::/48), fc00::/7, fe80::/10, fec0::/10 and ff00::/8.
PUBLIC_V6 = IPv6Network("2000::/3")
PRIVATE_V6 = [
    IPv6Network(net)
    for net in (
        "2001::/23",  # protocols: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 carries any IPv4 address
        "3fff::/20",  # documentation
    )
]
# A host whose last label is a number is an IPv4 address to some reader: https://url.spec.whatwg.org/#ends-in-a-number-checker
ENDS_IN_NUMBER = re.compile(r"(?:^|\.)(?:[0-9]+|0[xX][0-9a-fA-F]*)\.?$")
HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})")


class Blocked(httpx2.ConnectError):
    """The address is not one we connect to. Nothing was sent; trying again will not help."""


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet, by the tables above."""
    if isinstance(address, IPv4Address):
        return not any(address in net for net in PRIVATE_V4)
    return address in PUBLIC_V6 and not address.scope_id and not any(address in net for net in PRIVATE_V6)


def examine(url: httpx2.URL | str, allow: Iterable[str] = ()) -> None:
    """Refuse what can be refused without asking DNS; for checking a URL when somebody enters it.

    `allow` are networks (`10.0.0.0/8`) to which the operator permits connections all the same.
    Raises Blocked with a sentence for the person who entered it.
    """
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL as broken:
        raise Blocked(f"Not a valid URL: {broken}") from None
    if parsed.scheme not in ("http", "https"):
        raise Blocked("The URL must start with https:// or http://.")
    if parsed.userinfo:
        raise Blocked("The URL must not contain a user name or password.")
    literal = _literal(parsed.raw_host.decode("ascii"))
    if literal:
        _permit([literal], _networks(allow))


def outbound(
    *,
    allow_private: bool = False,
    allow: Iterable[str] = (),
    timeout: httpx2.Timeout = TIMEOUT,
    verify: ssl.SSLContext | bool = True,
    headers: dict[str, str] | None = None,
    resolve: Resolve | None = None,
) -> httpx2.AsyncClient:
    """A client for addresses that strangers chose. Close it, or use it as a context manager.

    `allow` are networks that are permitted although they are not public; `allow_private` permits all.
    In a network that reaches IPv4 through NAT64, allow `64:ff9b::/96`. `resolve(host, port)` replaces
    the system's name service. Requests raise Blocked when refused, else what httpx2 raises.
    """
    transport = CheckedTransport(EVERYTHING if allow_private else allow, verify, resolve or _resolve)
    return httpx2.AsyncClient(
        transport=transport, timeout=timeout, headers=headers, follow_redirects=False, trust_env=False
    )


@cache
def usual_context() -> ssl.SSLContext:
    """The authorities that everybody trusts, read once: it takes 70 ms."""
    return httpx2.create_ssl_context(trust_env=False)


class CheckedTransport(httpx2.AsyncHTTPTransport):
    """httpx2's transport over connections that `CheckedBackend` opens."""

    def __init__(self, allow: Iterable[str], verify: ssl.SSLContext | bool, resolve: Resolve) -> None:
        context = (
            usual_context() if verify is True else httpx2.create_ssl_context(verify=verify, trust_env=False)
        )
        super().__init__(verify=context, trust_env=False)
        self._allow = tuple(allow)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=context,
            max_connections=LIMITS.max_connections,
            max_keepalive_connections=LIMITS.max_keepalive_connections,
            keepalive_expiry=LIMITS.keepalive_expiry,
            network_backend=CheckedBackend(self._allow, resolve),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        examine(request.url, self._allow)
        return await super().handle_async_request(request)


class CheckedBackend(httpcore2.AsyncNetworkBackend):
    """Opens TCP connections to checked addresses only."""

    def __init__(
        self, allow: Iterable[str], resolve: Resolve, inner: httpcore2.AsyncNetworkBackend | None = None
    ) -> None:
        self._allowed = _networks(allow)
        self._resolve = resolve
        self._inner: httpcore2.AsyncNetworkBackend = inner or httpcore2.AnyIOBackend()  # pyright: ignore

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        deadline = anyio.current_time() + (timeout if timeout is not None else 3600)
        addresses = await self._addresses(host, port, timeout)
        for left in range(len(addresses), 0, -1):
            share = max(0.001, (deadline - anyio.current_time()) / left)
            try:
                return await self._inner.connect_tcp(
                    str(addresses[-left]), port, share, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if left == 1:
                    raise
        raise httpcore2.ConnectError(f"{host} has no address")

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.AsyncNetworkStream:
        raise Blocked("Local sockets are not reachable from here.")

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)

    async def _addresses(self, host: str, port: int, timeout: float | None) -> list[Address]:
        """Every address of a host, all of them permitted. One that is not taints the name."""
        literal = _literal(host)
        if literal:
            found = [literal]
        else:
            try:
                with anyio.fail_after(timeout):
                    found = [ip_address(text) for text in await self._resolve(host, port)]
            except TimeoutError:
                raise httpcore2.ConnectTimeout(f"looking up {host} took too long") from None
            except (OSError, UnicodeError) as failure:
                raise httpcore2.ConnectError(f"{host} cannot be found: {failure}") from failure
        _permit(found, self._allowed)
        return found


def _literal(host: str) -> Address | None:
    """The address a host is, or None for a name. Raises Blocked for disguised numbers and odd names."""
    bare = host.strip("[]")
    if ":" in bare:
        try:
            address = IPv6Address(bare)
        except ValueError:
            raise Blocked("The URL's host is not a valid address.") from None
        if address.scope_id:
            raise Blocked("Addresses with a zone are not reachable from here.")
        return address
    if ENDS_IN_NUMBER.search(bare):
        try:
            return IPv4Address(bare)
        except ValueError:
            raise Blocked("The URL's host is a number but not an address of the form 192.0.2.1.") from None
    if not HOST.fullmatch(bare) or ".." in bare:
        raise Blocked("The URL has no valid host name.")
    return None


def _permit(addresses: list[Address], allowed: list[Network]) -> None:
    for address in addresses:
        if not is_public(address) and not any(address in net for net in allowed):
            raise Blocked(
                f"{address} is not a public address. The operator of this server can allow its network."
            )


def _networks(allow: Iterable[str]) -> list[Network]:
    return [ip_network(net) for net in allow]


async def _resolve(host: str, port: int) -> list[str]:
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
