"""What the command line and the environment give a command: settings, a data folder, a database."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import ValidationError

from hubbub.runtime.home import Home, KeyMissing, located
from hubbub.runtime.settings import Settings
from hubbub.surfaces.cli.say import Failure
from hubbub.surfaces.cli.telling import Telling


def settings(data_dir: Path | None) -> Settings:
    """The settings, the data folder replaced when one is named. Raises Failure naming what is not a setting."""
    try:
        found = Settings()
    except ValidationError as wrong:
        first = wrong.errors()[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        name = name if name == "DATABASE_URL" else f"HUBBUB_{name}"
        raise Failure(f"{name} is not right: {first['msg']}.") from wrong
    return found.model_copy(update={"data_dir": data_dir}) if data_dir else found


def beside(data_dir: Path | None) -> Settings:
    """The settings of a command that needs a database: DATABASE_URL, or that of a running `hubbub up`.

    Raises Failure when there is neither.
    """
    given = located(settings(data_dir))
    if given.database_url is None:
        raise Failure(
            f"There is no database: DATABASE_URL is not set, and no `hubbub up` is running on {given.data_dir}."
        )
    return given


def home(given: Settings) -> Home:
    """The data folder, made when it is missing. Raises Failure when it cannot be written to."""
    place = Home(given.data_dir)
    try:
        place.make()
    except OSError as failure:
        raise Failure(
            f"The data folder {place.folder} cannot be made ({failure.strerror}). Choose another with --data-dir."
        ) from failure
    if not os.access(place.folder, os.W_OK | os.X_OK):
        raise Failure(f"The data folder {place.folder} cannot be written to. Choose another with --data-dir.")
    return place


def secured(given: Settings, place: Home) -> Settings:
    """The settings with their encryption key: one of our own, kept in the data folder, for a database of our own.

    Raises Failure when it is missing for somebody else's database, or is not a key.
    """
    try:
        if given.encryption_key is None and given.database_url is None:
            given = given.model_copy(update={"encryption_key": place.own_encryption_key()})
        given.key_bytes()
    except KeyMissing as missing:
        raise Failure(str(missing)) from missing
    except ValueError as wrong:
        raise Failure(
            f"{wrong}. `openssl rand -base64 32` makes one; keep it as long as the data."
        ) from wrong
    return given


def telling(ready_file: Path | None, place: Home, as_json: bool) -> Telling:
    """How this process says that it is ready. Raises Failure when the ready file cannot be written."""
    try:
        return Telling(ready_file, place, as_json)
    except OSError as failure:
        raise Failure(f"The ready file {ready_file} cannot be written ({failure.strerror}).") from failure
