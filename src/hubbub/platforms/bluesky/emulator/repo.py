"""A person's repository: records and uploads, written one by one or together.

https://docs.bsky.app/docs/api/com-atproto-repo-create-record; what is refused, in which order and in which
words was read off @atproto/pds 0.5.35.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hubbub.emulation.emulator import SandboxClock, Thing, World
from hubbub.platforms.bluesky.emulator import formats
from hubbub.platforms.bluesky.emulator.answers import refuse
from hubbub.platforms.bluesky.emulator.checks import Invalid, is_blob
from hubbub.platforms.bluesky.emulator.codec import cid_of_blob, cid_of_record, ordered, tid
from hubbub.platforms.bluesky.emulator.lexicon import FOLLOW, LIKE, LITERAL_KEYS, RECORDS, REPOST

CLOCK_ID = 24
ONE_PER_SUBJECT = (LIKE, REPOST, FOLLOW)
# The first bytes of what people upload; the server trusts them over the caller's Content-Type.
MAGIC = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"AVI ", "video/vnd.avi"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
)


@dataclass(frozen=True)
class Write:
    """One change: `action` is create, update or delete; a delete has no value."""

    action: str
    collection: str
    key: str
    value: Thing | None = None
    cid: str | None = None
    validation: str | None = None


class Repo:
    """One person's repository. Records are `records` in the world, by at:// address; uploads are `media`."""

    def __init__(self, world: World, clock: SandboxClock, person: Thing) -> None:
        self.world = world
        self.clock = clock
        self.person_id = person["id"]
        self.did = person["did"]

    def uri(self, collection: str, key: str) -> str:
        return f"at://{self.did}/{collection}/{key}"

    def get(self, collection: str, key: str) -> Thing | None:
        return self.world.get("records", self.uri(collection, key))

    def prepare(
        self, action: str, collection: str, key: str | None, value: Thing, validate: bool | None, path: str
    ) -> Write:
        """A write that may be applied. Raises Refuse for a value the network does not take."""
        value = {"$type": collection, **value}
        if value["$type"] != collection:
            raise refuse(400, message=f"Invalid $type: expected {collection}, got {value['$type']}")
        key = key or self.next_key()
        validation = _validate(collection, key, value, validate, path)
        return Write(action, collection, key, ordered(value), cid_of_record(value), validation)

    def apply(self, writes: Sequence[Write], swap_commit: str | None = None) -> Thing:
        """All of the writes or none; the commit's `cid` and `rev`. Raises Refuse.

        A record that is there already (create) or is not (update, delete) is an internal error, as on the
        real server.
        """
        head = self._head()
        if swap_commit is not None and swap_commit != head["cid"]:
            raise refuse(400, "InvalidSwap", f"Commit was at {head['cid']}")
        self._must_fit(writes)
        blobs = [found for write in writes for found in self._blobs_for(write.value)]
        for write in writes:
            self._do(write)
        for blob in blobs:
            self.world.update("media", blob["id"], used=True)
        commit = self._advance(head, [(w.action, w.collection, w.key, w.cid) for w in writes])
        self.world.update("people", self.person_id, head=commit)
        return commit

    def must_be_at(self, write: Write, wanted: str | None) -> None:
        """The record's cid must be the one the caller last saw (None: no record). Raises Refuse."""
        current = self.get(write.collection, write.key)
        cid = current["cid"] if current else None
        if cid != wanted:
            raise refuse(400, "InvalidSwap", f"Record was at {cid or 'null'}")

    def same_subject(self, write: Write) -> list[Write]:
        """The earlier like, repost or follow that a new one of the same subject takes the place of."""
        if write.collection not in ONE_PER_SUBJECT or write.value is None:
            return []
        subject = _subject(write.value)
        return [
            Write("delete", write.collection, record["rkey"])
            for record in self.world.all("records", did=self.did, collection=write.collection)
            if _subject(record["value"]) == subject and record["rkey"] != write.key
        ]

    def upload(self, data: bytes, said: str) -> Thing:
        """Keep an upload; the reference to put into a record."""
        cid = cid_of_blob(data)
        id = f"{self.did}/{cid}"
        mime = next((kind for at, magic, kind in MAGIC if data[at:].startswith(magic)), said)
        if self.world.get("media", id) is None:
            self.world.add("media", id=id, did=self.did, cid=cid, mime=mime, size=len(data), used=False)
            self.world.keep_bytes(id, data)
        return {"$type": "blob", "ref": {"$link": cid}, "mimeType": mime, "size": len(data)}

    def next_key(self) -> str:
        """A record key for now, later than every one given before."""
        now = int(self.clock.now().timestamp() * 1_000_000)
        kept = self.world.get("people", self.person_id) or {}
        moment = max(now, kept.get("last_key", 0) + 1)
        self.world.update("people", self.person_id, last_key=moment)
        return tid(moment, CLOCK_ID)

    def _head(self) -> Thing:
        person = self.world.get("people", self.person_id) or {}
        return person.get("head") or self._advance({"cid": None}, [])

    def _advance(self, head: Thing, changes: list[tuple[Any, ...]]) -> Thing:
        rev = self.next_key()
        said = {
            "did": self.did,
            "rev": rev,
            "prev": head["cid"],
            "data": [list(change) for change in changes],
        }
        return {"cid": cid_of_record(said), "rev": rev}

    def _must_fit(self, writes: Sequence[Write]) -> None:
        there: dict[str, bool] = {}
        for write in writes:
            uri = self.uri(write.collection, write.key)
            exists = there.get(uri, self.world.get("records", uri) is not None)
            if exists == (write.action == "create"):
                raise refuse(500)
            there[uri] = write.action != "delete"

    def _blobs_for(self, value: Any) -> Iterator[Thing]:
        for blob in _blobs(value):
            cid = blob["ref"]["$link"]
            kept = self.world.get("media", f"{self.did}/{cid}")
            if kept is None:
                raise refuse(400, "BlobNotFound", f"Could not find blob: {cid}")
            if not kept["used"]:
                _must_match(blob, kept)
            yield kept

    def _do(self, write: Write) -> None:
        uri = self.uri(write.collection, write.key)
        if write.action == "delete":
            self.world.remove("records", uri)
            return
        kept = {"cid": write.cid, "value": write.value, "indexed_at": wire_time(self.clock)}
        if write.action == "update":
            self.world.update("records", uri, **kept)
        else:
            where = {"did": self.did, "collection": write.collection, "rkey": write.key}
            self.world.add("records", id=uri, **where, **kept)


