"""What a key can be restricted to."""

from __future__ import annotations

import msgspec


class Scope(msgspec.Struct, frozen=True):
    name: str
    description: str
    group: str


SCOPES = (
    Scope("accounts:read", "See brands, connected accounts, their pages and limits.", "Accounts"),
    Scope("accounts:manage", "Connect, change and disconnect accounts and pages.", "Accounts"),
    Scope("posts:read", "See posts and their numbers, and check drafts.", "Posts"),
    Scope("posts:write", "Create, change, publish, retry and delete posts.", "Posts"),
    Scope("media:read", "See the media library and its size.", "Media"),
    Scope("media:write", "Upload and delete media.", "Media"),
    Scope("inbox:read", "See comments, reviews and mentions.", "Inbox"),
    Scope("inbox:write", "Answer, hide, like and delete comments; answer reviews and mentions.", "Inbox"),
    Scope("dms:read", "See conversations and their messages.", "Messages"),
    Scope("dms:send", "Send messages.", "Messages"),
    Scope("webhooks:manage", "Manage webhook endpoints. Not for keys restricted to brands.", "Account-level"),
    Scope("analytics:read", "See events and exports. Not for keys restricted to brands.", "Account-level"),
)

NAMES = frozenset(scope.name for scope in SCOPES)
