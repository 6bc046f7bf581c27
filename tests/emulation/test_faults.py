"""Every fault, seen from the other end of a real connection."""

from __future__ import annotations

import socket
import time
from typing import Any

import httpx2
import pytest

NEXT = "/_sandbox/finch/next"


def posts(client: httpx2.Client) -> list[dict[str, Any]]:
    return client.get("/_sandbox/finch/world").json()["posts"]


def post(client: httpx2.Client, text: str = "hello") -> httpx2.Response:
    return client.post("/finch/posts", json={"text": text})


def ask(client: httpx2.Client, then: str, **more: Any) -> None:
    answer = client.post(NEXT, json={"then": then, **more})
    assert answer.status_code == 200, answer.text


def test_accept_then_drop_keeps_the_post_and_cuts_the_connection(client: httpx2.Client) -> None:
    ask(client, "accept_then_drop")
    with pytest.raises(httpx2.TransportError):
        post(client)
    assert [p["text"] for p in posts(client)] == ["hello"]
    assert post(client, "again").status_code == 201


def test_drop_cuts_the_connection_and_does_nothing(client: httpx2.Client) -> None:
    ask(client, "drop")
    with pytest.raises(httpx2.TransportError):
        post(client)
    assert posts(client) == []


def test_accept_then_reset_keeps_the_post_and_resets_the_connection(client: httpx2.Client) -> None:
    ask(client, "accept_then_reset")
    body = b'{"text":"hello"}'
    head = f"POST /finch/posts HTTP/1.1\r\nHost: finch\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with socket.create_connection((client.base_url.host, client.base_url.port)) as connection:
        connection.sendall(head + body)
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    assert len(posts(client)) == 1
    assert post(client, "again").status_code == 201


def test_accept_then_hang_has_done_it_long_before_it_answers(client: httpx2.Client) -> None:
    ask(client, "accept_then_hang", params={"seconds": 30})
    with pytest.raises(httpx2.ReadTimeout):
        client.post("/finch/posts", json={"text": "hello"}, timeout=0.2)
    assert len(posts(client)) == 1
    ask(client, "accept_then_hang", params={"seconds": 0.2})
    start = time.monotonic()
    assert post(client, "again").status_code == 201
    assert time.monotonic() - start >= 0.2


@pytest.mark.parametrize(("kind", "made"), [("garbage", 0), ("accept_then_garbage", 1)])
@pytest.mark.parametrize("of", ["page", "bytes"])
def test_garbage_is_never_json(client: httpx2.Client, kind: str, made: int, of: str) -> None:
    ask(client, kind, params={"of": of})
    answer = post(client)
    assert answer.status_code == 200
    with pytest.raises(ValueError):
        answer.json()
    assert len(posts(client)) == made


def test_garbage_of_another_sort_is_refused(client: httpx2.Client) -> None:
    answer = client.post(NEXT, json={"then": "garbage", "params": {"of": "poetry"}})
    assert (answer.status_code, answer.json()) == (400, {"error": "params.of: must be one of page, bytes"})


def test_what_is_slow_is_done_though_the_caller_is_gone(client: httpx2.Client) -> None:
    ask(client, "slow", params={"seconds": 0.3})
    with pytest.raises(httpx2.ReadTimeout):
        client.post("/finch/posts", json={"text": "late"}, timeout=0.1)
    assert posts(client) == []
    deadline = time.monotonic() + 5
    while not posts(client) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [p["text"] for p in posts(client)] == ["late"]


def test_accept_then_500_keeps_the_post(client: httpx2.Client) -> None:
    ask(client, "accept_then_500")
    assert post(client).status_code == 500
    assert len(posts(client)) == 1


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        ("too_long", 422, {"error": {"code": 7, "text": "long"}}),
        ("text_too_long", 422, {"error": {"code": 7, "text": "long"}}),
        ("unavailable", 500, {"fault": "busy"}),
    ],
)
def test_refuse_answers_what_the_table_describes(
    client: httpx2.Client, error: str, status: int, body: dict[str, Any]
) -> None:
    ask(client, "refuse", params={"error": error})
    answer = post(client)
    assert (answer.status_code, answer.json()) == (status, body)
    assert answer.headers["x-finch"] == "1"
    assert posts(client) == []


def test_throttle_says_how_long_to_wait(client: httpx2.Client) -> None:
    ask(client, "throttle", params={"retry_after": 7})
    answer = post(client)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


@pytest.mark.parametrize("kind", ["expire_token", "revoke"])
def test_a_token_fault_refuses_the_call(client: httpx2.Client, kind: str) -> None:
    ask(client, kind)
    assert post(client).status_code == 401


def test_slow_waits_and_then_runs(client: httpx2.Client) -> None:
    ask(client, "slow", params={"seconds": 0.2})
    start = time.monotonic()
    assert post(client).status_code == 201
    assert time.monotonic() - start >= 0.2


def test_a_fault_waits_for_the_call_it_names_and_is_used_up(client: httpx2.Client) -> None:
    ask(client, "throttle", on="POST /posts", times=2)
    assert client.get("/finch/posts/none").status_code == 404
    assert [post(client).status_code for _ in range(3)] == [429, 429, 201]


def test_a_star_stands_for_one_part_of_a_path(client: httpx2.Client) -> None:
    ask(client, "throttle", on="GET /*/nobody")
    assert client.get("/finch/posts/else/nobody").status_code == 404
    assert client.get("/finch/posts/nobody").status_code == 429


def test_a_fault_is_matched_with_and_without_the_version(client: httpx2.Client) -> None:
    ask(client, "throttle", on="POST /posts")
    ask(client, "garbage", on="POST /v2/posts")
    assert [client.post("/finch/v2/posts", json={"text": "x"}).status_code for _ in range(3)] == [
        429,
        200,
        201,
    ]


def test_faults_asked_for_first_come_first(client: httpx2.Client) -> None:
    ask(client, "throttle")
    ask(client, "accept_then_500")
    assert [post(client).status_code for _ in range(3)] == [429, 500, 201]


def test_the_log_of_requests_shows_what_was_done(client: httpx2.Client) -> None:
    post(client)
    ask(client, "drop", on="POST /posts")
    with pytest.raises(httpx2.TransportError):
        post(client)
    client.get("/finch/nothing")
    seen = client.get("/_sandbox/finch/requests").json()["requests"]
    assert [(r["method"], r["path"], r["status"], r["fault"]) for r in seen] == [
        ("POST", "/posts", 201, None),
        ("POST", "/posts", None, "drop"),
        ("GET", "/nothing", 404, None),
    ]
    assert len(client.get("/_sandbox/finch/requests", params={"limit": 1}).json()["requests"]) == 1


def test_connections_are_kept_alive_between_calls(client: httpx2.Client) -> None:
    ports = set[Any]()
    for _ in range(5):
        with client.stream("GET", "/finch/posts/x") as answer:
            answer.read()
            ports.add(answer.extensions["network_stream"].get_extra_info("client_addr"))
    assert len(ports) == 1
