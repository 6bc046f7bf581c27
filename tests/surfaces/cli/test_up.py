"""`hubbub up` as a person meets it."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import psutil
import pytest

from .hubbub_process import PATIENCE_SECONDS, Started, environment, ran, started

ANYWHERE = ("--port", "0", "--sandbox-port", "0")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder with a short name, removed afterwards, also what belongs to the database's user."""
    folder = Path(tempfile.mkdtemp(prefix="hubbub-cli-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def up() -> Iterator[Started]:
    """One for all tests that leave it as it is."""
    folder = Path(tempfile.mkdtemp(prefix="hubbub-cli-"))
    with started(folder, "up", *ANYWHERE) as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)


def test_it_says_where_everything_is_and_everything_answers(up: Started) -> None:
    assert set(up.said) == {"api", "sandbox", "key", "pid"}
    assert re.fullmatch(r"sapi_key_[0-9a-f]{62}", up.said["key"])
    assert stat.S_IMODE(up.ready_file.stat().st_mode) == 0o600
    assert up.get("/v1/health").status_code == 200
    assert up.get("/v1/accounts").status_code == 200
    assert httpx2.get(f"{up.said['sandbox']}/_sandbox/health").status_code == 200
    for said in (up.said["api"], up.said["sandbox"], up.said["key"]):
        assert said in up.text


def test_it_is_ready_with_less_than_ten_seconds_of_work(up: Started) -> None:
    """Of processor time: the clock on the wall also counts what other tests do meanwhile."""
    root = psutil.Process(up.said["pid"])
    spent = sum(sum(process.cpu_times()[:2]) for process in [root, *root.children(recursive=True)])

    assert spent < 10


def test_the_lines_it_prints_publish_a_picture_to_two_platforms(up: Started, place: Path) -> None:
    lines = up.text[up.text.index("API=") :].split("\n\n")[0]

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", lines],
        cwd=place,
        env=environment(),
        capture_output=True,
        text=True,
    )

    assert len(lines.splitlines()) == 1 + 5
    assert done.returncode == 0, done.stderr
    post, world = documents(done.stdout)
    assert [target["platform"] for target in post["targets"]] == ["bluesky", "facebook"]
    until(lambda: up.get(f"/v1/posts/{post['id']}").json()["status"] == "published")
    assert "Hello from Hubbub" in [seen["text"] for seen in seen_in(up, "bluesky")]
    assert "Hello from Hubbub" in [seen["text"] for seen in seen_in(up, "facebook")]
    assert set(world) >= {"people", "posts"}


def test_keys_are_made_listed_and_revoked_beside_it(up: Started) -> None:
    folder = up.ready_file.parent

    made = json.loads(ran(folder, "keys", "create", "robot", "--scope", "posts:read", "--json").stdout)
    listed = json.loads(ran(folder, "keys", "list", "--json").stdout)["keys"]
    allowed = up.call("GET", "/v1/posts", key=made["raw_key"]).status_code
    forbidden = up.call("GET", "/v1/accounts", key=made["raw_key"]).status_code
    revoked = ran(folder, "keys", "revoke", made["id"])

    assert (allowed, forbidden) == (200, 403)
    assert made["id"] in [key["id"] for key in listed]
    assert "raw_key" not in listed[0]
    assert revoked.returncode == 0
    assert up.call("GET", "/v1/posts", key=made["raw_key"]).status_code == 401
    assert ran(folder, "keys", "revoke", "nobody").returncode == 1
    assert ran(folder, "keys", "create", "x", "--scope", "everything").returncode == 2


def test_the_doctor_finds_nothing_wrong_with_it(up: Started) -> None:
    done = ran(up.ready_file.parent, "doctor", "--json")

    found = json.loads(done.stdout)["findings"]
    assert done.returncode == 0
    assert {"database", "tables", "clock", "worker", "encryption key"} <= {one["about"] for one in found}


def test_a_second_one_on_the_same_folder_is_refused_in_one_sentence(up: Started) -> None:
    done = ran(up.ready_file.parent, "up", *ANYWHERE)

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "in use" in done.stderr


