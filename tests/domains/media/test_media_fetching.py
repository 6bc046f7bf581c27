from __future__ import annotations

import socket
from pathlib import Path

import pytest
from media_site import Site, site

import samples
from api import Api
from hubbub.domains.media import contents
from hubbub.runtime.settings import Settings

__all__ = ["site"]
pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(settings: Settings) -> Settings:
    settings.allow_private_networks = ["127.0.0.1/32"]
    return settings


async def test_a_picture_is_fetched_and_kept_once(api: Api, site: Site, tmp_path: Path) -> None:
    picture = samples.jpeg(tmp_path / "a.jpg").read_bytes()
    site.files = {"/K%C3%A4tzchen.jpg": picture, "/other": picture}
    made = await api.post("/v1/media/ingest", {"url": site.url("/K%C3%A4tzchen.jpg?size=large")})
    assert made.status == 201
    (item,) = (await api.get("/v1/media")).json["data"]
    assert (item["id"], item["filename"]) == (made.json["media_id"], "Kätzchen.jpg")
    assert (item["content_type"], item["size_bytes"]) == ("image/jpeg", len(picture))
    again = await api.post("/v1/media/ingest", {"url": site.url("/other")})
    assert again.json == made.json
    assert len((await api.get("/v1/media")).json["data"]) == 1
    await contents.sweep(api.runtime)
    assert len(_stored(api)) == 1


def _stored(api: Api) -> list[Path]:
    return [place for place in (api.runtime.settings.data_dir / "media").rglob("*") if place.is_file()]


async def test_up_to_three_redirects_are_followed(api: Api, site: Site, tmp_path: Path) -> None:
    site.files = {"/4": samples.png(tmp_path / "a.png").read_bytes()}
    site.moved = {"/0": "/1", "/1": site.url("/2"), "/2": "/3", "/3": "/4"}
    assert (await api.post("/v1/media/ingest", {"url": site.url("/1")})).status == 201
    refused = await api.post("/v1/media/ingest", {"url": site.url("/0")})
    assert (refused.status, refused.json["error"]["meta"]["reason"]) == (400, "redirects")


@pytest.mark.parametrize("host", ["127.0.0.2", "169.254.169.254", "[::1]", "10.0.0.1", "0x7f000001"])
async def test_neither_an_address_nor_a_redirect_leads_into_a_private_network(
    api: Api, site: Site, host: str
) -> None:
    site.moved = {"/a": f"http://{host}:{site.server_address[1]}/secret"}
    site.files = {"/secret": b"secret"}
    for url in (site.url("/a"), site.moved["/a"]):
        refused = await api.post("/v1/media/ingest", {"url": url})
        meta = refused.json["error"]["meta"]
        assert (refused.status, meta["field"], meta["reason"]) == (400, "url", "blocked")
    assert site.asked == ["/a"]


@pytest.mark.parametrize("url", ["ftp://example.com/a", "file:///etc/passwd", "http://a@example.com/", "a"])
async def test_what_is_no_address_of_a_page_is_refused(api: Api, url: str) -> None:
    refused = await api.post("/v1/media/ingest", {"url": url})
    assert (refused.status, refused.code) == (400, "validation.field_invalid")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/none", "unreachable"), ("/a?cut", "unreachable"), ("/a?slow", "timeout"), ("/a?packed", "encoding"),
        ("/large", "too_large"), ("/large?unannounced", "too_large"), ("/page", "type"), ("/empty", "empty"),
        ("/half", "unreadable"),
    ],
)  # fmt: skip
async def test_what_is_no_whole_picture_film_or_sound_leaves_nothing(
    api: Api, site: Site, tmp_path: Path, path: str, reason: str
) -> None:
    picture = samples.png(tmp_path / "a.png").read_bytes()
    site.files = {"/a": picture + bytes(2000), "/large": bytes(100_001), "/page": b"<!doctype html><p>hi</p>"}
    site.files |= {"/empty": b"", "/half": picture[: len(picture) // 2]}
    api.runtime.settings.fetch_max_bytes = 100_000
    api.runtime.settings.fetch_seconds = 0.5 if reason == "timeout" else 30
    refused = await api.post("/v1/media/ingest", {"url": site.url(path)})
    assert (refused.status, refused.json["error"]["meta"]["reason"]) == (400, reason)
    assert (await api.get("/v1/media")).json["data"] == []
    await contents.sweep(api.runtime)
    assert _stored(api) == []


async def test_a_host_that_is_not_there_is_said_so(api: Api) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    refused = await api.post("/v1/media/ingest", {"url": f"http://127.0.0.1:{port}/a.png"})
    assert refused.json["error"]["meta"]["reason"] == "unreachable"


async def test_a_post_may_name_its_media_by_address(api: Api, site: Site, tmp_path: Path) -> None:
    site.files = {"/a.png": samples.png(tmp_path / "a.png").read_bytes()}
    media = [{"source_type": "url", "source": site.url("/a.png"), "alt_text": "A cat."}]
    made = await api.post("/v1/posts", {"text": "Look", "media": media * 2})
    assert made.status == 201
    (item,) = (await api.get("/v1/media")).json["data"]
    assert made.json["media_ids"] == [item["id"]] * 2
    assert made.json["media"][0]["alt_text"] == "A cat."
    assert site.asked == ["/a.png"]
    assert (await api.delete(f"/v1/media/{item['id']}")).code == "media.in_use"


async def test_a_post_whose_media_cannot_be_had_is_not_made(api: Api, site: Site) -> None:
    media = [{"source_type": "url", "source": site.url(path)} for path in ("/a", "/b")]
    refused = await api.post("/v1/posts", {"text": "Look", "media": media})
    assert [error["meta"]["field"] for error in refused.json["error"]["errors"]] == ["media[0]", "media[1]"]
    assert (await api.get("/v1/posts")).json["data"] == []
