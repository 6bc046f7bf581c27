"""Every setting, once. Read from the environment as `HUBBUB_<NAME>`; `DATABASE_URL` as itself."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Literal

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

    media_url: str | None = None
    """A bucket for media: `s3://bucket/prefix?endpoint=https://…&region=…`. Without it they are in the data folder.
    Files of unlimited size are then uploaded straight to the bucket; `&presign=no` when people cannot reach it."""

    media_access_key: str | None = None
    """The bucket's access key id. Without one, what the environment says about AWS is used."""

    media_secret_key: SecretStr | None = None
    """The bucket's secret access key."""

    fetch_max_bytes: int = 512 * 1024 * 1024
    """The largest file that is fetched from an address named in a post."""

    fetch_seconds: float = 45
    """How long fetching one such file may take; the request that names it waits."""

    storage_limit_bytes: int = -1
    """Media storage per workspace; -1 is what the plan allows."""

    plan: str | None = None
    """The plan every workspace is on: free, starter, pro, business or enterprise. Without it each is on its own,
    which is enterprise unless somebody changed it: nothing is metered."""

    requests_per_minute: int = 0
    """Requests a workspace may make in one minute; 0 is any number."""

    requests_per_day: int = 0
    """Requests a workspace may make in one day (UTC); 0 is any number."""

    sign_up: Literal["owners", "open", "closed"] = "owners"
    """Who may sign up: `owners` of a full-access API key, whose workspace becomes theirs; `open` for everybody, each
    with a workspace of their own; `closed` for nobody."""

    token_issuer: str | None = None
    """What our tokens name as their issuer and audience; `hubbub` when left out. The same for every process."""

    trusted_issuers: dict[str, str] = {}
    """Sign-in services of your own, as JSON: issuer to the URL of its JWKS. Their EdDSA tokens are dashboard tokens."""

    trusted_audience: str | None = None
    """The audience their tokens must have; ours when left out."""

    allow_keys_on_dashboard_endpoints: bool = True
    """Whether an API key without restrictions may do what only the dashboard does elsewhere."""

    db_pool_size: int = 10
    """Database connections a process keeps for requests and job steps."""

    worker_concurrency: int = 32
    """Jobs one worker runs at the same time."""

    takeover_seconds: float = 3
    """How long a worker may be silent before its jobs go to another."""

    account_deadline_hours: float = 24
    """How long a post waits for its account to be reconnected before it is given up as missed."""

    catch_up_hours: float = Field(default=24, ge=0, le=8_760)
    """How late a post may begin after nothing has run for a while; a later one is given up as missed. Within it,
    a platform's budget of calls is kept as always, so what has piled up goes out one after the other."""

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
