"""Addresses in changes, in trials and in tables, beside those in new posts (`test_media_fetching.py`)."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from media_site import Site, site

import samples
from api import Answer, Api
from hubbub.domains.media import contents
from hubbub.runtime.settings import Settings

__all__ = ["site"]
pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(settings: Settings) -> Settings:
    settings.allow_private_networks = ["127.0.0.1/32"]
    return settings


@pytest.fixture
def pictured(site: Site, tmp_path: Path) -> Site:
    """A site with a picture at /a.png, half of one at /half, and a page at /page."""
    picture = samples.png(tmp_path / "a.png").read_bytes()
    site.files = {"/a.png": picture, "/half": picture[: len(picture) // 2], "/page": b"<!doctype html>"}
    return site


def by_address(site: Site, *paths: str, **more: Any) -> list[dict[str, Any]]:
    return [{"source_type": "url", "source": site.url(path), **more} for path in paths]


async def library(api: Api) -> list[Any]:
    return (await api.get("/v1/media")).json["data"]


async def nothing_is_left(api: Api) -> None:
    assert await library(api) == []
    await contents.sweep(api.runtime)
    assert [place for place in (api.runtime.settings.data_dir / "media").rglob("*") if place.is_file()] == []


async def draft(api: Api) -> str:
    return (await api.post("/v1/posts", {"text": "Look"})).json["id"]


async def imported(api: Api, table: str, query: str = "") -> Answer:
    return await api.post(f"/v1/posts/import{query}", files={"file": ("posts.csv", table, "text/csv")})


# Changes


async def test_a_change_may_name_media_by_address(api: Api, pictured: Site) -> None:
    post_id = await draft(api)
    changed = await api.patch(
        f"/v1/posts/{post_id}", {"media": by_address(pictured, "/a.png", alt_text="A cat.")}
    )
    assert changed.status == 200, changed.json
    (item,) = await library(api)
    assert changed.json["media_ids"] == [item["id"]]
    assert changed.json["media"][0]["alt_text"] == "A cat."
    assert (await api.get(f"/v1/posts/{post_id}")).json["media_ids"] == [item["id"]]


async def test_a_change_whose_media_cannot_be_had_changes_nothing(api: Api, pictured: Site) -> None:
    post_id = await draft(api)
    refused = await api.patch(
        f"/v1/posts/{post_id}", {"text": "Other", "media": by_address(pictured, "/page", "/nothing")}
    )
    assert [error["meta"]["field"] for error in refused.json["error"]["errors"]] == ["media[0]", "media[1]"]
    assert (await api.get(f"/v1/posts/{post_id}")).json["text"] == "Look"
    await nothing_is_left(api)


async def test_nobody_is_asked_for_media_of_a_post_that_cannot_be_changed(api: Api, pictured: Site) -> None:
    post_id = await draft(api)
    async with api.work() as work:
        await work.db.exec_driver_sql("UPDATE posts SET status = 'published'")
    body = {"media": by_address(pictured, "/a.png")}
    assert (await api.patch(f"/v1/posts/{post_id}", body)).code == "post.state_invalid"
    assert (await api.patch(f"/v1/posts/{uuid.uuid4()}", body)).code == "post.not_found"
    assert pictured.asked == []


# Trials


async def test_what_is_at_an_address_is_looked_at_beforehand_and_not_kept(api: Api, pictured: Site) -> None:
    body = {"text": "Look", "platforms": ["bluesky"], "media": by_address(pictured, "/a.png", "/a.png")}
    told = await api.post("/v1/posts/validate", body)
    assert told.json == {"valid": True, "errors": [], "warnings": []}
    assert pictured.asked == ["/a.png"]
    await nothing_is_left(api)


async def test_an_address_that_leads_nowhere_is_an_error_where_it_stands(api: Api, pictured: Site) -> None:
    paths = ("/a.png", "/nothing", "/half", "/page", "/nothing")
    body = {"text": "Look", "platforms": ["bluesky"], "media": by_address(pictured, *paths)}
    told = (await api.post("/v1/posts/validate", body)).json
    assert told["valid"] is False
    assert [issue["field"] for issue in told["errors"]] == [f"media[{number}]" for number in (1, 2, 3, 4)]
    await nothing_is_left(api)


async def test_what_a_platform_would_refuse_is_found_behind_an_address_too(api: Api, pictured: Site) -> None:
    media = by_address(pictured, "/a.png")
    told = (await api.post("/v1/posts/validate", {"platforms": ["instagram"], "media": media})).json
    assert told["valid"] is False
    assert {issue["platform"] for issue in told["errors"]} == {"instagram"}
    assert {issue["field"] for issue in told["errors"]} == {"media[0]"}


async def test_a_trial_may_not_name_any_number_of_addresses(api: Api, site: Site) -> None:
    media = by_address(site, *(f"/{number}" for number in range(21)))
    refused = await api.post("/v1/posts/validate", {"text": "x", "media": media})
    assert (refused.status, refused.json["error"]["meta"]["reason"]) == (400, "too_many")
    assert site.asked == []


# Tables


async def test_a_row_may_name_its_media_by_address(api: Api, pictured: Site) -> None:
    picture, nothing = pictured.url("/a.png"), pictured.url("/nothing")
    told = await imported(
        api, f"text,media_urls\nOne,{picture}\nTwo,{picture} | {picture}\nThree,{nothing}\n,{picture}\n"
    )
    (item,) = await library(api)
    assert [post["media_ids"] for post in told.json["posts"]] == [
        [item["id"]],
        [item["id"]] * 2,
        [item["id"]],
    ]
    assert [error["row"] for error in told.json["errors"]] == [3]
    assert sorted(pictured.asked) == ["/a.png", "/nothing"]


async def test_a_trial_of_a_table_looks_at_addresses_and_keeps_nothing(api: Api, pictured: Site) -> None:
    told = await imported(
        api, f"text,media_urls\nOne,{pictured.url('/a.png')}\nTwo,{pictured.url('/half')}\n", "?dry_run=true"
    )
    assert (told.json["created"], [error["row"] for error in told.json["errors"]]) == (0, [2])
    assert (await api.get("/v1/posts")).json["data"] == []
    await nothing_is_left(api)


async def test_a_table_may_name_so_many_addresses_and_no_more(api: Api, site: Site) -> None:
    rows = "".join(f"x,{site.url(f'/{number}')}\n" for number in range(51))
    refused = await imported(api, f"text,media_urls\n{rows}")
    assert (refused.status, refused.json["error"]["meta"]["max"]) == (400, 50)
    assert site.asked == []
