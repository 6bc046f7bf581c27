from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio.to_thread
import httpx2
import pytest
import socialapi

import samples
from api import Answer, Api
from hubbub.domains.media import contents, service

pytestmark = pytest.mark.anyio


async def _upload(api: Api, place: Path, declared: str = "image/png") -> Answer:
    return await api.post("/v1/media/upload", files={"file": (place.name, place.read_bytes(), declared)})


async def _upload_url(api: Api, media_type: str = "image/png") -> tuple[str, str]:
    answer = await api.get("/v1/media/upload-url", {"media_type": media_type, "filename": "a.png"})
    assert answer.status == 200
    return answer.json["media_id"], answer.json["upload_url"]


def _bare(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def _stored(api: Api) -> list[Path]:
    return [place for place in (api.runtime.settings.data_dir / "media").rglob("*") if place.is_file()]


async def test_an_uploaded_file_is_listed_shown_and_deleted(api: Api, tmp_path: Path) -> None:
    place = samples.jpeg(tmp_path / "Kätzchen.jpg", 80, 60)
    made = await _upload(api, place, "image/png")
    assert made.status == 201
    listed = await api.get("/v1/media")
    (item,) = listed.json["data"]
    assert item["id"] == made.json["media_id"]
    assert (item["filename"], item["content_type"], item["status"]) == ("Kätzchen.jpg", "image/jpeg", "ready")
    assert (item["size_bytes"], item["width"], item["height"]) == (place.stat().st_size, 80, 60)
    assert item["created_at"].endswith("Z")
    assert listed.json["count"] == 1
    assert "next_cursor" not in listed.json
    assert listed.headers["x-storage-used"] == str(place.stat().st_size)
    shown = await api.get(_bare(item["url"]), headers={"Authorization": None})
    assert (shown.status, shown.content) == (200, place.read_bytes())
    assert shown.headers["content-type"] == "image/jpeg"
    assert shown.headers["content-length"] == str(place.stat().st_size)
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.headers["content-disposition"].startswith("inline;")
    assert (await api.delete(f"/v1/media/{item['id']}")).status == 204
    assert (await api.get("/v1/media/")).json["data"] == []
    gone = await api.get(_bare(item["url"]))
    assert (gone.status, gone.code) == (404, "media.not_found")
    assert (await api.delete(f"/v1/media/{item['id']}")).code == "media.not_found"
    await contents.sweep(api.runtime)
    assert _stored(api) == []


async def test_a_page_of_html_is_only_ever_downloaded(api: Api, tmp_path: Path) -> None:
    place = tmp_path / "a.html"
    place.write_text("<!doctype html><script>alert(1)</script>")
    await _upload(api, place, "image/png")
    (item,) = (await api.get("/v1/media")).json["data"]
    shown = await api.get(_bare(item["url"]))
    assert shown.headers["content-disposition"].startswith("attachment;")
    assert shown.headers["content-security-policy"] == "default-src 'none'; sandbox"


async def test_a_file_may_be_uploaded_to_a_signed_address_and_verified(api: Api, tmp_path: Path) -> None:
    place = samples.mp4(tmp_path / "a.mp4")
    media_id, url = await _upload_url(api, "video/mp4")
    sent = await api.put(
        _bare(url), place.read_bytes(), headers={"Content-Type": "video/mp4", "Authorization": None}
    )
    assert (sent.status, sent.content) == (200, b"")
    assert (await api.get("/v1/media")).json["data"] == []
    for _ in range(2):
        verified = await api.post(f"/v1/media/{media_id}/verify")
        assert (verified.status, verified.json) == (200, {"success": True})
    (item,) = (await api.get("/v1/media")).json["data"]
    assert (item["id"], item["kind"]) == (media_id, "video")
    again = await api.put(_bare(url), place.read_bytes(), headers={"Content-Type": "video/mp4"})
    assert (again.status, again.code) == (409, "resource.conflict")


async def test_an_address_that_was_tampered_with_or_has_expired_is_refused(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    media_id, url = await _upload_url(api)
    other_id, _ = await _upload_url(api)
    path = _bare(url)
    wrong = [
        path[:-1] + ("0" if path[-1] != "0" else "1"),
        path.replace("expires=", "expires=1"),
        path.replace(media_id, other_id),
        path.split("?")[0],
        path.split("&")[0],
        path.replace(media_id, "nothing"),
        path.replace(media_id, "00000000-0000-0000-0000-000000000000"),
    ]
    for address in wrong:
        refused = await api.put(address, b"x", headers={"Content-Type": "image/png"})
        assert (refused.status, refused.code) == (403, "http.403"), address
    assert (await api.get(path)).status == 403
    monkeypatch.setattr("hubbub.domains.media.rules.LINK_SECONDS", -1)
    _, expired = await _upload_url(api)
    refused = await api.put(_bare(expired), b"x", headers={"Content-Type": "image/png"})
    assert (refused.status, refused.code) == (403, "http.403")
    assert _stored(api) == []


async def test_another_type_than_was_declared_is_refused(api: Api) -> None:
    _, url = await _upload_url(api)
    for content_type in ("image/jpeg", ""):
        refused = await api.put(_bare(url), b"x", headers={"Content-Type": content_type})
        assert (refused.status, refused.code) == (415, "http.415")
    assert (await api.put(_bare(url), b"x", headers={"Content-Type": "Image/PNG"})).status == 200


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ({"filename": "a.png"}, "validation.field_required", "media_type"),
        ({"media_type": "image/png"}, "validation.field_required", "filename"),
        ({"media_type": "image/png", "filename": ""}, "validation.field_required", "filename"),
        ({"media_type": "picture", "filename": "a.png"}, "validation.field_invalid", "media_type"),
        ({"media_type": "image/png\r\nX: y", "filename": "a"}, "validation.field_invalid", "media_type"),
    ],
)
async def test_an_upload_address_needs_a_type_and_a_name(
    api: Api, query: dict[str, str], code: str, field: str
) -> None:
    refused = await api.get("/v1/media/upload-url", query)
    assert (refused.status, refused.code) == (400, code)
    assert refused.json["error"]["meta"]["field"] == field


