"""Content ids, record keys and the bytes behind them, as every server on this network computes them."""

from __future__ import annotations

import base64
import hashlib
import struct
from typing import Any

# https://atproto.com/specs/data-model: CIDv1, SHA-256; dag-cbor for records, raw for blobs.
DAG_CBOR, RAW = 0x71, 0x55
# https://atproto.com/specs/tid
TID_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"


def cid_of_record(value: Any) -> str:
    """The id of a record: equal content has an equal id, whatever the order of its keys.

    Raises TypeError for what the data model has no word for (floats).
    """
    return _cid(DAG_CBOR, encode(value))


def cid_of_blob(data: bytes) -> str:
    return _cid(RAW, data)


def cid_bytes(cid: str) -> bytes:
    """Raises ValueError when the text is not a CIDv1 in base32 over SHA-256."""
    body = cid[1:].upper()
    raw = base64.b32decode(body + "=" * (-len(body) % 8))
    if cid[:1] != "b" or len(raw) != 36 or raw[0] != 1 or raw[2:4] != b"\x12\x20":
        raise ValueError(f"{cid!r} is not a CID")
    return raw


def tid(microseconds: int, clock_id: int) -> str:
    """The record key for an instant: 13 digits that sort by time."""
    number = (microseconds << 10) | (clock_id & 0x3FF)
    return "".join(TID_DIGITS[(number >> shift) & 31] for shift in range(60, -1, -5))


def encode(value: Any) -> bytes:
    """Canonical DAG-CBOR of JSON as the wire carries it: `$link` is a CID, `$bytes` is bytes.

    https://ipld.io/specs/codecs/dag-cbor/spec/
    """
    if value is None or isinstance(value, bool):
        return {None: b"\xf6", True: b"\xf5", False: b"\xf4"}[value]
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, str):
        text = value.encode()
        return _head(3, len(text)) + text
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(encode(item) for item in value)
    if isinstance(value, dict):
        return _encode_map(value)
    raise TypeError(f"the data model has no {type(value).__name__}")


def ordered(value: Any) -> Any:
    """The same JSON with the keys in the order in which a repository gives them back."""
    if isinstance(value, dict):
        return {key: ordered(value[key]) for key in sorted(value, key=_key_order)}
    return [ordered(item) for item in value] if isinstance(value, list) else value


def _encode_map(value: dict[str, Any]) -> bytes:
    if set(value) == {"$link"}:
        link = b"\x00" + cid_bytes(value["$link"])
        return b"\xd8\x2a" + _head(2, len(link)) + link
    if set(value) == {"$bytes"}:
        raw = base64.b64decode(value["$bytes"] + "=" * (-len(value["$bytes"]) % 4))
        return _head(2, len(raw)) + raw
    keys = sorted(value, key=_key_order)
    return _head(5, len(keys)) + b"".join(encode(key) + encode(value[key]) for key in keys)


def _key_order(key: str) -> tuple[int, bytes]:
    raw = key.encode()
    return len(raw), raw


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for extra, code in ((24, ">BB"), (25, ">BH"), (26, ">BI"), (27, ">BQ")):
        if number < 1 << (8 << (extra - 24)):
            return struct.pack(code, major << 5 | extra, number)
    raise TypeError("an integer of more than 64 bits")


def _cid(codec: int, data: bytes) -> str:
    raw = bytes([1, codec, 0x12, 0x20]) + hashlib.sha256(data).digest()
    return "b" + base64.b32encode(raw).decode().rstrip("=").lower()
