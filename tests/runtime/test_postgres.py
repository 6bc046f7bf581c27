from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from hubbub.runtime import postgres as embedded
from pg import Server, database_url, migrate, postgres  # noqa: F401

pytestmark = pytest.mark.anyio

OWNER = """
import sys, threading, time
from pathlib import Path
from hubbub.runtime import postgres
place = Path(sys.argv[1])
def begin():
    running = postgres.start(place / "data", place / "log", durable=False)
    print(running.pid, running.sockets, flush=True)
threading.Thread(target=begin).start()
time.sleep(60)
"""


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose cluster exists already; its server is started and stopped by each test."""
    place = tmp_path_factory.mktemp("home")
    embedded.start(place / "data", place / "log", durable=False).stop()
    return place


@pytest.fixture
def running(home: Path) -> Iterator[embedded.Running]:
    with embedded.start(home / "data", home / "log", durable=False) as server:
        yield server


async def ask(url: str, question: str = "select 1") -> object:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


def gone(pid: int, within: float = 10.0) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def owner(place: Path) -> tuple[subprocess.Popen[str], int]:
    """Another process that owns a server, started from a thread that has ended by the time we return."""
    process = subprocess.Popen([sys.executable, "-c", OWNER, str(place)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process, int(process.stdout.readline().split()[0])


def test_sqlalchemy_understands_the_url_as_it_is(running: embedded.Running) -> None:
    url = make_url(running.url)
    arguments = url.get_dialect()().create_connect_args(url)[1]
    assert arguments["host"] == str(running.sockets)
    assert (url.drivername, arguments["user"], arguments["database"]) == (
        "postgresql+asyncpg",
        "hubbub",
        "postgres",
    )


async def test_a_durable_server_is_durable_and_small(tmp_path: Path) -> None:
    with embedded.start(tmp_path / "data", tmp_path / "log") as running:
        names = ("fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "listen_addresses")
        settings = {name: await ask(running.url, f"show {name}") for name in names}
        encoding = await ask(running.url, "show server_encoding")
    assert settings == {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "shared_buffers": "32MB",
        "listen_addresses": "",
    }
    assert encoding == "UTF8"


async def test_data_outlives_the_server_and_the_next_start_is_quick(home: Path) -> None:
    with embedded.start(home / "data", home / "log", durable=False) as running:
        await ask(running.url, "create table if not exists kept (n int)")
    began = time.monotonic()
    with embedded.start(home / "data", home / "log", durable=False) as running:
        took = time.monotonic() - began
        assert await ask(running.url, "select to_regclass('kept') is not null") is True
    assert took < 3, "0.05 s on an idle machine"


def test_stopping_ends_the_process_and_removes_the_sockets(home: Path) -> None:
    running = embedded.start(home / "data", home / "log", durable=False)
    assert running.alive()
    assert running.sockets.is_dir()
    running.stop()
    running.stop()
    assert not running.alive()
    assert not running.sockets.exists()
    assert embedded.url_of(home / "data") is None


def test_a_second_start_on_the_same_folder_says_who_has_it(home: Path, running: embedded.Running) -> None:
    with pytest.raises(embedded.InUse, match="in use by another running process"):
        embedded.start(home / "data", home / "log", durable=False)
    assert running.alive()
    assert embedded.url_of(home / "data") == running.url


def test_the_server_dies_with_a_killed_owner_but_not_with_the_thread_that_started_it(tmp_path: Path) -> None:
    process, pid = owner(tmp_path)
    time.sleep(0.3)
    assert not gone(pid, within=0.1)
    process.kill()
    process.communicate()
    assert gone(pid)
    embedded.start(tmp_path / "data", tmp_path / "log", durable=False).stop()


def test_a_start_right_after_the_owner_was_killed_succeeds(tmp_path: Path) -> None:
    process, first = owner(tmp_path)
    process.kill()
    process.communicate()
    with embedded.start(tmp_path / "data", tmp_path / "log", durable=False) as running:
        assert running.pid != first
    assert list(running.sockets.parent.glob(running.sockets.name[:19] + "*")) == []


async def test_a_killed_server_leaves_nothing_that_stops_the_next_start(home: Path) -> None:
    running = embedded.start(home / "data", home / "log", durable=False)
    os.kill(running.pid, signal.SIGKILL)
    running.stop()
    assert (home / "data" / "cluster" / "postmaster.pid").exists()
    with embedded.start(home / "data", home / "log", durable=False) as running:
        assert await ask(running.url) == 1


def test_a_pid_file_that_names_a_stranger_harms_nobody(home: Path) -> None:
    stranger = subprocess.Popen(["sleep", "60"])
    embedded.start(home / "data", home / "log", durable=False).stop()
    (home / "data" / "cluster" / "postmaster.pid").write_text(
        f"{stranger.pid}\nx\n1\n5432\n/nowhere\n\n\nready\n"
    )
    try:
        assert embedded.url_of(home / "data") is None
        embedded._end_leftover(home / "data" / "cluster")
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
        (home / "data" / "cluster" / "postmaster.pid").unlink(missing_ok=True)


def test_a_half_made_cluster_is_made_again(tmp_path: Path) -> None:
    half = tmp_path / "data" / "cluster.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    embedded.start(tmp_path / "data", tmp_path / "log", durable=False).stop()
    assert not half.exists()


def test_a_broken_cluster_is_an_error_that_quotes_the_server(tmp_path: Path) -> None:
    cluster = tmp_path / "data" / "cluster"
    cluster.mkdir(parents=True, mode=0o700)
    (cluster / "PG_VERSION").write_text("9.1\n")
    with pytest.raises(embedded.Unavailable, match=r"did not start\. It said: .*postgresql\.conf"):
        embedded.start(tmp_path / "data", tmp_path / "log")
    with pytest.raises(embedded.Unavailable):
        embedded.start(tmp_path / "data", tmp_path / "log")


def test_only_the_owner_may_connect(running: embedded.Running) -> None:
    mode = stat.S_IMODE(running.sockets.stat().st_mode)
    assert mode == 0o700
    assert (running.sockets / "hba").read_text() == "local all all peer map=owner\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user's process")
def test_the_servers_own_user_is_refused_too(running: embedded.Running) -> None:
    account = running.sockets.stat()
    tried = subprocess.run(
        [embedded.BINARIES / "psql", "-h", running.sockets, "-U", "hubbub", "-c", "select 1", "postgres"],
        user=account.st_uid, group=account.st_gid, extra_groups=[], cwd="/", capture_output=True, text=True,
        env={"LC_ALL": "C"},
    )  # fmt: skip
    assert "Peer authentication failed" in tried.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a home that its servers cannot enter")
async def test_root_may_keep_the_data_in_a_folder_nobody_else_can_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with embedded.start(closed / "data", closed / "log", durable=False) as running:
        assert await ask(running.url) == 1
        assert Path(f"/proc/{running.pid}").stat().st_uid != 0


@pytest.mark.skipif(os.geteuid() != 0, reason="switches to an ordinary user")
def test_an_ordinary_user_needs_nothing_special(tmp_path: Path) -> None:
    for parent in tmp_path.parents[:3]:
        parent.chmod(parent.stat().st_mode | 0o055) if str(parent) != "/tmp" else None
    tmp_path.chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 65534, 65534)
    script = (
        "import sys; sys.path[:0] = sys.argv[2].split(':'); from pathlib import Path; "
        "from hubbub.runtime import postgres; place = Path(sys.argv[1]); "
        "running = postgres.start(place / 'data', place / 'log', durable=False); "
        "print(running.alive(), postgres.url_of(place / 'data') == running.url); running.stop()"
    )
    python = "/usr/bin/python3"
    version = subprocess.run(
        [python, "-c", "import sys; print(sys.version_info >= (3, 11))"], capture_output=True
    )
    if version.stdout.strip() != b"True":
        pytest.skip("no Python that an ordinary user can run")
    path = f"{Path(embedded.__file__).parents[2]}:{embedded.BINARIES.parents[2]}"
    done = subprocess.run(
        [python, "-c", script, str(home), path],
        user=65534, group=65534, extra_groups=[], cwd="/", capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout == "True True\n", done.stderr


def test_every_test_database_is_fresh(postgres: Server) -> None:
    first, second = postgres.create_database(), postgres.create_database()
    name = first.split("?")[0].rsplit("/", 1)[1]
    postgres.run("create table mine (n int)", name)
    copy = postgres.create_database(template=name)
    copied = copy.split("?")[0].rsplit("/", 1)[1]
    assert postgres.run("select count(*) from mine", copied)[0][0] == 0
    for url in (first, second, copy):
        postgres.drop_database(url)
    assert postgres.run(f"select 1 from pg_database where datname in ('{name}', '{copied}')") == []


def test_a_template_is_migrated_once(postgres: Server) -> None:
    calls: list[str] = []

    def note(url: str) -> None:
        calls.append(url)

    assert postgres.template(note) == postgres.template(note)
    assert len(calls) == 1


async def test_a_test_gets_a_database_of_its_own(database_url: str) -> None:
    assert await ask(database_url, "select current_database()") != "postgres"
