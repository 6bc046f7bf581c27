"""Every setting, once. Read from the environment as `HUBBUB_<NAME>`; `DATABASE_URL` as itself."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from hubbub.connector.base import App
from hubbub.kit.secret import Secret


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="HUBBUB_", extra="ignore", use_attribute_docstrings=True, populate_by_name=True
    )

    data_dir: Path = Path(".hubbub")
    """Where everything lives that is not in the database: media, and the embedded server's data."""

    database_url: str | None = Field(
        default=None, validation_alias=AliasChoices("DATABASE_URL", "database_url")
    )
    """A PostgreSQL of your own (16 or newer). Without it `hubbub up` starts an embedded one."""

    public_url: str | None = None
    """The address people's browsers reach the API at, without a trailing slash; where platforms send them back."""

    encryption_key: SecretStr | None = None
    """32 random bytes in base64 that encrypt platform tokens. Required with a DATABASE_URL of your own;
    otherwise one is made in the data folder. `openssl rand -base64 32` makes one."""

    sandbox_url: str | None = None
    """The sandbox's address. Set by `hubbub up`; without it there is no sandbox."""

    allow_private_networks: list[str] = []
    """Networks (CIDR) that calls to platforms may reach although they are private. For tests."""

    max_upload_bytes: int = 50 * 1024 * 1024
    """The largest file `POST /v1/media/upload` takes; the presigned way has no such limit."""

    max_body_bytes: int = 2 * 1024 * 1024
    """The largest JSON body a request may have."""

    storage_limit_bytes: int = -1
    """Media storage per workspace; -1 is unlimited."""

    db_pool_size: int = 10
    """Database connections a process keeps for requests and job steps."""

    worker_concurrency: int = 32
    """Jobs one worker runs at the same time."""

    takeover_seconds: float = 3
    """How long a worker may be silent before its jobs go to another."""

    account_deadline_hours: float = 24
    """How long a post waits for its account to be reconnected before it is given up as missed."""

    auto_select_pages: bool = False
    """Connect every page of a login at once instead of answering `selection_required`."""

    log_format: str = "console"
    """`console` for people, `json` for machines."""

    log_level: str = "info"
    """The least important level that is written: debug, info, warning, error."""

    def app(self, platform: str, *, sandbox: bool) -> App:
        """Our registration with a platform: `HUBBUB_<PLATFORM>_CLIENT_ID` and `…_CLIENT_SECRET`.

        The sandbox accepts any pair, so it has one of its own and real credentials never go there.
        """
        if sandbox:
            return App("hubbub-sandbox", Secret("hubbub-sandbox-secret"))
        prefix = f"HUBBUB_{platform.upper()}_"
        secret = os.environ.get(prefix + "CLIENT_SECRET", "")
        return App(os.environ.get(prefix + "CLIENT_ID", ""), Secret(secret))

    def key_bytes(self) -> bytes:
        """The encryption key. Raises ValueError when it is missing or not 32 bytes."""
        if self.encryption_key is None:
            raise ValueError("HUBBUB_ENCRYPTION_KEY is not set")
        try:
            key = base64.b64decode(self.encryption_key.get_secret_value(), validate=True)
        except ValueError as broken:
            raise ValueError("HUBBUB_ENCRYPTION_KEY is not base64") from broken
        if len(key) != 32:
            raise ValueError(f"HUBBUB_ENCRYPTION_KEY must be 32 bytes in base64; it has {len(key)}")
        return key
