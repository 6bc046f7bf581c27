"""Changed copies of pictures, made for a platform that would not take them as they are.

A copy is a file with an id that follows from its source and its recipe, so it is made once. It is not in the
library, takes nothing of the storage quota, and goes when its source goes.
"""

from __future__ import annotations

import errno
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import anyio

from hubbub.domains.media import contents, rules
from hubbub.domains.media.store import MediaStore
from hubbub.errors.publishing import MediaUnavailable
from hubbub.errors.system import StorageFull
from hubbub.kit import ids
from hubbub.kit import media as looking
from hubbub.kit.media import Probe, Recipe, Unreadable
from hubbub.runtime.blobs import CHUNK_BYTES, Missing
from hubbub.runtime.process import Runtime
from hubbub.runtime.work import Caller, open_work


@dataclass(frozen=True)
class _Begun:
    """A copy that is to be made of a source, under a key."""

    id: UUID
    source: rules.Media
    key: str


async def changed(runtime: Runtime, caller: Caller, file_id: str, recipe: Recipe) -> rules.Media:
    """The copy of a file that a recipe makes of it; made now if there is none. No transaction is open meanwhile.

    May be called again after any failure, and by several at once: one copy remains. Raises MediaUnavailable
    when the file is gone or no whole picture, Unfixable, and StorageFull.
    """
    source_id = ids.as_uuid(file_id)
    if source_id is None:
        raise MediaUnavailable(media_id=file_id)
    begun = await _begin(runtime, caller, source_id, recipe)
    if isinstance(begun, rules.Media):
        return begun
    found = await _make(runtime, begun, recipe)
    async with open_work(runtime, caller) as work:
        files = MediaStore(work)
        is_ours = await files.finish_copy(begun.id, begun.key, found)
        made = await files.find(begun.id)
    if not is_ours:
        await contents.remove(runtime, begun.id, [begun.key])
    if made is None or made.status != "ready":
        raise MediaUnavailable(media_id=file_id)
    return made


async def _begin(runtime: Runtime, caller: Caller, source_id: UUID, recipe: Recipe) -> _Begun | rules.Media:
    """The copy that is there, or the name of the object that will be it."""
    copy_id = rules.copy_id(source_id, recipe.words)
    async with open_work(runtime, caller) as work:
        files = MediaStore(work)
        source = (await files.keep([source_id])).get(source_id)
        if source is None:
            raise MediaUnavailable(media_id=str(source_id))
        key = rules.new_key(work.workspace_id, copy_id)
        name = rules.copy_name(source.filename, recipe.content_type)
        if await files.expect_copy(copy_id, source, name, recipe.content_type, key):
            return _Begun(copy_id, source, key)
        made = await files.find(copy_id)
    assert made is not None
    return made


async def _make(runtime: Runtime, begun: _Begun, recipe: Recipe) -> Probe:
    """Write the object and say what it is. Whatever goes wrong, its key is still named and swept later."""
    assert begun.source.blob_key is not None
    try:
        with tempfile.TemporaryDirectory() as folder:
            into = Path(folder) / "changed"
            async with contents.local(runtime.blobs, begun.source.blob_key) as place:
                found = await looking.fix(place, into, recipe)
            await contents.put(runtime, begun.id, begun.key, _chunks(into))
    except (Missing, FileNotFoundError, Unreadable):
        raise MediaUnavailable(media_id=str(begun.source.id)) from None
    except OSError as failure:
        if failure.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull() from None
        raise
    return found


async def _chunks(place: Path) -> AsyncIterator[bytes]:
    async with await anyio.open_file(place, "rb") as source:
        while chunk := await source.read(CHUNK_BYTES):
            yield chunk
