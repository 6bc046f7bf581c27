from __future__ import annotations

import os
from collections.abc import AsyncIterator

import anyio
import httpx2
import pytest
from pydantic import SecretStr

from hubbub.runtime.blobs import CHUNK_BYTES, BadKey, Blobs, Missing
from hubbub.runtime.bucket import PART_BYTES, BadAddress, BucketBlobs, Place
from nanio_server import *  # noqa: F403
from nanio_server import ACCESS_KEY, SECRET_KEY, Bucket

pytestmark = pytest.mark.anyio


@pytest.fixture
def blobs(bucket: Bucket) -> BucketBlobs:
    return BucketBlobs(bucket.url, ACCESS_KEY, SecretStr(SECRET_KEY))


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def read(blobs: Blobs, key: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([chunk async for chunk in blobs.open(key, start, end)])


async def test_what_is_put_is_read_back_and_deleted(blobs: BucketBlobs, bucket: Bucket) -> None:
    assert await blobs.put("a/photo.jpg", pieces(b"one", b"", b"two")) == 6
    assert await blobs.put("a/photo.jpg", pieces(b"three", b"four")) == 9
    assert (await read(blobs, "a/photo.jpg"), await blobs.size("a/photo.jpg")) == (b"threefour", 9)
    assert bucket.objects() == ["media/a/photo.jpg"]
    assert blobs.path("a/photo.jpg") is None
    for _ in range(2):
        await blobs.delete("a/photo.jpg")
    for asked in (blobs.size("a/photo.jpg"), read(blobs, "a/photo.jpg"), blobs.copy("a/photo.jpg", "b")):
        with pytest.raises(Missing):
            await asked
    with pytest.raises(Missing):
        await read(blobs, "a/photo.jpg", 5)
    with pytest.raises(BadKey):
        await blobs.put("../up", pieces(b"x"))
    assert bucket.objects() == []


async def test_an_empty_object_exists(blobs: BucketBlobs) -> None:
    assert await blobs.put("empty", pieces()) == 0
    assert (await read(blobs, "empty"), await blobs.size("empty")) == (b"", 0)


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, None), (2, 5), (0, 0), (9, 10), (5, 99), (99_999_999, None), (5, 3), (CHUNK_BYTES - 1, None)],
)
async def test_a_range_is_read_as_a_slice(blobs: BucketBlobs, start: int, end: int | None) -> None:
    content = os.urandom(CHUNK_BYTES + 10)
    await blobs.put("long", pieces(content))
    assert await read(blobs, "long", start, end) == content[start:end]


async def test_what_is_longer_than_a_part_arrives_whole(blobs: BucketBlobs, bucket: Bucket) -> None:
    part = os.urandom(1_000_000)
    count = PART_BYTES // len(part) + 2
    assert await blobs.put("long", pieces(*[part] * count)) == count * len(part)
    assert await read(blobs, "long") == part * count
    await blobs.copy("long", "again")
    assert await blobs.size("again") == count * len(part)


@pytest.mark.parametrize("before", [1, 40])
async def test_an_upload_that_fails_changes_nothing(blobs: BucketBlobs, bucket: Bucket, before: int) -> None:
    async def failing() -> AsyncIterator[bytes]:
        for _ in range(before):
            yield bytes(1_000_000)
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError, match="gone"):
        await blobs.put("a/b", failing())
    assert bucket.objects() == []


async def test_a_cancelled_upload_leaves_the_older_object(blobs: BucketBlobs) -> None:
    await blobs.put("a/b", pieces(b"old"))

    async def slow() -> AsyncIterator[bytes]:
        yield b"half"
        await anyio.sleep_forever()

    with anyio.move_on_after(0.2):
        await blobs.put("a/b", slow())
    assert await read(blobs, "a/b") == b"old"


async def test_a_presigned_address_takes_the_bytes_and_nothing_else(
    blobs: BucketBlobs, bucket: Bucket
) -> None:
    address = await blobs.upload_address("a/b", 60)
    assert address is not None
    signature = address.split("X-Amz-Signature=")[1][:64]
    turned = ("0" if signature[0] != "0" else "1") + signature[1:]
    wrong = [
        address.replace(signature, turned),
        address.replace("/media/a/b", "/media/a/c"),
        address.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"),
        address.partition("?")[0],
    ]
    async with httpx2.AsyncClient(trust_env=False) as client:
        for each in wrong:
            assert (await client.put(each, content=b"x")).status_code == 403, each
        assert (await client.get(address)).status_code == 403
        assert bucket.objects() == []
        assert (await client.put(address, content=b"x" * 1000)).status_code == 200
    assert await read(blobs, "a/b") == b"x" * 1000


async def test_another_secret_gets_nowhere(bucket: Bucket) -> None:
    wrong = BucketBlobs(bucket.url, ACCESS_KEY, SecretStr("another"))
    with pytest.raises(Exception, match=r"(?i)signature|forbidden|403|denied"):
        await wrong.put("a", pieces(b"x"))
    assert bucket.objects() == []


async def test_a_bucket_nobody_outside_can_reach_gives_no_addresses(bucket: Bucket) -> None:
    hidden = BucketBlobs(bucket.url + "&presign=no", ACCESS_KEY, SecretStr(SECRET_KEY))
    assert await hidden.upload_address("a", 60) is None


def test_an_address_says_where_the_bucket_is() -> None:
    assert Place.parse("s3://b") == Place("b", "", None, "us-east-1", True)
    url = "s3://my.bucket/a/b/?endpoint=http://localhost:9000&region=eu-1&presign=no"
    assert Place.parse(url) == Place("my.bucket", "a/b", "http://localhost:9000", "eu-1", False)


@pytest.mark.parametrize(
    "url",
    ["", "b", "https://b", "s3://", "s3://key:secret@b", "s3://b?endpoint=localhost", "s3://b?regoin=eu"],
)
def test_what_is_no_address_of_a_bucket_is_refused(url: str) -> None:
    with pytest.raises(BadAddress):
        Place.parse(url)


def test_bucket_blobs_keep_the_protocol(blobs: BucketBlobs) -> None:
    kept: Blobs = blobs
    assert kept.path("a") is None
