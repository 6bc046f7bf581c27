"""How this network refuses: `{"error": name, "message": sentence}`, and input that is not what it must be."""

from __future__ import annotations

from typing import Any

from hubbub.emulation.emulator import Call, Refuse, Reply
from hubbub.platforms.bluesky.emulator.checks import Fields, Invalid, Many, Whole
from hubbub.platforms.bluesky.emulator.lexicon import INPUTS, PARAMS

NAMES = {
    400: ("InvalidRequest", "Bad Request"),
    401: ("AuthenticationRequired", "Authentication Required"),
    403: ("Forbidden", "Forbidden"),
    404: ("XRPCNotSupported", "XRPC Not Supported"),
    413: ("PayloadTooLarge", "request entity too large"),
    429: ("RateLimitExceeded", "Rate Limit Exceeded"),
    500: ("InternalServerError", "Internal Server Error"),
    501: ("MethodNotImplemented", "Method Not Implemented"),
    502: ("UpstreamFailure", "Upstream Failure"),
    503: ("NotEnoughResources", "Not Enough Resources"),
    504: ("UpstreamTimeout", "Upstream Timeout"),
}


def refusal(status: int, error: str | None = None, message: str | None = None) -> Reply:
    """An error answer; the name and the sentence default to those of the status."""
    name, sentence = NAMES.get(status, NAMES[500 if status >= 500 else 400])
    return Reply(status, {"error": error or name, "message": message or sentence})


def refuse(status: int, error: str | None = None, message: str | None = None) -> Refuse:
    """The same, to be raised."""
    return Refuse(refusal(status, error, message))


def body_of(call: Call) -> dict[str, Any]:
    """The JSON input of a procedure, checked. Raises Refuse."""
    if not call.headers.get("content-type"):
        raise refuse(400, message="Request encoding (Content-Type) required but not provided")
    if not call.headers["content-type"].startswith("application/json"):
        kind = call.headers["content-type"].partition(";")[0]
        raise refuse(400, message=f"Wrong request encoding (Content-Type): {kind}")
    try:
        INPUTS[nsid_of(call)](call.json, "$")
    except Invalid as invalid:
        raise refuse(400, message=str(invalid)) from invalid
    return call.json


def params_of(call: Call) -> dict[str, Any]:
    """The parameters of a query, checked and typed: numbers are ints, repeated ones lists. Raises Refuse."""
    nsid = nsid_of(call)
    shape = PARAMS[nsid]
    try:
        given = {name: _typed(call, shape, name) for name in call.query}
        shape(given, "$")
    except Invalid as invalid:
        raise refuse(400, message=f"Invalid {nsid} params: {invalid.sentence}") from invalid
    return given


def nsid_of(call: Call) -> str:
    return call.path.removeprefix("/xrpc/")


def _typed(call: Call, shape: Fields, name: str) -> Any:
    wanted = shape.required.get(name) or shape.optional.get(name)
    value = call.query[name]
    if isinstance(wanted, Many):
        return call.many(name)
    if isinstance(wanted, Whole):
        return int(value) if value.lstrip("-").isdecimal() else value
    return value
