"""A file as it streams in: out of a multipart form, or the body itself. Nothing is kept in memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from hubbub.errors.validation import BodyInvalid, FieldInvalid, FieldRequired
from hubbub.runtime.routes import Upload
from hubbub.surfaces.api import storable

FIELD = "file"
OVERHEAD_MAX = 64 * 1024
"""Bytes a form may have beside its file."""


async def from_form(stream: AsyncIterator[bytes], content_type: str, length: int | None, most: int) -> Upload:
    """The form's field `file`; fields before it are skipped, what follows is not read.

    Raises FieldRequired without such a field, BodyInvalid when it is not a form, FieldInvalid when it is
    announced to be too large. Its chunks raise BodyInvalid when the form is cut off, FieldInvalid at `most`.
    """
    if length is not None and length > most + OVERHEAD_MAX:
        raise _too_large(most)
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise BodyInvalid(problem="must be a multipart/form-data form; this is something else.")
    events = _events(stream, options["boundary"], most)
    async for event in events:
        if isinstance(event, MultipartSegment) and event.name == FIELD:
            return Upload(
                _filename(event.filename), event.content_type or "application/octet-stream", _content(events)
            )
    raise FieldRequired(field=FIELD)


def raw(stream: AsyncIterator[bytes], content_type: str) -> Upload:
    """The request body itself, of any size."""
    return Upload("", content_type, stream)


async def _content(events: AsyncGenerator[MultipartSegment | bytes | None, None]) -> AsyncIterator[bytes]:
    async for event in events:
        if event is None:
            return
        if isinstance(event, bytes):
            yield event


async def _events(
    stream: AsyncIterator[bytes], boundary: str, most: int
) -> AsyncGenerator[MultipartSegment | bytes | None, None]:
    received = 0
    try:
        parser = PushMultipartParser(boundary, max_segment_count=100)
        async for chunk in stream:
            for event in parser.parse(chunk):
                if isinstance(event, bytes | bytearray):
                    received += len(event)
                    if received > most:
                        raise _too_large(most)
                    yield bytes(event)
                else:
                    yield event
        parser.close()
    except MultipartError:
        raise BodyInvalid(problem="must be a whole multipart/form-data form; this one is broken.") from None


def _filename(given: str | None) -> str:
    """The last part of the name: some browsers send a whole path."""
    name = (given or "").replace("\\", "/").rsplit("/", 1)[-1].replace("\0", "").strip()
    return name[:255] if name and storable.clean(name) else "upload"


def _too_large(most: int) -> FieldInvalid:
    return FieldInvalid(
        field=FIELD, problem=f"must not be larger than {most} bytes; this one is.",
        reason="too_large", max=most, unit="bytes",
    )  # fmt: skip
