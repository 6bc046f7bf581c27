"""What the vendor's other two clients do differently: the n8n node and the MCP server, by their bare requests."""

from __future__ import annotations

from typing import Any

import pytest

from .place import Accounts, Place, unheard

MCP = {"User-Agent": "mcp-socialapi/1.1.0"}


def test_the_library_is_listed_with_a_trailing_slash(place: Place, picture: bytes) -> None:
    uploaded = place.call("POST", "/v1/media/upload", files={"file": ("a.jpg", picture)})

    plain = place.call("GET", "/v1/media", params={"limit": 1})
    slash = place.call("GET", "/v1/media/", params={"limit": 1}, headers=MCP)

    assert (uploaded.status_code, slash.status_code) == (201, 200)
    assert [one["id"] for one in slash.json()["data"]] == [uploaded.json()["media_id"]]
    assert slash.json()["pagination"] == plain.json()["pagination"]
    assert slash.headers["x-storage-used"] == plain.headers["x-storage-used"]


def test_a_code_and_a_state_alone_connect_an_account(place: Place) -> None:
    began = place.call("POST", "/v1/accounts/connect", {"platform": "facebook"})
    back = place.approve(began.json()["auth_url"], place.welcome("facebook"))

    made = place.call("POST", "/v1/oauth/exchange", {"code": back["code"], "state": back["state"]})

    assert began.status_code == 202
    assert made.status_code == 201
    assert made.json()["platform"] == "facebook"


def test_a_draft_is_published_with_an_empty_request(place: Place, accounts: Accounts) -> None:
    text = unheard("by n8n")
    draft = place.call("POST", "/v1/posts", {"text": text, "targets": accounts.both})

    published = place.call("POST", f"/v1/posts/{draft.json()['id']}/publish")
    again = place.call("POST", f"/v1/posts/{draft.json()['id']}/publish")
    post = place.settled(draft.json()["id"])

    assert draft.json()["status"] == "draft"
    assert (published.status_code, published.json()["status"]) == (201, "publishing")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "post.state_invalid")
    assert post["status"] == "published"
    for platform in ("bluesky", "facebook"):
        assert len(place.posts(platform, text)) == 1


@pytest.mark.parametrize("path", ["/v1/posts", "/v1/media/"])
def test_following_only_the_outer_cursor_shows_everything_and_ends(
    place: Place, accounts: Accounts, picture: bytes, path: str
) -> None:
    for _ in range(4):
        place.call("POST", "/v1/media/upload", files={"file": ("a.jpg", picture)})
        place.call("POST", "/v1/posts", {"text": unheard("draft"), "targets": accounts.both})
    whole = place.call("GET", path, params={"limit": 100}).json()

    seen, query, pages = list[str](), {"limit": "3"}, 0
    while True:
        page: Any = place.call("GET", path, params=query).json()
        seen, pages = seen + [one["id"] for one in page["data"]], pages + 1
        assert page["count"] == len(page["data"])
        if "next_cursor" not in page:
            break
        assert page["next_cursor"]
        query["cursor"] = page["next_cursor"]

    assert pages > 1
    assert len(seen) == len(set(seen))
    assert set(seen) >= {one["id"] for one in whole["data"]}
    assert page["pagination"] == {"limit": 3, "has_more": False, "next_cursor": ""}


def test_requests_without_a_body_and_without_a_type_are_taken(place: Place, picture: bytes) -> None:
    query = {"media_type": "image/jpeg", "filename": "a.jpg"}
    given = place.call("GET", "/v1/media/upload-url", params=query, headers=MCP).json()
    place.browser.put(given["upload_url"], content=picture, headers={"Content-Type": "image/jpeg"})

    verified = place.call("POST", f"/v1/media/{given['media_id']}/verify", headers=MCP)

    assert verified.request.headers["content-length"] == "0"
    assert "content-type" not in verified.request.headers
    assert (verified.status_code, verified.json()) == (200, {"success": True})


def test_fields_that_nobody_knows_are_ignored(place: Place, accounts: Accounts) -> None:
    body = {"text": unheard("extra"), "targets": accounts.both, "mood": "good", "media_ids": []}

    made = place.call("POST", "/v1/posts", body, headers={"X-Request-ID": "my-own_1"})

    assert made.status_code == 201
    assert made.headers["x-request-id"] == "my-own_1"


def test_accounts_may_be_named_in_one_comma_list(place: Place, accounts: Accounts) -> None:
    text = unheard("listed")
    made = place.call("POST", "/v1/posts", {"text": text, "targets": accounts.both[1:]}).json()

    query = {"account_ids": f"{accounts.bluesky},{accounts.facebook}", "search": text}
    found = place.call("GET", "/v1/posts", params=query, headers=MCP).json()

    assert [one["id"] for one in found["data"]] == [made["id"]]
