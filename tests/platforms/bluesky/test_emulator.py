"""The stand-in, driven by a client that others wrote (PyPI `atproto`) and by plain HTTP."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from PIL import Image

from hubbub.emulation.testing import running_sandbox
from hubbub.platforms.bluesky.emulator.codec import cid_of_record, encode, tid

# How that client hands raw bytes to httpx.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>' to upload raw bytes:DeprecationWarning")

NOW = "2026-01-01T00:00:00.000Z"
POST = "app.bsky.feed.post"
REPO = "com.atproto.repo"
SERVER = "com.atproto.server"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[httpx2.Client]:
    with running_sandbox(only={"bluesky"}) as url, httpx2.Client(base_url=url) as client:
        yield client


@pytest.fixture
def root(sandbox: httpx2.Client) -> httpx2.Client:
    sandbox.post("/_sandbox/reset")
    return sandbox


@pytest.fixture
def person(root: httpx2.Client) -> dict[str, Any]:
    return root.post("/_sandbox/bluesky/people", json={"username": "ann", "name": "Ann"}).json()


@contextmanager
def atproto_client(url: str) -> Iterator[Any]:
    from atproto import Client

    client = Client(base_url=url)
    yield client
    client.request.close()


@pytest.fixture
def client(root: httpx2.Client, person: dict[str, Any]) -> Iterator[Any]:
    with atproto_client(str(root.base_url.join("/bluesky"))) as client:
        client.login(person["handle"], person["password"])
        yield client


class Session:
    """One person's calls over plain HTTP."""

    def __init__(self, root: httpx2.Client, identifier: str, password: str = "sandbox") -> None:
        self.root = root
        self.tokens = self.post(f"{SERVER}.createSession", identifier=identifier, password=password).json()
        self.did = self.tokens.get("did")

    def post(self, nsid: str, token: str | None = None, **body: Any) -> httpx2.Response:
        return self.root.post(f"/bluesky/xrpc/{nsid}", json=body or None, headers=self._auth(token))

    def get(self, nsid: str, token: str | None = None, **params: Any) -> httpx2.Response:
        return self.root.get(f"/bluesky/xrpc/{nsid}", params=params, headers=self._auth(token))

    def create(self, text: str = "hi", rkey: str | None = None, **more: Any) -> httpx2.Response:
        record = {"$type": POST, "text": text, "createdAt": NOW, **more}
        key = {"rkey": rkey} if rkey else {}
        return self.post(f"{REPO}.createRecord", repo=self.did, collection=POST, record=record, **key)

    def refresh(self, token: str) -> httpx2.Response:
        return self.post(f"{SERVER}.refreshSession", token=token)

    def _auth(self, token: str | None) -> dict[str, str]:
        token = token or getattr(self, "tokens", {}).get("accessJwt")
        return {"authorization": f"Bearer {token}"} if token else {}


@pytest.fixture
def ann(root: httpx2.Client, person: dict[str, Any]) -> Session:
    return Session(root, person["handle"])


def world(root: httpx2.Client) -> dict[str, Any]:
    return root.get("/_sandbox/bluesky/world").json()


def picture(kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 6), "red").save(file, kind)
    return file.getvalue()


def words(answer: httpx2.Response) -> tuple[int, str, str]:
    return answer.status_code, answer.json()["error"], answer.json()["message"]


# The client that others wrote


def test_atproto_logs_in_and_sees_its_profile(client: Any, person: dict[str, Any]) -> None:
    assert (client.me.did, client.me.handle, client.me.display_name) == (
        person["did"],
        person["handle"],
        "Ann",
    )


