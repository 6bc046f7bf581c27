"""`hubbub keys`: make, list and revoke API keys without having one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

from hubbub.surfaces.cli.say import PROBLEMS, AsJson, Failure, data, line, rows

if TYPE_CHECKING:
    from hubbub.domains.keys.service import Key
    from hubbub.runtime.work import Work

T = TypeVar("T")

app = typer.Typer()
commands = typer.Typer(help="API keys of the database of DATABASE_URL or of a running `hubbub up`.")
app.add_typer(commands, name="keys")

DataDir = Annotated[
    Path | None, typer.Option(help="The data folder of a running `hubbub up`.", show_default=False)
]


@commands.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What you will recognise it by.")],
    mode: Annotated[
        Literal["live", "sandbox"], typer.Option(help="A sandbox key never reaches a real platform.")
    ] = "live",
    scope: Annotated[
        list[str] | None, typer.Option(help="What the key may do, once for each; everything when left out.")
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make a key. It is shown now and never again."""
    from hubbub.domains.keys import service
    from hubbub.domains.keys.scopes import NAMES

    if unknown := sorted(set(scope or ()) - NAMES):
        raise Failure(f"There is no scope {', '.join(unknown)}; there are {', '.join(sorted(NAMES))}.")
    made = in_oldest(context, data_dir, lambda work: service.create(work, name, scope or [], mode=mode))
    raw = made.raw_key.reveal()
    if as_json:
        data({**_as_data(made.key), "raw_key": raw})
    else:
        line(raw)


@commands.command("list")
def show(context: typer.Context, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show every key, newest first, without its secret."""
    from hubbub.domains.keys import service

    keys = [_as_data(key) for key in in_oldest(context, data_dir, service.all_keys)]
    if as_json:
        data({"keys": keys})
        return
    titles = ("id", "name", "preview", "mode", "scopes", "created_at", "last_used_at", "revoked_at")
    rows(titles, [[_word(key[title]) for title in titles] for key in keys])


@commands.command()
def revoke(
    context: typer.Context,
    id: Annotated[str, typer.Argument(help="The key's id, as `hubbub keys list` shows it.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """End a key. Its next request is refused."""
    from hubbub.domains.keys import service

    in_oldest(context, data_dir, lambda work: service.revoke(work, id))
    if as_json:
        data({"id": id, "revoked": True})
    else:
        line(f"Revoked {id}.")


def in_oldest(context: typer.Context, data_dir: Path | None, deed: Callable[[Work], Awaitable[T]]) -> T:
    """Do something in the oldest workspace, made when there is none. Raises Failure with what was refused."""
    from hubbub.errors import Refusal, Refused
    from hubbub.runtime.up import Unreachable
    from hubbub.surfaces.cli import given

    asked = given.beside(data_dir)
    context.find_root().obj()
    try:
        return asyncio.run(_in_workspace(asked, deed))
    except Unreachable as failure:
        raise Failure(str(failure)) from failure
    except Refused as refused:
        raise Failure(" ".join(refusal.sentence for refusal in refused.refusals), PROBLEMS) from refused
    except Refusal as refusal:
        raise Failure(refusal.sentence, PROBLEMS) from refusal


async def _in_workspace(asked: Any, deed: Callable[[Work], Awaitable[T]]) -> T:
    from hubbub.domains.workspaces import service as workspaces
    from hubbub.runtime import up
    from hubbub.runtime.process import Runtime
    from hubbub.runtime.work import Caller, open_work

    await up.migrated(asked.database_url)
    runtime = Runtime.build(asked)
    try:
        async with runtime.database.begin() as connection:
            await workspaces.create_first(connection, "My workspace", "owner@localhost")
            workspace = await workspaces.first_workspace(connection)
        assert workspace is not None
        async with open_work(runtime, Caller(workspace_id=workspace)) as work:
            return await deed(work)
    finally:
        await runtime.close()


def _as_data(key: Key) -> dict[str, Any]:
    from hubbub.kit.clock import to_wire

    moments = {
        name: to_wire(moment) if moment else None
        for name, moment in (
            ("created_at", key.created_at),
            ("last_used_at", key.last_used_at),
            ("revoked_at", key.revoked_at),
        )
    }
    return {
        "id": str(key.id),
        "name": key.name,
        "preview": key.preview,
        "mode": key.mode,
        "scopes": key.scopes,
        "brand_ids": key.brand_ids,
        **moments,
    }


def _word(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(part) for part in value) or "all"
    return "–" if value is None else str(value)