async def test_an_upload_needs_a_file(api: Api) -> None:
    refused = await api.post("/v1/media/upload", files={"other": ("a.png", b"x", "image/png")})
    assert (refused.status, refused.code) == (400, "validation.field_required")
    refused = await api.post("/v1/media/upload", files={"file": ("a.png", b"", "image/png")})
    assert (refused.status, refused.code) == (400, "validation.field_invalid")
    assert refused.json["error"]["meta"]["field"] == "file"


async def test_verifying_what_was_never_sent_is_a_refusal_that_is_remembered(api: Api) -> None:
    media_id, url = await _upload_url(api)
    for _ in range(2):
        refused = await api.post(f"/v1/media/{media_id}/verify")
        assert (refused.status, refused.code) == (400, "validation.field_invalid")
    late = await api.put(_bare(url), b"x", headers={"Content-Type": "image/png"})
    assert late.status == 409
    assert (await api.post("/v1/media/nothing/verify")).code == "media.not_found"


async def test_the_storage_quota_is_told_and_kept(api: Api, tmp_path: Path) -> None:
    place = samples.png(tmp_path / "a.png")
    size = place.stat().st_size
    unlimited = await api.get("/v1/media/storage")
    assert unlimited.json == {"used_bytes": 0, "limit_bytes": -1, "count": 0, "file_count": 0}
    assert (unlimited.headers["x-storage-used"], unlimited.headers["x-storage-limit"]) == ("0", "-1")
    waiting, url = await _upload_url(api)
    await api.put(_bare(url), place.read_bytes(), headers={"Content-Type": "image/png"})
    await _upload(api, place)
    api.runtime.settings.storage_limit_bytes = size
    used = await api.get("/v1/media/storage")
    assert used.json == {"used_bytes": size, "limit_bytes": size, "count": 1, "file_count": 1}
    refusals = [
        await _upload(api, place),
        await api.get("/v1/media/upload-url", {"media_type": "image/png", "filename": "a"}),
        await api.put(_bare(url), place.read_bytes(), headers={"Content-Type": "image/png"}),
        await api.post(f"/v1/media/{waiting}/verify"),
    ]
    for refused in refusals:
        assert (refused.status, refused.code) == (413, "billing.storage_quota")
        assert refused.json["error"]["meta"]["max"] == size
        assert refused.json["error"]["meta"]["plan"]
    assert len(_stored(api)) == 1


