"""The stand-in and the real server, asked the same things: they must answer in the same words."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from PIL import Image

from hubbub.emulation.testing import running_sandbox
from real.pds.fixtures import pds as pds
from real.pds.pds import Pds

pytestmark = pytest.mark.real

NOW = "2026-01-01T00:00:00.000Z"
POST = "app.bsky.feed.post"
REPO = "com.atproto.repo"
KEY = "3kabcdefghi22"


@dataclass
class Side:
    """One server, and somebody who signed in there with an app password."""

    http: httpx2.Client
    did: str
    handle: str
    token: str
    blobs: dict[str, Any]

    def post(self, nsid: str, body: Any, **headers: str) -> httpx2.Response:
        return self.http.post(nsid, json=body, headers={"authorization": f"Bearer {self.token}", **headers})

    def get(self, nsid: str, **params: Any) -> httpx2.Response:
        return self.http.get(nsid, params=params, headers={"authorization": f"Bearer {self.token}"})


@pytest.fixture(scope="module")
def sides(pds: Pds) -> Iterator[tuple[Side, Side]]:
    account = pds.create_account()
    password = pds.create_app_password(account)
    with (
        running_sandbox(only={"bluesky"}) as url,
        httpx2.Client(base_url=f"{pds.url}/xrpc/", trust_env=False) as real,
        httpx2.Client(base_url=f"{url}/bluesky/xrpc/", trust_env=False) as stand_in,
    ):
        yield sign_in(real, account.handle, password), sign_in(stand_in, "demo.test", "sandbox")


def sign_in(http: httpx2.Client, handle: str, password: str) -> Side:
    said = {"identifier": handle, "password": password}
    made = http.post("com.atproto.server.createSession", json=said).raise_for_status().json()
    side = Side(http, made["did"], handle, made["accessJwt"], {})
    png = io.BytesIO()
    Image.new("RGB", (4, 4)).save(png, "PNG")
    uploads = {"png": (png.getvalue(), "image/png"), "text": (b"hello", "text/plain")}
    uploads["big"] = (png.getvalue() + bytes(2_000_001), "image/png")
    for name, (data, kind) in uploads.items():
        sent = http.post(
            f"{REPO}.uploadBlob",
            content=data,
            headers={"authorization": f"Bearer {side.token}", "content-type": kind},
        )
        side.blobs[name] = sent.raise_for_status().json()["blob"]
    return side


def without_chance(side: Side, answer: httpx2.Response) -> tuple[int, str]:
    """Status and body, without what differs from run to run."""
    body = answer.json() if answer.content else None
    if isinstance(body, dict):
        for name in ("commit", "uri", "didDoc"):
            body.pop(name, None)
    return answer.status_code, repr(sorted((body or {}).items())).replace(side.did, "DID")


def facet(**more: Any) -> dict[str, Any]:
    feature = {"$type": "app.bsky.richtext.facet#link", "uri": "https://a.b"}
    return {"index": {"byteStart": 0, "byteEnd": 1}, "features": [feature], **more}


def images(*names: str, **more: Any) -> dict[str, Any]:
    return {
        "$type": "app.bsky.embed.images",
        "images": [{"alt": "", "image": name, **more} for name in names],
    }


CID = "bafyreigq3exe2m23sojzoachuyucow4vu7eyatati4uy6scr4ixt6xwlhi"
BLOB_CID = "bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"
NOBODY = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
REF = {"uri": f"at://{NOBODY}/{POST}/{KEY}", "cid": CID}
DELETE = {"$type": f"{REPO}.applyWrites#delete", "collection": POST, "rkey": KEY}
CARD = {"uri": "https://a.b", "title": "", "description": ""}
POSTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "empty": {"text": ""},
    "300 letters": {"text": "x" * 300},
    "301 letters": {"text": "x" * 301},
    "300 families": {"text": "👨‍👩‍👧‍👦" * 100},
    "too many bytes": {"text": "👨‍👩‍👧‍👦" * 121},
    "301 accents": {"text": "e\u0301" * 301},
    "number as text": {"text": 3},
    "no zone": {"createdAt": "2026-01-01T00:00:00"},
    "space in date": {"createdAt": "2026-01-01 00:00:00Z"},
    "minus zero": {"createdAt": "2026-01-01T00:00:00-00:00"},
    "month 13": {"createdAt": "2026-13-01T00:00:00Z"},
    "no date": {"createdAt": None},
    "another type": {"$type": "app.bsky.feed.like"},
    "four languages": {"langs": ["en", "de", "fr", "it"]},
    "bad language": {"langs": ["!!"]},
    "nine tags": {"tags": ["a"] * 9},
    "long tag": {"tags": ["a" * 65]},
    "facet beyond the text": {"facets": [facet(index={"byteStart": 0, "byteEnd": 1000})]},
    "facet below zero": {"facets": [facet(index={"byteStart": -1, "byteEnd": 1})]},
    "facet of nothing": {"facets": [{"features": []}]},
    "facet untyped": {"facets": [facet(features=[{"uri": "x"}])]},
    "facets no list": {"facets": {}},
    "bad link": {"facets": [facet(features=[{"$type": "app.bsky.richtext.facet#link", "uri": "nope"}])]},
    "bad mention": {
        "facets": [facet(features=[{"$type": "app.bsky.richtext.facet#mention", "did": "nope"}])]
    },
    "one picture": {"embed": images("png")},
    "picture with ratio": {"embed": images("png", aspectRatio={"width": 4, "height": 3})},
    "flat ratio": {"embed": images("png", aspectRatio={"width": 0, "height": 3})},
    "four pictures": {"embed": images(*["png"] * 4)},
    "five pictures": {"embed": images(*["png"] * 5)},
    "big picture": {"embed": images("big")},
    "text as picture": {"embed": images("text")},
    "no alt": {"embed": {"$type": "app.bsky.embed.images", "images": [{"image": "png"}]}},
    "no blob": {"embed": images("nothing")},
    "card": {"embed": {"$type": "app.bsky.embed.external", "external": CARD}},
    "card with a bad link": {"embed": {"$type": "app.bsky.embed.external", "external": {**CARD, "uri": "x"}}},
    "untyped embed": {"embed": {"a": 1}},
    "unknown embed": {"embed": {"$type": "com.example.thing", "a": 1}},
    "quote of nothing": {"embed": {"$type": "app.bsky.embed.record", "record": REF}},
    "reply to nothing": {"reply": {"root": REF, "parent": REF}},
    "reply without parent": {"reply": {"root": REF}},
    "reply with a bad cid": {"reply": {"root": {**REF, "cid": "zz"}, "parent": REF}},
    "fraction": {"extra": {"float": 1.5}},
    "more fields": {"extra": {"ok": [1, None, True, {"$bytes": "aGk"}]}},
}


def filled(value: Any, blobs: dict[str, Any]) -> Any:
    """The same record with the side's own uploads where it names one."""
    if isinstance(value, dict):
        return {k: blobs.get(v, v) if k == "image" else filled(v, blobs) for k, v in value.items()}
    return [filled(item, blobs) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", POSTS)
def test_a_post_is_taken_or_refused_in_the_same_words(sides: tuple[Side, Side], name: str) -> None:
    said: list[tuple[int, str]] = []
    for side in sides:
        record = filled({"$type": POST, "text": "hi", "createdAt": NOW, **POSTS[name]}, side.blobs)
        record = {k: v for k, v in record.items() if v is not None}
        answer = side.post(f"{REPO}.createRecord", {"repo": side.did, "collection": POST, "record": record})
        said.append(without_chance(side, answer))
    assert said[1] == said[0]


CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "bad key": ("createRecord", {"rkey": "he llo"}),
    "key that is no TID": ("createRecord", {"rkey": "hello"}),
    "bad collection": ("createRecord", {"collection": "bad"}),
    "no repo": ("createRecord", {"repo": None}),
    "no record": ("createRecord", {"record": None}),
    "unknown repo": ("createRecord", {"repo": NOBODY}),
    "unknown lexicon": ("createRecord", {"collection": "com.example.thing", "record": {"x": 1}}),
    "unchecked": ("createRecord", {"validate": False, "record": {"x": 1}}),
    "delete what is not there": ("deleteRecord", {"rkey": KEY, "record": None}),
    "too many writes": (
        "applyWrites",
        {"writes": [DELETE] * 201},
    ),
    "delete in a batch what is not there": (
        "applyWrites",
        {"writes": [DELETE]},
    ),
    "untyped write": ("applyWrites", {"writes": [{"collection": POST}]}),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_refused_in_the_same_words(sides: tuple[Side, Side], name: str) -> None:
    method, changes = CALLS[name]
    said: list[tuple[int, str]] = []
    for side in sides:
        record = {"$type": POST, "text": "hi", "createdAt": NOW}
        body = {"repo": side.did, "collection": POST, "record": record, **changes}
        answer = side.post(f"{REPO}.{method}", {k: v for k, v in body.items() if v is not None})
        said.append(without_chance(side, answer))
    assert said[1] == said[0]


READS: dict[str, tuple[str, dict[str, Any]]] = {
    "absent record": (f"{REPO}.getRecord", {"repo": "DID", "collection": POST, "rkey": "3kabcdefghi2z"}),
    "missing parameters": (f"{REPO}.getRecord", {"repo": "DID"}),
    "nobody's record": (
        f"{REPO}.getRecord",
        {"repo": NOBODY, "collection": POST, "rkey": KEY},
    ),
    "too long a list": (f"{REPO}.listRecords", {"repo": "DID", "collection": POST, "limit": 101}),
    "nobody's list": (f"{REPO}.listRecords", {"repo": "nobody.test", "collection": POST}),
    "an empty list": (f"{REPO}.listRecords", {"repo": "DID", "collection": "com.example.none"}),
    "an unknown handle": ("com.atproto.identity.resolveHandle", {"handle": "nobody.test"}),
    "a malformed handle": ("com.atproto.identity.resolveHandle", {"handle": "zz"}),
    "an unknown method": ("com.example.nope", {}),
    "a wrong method": (f"{REPO}.createRecord", {}),
    "a missing blob": (
        "com.atproto.sync.getBlob",
        {"did": "DID", "cid": BLOB_CID},
    ),
}


@pytest.mark.parametrize("name", READS)
def test_a_question_is_answered_in_the_same_words(sides: tuple[Side, Side], name: str) -> None:
    nsid, params = READS[name]
    said: list[tuple[int, str]] = []
    for side in sides:
        mine = {k: side.did if v == "DID" else v for k, v in params.items()}
        said.append(without_chance(side, side.get(nsid, **mine)))
    assert said[1] == said[0]


@pytest.mark.parametrize("header", ["Basic abc", "abc", "Bearer x.y.z", "Token abc", None])
def test_a_bad_token_is_refused_in_the_same_words(sides: tuple[Side, Side], header: str | None) -> None:
    said: list[tuple[int, str]] = []
    for side in sides:
        headers = {"authorization": header} if header else {}
        answers = [side.http.get("com.atproto.server.getSession", headers=headers)]
        answers.append(side.http.post("com.atproto.server.refreshSession", headers=headers))
        said += [without_chance(side, answer) for answer in answers]
    assert said[2:] == said[:2]


def test_a_key_used_twice_and_a_put_repeated_are_the_same_on_both(sides: tuple[Side, Side]) -> None:
    said: list[list[Any]] = []
    for side in sides:
        record = {"$type": POST, "text": "once", "createdAt": NOW}
        body = {"repo": side.did, "collection": POST, "record": record, "rkey": "3kabcdefghi33"}
        calls = [
            "createRecord",
            "createRecord",
            "putRecord",
            "deleteRecord",
            "deleteRecord",
            "putRecord",
            "putRecord",
        ]
        answers = [side.post(f"{REPO}.{call}", body) for call in calls]
        said.append([(*without_chance(side, a), "commit" in a.text) for a in answers])
    assert said[1] == said[0]
