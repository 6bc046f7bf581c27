"""Graph's refusals as whole answers: the envelope, an outage's page, and an entry of the facts filled up."""

from __future__ import annotations

from html import escape
from typing import Any

from hubbub.emulation.call import Reply
from hubbub.emulation.graph.errors import GraphError, new_trace


def refused(error: GraphError) -> Reply:
    return Reply(error.status, error.body(), error.headers)


def outage(status: int, say: str) -> Reply:
    """What an entry without a matcher stands for: a page instead of an error."""
    page = f"<!doctype html><title>Error</title><h1>{escape(say or 'Sorry, something went wrong.')}</h1>"
    return Reply(status, page, {"content-type": "text/html; charset=utf-8"})


def complete(error: Any, say: str) -> dict[str, Any]:
    """A refusal from the facts, filled up to a whole envelope."""
    given: dict[str, Any] = error if isinstance(error, dict) else {}
    code = given.get("code", 100)
    sentence = say or "The request was refused."
    return {
        "message": f"(#{code}) {sentence}",
        "type": "OAuthException",
        "code": code,
        "fbtrace_id": new_trace(),
    } | given
