"""What the vendor's client raises, and what it is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
import socialapi

from .conftest import OpenClient
from .either import done, error_in
from .place import Accounts, Place, typed

pytestmark = pytest.mark.anyio

Call = Callable[[Any, Accounts], Any]


def create(**how: Any) -> Call:
    return lambda client, accounts: client.publishing.create(
        targets=[{"account_id": accounts.bluesky}], **how
    )


def connect(platform: str, **how: Any) -> Call:
    return lambda client, accounts: client.accounts.connect(platform=platform, **how)


def posts(**how: Any) -> Call:
    return lambda client, accounts: client.posts.list(**how)


def on(path: str, *arguments: Any, **how: Any) -> Call:
    """A method by its dotted name."""

    def call(client: Any, accounts: Accounts) -> Any:
        part, _, method = path.partition(".")
        return getattr(getattr(client, part), method)(*arguments, **how)

    return call


NOWHERE = [{"account_id": "acc_nowhere"}]
REFUSALS: list[tuple[Call, type[socialapi.APIStatusError], str, int]] = [
    (connect("bluesky", metadata={}), socialapi.MissingMetadataError, "validation.field_required", 400),
    (connect("bluesky"), socialapi.MissingMetadataError, "validation.field_required", 400),
    (connect("myspace"), socialapi.UnsupportedPlatformError, "account.unsupported_platform", 400),
    (
        connect("facebook", redirect_uri="http://customer.example"),
        socialapi.BadRequestError,
        "validation.field_invalid",
        400,
    ),
    (connect("facebook", state="x" * 513), socialapi.BadRequestError, "validation.field_invalid", 400),
    (connect("facebook", brand_id="nowhere"), socialapi.NotFoundError, "brand.not_found", 404),
    (
        connect("bluesky", metadata={**typed("demo"), "app_password": "wrong"}),
        socialapi.AuthenticationError,
        "platform.bluesky.bad_credentials",
        401,
    ),
    (
        on("accounts.exchange_oauth", platform="facebook", code="x", metadata={"state": "0" * 32}),
        socialapi.BadRequestError,
        "auth.state_mismatch",
        400,
    ),
    (on("accounts.disconnect", "acc_nowhere"), socialapi.AccountNotFoundError, "account.not_found", 404),
    (on("accounts.list_pages", "acc_nowhere"), socialapi.AccountNotFoundError, "account.not_found", 404),
    (
        lambda client, accounts: client.accounts.list_pages(accounts.bluesky),
        socialapi.NotSupportedError,
        "account.pages_not_supported",
        501,
    ),
    (
        lambda client, accounts: client.accounts.update_page(accounts.facebook, "nowhere", is_default=True),
        socialapi.NotFoundError,
        "resource.not_found",
        404,
    ),
    (
        lambda client, accounts: client.accounts.update_page(accounts.facebook, accounts.page),
        socialapi.MissingMetadataError,
        "validation.field_required",
        400,
    ),
    (on("accounts.get_limits", "acc_nowhere"), socialapi.AccountNotFoundError, "account.not_found", 404),
    (on("usage.get_account_limits", "acc_nowhere"), socialapi.AccountNotFoundError, "account.not_found", 404),
    (
        on("accounts.get_creator_info", "acc_nowhere"),
        socialapi.AccountNotFoundError,
        "account.not_found",
        404,
    ),
    (on("accounts.list_boards", "acc_nowhere"), socialapi.AccountNotFoundError, "account.not_found", 404),
    (on("posts.get_metrics", str(uuid4())), socialapi.NotFoundError, "post.not_found", 404),
    (on("posts.unpublish", str(uuid4())), socialapi.NotFoundError, "post.not_found", 404),
    (on("publishing.update", str(uuid4()), text="x"), socialapi.NotFoundError, "post.not_found", 404),
    (
        on("publishing.get_constraints", platform="myspace"),
        socialapi.UnsupportedPlatformError,
        "account.unsupported_platform",
        400,
    ),
    (
        on("publishing.import_posts", file=b"text\n\xff", filename="posts.csv"),
        socialapi.BadRequestError,
        "validation.field_invalid",
        400,
    ),
    (create(text=""), socialapi.MissingMetadataError, "validation.field_required", 400),
    (create(text="x" * 301), socialapi.BadRequestError, "validation.field_invalid", 400),
    (create(text="x", visibility="secret"), socialapi.BadRequestError, "validation.field_invalid", 400),
    (
        create(text="x", scheduled_at=datetime(2020, 1, 1)),
        socialapi.BadRequestError,
        "validation.field_invalid",
        400,
    ),
    (create(text="x", scheduled_at="tomorrow"), socialapi.BadRequestError, "validation.field_invalid", 400),
    (create(text="x", media_ids=[str(uuid4())]), socialapi.BadRequestError, "validation.field_invalid", 400),
    (
        on("publishing.create", text="x", targets=NOWHERE),
        socialapi.AccountNotFoundError,
        "account.not_found",
        404,
    ),
    (
        on("publishing.create", text="x", publish_now=True),
        socialapi.MissingMetadataError,
        "validation.field_required",
        400,
    ),
    (
        on("publishing.create", text="x", targets=[{}]),
        socialapi.MissingMetadataError,
        "validation.field_required",
        400,
    ),
    (posts(status="lost"), socialapi.BadRequestError, "validation.field_invalid", 400),
    (posts(sort="upwards"), socialapi.BadRequestError, "validation.field_invalid", 400),
    (posts(limit=101), socialapi.BadRequestError, "validation.field_invalid", 400),
    (posts(limit=0), socialapi.BadRequestError, "validation.field_invalid", 400),
    (posts(cursor="nowhere"), socialapi.BadRequestError, "validation.field_invalid", 400),
    (posts(from_date="yesterday"), socialapi.BadRequestError, "validation.field_invalid", 400),
    (on("posts.get", "nowhere"), socialapi.NotFoundError, "post.not_found", 404),
    (on("posts.get", str(uuid4())), socialapi.NotFoundError, "post.not_found", 404),
    (on("posts.retry", str(uuid4())), socialapi.NotFoundError, "post.not_found", 404),
    (on("posts.delete", str(uuid4())), socialapi.NotFoundError, "post.not_found", 404),
    (on("media.verify", str(uuid4())), socialapi.NotFoundError, "media.not_found", 404),
    (on("media.delete", "nowhere"), socialapi.NotFoundError, "media.not_found", 404),
    (on("media.list", limit=101), socialapi.BadRequestError, "validation.field_invalid", 400),
    (on("media.list", cursor="nowhere"), socialapi.BadRequestError, "validation.field_invalid", 400),
    (
        on("media.get_upload_url", media_type="picture", filename="x"),
        socialapi.BadRequestError,
        "validation.field_invalid",
        400,
    ),
    (
        on("media.upload", content=b"GIF89a", filename="half.gif"),
        socialapi.BadRequestError,
        "validation.field_invalid",
        400,
    ),
    (on("keys.create", name=""), socialapi.MissingMetadataError, "validation.field_required", 400),
    (on("keys.revoke", "nowhere"), socialapi.NotFoundError, "resource.not_found", 404),
]


async def test_every_refusal_is_the_exception_the_client_promises(client: Any, accounts: Accounts) -> None:
    raised: list[socialapi.APIStatusError] = []
    for call, *_ in REFUSALS:
        with pytest.raises(socialapi.APIStatusError) as refused:
            await done(call(client, accounts))
        raised.append(refused.value)

    assert [(type(error), error.code, error.status_code) for error in raised] == [
        (raises, code, status) for _, raises, code, status in REFUSALS
    ]
    for error in raised:
        assert error.request_id
        assert error.request_id == error.response.headers["x-request-id"]
        assert error.message == error_in(error)["message"]
        assert not error.message.startswith("HTTP ")


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("sapi_key_" + "0" * 62, "auth.invalid_key"),
        ("sapi_key_", "auth.invalid_key"),
        ("a.b.c", "auth.invalid_token"),
    ],
)
async def test_a_wrong_key_is_an_authentication_error(open_client: OpenClient, key: str, code: str) -> None:
    stranger = await open_client(key=key)

    with pytest.raises(socialapi.AuthenticationError) as refused:
        await done(stranger.users.get_me())

    assert (refused.value.code, refused.value.status_code) == (code, 401)
    assert refused.value.request_id


async def test_a_key_for_reading_may_not_write(open_client: OpenClient, place: Place) -> None:
    made = place.call("POST", "/v1/keys", {"name": "reader", "scopes": ["posts:read"]}).json()
    reader = await open_client(key=made["raw_key"])
    await done(reader.posts.list(limit=1))

    with pytest.raises(socialapi.ForbiddenError) as refused:
        await done(reader.publishing.create(text="x"))
    with pytest.raises(socialapi.ForbiddenError) as not_for_any_scope:
        await done(reader.keys.list())

    assert refused.value.code == not_for_any_scope.value.code == "auth.insufficient_scope"
    assert error_in(refused.value)["meta"]["required_scope"] == "posts:write"


async def test_retrying_what_is_published_is_a_conflict(
    open_client: OpenClient, place: Place, accounts: Accounts
) -> None:
    client = await open_client(max_retries=0)
    target = {"account_id": accounts.bluesky}
    made = await done(
        client.publishing.create(text="fine", publish_now=True, skip_duplicate_check=True, targets=[target])
    )
    place.settled(made.id)

    with pytest.raises(socialapi.ConflictError) as refused:
        await done(made.retry())

    assert (refused.value.code, refused.value.status_code) == ("post.state_invalid", 409)


async def test_a_platform_that_is_busy_for_a_moment_is_waited_for(client: Any, place: Place) -> None:
    sign_in = "POST /xrpc/com.atproto.server.createSession"
    username = place.welcome("bluesky")
    place.next("bluesky", sign_in, "throttle", retry_after=0)

    made = await done(client.accounts.connect(platform="bluesky", metadata=typed(username)))

    assert made.username == f"{username}.test"


async def test_a_platform_that_stays_busy_is_a_rate_limit_of_the_platform(
    open_client: OpenClient, place: Place
) -> None:
    patient = await open_client(max_retries=0)
    sign_in = "POST /xrpc/com.atproto.server.createSession"
    place.next("bluesky", sign_in, "throttle", retry_after=7)

    with pytest.raises(socialapi.PlatformRateLimitError) as refused:
        await done(patient.accounts.connect(platform="bluesky", metadata=typed("demo")))

    assert refused.value.code == "platform.bluesky.rate_limit"
    assert refused.value.response.headers["retry-after"] == "7"
