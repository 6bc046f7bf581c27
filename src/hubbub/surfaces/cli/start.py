"""`hubbub up`, and `serve`, `work` and `sandbox`, which are its parts as processes of their own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer

from hubbub.surfaces.cli.say import AsJson

app = typer.Typer()

DataDir = Annotated[
    Path | None,
    typer.Option(
        help="Where everything lives; HUBBUB_DATA_DIR or .hubbub when left out.", show_default=False
    ),
]
Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(help="The port to listen on; 0 picks a free one.", min=0, max=65535)]
ReadyFile = Annotated[
    Path | None, typer.Option(help="A file to write once everything answers, and to remove at the end.")
]


@app.command()
def up(
    context: typer.Context,
    data_dir: DataDir = None,
    host: Host = "127.0.0.1",
    port: Port = 8080,
    sandbox_port: Port = 8081,
    no_sandbox: Annotated[bool, typer.Option("--no-sandbox", help="Real platforms only.")] = False,
    ready_file: ReadyFile = None,
    as_json: AsJson = False,
) -> None:
    """Start everything: database, API, worker and sandbox. Ctrl-C stops it all.

    With DATABASE_URL set, that PostgreSQL is used instead of one of our own.
    """
    from hubbub.runtime import postgres
    from hubbub.surfaces.cli import given

    asked = given.settings(data_dir)
    place = given.home(asked)
    asked = given.secured(asked, place)
    told = given.telling(ready_file, place, as_json)
    # The server comes up while we are still importing.
    with ThreadPoolExecutor(1) as aside:
        database = None
        if asked.database_url is None:
            database = aside.submit(postgres.start, place.database, place.database_log)
        try:
            from hubbub.surfaces.cli import processes

            context.obj()
            port_of_sandbox = None if no_sandbox else sandbox_port
            processes.run(
                asked, told, processes.everything(asked, host, port, port_of_sandbox, told, database)
            )
        finally:
            if database is not None and database.exception() is None:
                database.result().stop()


@app.command()
def serve(
    context: typer.Context,
    data_dir: DataDir = None,
    host: Host = "127.0.0.1",
    port: Port = 8080,
    ready_file: ReadyFile = None,
    as_json: AsJson = False,
) -> None:
    """Start only the API, on the database of DATABASE_URL or of a running `hubbub up`."""
    from hubbub.surfaces.cli import given, processes

    asked = given.beside(data_dir)
    place = given.home(asked)
    told = given.telling(ready_file, place, as_json)
    context.obj()
    processes.run(asked, told, processes.api(given.secured(asked, place), host, port, told))


@app.command()
def work(
    context: typer.Context, data_dir: DataDir = None, ready_file: ReadyFile = None, as_json: AsJson = False
) -> None:
    """Start only a worker: it publishes what is due. Start as many as you like."""
    from hubbub.surfaces.cli import given, processes

    asked = given.beside(data_dir)
    place = given.home(asked)
    told = given.telling(ready_file, place, as_json)
    context.obj()
    processes.run(asked, told, processes.worker(given.secured(asked, place), told))


@app.command()
def sandbox(
    data_dir: DataDir = None,
    host: Host = "127.0.0.1",
    port: Port = 8081,
    ready_file: ReadyFile = None,
    as_json: AsJson = False,
) -> None:
    """Start only the sandbox: a stand-in for every platform. Set HUBBUB_SANDBOX_URL of the others to its address."""
    from hubbub.surfaces.cli import given, processes

    asked = given.settings(data_dir)
    place = given.home(asked)
    told = given.telling(ready_file, place, as_json)
    processes.run(asked, told, processes.sandbox(place, host, port, told))