def wire_time(clock: SandboxClock) -> str:
    """Now, as this network writes it: milliseconds and Z."""
    return clock.now().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _validate(collection: str, key: str, value: Thing, validate: bool | None, path: str) -> str | None:
    if validate is False:
        return None
    shape = RECORDS.get(collection)
    if shape is None:
        if validate:
            raise refuse(400, message=f"Unknown lexicon type: {collection}")
        return "unknown"
    literal = LITERAL_KEYS.get(collection)
    if literal is not None and key != literal:
        why = f'Expected "{literal}" (got "{key}")'
        raise refuse(400, message=f"Invalid record key for {collection}: {why} at $")
    if literal is None and not formats.KNOWN["tid"](key):
        why = f'Invalid TID string (got "{key}")'
        raise refuse(400, message=f"Invalid record key for {collection}: {why} at $")
    try:
        shape(value, path)
    except Invalid as invalid:
        raise refuse(400, message=f"Invalid {collection} record: {invalid}") from invalid
    return "valid"


def _must_match(blob: Thing, kept: Thing) -> None:
    for name, error, mine, theirs in (
        ("Mimetype", "InvalidMimeType", kept["mime"], blob["mimeType"]),
        ("Size", "InvalidSize", kept["size"], blob["size"]),
    ):
        if mine != theirs:
            sentence = f"Referenced {name} does not match stored blob. Expected: {mine}, Got: {theirs}"
            raise refuse(400, error, sentence)


def _blobs(value: Any) -> Iterator[Thing]:
    if is_blob(value):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _blobs(item)


def _subject(value: Thing) -> Any:
    subject = value["subject"]
    return subject["uri"] if isinstance(subject, dict) else subject
