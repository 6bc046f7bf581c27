from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

import samples
from api import Api

pytestmark = pytest.mark.anyio


async def _stored(api: Api, place: Path) -> str:
    await api.post("/v1/media/upload", files={"file": (place.name, place.read_bytes(), "image/png")})
    (item,) = (await api.get("/v1/media")).json["data"]
    parts = urlsplit(item["url"])
    return f"{parts.path}?{parts.query}"


async def test_a_part_of_a_file_can_be_had(api: Api, tmp_path: Path) -> None:
    content = (place := samples.png(tmp_path / "a.png")).read_bytes()
    path, size = await _stored(api, place), len(content)
    whole = await api.get(path)
    assert (whole.status, whole.content, whole.headers["accept-ranges"]) == (200, content, "bytes")
    part = await api.get(path, headers={"Range": "bytes=2-5"})
    assert (part.status, part.content) == (206, content[2:6])
    assert part.headers["content-range"] == f"bytes 2-5/{size}"
    assert part.headers["content-length"] == "4"
    end = await api.get(path, headers={"Range": "bytes=-3"})
    assert (end.status, end.content) == (206, content[-3:])
    several = await api.get(path, headers={"Range": "bytes=0-1,4-5"})
    assert (several.status, several.content) == (200, content)
    beyond = await api.get(path, headers={"Range": f"bytes={size}-"})
    assert (beyond.status, beyond.code) == (416, "http.416")
    assert beyond.json["error"]["meta"]["max"] == size
    assert beyond.headers["content-range"] == f"bytes */{size}"


async def test_a_part_of_a_file_that_may_have_changed_is_all_of_it(api: Api, tmp_path: Path) -> None:
    path = await _stored(api, samples.png(tmp_path / "a.png"))
    answer = await api.get(path, headers={"Range": "bytes=0-1", "If-Range": '"some-tag"'})
    assert answer.status == 200


async def test_the_headers_of_a_file_come_without_it(api_server: Api, tmp_path: Path) -> None:
    place = samples.png(tmp_path / "a.png")
    path = await _stored(api_server, place)
    head = await api_server.call("HEAD", path)
    assert (head.status, head.content) == (200, b"")
    assert head.headers["content-length"] == str(place.stat().st_size)
    part = await api_server.call("HEAD", path, headers={"Range": "bytes=1-4"})
    assert (part.status, part.headers["content-length"]) == (206, "4")
