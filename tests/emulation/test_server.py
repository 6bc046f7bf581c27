"""Mounts that are found by their folder, and a server that starts, stops and says where it is."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from emulation.finch import finch_app
from hubbub.emulation import mounts
from hubbub.emulation.emulator import Emulator
from hubbub.emulation.server import create_app, serve
from hubbub.emulation.testing import running_sandbox


def test_every_folder_with_an_emulator_is_a_mount() -> None:
    found = mounts.find()
    assert "bluesky" in found
    for name, mount in found.items():
        made = mount.load()
        assert issubclass(made, Emulator)
        assert made.name == name


def test_only_the_platforms_asked_for_are_mounted() -> None:
    app = create_app(None, only={"bluesky", "nothing"})
    assert list(app.sandbox.mounts) == ["bluesky"]
    app.close()


def test_a_taken_port_is_an_error_not_a_surprise() -> None:
    app = finch_app()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError):
            asyncio.run(serve(app, "127.0.0.1", port, lambda _: None, asyncio.Event()))
    app.close()


def test_a_stopped_sandbox_no_longer_listens() -> None:
    with running_sandbox(app=finch_app()) as url:
        assert httpx2.get(f"{url}/_sandbox/health").status_code == 200
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{url}/_sandbox/health")


def test_the_command_line_form_stops_on_sigterm(tmp_path: Path) -> None:
    script = "import sys; from pathlib import Path; from hubbub.emulation.server import run; "
    script += "run('127.0.0.1', 0, Path(sys.argv[1]), lambda url: print(url, flush=True))"
    command = [sys.executable, "-c", script, str(tmp_path)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    assert "bluesky" in httpx2.get(f"{url}/_sandbox").json()["platforms"]
    server.send_signal(signal.SIGTERM)
    _, complaints = server.communicate(timeout=20)
    assert server.returncode in (0, -signal.SIGTERM)
    assert "Traceback" not in complaints


def test_an_in_process_caller_is_cut_off_too() -> None:
    async def call() -> None:
        app = finch_app()
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://sandbox") as client:
            await client.post("/_sandbox/finch/next", json={"then": "accept_then_drop"})
            with pytest.raises(ConnectionResetError):
                await client.post("/finch/posts", json={"text": "kept"})
            assert len((await client.get("/_sandbox/finch/world")).json()["posts"]) == 1
        app.close()

    asyncio.run(call())
