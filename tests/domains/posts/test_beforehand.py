"""What is told before anything is stored: limits, checks, tables of posts, and whether the schedule keeps up."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from faults.lane import Lane
from hubbub.domains.posts.tables import targets
from hubbub.kit import clock

pytestmark = pytest.mark.anyio


async def imported(lane: Lane, table: str | bytes, query: str = "") -> Any:
    content = table.encode() if isinstance(table, str) else table
    return await lane.client.post(
        f"/v1/posts/import{query}", files={"file": ("posts.csv", content, "text/csv")}
    )


async def count(lane: Lane) -> int:
    return (await lane.call("GET", "/v1/posts?limit=100"))["count"]


# Limits as numbers


async def test_constraints_have_a_number_for_everything(lane: Lane) -> None:
    told = (await lane.call("GET", "/v1/posts/validate"))["data"]

    assert {"bluesky", "facebook"} <= set(told)
    assert told["bluesky"]["text"] == {
        "max_length": 300,
        "counting_mode": "chars",
        "max_hashtags": 0,
        "max_mentions": 0,
        "photo_max_length": 0,
    }
    assert told["bluesky"]["carousel"] == {
        "supported": True, "min_items": 2, "max_items": 4, "allow_video": False, "images_only": True,
        "photos_only": True,
    }  # fmt: skip
    assert told["bluesky"]["media"]["max_video_size_bytes"] == 0
    assert told["facebook"]["media"]["max_video_duration_sec"] == 14_400
    assert told["facebook"]["scheduling"] == {"supported": True, "mode": "server_side"}
    assert "null" not in json.dumps(told)


async def test_constraints_of_one_platform_and_of_none(lane: Lane) -> None:
    one = await lane.call("GET", "/v1/posts/validate?platform=bluesky")
    none = await lane.client.get("/v1/posts/validate?platform=myspace")

    assert list(one["data"]) == ["bluesky"]
    assert (none.status_code, none.json()["error"]["code"]) == (400, "account.unsupported_platform")


# A draft


async def test_what_is_wrong_with_a_draft_is_an_answer_and_no_error(lane: Lane) -> None:
    body = {
        "text": "x" * 301,
        "title": "t" * 600,
        "platforms": ["facebook", "myspace"],
        "account_ids": [lane.accounts["bluesky"], "acc_nobody"],
        "media_ids": ["00000000-0000-0000-0000-000000000000"],
        "scheduled_at": "2020-01-01T00:00:00Z",
        "segments": [{"text": "fine"}, {"text": "y" * 301}],
    }

    told = await lane.call("POST", "/v1/posts/validate", body)

    found = {(issue["platform"], issue["field"], issue["segment_index"]) for issue in told["errors"]}
    assert told["valid"] is False
    assert ("", "scheduled_at", None) in found
    assert ("", "title", None) in found
    assert ("", "media[0]", None) in found
    assert ("", "account_id", None) in found
    assert ("myspace", "platforms", None) in found
    assert ("facebook", "segments", None) in found
    assert ("bluesky", "segments[1].text", 1) in found
    assert all(issue["message"] for issue in told["errors"])
    assert await count(lane) == 0


async def test_each_target_is_checked_for_itself(lane: Lane) -> None:
    body = {
        "text": "x" * 301,
        "targets": [
            {"account_id": lane.accounts["facebook"]},
            {"account_id": lane.accounts["bluesky"]},
        ],
    }

    told = await lane.call("POST", "/v1/posts/validate", body)
    better = await lane.call(
        "POST",
        "/v1/posts/validate",
        {**body, "targets": [body["targets"][0], {**body["targets"][1], "text": "short"}]},
    )

    assert [(issue["platform"], issue["field"], issue["target"]) for issue in told["errors"]] == [
        ("bluesky", "text", lane.accounts["bluesky"])
    ]
    assert better == {"valid": True, "errors": [], "warnings": []}


async def test_what_will_be_lost_is_a_warning(lane: Lane) -> None:
    body = {"text": "hello", "platforms": ["facebook"], "platform_data": {"facebook": {"title": "x"}}}

    told = await lane.call("POST", "/v1/posts/validate", body)

    assert told["valid"] is True
    assert told["warnings"][0]["platform"] == "facebook"
    assert "title" in told["warnings"][0]["message"]


async def test_a_body_that_is_malformed_is_refused(lane: Lane) -> None:
    refused = await lane.client.post("/v1/posts/validate", json={"text": "x", "platforms": "bluesky"})

    assert refused.status_code == 400


async def test_validation_can_be_skipped_and_then_the_platform_decides(lane: Lane) -> None:
    body = {"media_ids": [], "first_comment": None}
    refused = await lane.client.post(
        "/v1/posts", json={"text": "x" * 301, "targets": [{"account_id": lane.accounts["bluesky"]}]}
    )

    post = await lane.ended(await lane.post("bluesky", "x" * 301, skip_validation=True, **body))

    assert refused.status_code == 400
    assert post["status"] == "failed"
    assert post["targets"][0]["error"]["upstream"]


# Tables


async def test_every_row_that_is_right_becomes_a_post(lane: Lane) -> None:
    later = (clock.now() + timedelta(days=1)).isoformat()
    bluesky, both = lane.accounts["bluesky"], f"{lane.accounts['bluesky']}|{lane.accounts['facebook']}"
    table = (
        "text,title,account_ids,scheduled_at,visibility,first_comment,platform_data,board_id\r\n"
        '"A draft, with ""quotes""\nand two lines",,,,,,,\r\n'
        f"Later,,{both},{later},,,,\r\n"
        "\r\n"
        f",,{bluesky},,,,,\r\n"
        f"Nobody,,acc_nobody,,,,,\r\n"
        f"Bad,,{bluesky},tomorrow,,,,\r\n"
        'Odd,,,,,,"[1]",\r\n'
        f'Card,,{bluesky},,,,"{{""bluesky"": {{""link"": ""https://example.com""}}}}",\r\n'
    )

    told = (await imported(lane, table)).json()

    assert (told["total_rows"], told["created"], told["failed"]) == (7, 3, 4)
    assert [error["row"] for error in told["errors"]] == [3, 4, 5, 6]
    assert [post["status"] for post in told["posts"]] == ["draft", "scheduled", "draft"]
    assert told["posts"][0]["text"] == 'A draft, with "quotes"\nand two lines'
    assert len(told["posts"][1]["targets"]) == 2
    assert await count(lane) == 3


async def test_a_trial_keeps_nothing_and_finds_the_same_mistakes(lane: Lane) -> None:
    told = (
        await imported(lane, "text\nfine\n" + "\n".join(["also fine", "x,y"][:1]), "?dry_run=true")
    ).json()
    wrong = (await imported(lane, "text,account_ids\nfine,acc_nobody\n", "?dry_run=true")).json()

    assert told == {"total_rows": 2, "created": 0, "failed": 0, "errors": [], "posts": []}
    assert (wrong["created"], wrong["failed"], wrong["errors"][0]["row"]) == (0, 1, 1)
    assert await count(lane) == 0


async def test_without_a_header_the_columns_have_their_usual_order(lane: Lane) -> None:
    told = (await imported(lane, "Hello,A title\nText,Another\n")).json()

    # A first line that holds a column's name is a header; these are not.
    assert [(post["text"], post["title"]) for post in told["posts"]] == [
        ("Hello", "A title"),
        ("Text", "Another"),
    ]


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (b"text\n\xff\xfe", "format"),
        (b'text\n"open', "format"),
        (b"text\x00", "format"),
        (b"text\n" + b"a\n" * 1_001, "too_many"),
        (b"text\n" + b"a" * (5 * 1024 * 1024), "too_large"),
        (b"text,title\na,b,c\n", "format"),
    ],
)
async def test_what_is_no_table_of_posts_is_refused(lane: Lane, table: bytes, reason: str) -> None:
    refused = await imported(lane, table)

    error = refused.json()["error"]
    assert refused.status_code == 400
    assert (error["code"], error["meta"]["reason"]) == ("validation.field_invalid", reason)


# Time


@pytest.mark.parametrize(
    ("at", "field"),
    [
        ({"local": "2090-01-01T10:00", "timezone": "Europe/Nowhere"}, "scheduled_at.timezone"),
        ({"local": "2090-01-01T10:00+01:00", "timezone": "Europe/Berlin"}, "scheduled_at.local"),
        ({"local": "soon", "timezone": "Europe/Berlin"}, "scheduled_at.local"),
        ({"local": "2090-01-01T10:00", "timezone": {}}, "scheduled_at.timezone"),
        ({"local": "2090-01-01T10:00", "timezone": ["Europe/Berlin"]}, "scheduled_at.timezone"),
        ({"timezone": "Europe/Berlin"}, "scheduled_at.local"),
        ({"local": "2020-01-01T10:00", "timezone": "Europe/Berlin"}, "scheduled_at"),
        ("soon", "scheduled_at"),
    ],
)
async def test_a_time_that_is_none_is_refused_where_it_stands(lane: Lane, at: Any, field: str) -> None:
    body = {"text": "x", "scheduled_at": at, "targets": [{"account_id": lane.accounts["bluesky"]}]}

    refused = await lane.client.post("/v1/posts", json=body)

    assert refused.status_code == 400
    assert refused.json()["error"]["meta"]["field"] == field


async def test_a_target_has_a_wall_time_of_its_own(lane: Lane) -> None:
    target = {
        "account_id": lane.accounts["bluesky"],
        "scheduled_at": {"local": "2090-03-26T02:30", "timezone": "Europe/Berlin"},
    }
    body = {"text": "x", "scheduled_at": "2090-01-01T00:00:00Z", "targets": [target]}

    post = await lane.call("POST", "/v1/posts", body)

    assert post["wall_time"] is None
    assert post["targets"][0]["wall_time"]["timezone"] == "Europe/Berlin"
    assert post["targets"][0]["due_at"] == "2090-03-26T01:00:00Z"


async def test_the_scheduler_says_how_far_behind_it_is(idle: Lane) -> None:
    on_time = await idle.call("GET", "/v1/health/scheduler")
    at = (clock.now() + timedelta(hours=1)).isoformat()
    post_id = await idle.post("bluesky", "waiting", publish_now=False, scheduled_at=at)
    waiting = await idle.call("GET", "/v1/health/scheduler")
    async with idle.runtime.database.begin() as db:
        await db.execute(sa.update(targets).values(due_at=clock.now() - timedelta(minutes=5)))
    late = await idle.call("GET", "/v1/health/scheduler")

    assert (on_time["status"], on_time["oldest_overdue"], on_time["next_due_at"]) == ("ok", None, None)
    assert waiting["status"] == "ok"
    assert waiting["next_due_at"]
    assert (late["status"], late["overdue"]) == ("late", 1)
    assert late["oldest_overdue"]["post_id"] == post_id
    assert 299_000 <= late["oldest_overdue"]["age_ms"] < 330_000
