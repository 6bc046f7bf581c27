"""What the Bluesky connector relies on, asked of the reference server itself."""

from __future__ import annotations

import base64
import json
import re
import secrets
import struct
import zlib
from typing import Any

import httpx2
import pytest

from .pds.pds import Account, Pds

pytestmark = pytest.mark.real

POSTS = "app.bsky.feed.post"
TID_LETTERS = "234567abcdefghijklmnopqrstuvwxyz"
POST_REFUSED = re.compile(r"Invalid (?P<nsid>\S+) record: (?P<reason>.+) at \$\.(?P<path>record\S*)")


@pytest.fixture
def alice(pds: Pds) -> Account:
    return pds.create_account()


def tid() -> str:
    """A key as a client makes it: thirteen letters, the first of them below `k`."""
    return "3" + "".join(secrets.choice(TID_LETTERS) for _ in range(12))


def post(text: str = "hello", **more: Any) -> dict[str, Any]:
    return {"$type": POSTS, "text": text, "createdAt": "2026-01-01T00:00:00.000Z", **more}


def create(
    pds: Pds, by: Account, record: dict[str, Any], token: str | None = None, **more: Any
) -> httpx2.Response:
    body = {"repo": by.did, "collection": POSTS, "record": record, **more}
    return pds.procedure("com.atproto.repo.createRecord", body, token=token or by.access)


def put(pds: Pds, by: Account, key: str, record: dict[str, Any], **more: Any) -> httpx2.Response:
    body = {"repo": by.did, "collection": POSTS, "rkey": key, "record": record, **more}
    return pds.procedure("com.atproto.repo.putRecord", body, token=by.access)


def read(pds: Pds, did: str, key: str) -> httpx2.Response:
    return pds.query("com.atproto.repo.getRecord", repo=did, collection=POSTS, rkey=key)


def delete(pds: Pds, by: Account, key: str) -> httpx2.Response:
    body = {"repo": by.did, "collection": POSTS, "rkey": key}
    return pds.procedure("com.atproto.repo.deleteRecord", body, token=by.access)


def upload(pds: Pds, by: Account, content: bytes, content_type: str = "image/png") -> httpx2.Response:
    return pds.procedure("com.atproto.repo.uploadBlob", content, token=by.access, content_type=content_type)


def sign_in(pds: Pds, identifier: str, password: str) -> httpx2.Response:
    return pds.procedure("com.atproto.server.createSession", {"identifier": identifier, "password": password})


def refresh(pds: Pds, token: str) -> httpx2.Response:
    return pds.procedure("com.atproto.server.refreshSession", token=token)


