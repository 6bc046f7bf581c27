"""The kinds of text this network names: ids, keys, times. https://atproto.com/specs/lexicon#string-formats"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from hubbub.platforms.bluesky.emulator.codec import cid_bytes

NSID = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*(\.[a-zA-Z0-9][a-zA-Z0-9-]*)+\.[a-zA-Z][a-zA-Z0-9]*")
DID = re.compile(r"did:[a-z]+:[a-zA-Z0-9._:%-]*[a-zA-Z0-9._-]")
HANDLE = re.compile(
    r"([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
)
RECORD_KEY = re.compile(r"[a-zA-Z0-9_~.:-]{1,512}")
TID = re.compile(r"[2-7a-j][2-7a-z]{12}")
URI = re.compile(r"[a-zA-Z][\w+.-]*:(//)?[^\s/]\S*")
LANGUAGE = re.compile(r"[a-zA-Z]{2,8}(-[a-zA-Z0-9]{1,8})*")
DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,20})?(Z|[+-]\d\d:\d\d)")


def is_cid(text: Any) -> bool:
    try:
        return len(cid_bytes(text)) == 36
    except (ValueError, TypeError):
        return False


def is_datetime(text: str) -> bool:
    """RFC 3339 with seconds and a zone; `-00:00` is refused."""
    if not DATETIME.fullmatch(text) or text.endswith("-00:00"):
        return False
    try:
        datetime.fromisoformat(re.sub(r"\.\d+", "", text))
    except ValueError:
        return False
    return True


def is_at_uri(text: str) -> bool:
    authority, _, rest = text.removeprefix("at://").partition("/")
    return text.startswith("at://") and is_at_identifier(authority) and not re.search(r"\s|//", rest)


def is_at_identifier(text: str) -> bool:
    return bool(DID.fullmatch(text) if text.startswith("did:") else HANDLE.fullmatch(text))


def is_record_key(text: str) -> bool:
    return bool(RECORD_KEY.fullmatch(text)) and text not in (".", "..")


KNOWN: dict[str, Callable[[str], bool]] = {
    "at-identifier": is_at_identifier,
    "at-uri": is_at_uri,
    "cid": is_cid,
    "datetime": is_datetime,
    "did": lambda text: bool(DID.fullmatch(text)),
    "handle": lambda text: bool(HANDLE.fullmatch(text)),
    "language": lambda text: bool(LANGUAGE.fullmatch(text)),
    "nsid": lambda text: bool(NSID.fullmatch(text)),
    "record-key": is_record_key,
    "tid": lambda text: bool(TID.fullmatch(text)),
    "uri": lambda text: bool(URI.fullmatch(text)),
}
SAID = {
    "at-identifier": "AT identifier",
    "cid": "CID string",
    "did": "DID",
    "nsid": "NSID",
    "record-key": "record key",
    "tid": "TID string",
}
