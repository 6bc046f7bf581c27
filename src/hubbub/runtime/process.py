"""Runtime: what one process holds for as long as it lives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx2

from hubbub.connector.rate import Budgets
from hubbub.connector.registry import Registry
from hubbub.kit import net
from hubbub.runtime.blobs import Blobs, DiskBlobs
from hubbub.runtime.db import Database
from hubbub.runtime.settings import Settings

if TYPE_CHECKING:
    from hubbub.runtime.durable import Holds


@dataclass
class Runtime:
    settings: Settings
    database: Database
    platforms: Registry
    blobs: Blobs
    outbound: httpx2.AsyncClient
    """To the world: refuses private addresses."""
    local: httpx2.AsyncClient
    """To the sandbox."""
    budgets: dict[str, Budgets] = field(default_factory=dict[str, Budgets])
    """Of each platform that was called from here; domains/usage makes them."""
    holds: Holds | None = None
    """A worker's locks; a process that only answers requests has none."""

    @classmethod
    def build(cls, settings: Settings) -> Runtime:
        if settings.database_url is None:
            raise ValueError("there is no database: set DATABASE_URL, or start everything with `hubbub up`")
        platforms = Registry()
        limits = httpx2.Limits(max_connections=200, max_keepalive_connections=50, keepalive_expiry=15)
        return cls(
            settings=settings,
            database=Database(settings.database_url, settings.db_pool_size),
            platforms=platforms,
            blobs=_blobs(settings),
            outbound=net.outbound(allow=settings.allow_private_networks),
            local=httpx2.AsyncClient(limits=limits, trust_env=False, verify=net.usual_context()),
        )

    async def close(self) -> None:
        await self.outbound.aclose()
        await self.local.aclose()
        await self.database.close()


def _blobs(settings: Settings) -> Blobs:
    """Where the settings keep media. Raises ValueError for what is not an address of a bucket."""
    if settings.media_url is None:
        return DiskBlobs(settings.data_dir / "media")
    from hubbub.runtime.bucket import BucketBlobs  # costs memory that a disk does not need

    return BucketBlobs(settings.media_url, settings.media_access_key, settings.media_secret_key)
