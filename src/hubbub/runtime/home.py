"""The data folder: what lives where in it, and the secrets that `hubbub up` keeps there."""

from __future__ import annotations

import base64
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from hubbub.runtime import postgres
from hubbub.runtime.settings import Settings

PRIVATE = 0o600


class KeyMissing(Exception):
    """The database is there and the key to its secrets is not; the message says what to do."""


@dataclass(frozen=True)
class Home:
    """One data folder. Nothing is created before somebody needs it."""

    folder: Path

    @property
    def database(self) -> Path:
        """Of the embedded server."""
        return self.folder / "database"

    @property
    def database_log(self) -> Path:
        return self.folder / "log" / "postgres.log"

    @property
    def sandbox(self) -> Path:
        return self.folder / "sandbox"

    @property
    def picture(self) -> Path:
        """A small picture to try things with."""
        return self.folder / "hello.png"

    @property
    def first_key(self) -> Path:
        """The API key that `hubbub up` shows."""
        return self.folder / "key"

    @property
    def encryption_key(self) -> Path:
        return self.folder / "encryption.key"

    def make(self) -> None:
        """Create the folder for its owner alone. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def own_encryption_key(self) -> SecretStr:
        """The key of the embedded database, made the first time.

        Raises KeyMissing rather than making a second one, which could not read what the first has written.
        """
        try:
            return SecretStr(self.encryption_key.read_text().strip())
        except FileNotFoundError:
            pass
        if (self.database / "cluster").exists():
            raise KeyMissing(
                f"{self.encryption_key} is gone, and the database in {self.database} was written with it. "
                "Put it back, or set HUBBUB_ENCRYPTION_KEY to it."
            )
        write_private(self.encryption_key, base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
        return SecretStr(self.encryption_key.read_text().strip())


def located(settings: Settings) -> Settings:
    """The settings of a process beside a running `hubbub up`: its database and its encryption key.

    Settings that name a database are given back as they are.
    """
    home = Home(settings.data_dir)
    url = settings.database_url or postgres.url_of(home.database)
    key = settings.encryption_key
    if settings.database_url is None and key is None and home.encryption_key.exists():
        key = home.own_encryption_key()
    return settings.model_copy(update={"database_url": url, "encryption_key": key})


def write_private(file: Path, text: str) -> None:
    """Write a whole file or nothing, for its owner alone."""
    write_whole(file, text, PRIVATE)


def write_whole(file: Path, text: str, mode: int = 0o644) -> None:
    """Replace a file in one step: a reader sees the old text or the new, never a part."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, fresh = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        os.chmod(fresh, mode)
        os.replace(fresh, file)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise
