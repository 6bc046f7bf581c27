"""Routing, bodies of every kind, and what a handler may raise."""

from __future__ import annotations

import httpx2

from hubbub.emulation.call import Call


def test_a_path_hole_takes_the_rest_and_a_plain_one_a_segment(client: httpx2.Client) -> None:
    said = client.get("/finch/files/a/b%20c.txt?tag=1&tag=2&q=%C3%A9").json()
    assert said == {"name": "a/b c.txt", "tags": ["1", "2"], "query": {"tag": "2", "q": "é"}}
    assert client.get("/finch/posts/a/b").status_code == 404


def test_an_urlencoded_form_keeps_empty_fields(client: httpx2.Client) -> None:
    said = client.post("/finch/form", data={"a": "1 +&", "b": ""}).json()
    assert said == {"form": {"a": "1 +&", "b": ""}, "files": []}


def test_a_multipart_body_gives_fields_and_files_byte_for_byte(client: httpx2.Client) -> None:
    data = bytes(range(256)) + b"\r\n--\r\n\r\n"
    files = {"source": ('a "b".bin', data, "image/png"), "empty": ("none.txt", b"", "text/plain")}
    said = client.post("/finch/form", data={"caption": "é\r\nx"}, files=files).json()
    assert said["form"] == {"caption": "é\r\nx"}
    assert [(f[0], f[2], bytes.fromhex(f[3])) for f in said["files"]] == [
        ("source", "image/png", data),
        ("empty", "text/plain", b""),
    ]


def test_a_large_body_arrives_whole(client: httpx2.Client) -> None:
    data = b"\x00\xff" * 2_000_000
    said = client.post("/finch/form", files={"f": ("f", data)}).json()
    assert len(bytes.fromhex(said["files"][0][3])) == len(data)


def test_answers_know_the_address_they_were_asked_at(client: httpx2.Client) -> None:
    answer = client.post("/finch/posts", json={"text": "x"})
    assert answer.headers["location"] == str(client.base_url.join(f"/finch/posts/{answer.json()['id']}"))


def test_a_body_that_is_not_json_is_refused_by_the_platform(client: httpx2.Client) -> None:
    assert client.post("/finch/posts", content=b"{").status_code == 400
    assert client.post("/finch/posts").status_code == 400


def test_a_handler_that_breaks_is_the_platforms_own_500(client: httpx2.Client) -> None:
    answer = client.get("/finch/crash")
    assert (answer.status_code, answer.json()["error"]) == (500, "internal_error")


def test_a_head_request_is_a_get_without_its_body(client: httpx2.Client) -> None:
    answer = client.head("/finch/files/x")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


def test_an_unknown_route_and_the_wrong_method_are_not_found(client: httpx2.Client) -> None:
    assert client.get("/finch").status_code == 404
    assert client.delete("/finch/form").status_code == 404


def test_a_call_made_by_hand_needs_only_method_and_path() -> None:
    call = Call("GET", "/x")
    assert (call.form, call.files, call.many("a")) == ({}, [], [])