def png(size: int = 0) -> bytes:
    """One black pixel, padded behind its end to `size` bytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(b"\0\0\0\0")
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")
    return content.ljust(size, b"\0")


def images(*blobs: dict[str, Any]) -> dict[str, Any]:
    return {"$type": "app.bsky.embed.images", "images": [{"image": blob, "alt": ""} for blob in blobs]}


def claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def error(response: httpx2.Response) -> tuple[int, str, str]:
    body = response.json()
    return response.status_code, body["error"], body["message"]


class TestOnce:
    """What makes it safe to repeat a write whose answer was lost."""

    def test_a_record_keeps_the_key_its_client_chose(self, pds: Pds, alice: Account) -> None:
        key = tid()
        made = create(pds, alice, post(), rkey=key)
        assert made.status_code == 200
        assert made.json()["uri"] == f"at://{alice.did}/{POSTS}/{key}"
        assert made.json()["validationStatus"] == "valid"
        assert read(pds, alice.did, key).json()["cid"] == made.json()["cid"]

    @pytest.mark.parametrize("text", ["hello", "something else"])
    def test_a_key_used_twice_is_an_internal_error(self, pds: Pds, alice: Account, text: str) -> None:
        key = tid()
        create(pds, alice, post(), rkey=key).raise_for_status()
        again = create(pds, alice, post(text), rkey=key)
        assert error(again) == (500, "InternalServerError", "Internal Server Error")
        assert read(pds, alice.did, key).json()["value"]["text"] == "hello"

    def test_putting_the_same_again_changes_nothing(self, pds: Pds, alice: Account) -> None:
        key = tid()
        first, second = put(pds, alice, key, post()), put(pds, alice, key, post())
        assert (first.status_code, second.status_code) == (200, 200)
        assert first.json()["cid"] == second.json()["cid"]
        assert "commit" in first.json()
        assert "commit" not in second.json()

    def test_putting_over_what_has_changed_is_a_conflict(self, pds: Pds, alice: Account) -> None:
        key = tid()
        old = put(pds, alice, key, post("one")).json()["cid"]
        new = put(pds, alice, key, post("two")).json()["cid"]
        refused = put(pds, alice, key, post("three"), swapRecord=old)
        assert error(refused) == (400, "InvalidSwap", f"Record was at {new}")

    def test_an_absent_record_is_not_found(self, pds: Pds, alice: Account) -> None:
        key = tid()
        message = f"Could not locate record: at://{alice.did}/{POSTS}/{key}"
        assert error(read(pds, alice.did, key)) == (400, "RecordNotFound", message)

    def test_an_account_elsewhere_is_not_a_record_not_found(self, pds: Pds) -> None:
        answer = read(pds, "did:plc:" + "a" * 24, tid())
        assert error(answer) == (400, "InvalidRequest", "Could not locate record")

    def test_deleting_twice_succeeds_twice_and_frees_the_key(self, pds: Pds, alice: Account) -> None:
        key = tid()
        create(pds, alice, post(), rkey=key).raise_for_status()
        first, second = delete(pds, alice, key), delete(pds, alice, key)
        assert (first.status_code, second.status_code) == (200, 200)
        assert "commit" in first.json()
        assert second.json() == {}
        assert create(pds, alice, post(), rkey=key).status_code == 200

    def test_a_key_must_be_a_tid(self, pds: Pds, alice: Account) -> None:
        message = f'Invalid record key for {POSTS}: Invalid TID string (got "first-post") at $'
        assert error(create(pds, alice, post(), rkey="first-post")) == (400, "InvalidRequest", message)


class TestTokens:
    def test_an_expired_token_is_a_400(self, pds: Pds, alice: Account) -> None:
        token = pds.expired_access_token(alice.did)
        assert error(create(pds, alice, post(), token)) == (400, "ExpiredToken", "Token has expired")

    @pytest.mark.parametrize("kind", ["garbage", "tampered", "refresh"])
    def test_a_token_that_is_none_is_a_400(self, pds: Pds, alice: Account, kind: str) -> None:
        head, body, _ = alice.access.split(".")
        tokens = {"garbage": "garbage", "tampered": f"{head}.{body}.{'A' * 43}", "refresh": alice.refresh}
        answer = create(pds, alice, post(), tokens[kind])
        assert error(answer) == (400, "InvalidToken", "Token could not be verified")

    def test_no_token_is_a_401(self, pds: Pds, alice: Account) -> None:
        body = {"repo": alice.did, "collection": POSTS, "record": post()}
        answer = pds.procedure("com.atproto.repo.createRecord", body)
        assert error(answer) == (401, "AuthMissing", "Authentication Required")

    def test_writing_for_somebody_else_is_a_401(self, pds: Pds, alice: Account) -> None:
        answer = create(pds, alice, post(), pds.create_account().access)
        assert error(answer) == (401, "AuthenticationRequired", "Authentication Required")

    def test_a_wrong_password_looks_like_an_unknown_account(self, pds: Pds, alice: Account) -> None:
        expected = (401, "AuthenticationRequired", "Invalid identifier or password")
        assert error(sign_in(pds, alice.handle, "wrong")) == expected
        assert error(sign_in(pds, "nobody.test", "wrong")) == expected

    def test_a_session_tells_its_scope_its_life_and_its_server(self, pds: Pds, alice: Account) -> None:
        password = pds.create_app_password(alice)
        privileged = pds.create_app_password(alice, privileged=True)
        session = sign_in(pds, alice.handle, password).json()
        trusted = sign_in(pds, alice.did, privileged).json()
        access, later = claims(session["accessJwt"]), claims(session["refreshJwt"])
        assert (session["did"], session["handle"], session["active"]) == (alice.did, alice.handle, True)
        assert access["scope"] == "com.atproto.appPass"
        assert claims(alice.access)["scope"] == "com.atproto.access"
        assert claims(trusted["accessJwt"])["scope"] == "com.atproto.appPassPrivileged"
        assert access["exp"] - access["iat"] == 2 * 3600
        assert later["exp"] - later["iat"] == 90 * 24 * 3600
        service = session["didDoc"]["service"][0]
        assert (service["id"], service["serviceEndpoint"]) == ("#atproto_pds", pds.url)

    def test_refreshing_rotates_and_can_be_repeated(self, pds: Pds, alice: Account) -> None:
        first, again = refresh(pds, alice.refresh), refresh(pds, alice.refresh)
        assert (first.status_code, again.status_code) == (200, 200)
        successor = claims(first.json()["refreshJwt"])["jti"]
        assert successor != claims(alice.refresh)["jti"]
        assert successor == claims(again.json()["refreshJwt"])["jti"]
        assert refresh(pds, first.json()["refreshJwt"]).status_code == 200

    def test_only_a_refresh_token_refreshes(self, pds: Pds, alice: Account) -> None:
        assert error(refresh(pds, alice.access)) == (400, "InvalidToken", "Token could not be verified")

    def test_revoking_an_app_password_ends_refreshing_only(self, pds: Pds, alice: Account) -> None:
        password = pds.create_app_password(alice, name="ours")
        session = sign_in(pds, alice.handle, password).json()
        pds.revoke_app_password(alice, "ours")
        assert error(refresh(pds, session["refreshJwt"])) == (400, "ExpiredToken", "Token has been revoked")
        assert sign_in(pds, alice.handle, password).status_code == 401
        assert create(pds, alice, post(), session["accessJwt"]).status_code == 200

    def test_signing_out_ends_refreshing_only(self, pds: Pds, alice: Account) -> None:
        assert pds.procedure("com.atproto.server.deleteSession", token=alice.refresh).status_code == 200
        assert error(refresh(pds, alice.refresh)) == (400, "ExpiredToken", "Token has been revoked")
        assert create(pds, alice, post()).status_code == 200


class TestUnavailable:
    def test_a_takedown_shows_differently_on_almost_every_call(self, pds: Pds, alice: Account) -> None:
        password = pds.create_app_password(alice)
        pds.take_down(alice.did)
        taken = (401, "AccountTakedown", "Account has been taken down")
        lost = (400, "InvalidRequest", f"Could not find user info for account: {alice.did}")
        refused = (401, "AuthenticationRequired", "Invalid identifier or password")
        assert error(create(pds, alice, post())) == taken
        assert error(upload(pds, alice, png())) == taken
        assert error(refresh(pds, alice.refresh)) == taken
        assert error(pds.query("com.atproto.server.getSession", token=alice.access)) == lost
        assert error(sign_in(pds, alice.handle, alice.password)) == taken
        assert error(sign_in(pds, alice.handle, password)) == refused

    def test_a_takedown_undone_needs_a_new_session(self, pds: Pds, alice: Account) -> None:
        password = pds.create_app_password(alice)
        pds.take_down(alice.did)
        pds.take_down(alice.did, applied=False)
        assert error(refresh(pds, alice.refresh)) == (400, "ExpiredToken", "Token has been revoked")
        assert create(pds, alice, post()).status_code == 200
        assert sign_in(pds, alice.handle, password).status_code == 200

    def test_a_deactivated_account_signs_in_but_cannot_write(self, pds: Pds, alice: Account) -> None:
        pds.procedure("com.atproto.server.deactivateAccount", {}, token=alice.access).raise_for_status()
        session = sign_in(pds, alice.handle, alice.password).json()
        assert (session["active"], session["status"]) == (False, "deactivated")
        refused = create(pds, alice, post(), session["accessJwt"])
        assert error(refused) == (401, "AccountDeactivated", "Account is deactivated")


class TestLimits:
    @pytest.mark.parametrize(
        ("record", "reason", "path"),
        [
            (post("e" * 301), "grapheme too big (maximum 300, got 301)", "record.text"),
            (post("👩‍👩‍👧‍👦" * 121), "string too big (maximum 3000, got 3025)", "record.text"),
            (post(langs=["en", "de", "fr", "it"]), "array too big (maximum 3, got 4)", "record.langs"),
            (post(createdAt="yesterday"), 'Invalid datetime (got "yesterday")', "record.createdAt"),
            (
                post(createdAt="2026-01-01T00:00"),
                'Invalid datetime (got "2026-01-01T00:00")',
                "record.createdAt",
            ),
            ({"$type": POSTS, "createdAt": "2026-01-01T00:00:00Z"}, 'Missing required key "text"', "record"),
        ],
        ids=["graphemes", "bytes", "languages", "date", "zone", "text"],
    )
    def test_a_refusal_names_the_reason_and_the_place(
        self, pds: Pds, alice: Account, record: dict[str, Any], reason: str, path: str
    ) -> None:
        message = f"Invalid {POSTS} record: {reason} at $.{path}"
        answer = create(pds, alice, record)
        assert error(answer) == (400, "InvalidRequest", message)
        found = POST_REFUSED.fullmatch(answer.json()["message"])
        assert found is not None
        assert found.groupdict() == {"nsid": POSTS, "reason": reason, "path": path}

    @pytest.mark.parametrize("text", ["", "e" * 300, "é" * 300])
    def test_text_may_be_empty_or_three_hundred_graphemes(self, pds: Pds, alice: Account, text: str) -> None:
        assert create(pds, alice, post(text)).status_code == 200

    def test_four_images_fit_and_five_do_not(self, pds: Pds, alice: Account) -> None:
        blob = upload(pds, alice, png()).json()["blob"]
        message = f"Invalid {POSTS} record: array too big (maximum 4, got 5) at $.record.embed.images"
        assert create(pds, alice, post(embed=images(*[blob] * 4))).status_code == 200
        assert error(create(pds, alice, post(embed=images(*[blob] * 5)))) == (400, "InvalidRequest", message)

    def test_an_image_is_two_million_bytes_at_most(self, pds: Pds, alice: Account) -> None:
        fits = upload(pds, alice, png(2_000_000)).json()["blob"]
        over = upload(pds, alice, png(2_000_001)).json()["blob"]
        place = "$.record.embed.images[0].image"
        message = f"Invalid {POSTS} record: blob too big (maximum 2000000, got 2000001) at {place}"
        assert create(pds, alice, post(embed=images(fits))).status_code == 200
        assert error(create(pds, alice, post(embed=images(over)))) == (400, "InvalidRequest", message)

    def test_an_upload_ends_at_the_limit_the_server_tells(self, pds: Pds, alice: Account) -> None:
        limit = pds.query("com.atproto.server.describeServer").json()["blobUploadLimit"]
        assert limit == 5 * 1024 * 1024
        assert upload(pds, alice, png(limit)).status_code == 200
        over = upload(pds, alice, png(limit + 1))
        assert error(over) == (413, "PayloadTooLarge", "request entity too large")

    def test_what_is_no_image_is_refused_by_the_type_of_its_upload(self, pds: Pds, alice: Account) -> None:
        blob = upload(pds, alice, b"hello", "text/plain").json()["blob"]
        place = "$.record.embed.images[0].image.mimeType"
        message = f'Invalid {POSTS} record: Expected "image/*" (got "text/plain") at {place}'
        assert error(create(pds, alice, post(embed=images(blob)))) == (400, "InvalidRequest", message)

    def test_recognised_bytes_beat_the_type_of_their_upload(self, pds: Pds, alice: Account) -> None:
        assert upload(pds, alice, png(), "text/plain").json()["blob"]["mimeType"] == "image/png"
        assert upload(pds, alice, b"hello", "image/png").json()["blob"]["mimeType"] == "image/png"

    def test_a_blob_never_uploaded_is_not_found(self, pds: Pds, alice: Account) -> None:
        elsewhere = upload(pds, pds.create_account(), png()).json()["blob"]
        cid = elsewhere["ref"]["$link"]
        answer = create(pds, alice, post(embed=images(elsewhere)))
        assert error(answer) == (400, "BlobNotFound", f"Could not find blob: {cid}")

    def test_a_reply_to_nothing_and_a_facet_past_the_end_are_taken(self, pds: Pds, alice: Account) -> None:
        cid = create(pds, alice, post()).json()["cid"]
        nothing = {"uri": f"at://{alice.did}/{POSTS}/{tid()}", "cid": cid}
        tag = {"$type": "app.bsky.richtext.facet#tag", "tag": "x"}
        facet = {"index": {"byteStart": 0, "byteEnd": 999}, "features": [tag]}
        assert create(pds, alice, post(reply={"root": nothing, "parent": nothing})).status_code == 200
        assert create(pds, alice, post(facets=[facet])).status_code == 200

    def test_reading_the_network_needs_more_than_a_pds(self, pds: Pds, alice: Account) -> None:
        answer = pds.query("app.bsky.feed.getTimeline", token=alice.access)
        assert error(answer) == (400, "InvalidRequest", "No service configured for app.bsky.feed.getTimeline")


def test_too_many_calls_say_when_to_come_back() -> None:
    with Pds.running(PDS_RATE_LIMITS_ENABLED="true") as pds:
        alice = pds.create_account()
        body = {"handle": alice.handle}
        answers = [
            pds.procedure("com.atproto.identity.updateHandle", body, token=alice.access) for _ in range(11)
        ]
        last = answers[-1]
        assert [answer.status_code for answer in answers] == [200] * 10 + [429]
        assert error(last) == (429, "RateLimitExceeded", "Rate Limit Exceeded")
        assert last.headers["ratelimit-policy"] == "10;w=300"
        assert last.headers["ratelimit-remaining"] == "0"
        assert 0 < int(last.headers["retry-after"]) <= 300