@pytest.mark.parametrize("option", ["--port", "--sandbox-port"])
def test_a_port_that_is_taken_is_refused_in_one_sentence(place: Path, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = ran(place, "up", *ANYWHERE, option, port)

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert port in done.stderr
    assert option in done.stderr
    assert left_over(place) == []


def test_what_was_there_is_there_after_a_kill(place: Path) -> None:
    with started(place, "up", *ANYWHERE) as first:
        connected = first.call("POST", "/v1/accounts/connect", SIGN_IN)
        first.end(signal.SIGKILL)
        stale = first.ready_file.exists()
        with started(place, "up", *ANYWHERE) as second:
            accounts = second.get("/v1/accounts").json()["data"]
            ports = [urlsplit(second.said[part]).port for part in ("api", "sandbox")]
            with in_the_middle_of_a_call(second, seconds=1) as call:
                began = time.monotonic()
                status = second.end()
                seconds = time.monotonic() - began

    assert connected.status_code == 201, connected.text
    assert stale
    assert second.said["key"] == first.said["key"]
    assert [account["id"] for account in accounts] == [connected.json()["account_id"]]
    assert call.result().status_code == 201
    assert status == 0
    assert seconds < 5
    assert not second.ready_file.exists()
    assert left_over(place) == []
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port or 0), timeout=5)


def test_the_second_interrupt_ends_it_at_once(place: Path) -> None:
    with started(place, "up", *ANYWHERE) as running, in_the_middle_of_a_call(running, seconds=60) as call:
        running.process.send_signal(signal.SIGINT)
        time.sleep(1)
        began = time.monotonic()
        status = running.end(signal.SIGINT)
        seconds = time.monotonic() - began
        failure = call.exception()

    assert status == 130
    assert seconds < 2
    assert isinstance(failure, httpx2.TransportError)
    assert not running.ready_file.exists()
    until(lambda: left_over(place) == [])


def test_without_a_sandbox_and_with_a_database_that_is_killed(place: Path) -> None:
    with started(place, "up", *ANYWHERE, "--no-sandbox", "--json") as running:
        said = json.loads(running.text.splitlines()[0])
        health = running.get("/v1/health").status_code
        [server] = psutil.Process(running.said["pid"]).children()
        server.kill()
        until(lambda: psutil.Process(running.said["pid"]).children() not in ([], [server]))
        until(lambda: running.get("/v1/health").status_code == 200)
        accounts = running.get("/v1/accounts")
        status = running.end(signal.SIGINT)

    assert said == running.said
    assert said["sandbox"] is None
    assert "curl" not in running.text
    assert health == 200
    assert accounts.status_code == 200
    assert status == 0
    assert left_over(place) == []


def test_a_database_of_your_own_needs_a_key_of_your_own(place: Path) -> None:
    done = ran(place, "up", *ANYWHERE, DATABASE_URL="postgresql://127.0.0.1:1/none")

    assert done.returncode == 2
    assert "HUBBUB_ENCRYPTION_KEY" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_lost_encryption_key_is_not_replaced_by_another(place: Path) -> None:
    (place / ".hubbub" / "database" / "cluster").mkdir(parents=True)

    done = ran(place, "up", *ANYWHERE)

    assert done.returncode == 2
    assert "encryption.key is gone" in done.stderr
    assert not (place / ".hubbub" / "encryption.key").exists()


SIGN_IN = {
    "platform": "bluesky",
    "metadata": {"sandbox": True, "identifier": "demo", "app_password": "sandbox"},
}


@contextlib.contextmanager
def in_the_middle_of_a_call(up: Started, seconds: float) -> Iterator[Future[httpx2.Response]]:
    """A sign-in that has reached the platform, which takes its time."""
    controls = f"{up.said['sandbox']}/_sandbox/bluesky"
    httpx2.post(f"{controls}/next", json={"then": "slow", "params": {"seconds": seconds}})
    with ThreadPoolExecutor(1) as aside:
        call = aside.submit(up.call, "POST", "/v1/accounts/connect", SIGN_IN)
        until(lambda: [one for one in httpx2.get(f"{controls}/requests").json()["requests"] if one["fault"]])
        yield call


def documents(text: str) -> list[Any]:
    """The JSON documents that follow each other in a text."""
    decoder, found = json.JSONDecoder(), []
    while text := text.strip():
        document, end = decoder.raw_decode(text)
        found.append(document)
        text = text[end:]
    return found


def seen_in(up: Started, platform: str) -> list[dict[str, Any]]:
    return httpx2.get(f"{up.said['sandbox']}/_sandbox/{platform}/world").json()["posts"]


def until(true: Any) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            if true():
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError("it never came true")


def left_over(place: Path) -> list[str]:
    """Command lines of living processes that mention the folder."""
    found: list[str] = []
    for process in psutil.process_iter(["cmdline"]):
        words = " ".join(process.info["cmdline"] or ())
        if str(place) in words:
            found.append(words)
    return found