def test_atproto_posts_text_with_facets_and_reads_it_back(client: Any, root: httpx2.Client) -> None:
    from atproto import client_utils

    text = client_utils.TextBuilder().text("Grüße an ").mention("demo", "did:plc:demo").text(" ")
    made = client.send_post(text.link("hier", "https://example.com/ü").tag("#tag", "tag"))
    (view,) = client.get_posts([made.uri]).posts
    assert (view.record.text, view.cid) == ("Grüße an demo hier#tag", made.cid)
    kept = json.loads(view.record.model_dump_json(by_alias=True))
    assert [f["index"]["byteStart"] for f in kept["facets"]] == [11, 16, 20]
    (post,) = world(root)["posts"]
    assert (post["id"], post["text"], post["author"]) == (made.uri, view.record.text, client.me.did)
    assert (post["idempotency_key"], post["media"]) == (made.uri.rsplit("/", 1)[1], [])


def test_atproto_posts_a_picture_that_can_be_fetched(client: Any, root: httpx2.Client) -> None:
    made = client.send_image("look", picture(), image_alt="a red field")
    (view,) = client.get_posts([made.uri]).posts
    (image,) = view.embed.images
    assert image.alt == "a red field"
    assert httpx2.get(image.fullsize).content == picture()
    (media,) = world(root)["posts"][0]["media"]
    assert (media["alt"], media["blob"]["mimeType"], media["blob"]["size"]) == (
        "a red field",
        "image/png",
        len(picture()),
    )


def test_atproto_replies_likes_quotes_and_sees_the_numbers(client: Any, root: httpx2.Client) -> None:
    from atproto import models

    made = client.send_post("one")
    ref = models.create_strong_ref(made)
    reply = client.send_post("two", reply_to=models.AppBskyFeedPost.ReplyRef(parent=ref, root=ref))
    client.like(made.uri, made.cid)
    client.repost(made.uri, made.cid)
    client.send_post("quote", embed=models.AppBskyEmbedRecord.Main(record=ref))
    thread = client.get_post_thread(made.uri).thread
    assert [r.post.uri for r in thread.replies] == [reply.uri]
    assert client.get_post_thread(reply.uri).thread.parent.post.uri == made.uri
    seen = thread.post
    assert (seen.reply_count, seen.like_count, seen.repost_count, seen.quote_count) == (1, 1, 1, 1)
    feed = client.get_author_feed(client.me.did, filter="posts_no_replies").feed
    assert [item.post.record.text for item in feed] == ["quote", "one"]
    assert feed[0].post.embed.record.value.text == "one"
    assert [c["on"] for c in world(root)["comments"]] == [made.uri]


def test_atproto_deletes_a_post(client: Any, root: httpx2.Client) -> None:
    from atproto import exceptions

    made = client.send_post("gone soon")
    assert client.delete_post(made.uri)
    assert client.delete_post(made.uri)
    assert (client.get_posts([made.uri]).posts, world(root)["posts"]) == ([], [])
    with pytest.raises(exceptions.BadRequestError) as caught:
        client.get_post_thread(made.uri)
    assert caught.value.response.content.error == "NotFound"


def test_atproto_renews_a_session_from_its_string(client: Any, root: httpx2.Client) -> None:
    from atproto import exceptions

    kept = client.export_session_string()
    root.post("/_sandbox/bluesky/next", json={"then": "expire_token"})
    with atproto_client(client._base_url) as again:
        with pytest.raises(exceptions.BadRequestError, match="ExpiredToken"):
            again.login(session_string=kept)
        again._refresh_and_set_session()
        assert again.login(session_string=again.export_session_string()).did == client.me.did


def test_atproto_raises_its_own_exceptions_for_refusals(client: Any, person: dict[str, Any]) -> None:
    from atproto import exceptions

    with atproto_client(client._base_url) as other, pytest.raises(exceptions.UnauthorizedError) as wrong:
        other.login(person["handle"], "not it")
    assert wrong.value.response.content.message == "Invalid identifier or password"
    with pytest.raises(exceptions.BadRequestError) as long:
        client.send_post("x" * 301)
    assert "grapheme too big (maximum 300, got 301)" in long.value.response.content.message


