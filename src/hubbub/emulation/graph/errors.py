"""What the stand-in says when it refuses: Graph's error envelope."""

from __future__ import annotations

import re
import secrets
from typing import Any

DOES_NOT_EXIST = (
    "Unsupported {method} request. Object with ID '{id}' does not exist, cannot be loaded due to missing "
    "permissions, or does not support this operation. Please read the Graph API documentation at "
    "https://developers.facebook.com/docs/graph-api"
)
STATUSES = {1: 500, 2: 500, 3: 403, 10: 403, 200: 403, 803: 404}
TOKEN_CODES = frozenset({102, 104, 190, 2500})


class GraphError(Exception):
    """One refusal. `subcode` and the user sentences are left out of the body when absent.

    Shape and meaning: https://developers.facebook.com/docs/graph-api/guides/error-handling
    """

    def __init__(
        self,
        code: int,
        message: str,
        *,
        subcode: int | None = None,
        kind: str = "OAuthException",
        status: int | None = None,
        transient: bool | None = None,
        title: str | None = None,
        sentence: str | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status if status is not None else STATUSES.get(code, 400)
        self.headers: dict[str, str] = {}
        optional = {
            "error_subcode": subcode,
            "is_transient": transient,
            "error_user_title": title,
            "error_user_msg": sentence,
            "error_data": data,
        }
        self.error: dict[str, Any] = {"message": message, "type": kind, "code": code}
        self.error |= {name: value for name, value in optional.items() if value is not None}
        if code in TOKEN_CODES:
            plain = re.sub(r"[^ !#-~]", "", message)
            self.headers["www-authenticate"] = f'OAuth "Facebook Platform" "invalid_token" "{plain}"'

    def body(self) -> dict[str, Any]:
        return {"error": {**self.error, "fbtrace_id": new_trace()}}


def new_trace() -> str:
    """Looks like the trace ids the platform prints with every refusal."""
    return "A" + secrets.token_urlsafe(16)


def bad_parameter(sentence: str, *, subcode: int | None = None) -> GraphError:
    return GraphError(100, f"(#100) {sentence}", subcode=subcode)


def no_such_object(method: str, node_id: str) -> GraphError:
    """Gone, never there, or not visible to this token: Graph does not tell these apart."""
    message = DOES_NOT_EXIST.format(method=method.lower(), id=node_id)
    return GraphError(100, message, subcode=33, kind="GraphMethodException")


def no_such_alias(name: str) -> GraphError:
    return GraphError(803, f"(#803) Some of the aliases you requested do not exist: {name}")


def no_such_field(field: str, node_type: str) -> GraphError:
    return GraphError(100, f"(#100) Tried accessing nonexisting field ({field}) on node type ({node_type})")


def no_such_path(path: str) -> GraphError:
    return GraphError(2500, f"Unknown path components: {path}")


def token_missing() -> GraphError:
    return GraphError(104, "An access token is required to request this resource.")


def token_missing_for_me() -> GraphError:
    message = "An active access token must be used to query information about the current user."
    return GraphError(2500, message)


def token_unreadable() -> GraphError:
    return GraphError(190, "Invalid OAuth access token - Cannot parse access token")


def permission_missing(permission: str) -> GraphError:
    return GraphError(10, f"(#10) This call requires the '{permission}' permission.")


def publishing_not_allowed(permission: str) -> GraphError:
    return GraphError(200, f"(#200) Requires the '{permission}' permission to act on this Page.")


def page_token_needed() -> GraphError:
    return GraphError(210, "(#210) A page access token is required to request this resource.")
