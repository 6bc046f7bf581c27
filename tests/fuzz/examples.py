"""What schemathesis begins with and varies: a request body for each operation that takes one, and ids that exist.

Words that begin with `the-` stand for things and are replaced when the request is made (seeds.py).
"""

from __future__ import annotations

from typing import Any

LATER = "2099-01-01T00:00:00Z"
PICTURE = {"source_type": "media_id", "source": "the-picture", "type": "image"}
TARGETS = [{"account_id": "the-bluesky"}, {"account_id": "the-facebook", "page_id": "the-page"}]
WALL = {"local": "2099-03-29T02:30", "timezone": "Europe/Berlin"}

BODIES: dict[str, list[dict[str, Any]]] = {
    "change_key": [{"name": "Another name", "scopes": ["posts:read"]}],
    "change_page": [{"is_default": True, "is_active": True}],
    "connect_account": [{"platform": "the-somebody"}, {"platform": "facebook", "state": "mine"}],
    "create_key": [{"name": "For the shop", "scopes": ["posts:write"], "brand_ids": ["the-brand"]}],
    "create_post": [
        {"text": "Closed on Monday.", "targets": TARGETS, "scheduled_at": LATER, "media": [PICTURE]},
        {
            "text": "Fresh bread.",
            "targets": TARGETS[:1],
            "scheduled_at": WALL,
            "segments": [{"text": "And rolls."}],
        },
        {"text": "A draft.", "media_ids": ["the-picture"]},
        {"text": "Now.", "targets": TARGETS[:1], "publish_now": True, "skip_duplicate_check": True},
    ],
    "exchange_code": [{"code": "the-consent"}],
    "import_posts": [{"file": "text\nFresh bread.\n"}],
    "ingest_media": [{"url": "https://127.0.0.1/picture.jpg"}],
    "resolve_target": [{"outcome": "absent"}],
    "select_pages": [{"page_ids": ["the-place"]}],
    "sign_in": [{"email": "the-email", "password": "the-password"}],
    "sign_up": [{"email": "the-new-email", "password": "the-password"}],
    "unpublish_post": [{}, {"account_ids": ["the-bluesky"]}],
    "update_post": [{"text": "Open again.", "targets": TARGETS[:1], "scheduled_at": LATER}, {"hidden": True}],
    "validate_post": [{"text": "Closed on Monday.", "platforms": ["bluesky"], "targets": TARGETS}],
}

PATHS: dict[str, list[str]] = {
    "account_id": ["the-bluesky"],
    "connection_id": ["the-connection"],
    "media_id": ["the-picture"],
    "page_id": ["the-page"],
    "pid": ["the-draft", "the-scheduled", "the-published"],
    "platform": ["bluesky"],
    "code": ["post.not_found"],
}
WORDS: dict[str, list[str]] = {
    "posts": ["the-draft", "the-scheduled", "the-published"],
    "accounts": ["the-bluesky", "the-facebook"],
    "pages": ["the-page"],
    "places": ["the-place"],
    "pictures": ["the-picture"],
    "keys": ["the-key"],
    "connections": ["the-connection"],
    "sign-ins": ["the-somebody", "facebook", "instagram"],
    "consents": ["the-consent"],
    "platforms": ["bluesky", "facebook", "instagram"],
    "codes": ["post.not_found", "http.404"],
    "media types": ["image/jpeg", "video/mp4"],
    "addresses": [
        "https://127.0.0.1/x.jpg",
        "http://[::1]/",
        "ftp://example.com/",
        "http://",
        "https://a..b/",
    ],
    "brands": ["the-brand"],
    "times": ["2099-01-01T00:00:00Z", "2098-12-31T23:30:00+02:00"],
    "texts": ["Fresh bread from seven.", "the-post"],
    "scopes": ["posts:read", "posts:write", "media:read", "accounts:manage"],
}
"""What is drawn instead of anything that fits, by subject."""

IDS = {"/v1/accounts/": ["the-facebook", "the-bluesky"], "/v1/keys/": ["the-key"]}
"""What `{id}` is below these paths."""


def add_to(description: dict[str, Any]) -> dict[str, Any]:
    for path, operations in description["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                known = PATHS.get(parameter["name"], [])
                if parameter["name"] == "id":
                    known = next(words for start, words in IDS.items() if path.startswith(start))
                if known and parameter["in"] == "path":
                    parameter["examples"] = {word: {"value": word} for word in known}
            bodies = BODIES.get(operation["operationId"], [])
            for content in operation.get("requestBody", {}).get("content", {}).values():
                if bodies:
                    content["examples"] = {str(number): {"value": body} for number, body in enumerate(bodies)}
    return description