def test_content_ids_are_those_of_an_independent_library() -> None:
    import libipld

    value = {"b": [1, -5, None, True, 2**40, "ü"], "aa": {}, "$type": POST, "n": 300}
    assert encode(value) == libipld.encode_dag_cbor(value)
    link = {"$link": cid_of_record(value)}
    decoded = libipld.decode_dag_cbor(encode({"ref": link, "raw": {"$bytes": "aGk"}}))
    assert decoded == {"ref": libipld.decode_cid(link["$link"]) and decoded["ref"], "raw": b"hi"}
    assert libipld.encode_cid(decoded["ref"]) == link["$link"]


# Sessions


@pytest.mark.parametrize("by", ["handle", "did", "email", "username"])
def test_a_person_signs_in_by_any_name(root: httpx2.Client, person: dict[str, Any], by: str) -> None:
    said = Session(root, person[by]).tokens
    assert (said["did"], said["handle"]) == (person["did"], person["handle"])
    pds = said["didDoc"]["service"][0]
    assert pds["id"] == "#atproto_pds"
    assert root.get(f"{pds['serviceEndpoint']}/{said['did']}").json() == said["didDoc"]


def test_a_person_may_have_a_password_and_a_handle_of_their_own(root: httpx2.Client) -> None:
    said = {"username": "bob.example.com", "name": "Bob", "password": "abcd-efgh"}
    root.post("/_sandbox/bluesky/people", json=said)
    assert Session(root, "bob.example.com", "abcd-efgh").tokens["handle"] == "bob.example.com"
    assert Session(root, "bob.example.com", "sandbox").tokens["error"] == "AuthenticationRequired"


def test_an_access_token_lives_two_hours_of_the_sandboxes_clock(root: httpx2.Client, ann: Session) -> None:
    root.post("/_sandbox/clock", json={"advance_seconds": 7190})
    assert ann.get(f"{SERVER}.getSession").status_code == 200
    root.post("/_sandbox/clock", json={"advance_seconds": 20})
    assert words(ann.get(f"{SERVER}.getSession")) == (400, "ExpiredToken", "Token has expired")


def test_a_used_refresh_token_gives_the_same_successor_for_two_hours(
    root: httpx2.Client, ann: Session
) -> None:
    first = ann.tokens["refreshJwt"]
    second = ann.refresh(first).json()["refreshJwt"]
    assert second != first
    assert ann.refresh(first).json()["refreshJwt"] == second
    root.post("/_sandbox/clock", json={"advance_seconds": 7201})
    assert words(ann.refresh(first)) == (400, "ExpiredToken", "Token has been revoked")
    assert ann.refresh(second).status_code == 200


def test_a_refresh_token_dies_after_ninety_days(root: httpx2.Client, ann: Session) -> None:
    root.post("/_sandbox/clock", json={"advance_seconds": 90 * 86_400 + 1})
    assert words(ann.refresh(ann.tokens["refreshJwt"])) == (400, "ExpiredToken", "Token has expired")


def test_logging_out_ends_the_session_but_not_the_access_token(ann: Session) -> None:
    assert ann.post(f"{SERVER}.deleteSession", token=ann.tokens["refreshJwt"]).status_code == 200
    assert words(ann.refresh(ann.tokens["refreshJwt"])) == (400, "ExpiredToken", "Token has been revoked")
    assert ann.get(f"{SERVER}.getSession").status_code == 200


def test_sessions_survive_a_restart(tmp_path: Any) -> None:
    with running_sandbox(tmp_path, only={"bluesky"}) as url, httpx2.Client(base_url=url) as root:
        before = Session(root, "demo.test")
        uri = before.create("kept").json()["uri"]
    with running_sandbox(tmp_path, only={"bluesky"}) as url, httpx2.Client(base_url=url) as root:
        before.root = root
        assert before.get(f"{SERVER}.getSession").status_code == 200
        assert before.refresh(before.tokens["refreshJwt"]).status_code == 200
        assert [p["id"] for p in world(root)["posts"]] == [uri]