async def test_three_pages_hold_each_file_once_while_others_come_and_go(api: Api, tmp_path: Path) -> None:
    place = samples.png(tmp_path / "a.png", 8, 8)
    made = [(await _upload(api, place)).json["media_id"] for _ in range(6)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for page in range(3):
        answer = await api.get("/v1/media", {"limit": 2, **cursor})
        seen += [item["id"] for item in answer.json["data"]]
        more = page < 2
        assert answer.json["pagination"]["has_more"] is more
        assert ("next_cursor" in answer.json) is more
        if more:
            assert answer.json["next_cursor"] == seen[-1]
            cursor = {"cursor": answer.json["next_cursor"]}
            await _upload(api, place)
            await api.delete(f"/v1/media/{seen[-1]}")
    assert seen == made[::-1]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"cursor": "nothing"}, "cursor"),
        ({"cursor": "00000000-0000-0000-0000-000000000000"}, "cursor"),
    ],
)
async def test_a_bad_page_is_refused(api: Api, query: dict[str, str], field: str) -> None:
    refused = await api.get("/v1/media", query)
    assert (refused.status, refused.code) == (400, "validation.field_invalid")
    assert refused.json["error"]["meta"]["field"] == field


async def test_another_workspace_sees_nothing_of_a_file(api: Api, tmp_path: Path) -> None:
    media_id = (await _upload(api, samples.png(tmp_path / "a.png"))).json["media_id"]
    elsewhere = await api.elsewhere()
    assert (await elsewhere.get("/v1/media")).json["data"] == []
    assert (await elsewhere.get("/v1/media/storage")).json["used_bytes"] == 0
    assert (await elsewhere.get("/v1/media", {"cursor": media_id})).status == 400
    for refused in (
        await elsewhere.delete(f"/v1/media/{media_id}"),
        await elsewhere.post(f"/v1/media/{media_id}/verify"),
    ):
        assert (refused.status, refused.code) == (404, "media.not_found")
    assert len((await api.get("/v1/media")).json["data"]) == 1


async def test_a_file_in_use_names_the_posts(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check(work: Any, media_id: Any) -> list[str]:
        return ["one"]

    monkeypatch.setattr(service, "in_use_checks", [check])
    media_id = (await _upload(api, samples.png(tmp_path / "a.png"))).json["media_id"]
    refused = await api.delete(f"/v1/media/{media_id}")
    assert (refused.status, refused.code) == (409, "media.in_use")
    assert refused.json["error"]["meta"]["post_ids"] == ["one"]


async def test_a_restricted_key_needs_the_scope(api: Api) -> None:
    reading = api.as_(await api.new_key(scopes=["media:read"]))
    assert (await reading.get("/v1/media")).status == 200
    assert (await reading.get("/v1/media/storage")).status == 200
    refused = await reading.get("/v1/media/upload-url", {"media_type": "image/png", "filename": "a"})
    assert (refused.status, refused.json["error"]["meta"]["required_scope"]) == (403, "media:write")


@pytest.mark.parametrize("how", ["form", "signed"])
async def test_a_connection_that_breaks_in_the_middle_leaves_nothing(api_server: Api, how: str) -> None:
    address = urlsplit(str(api_server.client.base_url))
    if how == "form":
        start = (
            "POST /v1/media/upload HTTP/1.1\r\nHost: here\r\nContent-Length: 900000\r\n"
            f"Authorization: Bearer {api_server.key}\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n"
            '--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
        )
    else:
        _, url = await _upload_url(api_server)
        start = f"PUT {_bare(url)} HTTP/1.1\r\nHost: here\r\nContent-Length: 900000\r\nContent-Type: image/png\r\n\r\n"
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(start.encode() + b"\xff\xd8\xff" + bytes(200_000))
        await _until(lambda: bool(_stored(api_server)))
    await _until(lambda: not _stored(api_server))
    assert (await api_server.get("/v1/media")).json["data"] == []


async def _until(happened: Any) -> None:
    deadline = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_the_published_client_manages_the_library(api_server: Api, tmp_path: Path) -> None:
    place = samples.png(tmp_path / "a.png", 8, 8)

    def as_its_documentation_says() -> None:
        with socialapi.SocialAPI(api_key=api_server.key, base_url=str(api_server.client.base_url)) as client:
            for _ in range(3):
                assert client.media.upload(content=place.read_bytes(), filename="a.png").media_id
            link = client.media.get_upload_url(media_type="image/png", filename="b.png")
            httpx2.put(
                link.upload_url, content=place.read_bytes(), headers={"Content-Type": "image/png"}
            ).raise_for_status()
            client.media.verify(link.media_id)
            items = [item.id for item in client.media.list(limit=2)]
            assert len(items) == len(set(items)) == 4
            assert items[0] == link.media_id
            client.media.delete(link.media_id)
            usage = client.media.get_storage_usage()
            assert (usage.count, usage.used_bytes) == (3, 3 * place.stat().st_size)
            with pytest.raises(socialapi.NotFoundError):
                client.media.verify(link.media_id)

    await anyio.to_thread.run_sync(as_its_documentation_says)
