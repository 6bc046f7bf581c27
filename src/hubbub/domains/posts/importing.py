"""Many posts from one table: CSV, a post in each row."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pydantic import ValidationError

from hubbub.domains.media import service as media
from hubbub.domains.posts import service
from hubbub.domains.posts.answers import ImportOut, PostOut, RowErrorOut, post_out
from hubbub.domains.posts.fetched import addresses, named_by_address, settle
from hubbub.domains.posts.schemas import PostIn
from hubbub.errors import Refusal, Refused
from hubbub.errors.billing import PostLimit
from hubbub.errors.validation import FieldInvalid
from hubbub.runtime.process import Runtime
from hubbub.runtime.routes import Upload
from hubbub.runtime.work import Caller, Work, open_work

COLUMNS = (
    "text", "title", "account_ids", "scheduled_at", "visibility", "first_comment", "platform_data", "board_id",
    "media_urls",
)  # fmt: skip
MOST_BYTES = 5 * 1024 * 1024
MOST_ROWS = 1_000
MOST_ADDRESSES = 50
"""More than in another request; whoever has more uploads the files first."""


class _Nothing(Exception):
    """Ends a trial, so that nothing of it is kept."""


async def run(runtime: Runtime, caller: Caller, upload: Upload, *, dry_run: bool) -> ImportOut:
    """Make a post of every row that is right, and say what is wrong with the others.

    Raises FieldInvalid, and PostLimit when the plan has no room for all of them: then none is kept.
    """
    rows = _rows(await _read(upload))
    meant = [_command(row) for row in rows]
    files = await _fetch(runtime, caller, [one for one in meant if isinstance(one, PostIn)], dry_run)
    errors: list[RowErrorOut] = []
    posts: list[PostOut] = []
    async with open_work(runtime, caller) as work:
        for number, command in enumerate(meant, start=1):
            try:
                posts.append(await _row(work, command, files, dry_run))
            except _Nothing:
                continue
            except PostLimit:
                raise
            except (Refusal, Refused, ValueError) as wrong:
                errors.append(RowErrorOut(number, _sentence(wrong)))
    return ImportOut(len(rows), len(posts), len(errors), errors, posts)


def _command(row: Mapping[str, str]) -> PostIn | ValueError:
    """What a row asks for, or what is wrong with it."""
    try:
        return PostIn.model_validate(_sent(row))
    except ValueError as wrong:
        return wrong


@dataclass(frozen=True)
class Files:
    """What the addresses in a table lead to: media ids, or in a trial what was seen there."""

    kept: Mapping[str, str]
    looked_at: media.LookedAt


async def _fetch(runtime: Runtime, caller: Caller, commands: Sequence[PostIn], dry_run: bool) -> Files:
    """Each address once, before the transaction. Raises FieldInvalid for too many of them."""
    wanted = addresses(place for command in commands for place in named_by_address(command))
    if len(wanted) > MOST_ADDRESSES:
        problem = f"may name {MOST_ADDRESSES} different addresses; this names {len(wanted)}."
        raise FieldInvalid(
            field="file", problem=problem, reason="too_many", max=MOST_ADDRESSES, actual=len(wanted)
        )
    if dry_run:
        return Files({}, await media.look_at_each(runtime, wanted, MOST_ADDRESSES))
    kept, problems = await media.bring_in_each(runtime, caller, wanted, MOST_ADDRESSES)
    return Files(kept, media.LookedAt(problems=problems))


async def _row(work: Work, command: PostIn | ValueError, files: Files, dry_run: bool) -> PostOut:
    """One post in a transaction of its own inside the whole's, so that its failure undoes nothing else."""
    if isinstance(command, ValueError):
        raise command
    settle([place for place in named_by_address(command) if place[1].source in files.kept], files.kept)
    await work.db.exec_driver_sql("SAVEPOINT one_row")
    try:
        made = await service.create(work, command, looked_at=files.looked_at)
        if dry_run:
            raise _Nothing
    except Exception:
        await work.db.exec_driver_sql("ROLLBACK TO SAVEPOINT one_row")
        raise
    await work.db.exec_driver_sql("RELEASE SAVEPOINT one_row")
    return post_out(*made)


def _sent(row: Mapping[str, str]) -> dict[str, Any]:
    """A row as the body that would create the same post. Raises ValueError."""
    given = {
        name: row[name] for name in ("title", "scheduled_at", "visibility", "first_comment") if row.get(name)
    }
    accounts, urls = (_parts(row.get(name, "")) for name in ("account_ids", "media_urls"))
    board = {"board_id": row["board_id"]} if row.get("board_id") else {}
    targets = [{"account_id": account, **board} for account in accounts]
    return {
        "text": row.get("text") or None,
        **given,
        **_options(row.get("platform_data")),
        "media": [{"source_type": "url", "source": url} for url in urls] or None,
        "targets": targets,
    }


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in cell.split("|") if part.strip()]


def _options(text: str | None) -> dict[str, Any]:
    if not text:
        return {}
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise ValueError("platform_data must be a JSON object.")
    return {"platform_data": cast(dict[str, Any], given)}


def _sentence(wrong: Refusal | Refused | ValueError) -> str:
    if isinstance(wrong, ValidationError):
        return " ".join(
            f"{'.'.join(str(part) for part in error['loc'] if part not in ('instant', 'wall'))}: {error['msg']}."
            for error in wrong.errors(include_url=False)
        )
    if isinstance(wrong, Refused):
        return " ".join(refusal.sentence for refusal in wrong.refusals)
    return wrong.sentence if isinstance(wrong, Refusal) else str(wrong)


async def _read(upload: Upload) -> str:
    content = bytearray()
    async for chunk in upload.chunks:
        content += chunk
        if len(content) > MOST_BYTES:
            problem = f"may have {MOST_BYTES:,} bytes; this has more."
            raise FieldInvalid(
                field="file", problem=problem, reason="too_large", max=MOST_BYTES, unit="bytes"
            )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise FieldInvalid(field="file", problem="must be CSV in UTF-8; this is none.", reason="format")
    return text


def _rows(text: str) -> list[dict[str, str]]:
    """Each row by the names of its columns: those of the first line, or the usual ones in their order.

    Empty lines do not count. Raises FieldInvalid.
    """
    try:
        lines = [
            line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if any(_stripped(line))
        ]
    except csv.Error as broken:
        problem = f"must be CSV; this is not: {broken}."
        raise FieldInvalid(field="file", problem=problem, reason="format") from None
    names = [cell.lower() for cell in _stripped(lines[0])] if lines else []
    has_header = "text" in names and set(names) <= {*COLUMNS, ""}
    header, body = (names, lines[1:]) if has_header else (list(COLUMNS), lines)
    if len(body) > MOST_ROWS:
        problem = f"may hold {MOST_ROWS:,} rows; this holds {len(body):,}."
        raise FieldInvalid(field="file", problem=problem, reason="too_many", max=MOST_ROWS, actual=len(body))
    if any(len(line) > len(header) for line in body):
        problem = f"must have at most {len(header)} columns; a row has more."
        raise FieldInvalid(field="file", problem=problem, reason="format")
    return [dict(zip(header, line, strict=False)) for line in body]


def _stripped(line: list[str]) -> Iterator[str]:
    return (cell.strip() for cell in line)