# Writing


def test_a_record_key_is_used_once(root: httpx2.Client, ann: Session) -> None:
    key = tid(1_700_000_000_000_000, 7)
    assert ann.create(rkey=key).status_code == 200
    assert words(ann.create(rkey=key)) == (500, "InternalServerError", "Internal Server Error")
    assert [p["idempotency_key"] for p in world(root)["posts"]] == [key]


def test_putting_the_same_record_twice_changes_nothing(ann: Session) -> None:
    record = {"$type": POST, "text": "a", "createdAt": NOW}
    said = {"repo": ann.did, "collection": POST, "rkey": tid(1_700_000_000_000_000, 8), "record": record}
    first, second = (ann.post(f"{REPO}.putRecord", **said).json() for _ in range(2))
    assert first["cid"] == second["cid"]
    assert ("commit" in first, "commit" in second) == (True, False)
    stale = ann.post(f"{REPO}.putRecord", **{**said, "record": {**record, "text": "b"}, "swapRecord": None})
    assert words(stale) == (400, "InvalidSwap", f"Record was at {first['cid']}")


def test_writes_are_applied_together_or_not_at_all(root: httpx2.Client, ann: Session) -> None:
    key = tid(1_700_000_000_000_000, 9)
    create = {
        "$type": f"{REPO}.applyWrites#create",
        "collection": POST,
        "value": {"text": "a", "createdAt": NOW},
    }
    twice = [{**create, "rkey": key}, {**create, "rkey": key}]
    assert ann.post(f"{REPO}.applyWrites", repo=ann.did, writes=twice).status_code == 500
    assert world(root)["posts"] == []
    delete = {"$type": f"{REPO}.applyWrites#delete", "collection": POST, "rkey": key}
    done = ann.post(f"{REPO}.applyWrites", repo=ann.did, writes=[create, twice[0], delete]).json()
    assert [r["$type"].rsplit("#")[1] for r in done["results"]] == [
        "createResult",
        "createResult",
        "deleteResult",
    ]
    assert len(world(root)["posts"]) == 1


