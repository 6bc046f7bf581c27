"""API, worker and sandbox as processes of their own, on a database of somebody else's."""

from __future__ import annotations

import base64
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from pg import Server

from .hubbub_process import PATIENCE_SECONDS, ran, started

KEY = base64.b64encode(secrets.token_bytes(32)).decode()
SIGN_IN = {
    "platform": "bluesky",
    "metadata": {"sandbox": True, "identifier": "demo", "app_password": "sandbox"},
}


@pytest.fixture
def place() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="hubbub-cli-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def empty_database(postgres: Server) -> Iterator[str]:
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)


def test_three_processes_on_one_database_publish_together(place: Path, empty_database: str) -> None:
    variables = {"DATABASE_URL": empty_database, "HUBBUB_ENCRYPTION_KEY": KEY}
    with started(place, "sandbox", "--port", "0") as sandbox:
        variables["HUBBUB_SANDBOX_URL"] = sandbox.said["sandbox"]
        with started(place, "serve", "--port", "0", **variables) as api, started(place, "work", **variables):
            key = ran(place, "keys", "create", "test", **variables).stdout.strip()
            account = api.call("POST", "/v1/accounts/connect", SIGN_IN, key).json()["account_id"]
            wanted = {"text": "From afar", "targets": [{"account_id": account}], "publish_now": True}
            post = api.call("POST", "/v1/posts", wanted, key).json()
            deadline = time.monotonic() + PATIENCE_SECONDS
            while post["status"] == "publishing" and time.monotonic() < deadline:
                time.sleep(0.05)
                post = api.call("GET", f"/v1/posts/{post['id']}", key=key).json()
            examined = ran(place, "doctor", **variables)
            world = httpx2.get(f"{sandbox.said['sandbox']}/_sandbox/bluesky/world").json()

    assert post["status"] == "published"
    assert [seen["text"] for seen in world["posts"]] == ["From afar"]
    assert examined.returncode == 0, examined.stdout


@pytest.mark.parametrize("part", ["serve", "work"])
def test_a_part_without_a_database_says_where_it_looked(place: Path, part: str) -> None:
    done = ran(place, part)

    assert done.returncode == 2
    assert "DATABASE_URL" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_doctor_names_every_mistake_with_its_remedy(place: Path) -> None:
    done = ran(
        place,
        "doctor",
        DATABASE_URL="postgresql://127.0.0.1:1/none",
        HUBBUB_PUBLIC_URL="http://hubbub.example.com",
        HUBBUB_SANDBOX_URL="http://127.0.0.1:1",
        HUBBUB_FACEBOOK_CLIENT_ID="only half",
        HUBBUB_PORTT="8080",
    )

    assert done.returncode == 1
    assert done.stdout.count("✗") == 6
    for said in (
        "HUBBUB_PORTT",
        "HUBBUB_ENCRYPTION_KEY",
        "database:",
        "not https",
        "sandbox:",
        "CLIENT_SECRET",
    ):
        assert said in done.stdout


def test_a_setting_that_cannot_be_read_is_named(place: Path) -> None:
    done = ran(place, "doctor", HUBBUB_DB_POOL_SIZE="many")

    assert done.returncode == 2
    assert "HUBBUB_DB_POOL_SIZE" in done.stderr
