from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

import samples
from api import Api
from hubbub.domains.media import contents, rules
from hubbub.runtime.settings import Settings
from nanio_server import *  # noqa: F403
from nanio_server import ACCESS_KEY, SECRET_KEY, Bucket

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(settings: Settings, bucket: Bucket) -> Settings:
    update: dict[str, Any] = {"media_url": bucket.url, "media_access_key": ACCESS_KEY}
    return Settings(**{**settings.model_dump(), **update, "media_secret_key": SECRET_KEY})


async def _expected(api: Api, media_type: str) -> tuple[str, str]:
    answer = await api.get("/v1/media/upload-url", {"media_type": media_type, "filename": "a"})
    return answer.json["media_id"], answer.json["upload_url"]


async def _put(address: str, content: bytes) -> int:
    async with httpx2.AsyncClient(trust_env=False) as client:
        return (await client.put(address, content=content, headers={"Content-Type": "video/mp4"})).status_code


async def test_an_uploaded_file_is_kept_and_shown_and_removed(
    api: Api, bucket: Bucket, tmp_path: Path
) -> None:
    place = samples.jpeg(tmp_path / "a.jpg")
    made = await api.post("/v1/media/upload", files={"file": ("a.jpg", place.read_bytes(), "image/jpeg")})
    assert made.status == 201
    assert len(bucket.objects()) == 1
    (item,) = (await api.get("/v1/media")).json["data"]
    path = item["url"].removeprefix("http://api.test")
    assert (await api.get(path)).content == place.read_bytes()
    assert (await api.get(path, headers={"Range": "bytes=1-2"})).content == place.read_bytes()[1:3]
    assert (await api.delete(f"/v1/media/{item['id']}")).status == 204
    await contents.sweep(api.runtime)
    assert bucket.objects() == []


async def test_a_film_goes_straight_to_the_bucket(api: Api, bucket: Bucket, tmp_path: Path) -> None:
    place = samples.mp4(tmp_path / "a.mp4")
    media_id, address = await _expected(api, "video/mp4")
    assert address.startswith(bucket.endpoint)
    assert (await api.post(f"/v1/media/{media_id}/verify")).status == 400
    media_id, address = await _expected(api, "video/mp4")
    assert await _put(address + "0", place.read_bytes()) == 403
    assert await _put(address, place.read_bytes()) == 200
    for _ in range(2):
        assert (await api.post(f"/v1/media/{media_id}/verify")).json == {"success": True}
    (item,) = (await api.get("/v1/media")).json["data"]
    assert (item["id"], item["kind"], item["size_bytes"]) == (media_id, "video", place.stat().st_size)


async def test_what_was_verified_is_not_replaced_by_a_second_upload(
    api: Api, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = samples.mp4(tmp_path / "a.mp4")
    media_id, address = await _expected(api, "video/mp4")
    await _put(address, place.read_bytes())
    await api.post(f"/v1/media/{media_id}/verify")
    assert await _put(address, b"something else") == 200
    assert len(bucket.objects()) == 2
    (item,) = (await api.get("/v1/media")).json["data"]
    assert (await api.get(item["url"].removeprefix("http://api.test"))).content == place.read_bytes()
    monkeypatch.setattr(rules, "UNFINISHED_FOR", timedelta(seconds=-1))
    await contents.sweep(api.runtime)
    assert len(bucket.objects()) == 1


async def test_an_upload_above_the_quota_is_removed(api: Api, bucket: Bucket, tmp_path: Path) -> None:
    place = samples.mp4(tmp_path / "a.mp4")
    media_id, address = await _expected(api, "video/mp4")
    await _put(address, place.read_bytes())
    api.runtime.settings.storage_limit_bytes = place.stat().st_size - 1
    refused = await api.post(f"/v1/media/{media_id}/verify")
    assert (refused.status, refused.code) == (413, "billing.storage_quota")
    assert bucket.objects() == []


async def test_an_upload_that_nobody_completed_is_forgotten(
    api: Api, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, address = await _expected(api, "video/mp4")
    await _put(address, b"half a film")
    await contents.sweep(api.runtime)
    assert len(bucket.objects()) == 1
    monkeypatch.setattr(rules, "UNFINISHED_FOR", timedelta(seconds=-1))
    for _ in range(2):
        await contents.sweep(api.runtime)
    assert bucket.objects() == []
