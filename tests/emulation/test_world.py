"""The memory of a platform: kinds, copies, numbers, and surviving a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from emulation.finch import finch_app
from hubbub.emulation.clock import SandboxClock
from hubbub.emulation.testing import running_sandbox
from hubbub.emulation.world import Store, World

ROOT = Path(__file__).parents[2]
SERVE = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, "tests")
from emulation.finch import finch_app
from hubbub.emulation.server import serve
ready = lambda url: print(url, flush=True)
asyncio.run(serve(finch_app(Path(sys.argv[1])), "127.0.0.1", 0, ready))
"""


@pytest.fixture
def world() -> Iterator[World]:
    store = Store(None)
    yield World(store, "finch")
    store.close()


def test_things_are_kept_in_the_order_they_came(world: World) -> None:
    first, second = world.add("posts", text="a"), world.add("posts", text="b")
    world.update("posts", first["id"], text="c")
    assert [p["text"] for p in world.all("posts")] == ["c", "b"]
    assert world.get("posts", second["id"]) == second
    assert (world.count("posts"), world.count("comments")) == (2, 0)


def test_a_thing_that_is_read_is_a_copy(world: World) -> None:
    post = world.add("posts", tags=["a"])
    post["tags"].append("b")
    assert world.all("posts")[0]["tags"] == ["a"]


def test_things_are_found_by_their_fields(world: World) -> None:
    world.add("posts", author="x", draft=True, place=None)
    world.add("posts", author="y", draft=False)
    assert [p["author"] for p in world.all("posts", draft=True)] == ["x"]
    assert [p["author"] for p in world.all("posts", author="y", draft=False)] == ["y"]
    assert world.count("posts", place=None) == 2
    assert world.one("posts", author="z") is None


def test_an_id_is_taken_once_and_a_missing_thing_cannot_change(world: World) -> None:
    world.add("posts", id="1")
    with pytest.raises(ValueError):
        world.add("posts", id="1")
    with pytest.raises(KeyError):
        world.update("posts", "2", text="x")
    assert (world.remove("posts", "1"), world.remove("posts", "1")) == (True, False)


def test_numbers_are_never_given_twice(world: World) -> None:
    assert [world.number("a"), world.number("b"), world.number("a")] == [1, 1, 2]


def test_platforms_do_not_see_each_other(world: World) -> None:
    other = World(world.store, "robin")
    world.add("posts", id="1")
    world.keep_bytes("1", b"x")
    assert (other.get("posts", "1"), other.get_bytes("1"), world.get_bytes("1")) == (None, None, b"x")


def test_a_write_takes_less_than_a_millisecond(tmp_path: Path) -> None:
    store = Store(tmp_path)
    world = World(store, "finch")
    took: list[float] = []
    for n in range(300):
        start = time.perf_counter()
        world.add("posts", text=f"post {n}", media=["x"] * 10)
        store.commit()
        took.append(time.perf_counter() - start)
    store.close()
    assert sorted(took)[len(took) // 4] < 0.001


def test_the_clock_keeps_what_was_added(tmp_path: Path) -> None:
    store = Store(tmp_path)
    SandboxClock(World(store, "_sandbox")).advance(3600)
    store.commit()
    store.close()
    again = Store(tmp_path)
    assert SandboxClock(World(again, "_sandbox")).ahead.total_seconds() == 3600
    again.close()


def test_state_survives_a_stop_and_a_start(tmp_path: Path) -> None:
    for text in ("one", "two"):
        with running_sandbox(app=finch_app(tmp_path)) as url:
            httpx2.post(f"{url}/finch/posts", json={"text": text})
            posts = httpx2.get(f"{url}/_sandbox/finch/world").json()["posts"]
    assert [p["text"] for p in posts] == ["one", "two"]


def test_state_survives_kill_9(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SERVE, str(tmp_path)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    with server.stdout:
        url = server.stdout.readline().strip()
        kept = [httpx2.post(f"{url}/finch/posts", json={"text": str(n)}).json()["id"] for n in range(20)]
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
    with running_sandbox(app=finch_app(tmp_path)) as url:
        world = httpx2.get(f"{url}/_sandbox/finch/world").json()
    assert [p["id"] for p in world["posts"]] == kept
    assert [p["username"] for p in world["people"]] == ["demo"]