def test_records_are_listed_page_by_page(ann: Session) -> None:
    uris = [ann.create(str(n)).json()["uri"] for n in range(5)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = ann.get(f"{REPO}.listRecords", repo=ann.did, collection=POST, limit=2, **cursor).json()
        seen += [record["uri"] for record in page["records"]]
        if "cursor" not in page:
            break
        cursor = {"cursor": page["cursor"]}
    assert seen == uris[::-1]


def test_an_upload_is_known_by_its_content(ann: Session) -> None:
    send = {"content": picture("JPEG"), "headers": {**ann._auth(None), "content-type": "text/plain"}}
    blob = ann.root.post(f"/bluesky/xrpc/{REPO}.uploadBlob", **send).json()["blob"]
    assert blob["mimeType"] == "image/jpeg"
    again = ann.root.post(f"/bluesky/xrpc/{REPO}.uploadBlob", **send).json()["blob"]
    assert again == blob
    kept = ann.get("com.atproto.sync.getBlob", did=ann.did, cid=blob["ref"]["$link"])
    assert (kept.content, kept.headers["content-type"]) == (picture("JPEG"), "image/jpeg")


def test_every_answer_tells_the_rate(ann: Session) -> None:
    headers = ann.get(f"{SERVER}.getSession").headers
    assert (headers["ratelimit-limit"], headers["ratelimit-policy"]) == ("3000", "3000;w=300")
    assert 0 < int(headers["ratelimit-remaining"]) < 3000
    assert int(headers["ratelimit-reset"]) > 1_700_000_000


# The sandbox's own controls


def test_a_follower_comments_and_mentions(root: httpx2.Client, ann: Session) -> None:
    post = ann.create("hello").json()["uri"]
    emit = {"happening": "comment", "on": post, "from": "bob", "text": "hey"}
    comment = root.post("/_sandbox/bluesky/emit", json=emit).json()["id"]
    deeper = root.post("/_sandbox/bluesky/emit", json={**emit, "on": comment}).json()["id"]
    mention = {"happening": "mention", "to": "ann", "text": "see"}
    mentioned = root.post("/_sandbox/bluesky/emit", json=mention).json()["id"]
    thread = ann.get("app.bsky.feed.getPostThread", uri=post).json()["thread"]
    assert thread["replies"][0]["post"]["uri"] == comment
    assert thread["replies"][0]["replies"][0]["post"]["record"]["reply"]["root"]["uri"] == post
    seen = world(root)
    assert [c["id"] for c in seen["comments"]] == [comment, deeper]
    assert [(m["id"], m["text"]) for m in seen["mentions"]] == [(mentioned, "@ann.test see")]
    assert [p["id"] for p in seen["posts"]] == [post]
    for wrong in ({**emit, "on": "x"}, {**mention, "to": "nobody"}, {"happening": "review", "text": "5"}):
        assert root.post("/_sandbox/bluesky/emit", json=wrong).status_code == 400


def test_an_expired_token_is_dead_until_it_is_refreshed(root: httpx2.Client, ann: Session) -> None:
    root.post("/_sandbox/bluesky/next", json={"then": "expire_token"})
    for _ in range(2):
        assert words(ann.create()) == (400, "ExpiredToken", "Token has expired")
    ann.tokens = ann.refresh(ann.tokens["refreshJwt"]).json()
    assert ann.create().status_code == 200


def test_a_revoked_session_needs_a_new_sign_in(root: httpx2.Client, ann: Session) -> None:
    root.post("/_sandbox/bluesky/next", json={"then": "revoke"})
    for _ in range(2):
        assert words(ann.create())[:2] == (400, "ExpiredToken")
    assert words(ann.refresh(ann.tokens["refreshJwt"])) == (400, "ExpiredToken", "Token has been revoked")
    assert Session(root, ann.did or "").create().status_code == 200


def test_faults_speak_the_platforms_words(root: httpx2.Client, ann: Session) -> None:
    root.post("/_sandbox/bluesky/next", json={"then": "throttle", "params": {"retry_after": 9}})
    answer = ann.create()
    assert words(answer) == (429, "RateLimitExceeded", "Rate Limit Exceeded")
    assert (answer.headers["retry-after"], answer.headers["ratelimit-remaining"]) == ("9", "0")
    root.post("/_sandbox/bluesky/next", json={"then": "accept_then_500"})
    assert words(ann.create("kept")) == (500, "InternalServerError", "Internal Server Error")
    assert [p["text"] for p in world(root)["posts"]] == ["kept"]


def test_every_refusal_in_the_table_can_be_asked_for(root: httpx2.Client, ann: Session) -> None:
    from hubbub.emulation import mounts

    for entry in mounts.find({"bluesky"})["bluesky"].refusals:
        asked = {"then": "refuse", "params": {"error": entry["name"]}}
        assert root.post("/_sandbox/bluesky/next", json=asked).status_code == 200
        answer = ann.create()
        assert answer.json().keys() == {"error", "message"}
        status = entry.get("status", 400)
        assert answer.status_code == (500 if status == "5xx" else status)


def test_what_is_not_served_is_refused_as_the_server_does(ann: Session) -> None:
    assert words(ann.get("com.example.nope"))[2] == "No service configured for com.example.nope"
    assert words(ann.get(f"{REPO}.createRecord"))[2] == "Incorrect HTTP method (GET) expected POST"
    assert ann.root.get("/bluesky/nope").status_code == 404
    assert ann.root.get("/bluesky/did:plc:nobody").status_code == 404
    assert ann.root.get("/bluesky/.well-known/did.json").json()["id"].startswith("did:web:127.0.0.1%3A")
