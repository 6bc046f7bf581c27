"""Files in an S3-compatible bucket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import obstore
from obstore.store import S3Store
from pydantic import SecretStr

from hubbub.runtime.blobs import CHUNK_BYTES, Missing, checked

PART_BYTES = 16 * 1024 * 1024
"""A part of a long upload. A bucket takes 10,000 of them, which is 160 GB."""
PARTS_AT_ONCE = 2
PARAMETERS = frozenset({"endpoint", "region", "presign"})


class BadAddress(ValueError):
    """Not an address of a bucket; the message says what is wrong with it."""


@dataclass(frozen=True)
class Place:
    """Where a bucket is: `s3://bucket/prefix?endpoint=https://…&region=…&presign=no`."""

    bucket: str
    prefix: str
    endpoint: str | None
    region: str
    presign: bool
    """Whether people may be sent to the endpoint: it has an address that they can reach."""

    @classmethod
    def parse(cls, url: str) -> Place:
        """Raises BadAddress."""
        parts = urlsplit(url)
        if parts.scheme != "s3" or not parts.hostname or parts.username:
            raise BadAddress("HUBBUB_MEDIA_URL must look like s3://bucket/prefix?endpoint=https://…")
        given = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if strange := sorted(set(given) - PARAMETERS):
            raise BadAddress(f"HUBBUB_MEDIA_URL has no parameter {', '.join(strange)}")
        endpoint = given.get("endpoint") or None
        if endpoint is not None and urlsplit(endpoint).scheme not in ("http", "https"):
            raise BadAddress("HUBBUB_MEDIA_URL's endpoint must start with https:// or http://")
        return cls(
            parts.netloc, unquote(parts.path).strip("/"), endpoint,
            given.get("region") or "us-east-1", given.get("presign", "yes") != "no",
        )  # fmt: skip


class BucketBlobs:
    """Blobs as objects below a prefix of one bucket. What the environment says about AWS counts where the
    settings say nothing: credentials of a role, of a container, of a profile."""

    def __init__(self, url: str, access_key: str | None = None, secret_key: SecretStr | None = None) -> None:
        self.place = Place.parse(url)
        given: dict[str, Any] = {"region": self.place.region}
        if self.place.endpoint is not None:
            given |= {"endpoint": self.place.endpoint, "virtual_hosted_style_request": False}
        if access_key and secret_key:
            given |= {"access_key_id": access_key, "secret_access_key": secret_key.get_secret_value()}
        plain = (self.place.endpoint or "").startswith("http://")
        self._store = S3Store(
            self.place.bucket,
            prefix=self.place.prefix or None,
            client_options={"allow_http": plain, "connect_timeout": "10s", "timeout": "300s"},
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
            **given,
        )

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> int:
        checked(key)
        size, broken = 0, None

        async def counted() -> AsyncIterator[bytes]:
            nonlocal size, broken
            try:
                async for chunk in chunks:
                    size += len(chunk)
                    yield chunk
            except BaseException as failure:
                broken = failure
                raise

        try:
            await obstore.put_async(
                self._store, key, counted(), chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
            )
        except Exception:
            if broken is not None:
                raise broken from None
            raise
        return size

    async def open(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        checked(key)
        if start or end is not None:
            size = await self.size(key)
            end = size if end is None else min(size, end)
            if start >= end:
                return
        try:
            options: Any = {"range": (start, end)} if end is not None else None
            found = await obstore.get_async(self._store, key, options=options)
        except FileNotFoundError:
            raise Missing(key) from None
        async for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
            if chunk:
                yield bytes(chunk)

    async def size(self, key: str) -> int:
        checked(key)
        try:
            return (await obstore.head_async(self._store, key))["size"]
        except FileNotFoundError:
            raise Missing(key) from None

    async def delete(self, key: str) -> None:
        checked(key)
        try:
            await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            return

    async def copy(self, key: str, to: str) -> None:
        checked(key)
        checked(to)
        try:
            await obstore.copy_async(self._store, key, to)
        except FileNotFoundError:
            raise Missing(key) from None

    async def upload_address(self, key: str, seconds: float) -> str | None:
        checked(key)
        if not self.place.presign:
            return None
        return await obstore.sign_async(self._store, "PUT", key, timedelta(seconds=seconds))

    def path(self, key: str) -> None:
        checked(key)
