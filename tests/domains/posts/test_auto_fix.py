"""Pictures that a platform would refuse only for their size, shape or type: offered as a fix, and fixed when asked."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from PIL import Image

from faults.connecting import upload
from faults.lane import Lane
from hubbub.domains.media.tables import media
from hubbub.domains.posts import publish, rules
from hubbub.domains.posts.attempt import Attempt
from hubbub.runtime.work import Caller, open_work
from hubbub.social.draft import Draft

pytestmark = pytest.mark.anyio

LATER = "2090-01-01T00:00:00Z"


def picture(width: int, height: int, format: str = "PNG") -> bytes:
    whole = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(whole, format)
    return whole.getvalue()


def too_large() -> bytes:
    """A PNG of more than 2,000,000 bytes."""
    across = Image.effect_mandelbrot((1_000, 900), (-2, -1.5, 1, 1.5), 100)
    bands = [
        across.point([shade * by % 256 for shade in range(256)]).transpose(way)
        for by, way in (
            (37, Image.Transpose.ROTATE_180),
            (91, Image.Transpose.ROTATE_90),
            (53, Image.Transpose.TRANSPOSE),
        )
    ]
    noisy = Image.merge("RGB", [band.resize((1_000, 900)) for band in bands])
    whole = io.BytesIO()
    noisy.save(whole, "PNG", compress_level=0)
    return whole.getvalue()


async def copies(lane: Lane) -> list[Any]:
    async with lane.runtime.database.begin() as db:
        return (await db.execute(sa.select(media).where(media.c.source_id.is_not(None)))).all()


def body(lane: Lane, platform: str, media_id: str, **more: Any) -> dict[str, Any]:
    return {
        "text": "look",
        "media_ids": [media_id],
        "targets": [{"account_id": lane.accounts[platform]}],
        "scheduled_at": LATER,
        **more,
    }


async def validated(lane: Lane, sent: dict[str, Any]) -> Any:
    return await lane.call("POST", "/v1/posts/validate", sent)


# Offered


async def test_a_fix_is_offered_beside_what_it_would_heal(idle: Lane) -> None:
    wide = await upload(idle, picture(600, 200))
    sent = body(idle, "instagram", wide)

    told = await validated(idle, sent)
    refused = await idle.client.post("/v1/posts", json=sent)

    fix = {
        "auto_fix": True,
        "how": "pad",
        "says": "padded with white to 1.91 and saved as image/jpeg",
    }
    assert told["valid"] is False
    assert [(issue["field"], issue["fix"]) for issue in told["errors"]] == [("media[0]", fix)] * 2
    errors = refused.json()["error"]["errors"]
    assert refused.status_code == 400
    assert [(error["meta"]["reason"], error["meta"]["fix"]) for error in errors] == [
        ("type", fix),
        ("ratio", fix),
    ]


async def test_other_problems_come_without_a_fix(idle: Lane) -> None:
    told = await validated(idle, {"text": "x" * 301, "platforms": ["bluesky"]})
    no_platform = await validated(
        idle, {"text": "x", "media_ids": [await upload(idle, picture(600, 200))], "platforms": ["instagram"]}
    )

    assert [issue["fix"] for issue in told["errors"]] == [None]
    assert {issue["fix"]["how"] for issue in no_platform["errors"]} == {"pad"}


# Asked for


ASKED: list[tuple[Any, Any, str]] = [
    ({"auto_fix": True}, None, "padded with white"),
    ({"instagram": {"auto_fix": "pad"}}, None, "padded with white"),
    ({"auto_fix": True, "instagram": {"auto_fix": "crop"}}, None, "cropped"),
    ({"auto_fix": True}, {"auto_fix": "crop"}, "cropped"),
    (None, {"instagram": {"auto_fix": "crop"}}, "cropped"),
    ({"auto_fix": False}, {"auto_fix": True}, "padded with white"),
]
NOT_ASKED: list[tuple[Any, Any]] = [
    (None, None),
    ({"auto_fix": False}, None),
    ({"facebook": {"auto_fix": True}}, None),
    ({"auto_fix": True}, {"auto_fix": False}),
    ({"auto_fix": True, "instagram": {"auto_fix": None}}, None),
]


def asking(lane: Lane, media_id: str, at_post: Any, at_target: Any) -> dict[str, Any]:
    target = {"account_id": lane.accounts["instagram"], "platform_data": at_target}
    how = {"platform_data": at_post, "skip_duplicate_check": True}
    return body(lane, "instagram", media_id, targets=[target], **how)


async def test_what_is_asked_for_is_a_warning_and_no_problem(idle: Lane) -> None:
    wide = await upload(idle, picture(600, 200))
    for at_post, at_target, says in ASKED:
        sent = asking(idle, wide, at_post, at_target)
        told = await validated(idle, sent)
        made = await idle.call("POST", "/v1/posts", sent)

        sentence = f"media[0] is {says} to 1.91 and saved as image/jpeg for Instagram."
        assert (told["valid"], told["errors"]) == (True, [])
        assert [(one["field"], one["message"]) for one in told["warnings"]] == [("media[0]", sentence)]
        assert made["targets"][0]["warnings"] == [sentence]
    assert await copies(idle) == []


async def test_without_being_asked_nothing_is_fixed(idle: Lane) -> None:
    wide = await upload(idle, picture(600, 200))
    for at_post, at_target in NOT_ASKED:
        told = await validated(idle, asking(idle, wide, at_post, at_target))

        assert (told["valid"], told["warnings"]) == (False, [])


@pytest.mark.parametrize(
    ("at_post", "at_target", "field"),
    [
        ({"auto_fix": ...}, None, "platform_data.auto_fix"),
        ({"instagram": {"auto_fix": ...}}, None, "platform_data.instagram.auto_fix"),
        (None, {"auto_fix": ...}, "targets[0].platform_data.auto_fix"),
    ],
)
async def test_anything_else_that_is_asked_for_is_refused(
    idle: Lane, at_post: Any, at_target: Any, field: str
) -> None:
    for wish in ("yes", 1, [], {}, ["pad"]):
        filled = json.loads(json.dumps([at_post, at_target], default=lambda _, wish=wish: wish))
        target = {"account_id": idle.accounts["bluesky"], "platform_data": filled[1]}

        sent = {"text": "hello", "platform_data": filled[0], "targets": [target]}
        refused = await idle.client.post("/v1/posts", json=sent)

        error = refused.json()["error"]
        assert refused.status_code == 400
        assert (error["code"], error["meta"]["field"]) == ("validation.field_invalid", field)
        assert error["meta"]["allowed"] == [True, False, "pad", "crop"]


async def test_a_change_and_a_table_carry_the_wish(idle: Lane) -> None:
    wide = await upload(idle, picture(600, 200))
    sent = body(idle, "instagram", wide, platform_data={"auto_fix": "crop"})
    post = await idle.call("POST", "/v1/posts", sent)

    changed = await idle.call("PATCH", f"/v1/posts/{post['id']}", {"text": "look again"})
    undone = await idle.client.patch(f"/v1/posts/{post['id']}", json={"platform_data": None})
    table = 'text,platform_data\nhello,"{""auto_fix"": ""yes""}"\nfine,"{""auto_fix"": ""pad""}"\n'
    told = await idle.client.post(
        "/v1/posts/import", files={"file": ("posts.csv", table.encode(), "text/csv")}
    )

    assert "cropped" in changed["targets"][0]["warnings"][0]
    assert undone.status_code == 400
    assert [(error["row"], "auto_fix" in error["message"]) for error in told.json()["errors"]] == [(1, True)]
    assert told.json()["created"] == 1


def test_a_platform_never_hears_of_it() -> None:
    at_post = {"auto_fix": True, "finch": {"auto_fix": "crop", "link": "x"}}

    assert rules.options_for("finch", at_post, {"auto_fix": False, "tag": "y"}) == {"link": "x", "tag": "y"}


# Applied


async def test_instagram_gets_a_jpeg_within_its_limits(lane: Lane) -> None:
    wide = await upload(lane, picture(600, 200))

    post_id = await lane.post(
        "instagram", "wide", media_ids=[wide], first_comment=None, platform_data={"auto_fix": True}
    )
    post = await lane.ended(post_id)

    world = await lane.control("/_sandbox/instagram/world")
    [shown] = [item for item in world["posts"] if item["text"] == "wide"]
    [container] = [one for one in world["containers"] if one["caption"] == "wide"]
    [copy] = await copies(lane)
    assert post["status"] == "published", post["targets"][0]["error"]
    assert post["targets"][0]["warnings"] == [
        "media[0] is padded with white to 1.91 and saved as image/jpeg for Instagram."
    ]
    assert shown
    assert [(one["width"], one["height"], one["sha256"]) for one in container["media"]] == [
        (600, 315, copy.sha256)
    ]
    library = (await lane.call("GET", "/v1/media"))["data"]
    assert str(copy.id) not in {item["id"] for item in library}


async def test_bluesky_gets_a_picture_that_is_small_enough(lane: Lane) -> None:
    content = too_large()
    assert len(content) > 2_000_000
    large = await upload(lane, content)
    sent = body(lane, "bluesky", large)
    refused = await validated(lane, sent)

    post = await lane.ended(
        await lane.post(
            "bluesky",
            "large",
            media_ids=[large],
            first_comment=None,
            platform_data={"bluesky": {"auto_fix": True}},
        )
    )

    [copy] = await copies(lane)
    assert [issue["fix"]["how"] for issue in refused["errors"]] == ["compress"]
    assert post["status"] == "published", post["targets"][0]["error"]
    assert (copy.content_type, copy.size_bytes <= 2_000_000) == ("image/jpeg", True)
    world = await lane.control("/_sandbox/bluesky/world")
    [shown] = [one["record"]["embed"]["images"][0] for one in world["posts"] if one["text"] == "large"]
    assert (shown["image"]["mimeType"], shown["image"]["size"]) == ("image/jpeg", copy.size_bytes)
    assert shown["aspectRatio"] == {"width": copy.width, "height": copy.height}


async def test_one_picture_is_fixed_for_each_platform_as_it_needs(lane: Lane) -> None:
    """Facebook takes it as it is."""
    wide = await upload(lane, picture(600, 200))
    targets = [{"account_id": lane.accounts[name]} for name in ("instagram", "facebook")]

    post_id = await lane.post(
        "instagram", "both", media_ids=[wide], first_comment=None, platform_data={"auto_fix": "crop"},
        targets=targets,
    )  # fmt: skip
    post = await lane.once_over(post_id, within=30)

    assert post["status"] == "published"
    assert [len(target["warnings"]) for target in post["targets"]] == [1, 0]
    assert [(copy.width, copy.height) for copy in await copies(lane)] == [(382, 200)]


async def test_a_picture_that_cannot_be_read_when_it_is_due_ends_the_target(lane: Lane) -> None:
    wide = await upload(lane, picture(600, 200))
    async with lane.runtime.database.begin() as db:
        query = sa.select(media.c.blob_key).where(media.c.id == UUID(wide))
        key = (await db.execute(query)).scalar_one()
    place = lane.runtime.blobs.path(key)
    assert place is not None
    place.write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")

    post_id = await lane.post(
        "instagram", "broken", media_ids=[wide], first_comment=None, platform_data={"auto_fix": True}
    )
    post = await lane.ended(post_id)

    error = post["targets"][0]["error"]
    assert post["status"] == "failed"
    assert (error["code"], error["caused_by"]) == ("publishing.media_unavailable", "user")
    assert error["meta"]["media_id"] == wide
    assert (await lane.copies("instagram", "broken"))[0] == 0


# Prepared


async def drafts(lane: Lane, post_id: str, times: int) -> list[Draft]:
    """What a target would say, asked so many times, each time by somebody who knows only the row."""
    made: list[Draft] = []
    for _ in range(times):
        async with lane.runtime.database.begin() as db:
            query = sa.text("SELECT id FROM targets WHERE post_id = :id")
            target_id = (await db.execute(query, {"id": UUID(post_id)})).scalar_one()
            found = await publish.load(db, target_id)
        assert found is not None
        attempt = Attempt(lane.runtime, *found)
        facts = lane.runtime.platforms[found[0].platform].facts
        made.append(await attempt.draft(facts))
    return made


async def test_preparing_twice_makes_one_copy(idle: Lane) -> None:
    wide = await upload(idle, picture(600, 200))
    sent = body(
        idle, "instagram", wide, platform_data={"auto_fix": True, "instagram": {"alt_text": "a hill"}}
    )
    post = await idle.call("POST", "/v1/posts", sent)

    first, second = await drafts(idle, post["id"], 2)

    [copy] = await copies(idle)
    assert first == second
    assert [(file.id, file.content_type, file.alt) for file in first.files] == [
        (str(copy.id), "image/jpeg", "a hill")
    ]
    assert first.options == {"alt_text": "a hill"}


async def test_a_wish_holds_where_limits_are_not_checked(idle: Lane) -> None:
    wide = await upload(idle, picture(600, 200))
    how = {"platform_data": {"auto_fix": True}, "skip_validation": True}
    post = await idle.call("POST", "/v1/posts", body(idle, "instagram", wide, **how))

    [draft] = await drafts(idle, post["id"], 1)

    assert [(file.width, file.height) for file in draft.files] == [(600, 315)]


async def test_the_address_of_a_copy_leads_to_it(idle: Lane) -> None:
    from hubbub.domains.media import service

    wide = await upload(idle, picture(600, 200))
    post = await idle.call(
        "POST", "/v1/posts", body(idle, "instagram", wide, platform_data={"auto_fix": True})
    )
    [draft] = await drafts(idle, post["id"], 1)
    [copy] = await copies(idle)

    answer = await idle.client.get(service.linker(idle.runtime)(draft.files[0]))

    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert hashlib.sha256(answer.content).hexdigest() == copy.sha256


async def test_a_file_and_its_copies_stay_while_a_post_needs_them(idle: Lane) -> None:
    wide = await upload(idle, picture(600, 200))
    post = await idle.call(
        "POST", "/v1/posts", body(idle, "instagram", wide, platform_data={"auto_fix": True})
    )
    await drafts(idle, post["id"], 1)

    kept = await idle.client.delete(f"/v1/media/{wide}")
    await idle.call("DELETE", f"/v1/posts/{post['id']}")
    gone = await idle.client.delete(f"/v1/media/{wide}")

    assert (kept.status_code, gone.status_code) == (409, 204)
    assert [copy.deleted_at is not None for copy in await copies(idle)] == [True]


async def test_a_workspace_cannot_have_anothers_picture_fixed(idle: Lane) -> None:
    wide = await upload(idle, picture(600, 200))
    post = await idle.call(
        "POST", "/v1/posts", body(idle, "instagram", wide, platform_data={"auto_fix": True})
    )
    await drafts(idle, post["id"], 1)

    async with open_work(idle.runtime, Caller(workspace_id=UUID(int=7))) as work:
        seen = (await work.db.execute(sa.select(media.c.id))).all()

    assert seen == []
