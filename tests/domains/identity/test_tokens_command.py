from __future__ import annotations

import os
import sys

import pytest
from anyio import run_process

from api import Api

pytestmark = pytest.mark.anyio


async def hubbub(api: Api, *words: str, key: str | None = None) -> tuple[int, str]:
    settings = api.runtime.settings
    assert settings.encryption_key is not None
    own = {name: value for name, value in os.environ.items() if not name.startswith("HUBBUB_")}
    own |= {"DATABASE_URL": api.runtime.database.url, "HUBBUB_DATA_DIR": str(settings.data_dir)}
    own |= {"HUBBUB_ENCRYPTION_KEY": settings.encryption_key.get_secret_value() if key is None else key}
    command = [sys.executable, "-c", "from hubbub.main import run; run()", *words]
    done = await run_process(command, env=own, check=False)
    return done.returncode, (done.stdout + done.stderr).decode().strip()


async def test_a_token_from_the_command_line_works_also_after_the_next_key(api: Api) -> None:
    code, token = await hubbub(api, "tokens", "create")
    assert code == 0, token
    assert (await api.as_(token).get("/v1/users/me")).status == 200
    assert (await hubbub(api, "tokens", "rotate"))[0] == 0
    assert (await api.as_(token).get("/v1/users/me")).status == 200


async def test_without_the_encryption_key_nothing_is_signed(api: Api) -> None:
    code, said = await hubbub(api, "tokens", "create", key="short")
    assert code != 0
    assert "HUBBUB_ENCRYPTION_KEY" in said
    assert "Traceback" not in said
