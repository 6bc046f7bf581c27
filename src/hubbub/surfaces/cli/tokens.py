"""`hubbub tokens`: an OAuth access token for trying things, and another key to sign with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hubbub.surfaces.cli import keys
from hubbub.surfaces.cli.say import AsJson, Failure, data, line

if TYPE_CHECKING:
    from hubbub.domains.identity.service import Token
    from hubbub.runtime.work import Work

app = typer.Typer()
commands = typer.Typer(help="Signed tokens of the database of DATABASE_URL or of a running `hubbub up`.")
app.add_typer(commands, name="tokens")


@commands.command()
def create(
    context: typer.Context,
    scope: Annotated[list[str] | None, typer.Option(help="What it says it may do, once for each.")] = None,
    data_dir: keys.DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make an OAuth access token of the oldest workspace's owner. It works for an hour."""
    from hubbub.domains.identity import service
    from hubbub.domains.workspaces import service as workspaces

    async def issue(work: Work) -> Token:
        owner = await workspaces.user(work)
        return await service.issue_access_token(work.runtime, owner.id, scope or ["social:all"])

    _check_encryption_key(data_dir)
    made = keys.in_oldest(context, data_dir, issue)
    raw = made.access_token.reveal()
    if as_json:
        data({"access_token": raw, "token_type": "Bearer", "expires_in": made.expires_in})
    else:
        line(raw)


@commands.command()
def rotate(context: typer.Context, data_dir: keys.DataDir = None) -> None:
    """Sign with a new key from now on. Tokens of the one before stay valid until they end."""
    from hubbub.domains.identity import keyring

    _check_encryption_key(data_dir)
    made = keys.in_oldest(context, data_dir, lambda work: keyring.rotate(work.runtime))
    line(f"Signing with {made['kid']}.")


def _check_encryption_key(data_dir: Path | None) -> None:
    """Raises Failure when there is none: it opens the key that signs."""
    from hubbub.surfaces.cli import given

    try:
        given.beside(data_dir).key_bytes()
    except ValueError as wrong:
        raise Failure(f"{wrong}. Set it to what the server runs with.") from wrong
