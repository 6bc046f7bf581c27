"""What the tests of the library work with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from hubbub.domains.media import contents, rules, service, store
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import Caller, open_work
from hubbub.social.draft import File


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@dataclass
class Library:
    runtime: Runtime
    caller: Caller
    root: Path

    async def upload(self, place: Path, declared: str = "application/octet-stream") -> UUID:
        chunks = pieces(place.read_bytes())
        return await contents.upload(self.runtime, self.caller, place.name, declared, chunks)

    async def expect(self, declared: str, name: str = "a") -> UUID:
        async with open_work(self.runtime, self.caller) as work:
            return await contents.expect(work, name, declared)

    async def write(self, media_id: UUID, content: bytes) -> None:
        await contents.write(self.runtime, self.caller, media_id, pieces(content))

    async def verify(self, media_id: UUID) -> None:
        await contents.verify(self.runtime, self.caller, media_id, field="media_id")

    async def find(self, media_id: UUID) -> rules.Media | None:
        async with self.runtime.database.begin() as db:
            return await store.anyones(db, media_id)

    async def ready(self, media_id: UUID) -> rules.Media:
        media = await self.find(media_id)
        assert media is not None
        assert media.status == "ready"
        return media

    async def run(self, statement: str) -> None:
        async with self.runtime.database.begin() as db:
            await db.execute(text(statement))

    async def rows(self) -> int:
        async with self.runtime.database.begin() as db:
            return (await db.execute(text("SELECT count(*) FROM media"))).scalar_one()

    def stored(self) -> list[Path]:
        """Every file on the disk, half-written ones included."""
        return [place for place in self.root.rglob("*") if place.is_file()]

    async def attach(self, *refs: service.MediaRef) -> list[File]:
        async with open_work(self.runtime, self.caller) as work:
            return await service.attach(work, refs)

    async def delete(self, media_id: UUID) -> None:
        async with open_work(self.runtime, self.caller) as work:
            await service.delete(work, str(media_id))
