"""What every refusal on the wire looks like (contract 2.5, 2.6, 11.1), whatever it refuses."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from api import Answer
from hubbub.errors import Action, Refusal, class_of

MAY_SAY = {"code", "message", "meta", "action", "retry_after_seconds", "docs", "upstream", "errors"}
LONGEST_HEADER_WAIT = 60
INNARDS = re.compile(r"Traceback|asyncpg|sqlalchemy|SELECT |/src/|site-packages|\.py\b|Error\(")


def check_refusal(answer: Answer, base: str, secrets: Collection[str]) -> None:
    """Raises AssertionError naming what is wrong with the envelope."""
    text = answer.content.decode()
    assert answer.json is not None, (answer.status, text[:200])
    assert set(answer.json) == {"error", "request_id"}, answer.json
    assert answer.json["request_id"] == answer.headers["x-request-id"]
    error = answer.json["error"]
    leading = check_error(error, base)
    for each in error.get("errors", []):
        check_error(each, base)
    if "errors" in error:
        assert len(error["errors"]) > 1
        assert error["errors"][0]["code"] == error["code"]
    assert not INNARDS.search(text), text
    assert not [secret for secret in secrets if secret in text], text
    assert ("www-authenticate" in answer.headers) == (answer.status == 401)
    check_wait(answer, error)
    if leading.code.startswith("http."):
        assert error["code"] == f"http.{answer.status}"


def check_error(error: dict[str, Any], base: str) -> type[Refusal]:
    assert {"code", "message", "action", "docs"} <= set(error) <= MAY_SAY, error
    refusal = class_of(error["code"])
    assert refusal is not None, f"no refusal has the code {error['code']}"
    assert Action(error["action"]) is refusal.action
    assert error["docs"] == f"{base}/docs/errors/{error['code']}"
    assert isinstance(error["message"], str)
    assert error["message"].strip()
    assert "{" not in error["message"], f"a placeholder was left: {error['message']}"
    assert error.get("meta") != {}, "meta is only there when it says something"
    return refusal


def check_wait(answer: Answer, error: dict[str, Any]) -> None:
    """`Retry-After` says the same as the body, and only short waits."""
    wait = error.get("retry_after_seconds")
    header = answer.headers.get("retry-after")
    if wait is None or wait > LONGEST_HEADER_WAIT:
        assert header is None
    else:
        assert header == str(wait)
        assert error["meta"]["retry_after_seconds"] == wait
