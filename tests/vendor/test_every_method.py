"""No method of the vendor's client is forgotten: each is driven here, or waits for a part of the product."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import socialapi
from socialapi import models
from socialapi._bound import _Bound  # pyright: ignore[reportPrivateUsage] - what acts by itself

DRIVEN: dict[str, str] = {
    "accounts": "connect disconnect exchange_oauth get_creator_info get_limits list list_boards list_pages update_page",
    "keys": "create list revoke",
    "media": "delete get_storage_usage get_upload_url list upload verify",
    "posts": "delete get get_metrics list retry unpublish",
    "publishing": "create get_constraints get_upload_url import_posts update validate verify_upload",
    "usage": "get get_account_limits",
    "users": "get_me",
}
LATER: dict[str, dict[str, str]] = {
    "brands": {"brands": "create delete list update"},
    "comments": {
        "comments": "delete hide like list list_posts list_replies private_reply reply unhide unlike"
    },
    "messages": {"conversations": "get list list_messages mark_as_read send_message update"},
    "reviews": {"reviews": "list reply"},
    "mentions": {"mentions": "list"},
    "the event log": {"events": "get_summary list"},
    "exports": {"accounts": "export", "exports": "get list list_videos"},
    "invitations": {"invites": "create list revoke"},
    "redirect addresses": {"oauth": "create_redirect_uri delete_redirect_uri list_redirect_uris"},
    "webhooks": {
        "webhooks": (
            "create delete get get_delivery list list_deliveries list_events retry_delivery test update"
        )
    },
    "changing and deleting the user": {"users": "delete_me update_me"},
    "videos and their comments": {
        "youtube": "edit_comment get_channel_summary moderate_comment sync_account update_video"
    },
}
"""By the part of the product that each waits for."""

BOUND: dict[str, str] = {
    "Account": "disconnect get_creator_info get_limits list_boards list_pages",
    "APIKey": "revoke",
    "MediaItem": "delete verify",
    "Page": "update",
    "Post": "delete get_metrics retry unpublish update",
}
"""Methods of what the client returned."""
BOUND_LATER: dict[str, dict[str, str]] = {
    "brands": {"Brand": "delete update"},
    "comments": {
        "CommentedPost": "list_comments reply",
        "InboxComment": "delete hide like list_replies private_reply reply unhide unlike",
    },
    "messages": {"Conversation": "list_messages mark_as_read send_message update"},
    "reviews": {"Review": "reply"},
    "exports": {"Account": "export", "Export": "list_videos refresh"},
    "invitations": {"Invite": "revoke", "InviteListItem": "revoke"},
    "redirect addresses": {"OAuthRedirectURI": "delete"},
    "webhooks": {"Webhook": "delete update"},
}


def pairs(table: dict[str, str]) -> set[str]:
    return {f"{part}.{name}" for part, names in table.items() for name in names.split()}


def listed(now: dict[str, str], later: dict[str, dict[str, str]]) -> set[str]:
    waiting = [pairs(table) for table in later.values()]
    assert sum(map(len, waiting)) == len(set().union(*waiting)), "something waits for two parts"
    assert not pairs(now) & set().union(*waiting), "something is driven and waits"
    return pairs(now).union(*waiting)


def methods_of(thing: Any) -> set[str]:
    return {name for name, _ in inspect.getmembers(thing, inspect.isfunction) if not name.startswith("_")}


@pytest.mark.parametrize("kind", [socialapi.SocialAPI, socialapi.AsyncSocialAPI])
def test_every_method_of_a_resource_is_listed(kind: Any) -> None:
    client = kind(api_key="sapi_key_none", base_url="http://127.0.0.1:1")
    resources = {
        name: type(getattr(client, name))
        for name in dir(client)
        if not name.startswith("_")
        and type(getattr(client, name)).__module__.startswith("socialapi.resources")
    }
    found = {f"{part}.{name}" for part, thing in resources.items() for name in methods_of(thing)}

    assert found == listed(DRIVEN, LATER)
    assert len(found) == 86, "as many as contract 14.2 counts"


@pytest.mark.parametrize("prefix", ["", "Async"])
def test_every_method_of_what_acts_by_itself_is_listed(prefix: str) -> None:
    kinds = [kind for _, kind in inspect.getmembers(models, inspect.isclass) if issubclass(kind, _Bound)]
    own = {name for kind in _Bound.__mro__ for name in vars(kind)}
    found = {
        f"{kind.__name__.removeprefix('Async')}.{name}"
        for kind in kinds
        if kind.__name__.startswith("Async") == bool(prefix) and kind is not _Bound
        for name in methods_of(kind) - own
    }

    assert found == listed(BOUND, BOUND_LATER)


def test_what_is_said_to_be_driven_is_called_by_a_test() -> None:
    """By its text: how well each is driven, the tests themselves say."""
    files = Path(__file__).parent.glob("test_*.py")
    text = "\n".join(file.read_text(encoding="utf-8") for file in files if file.name != Path(__file__).name)
    called = set(re.findall(r"client\.(\w+\.\w+)\b", text)) | set(re.findall(r"on\(\s*\"(\w+\.\w+)\"", text))
    called |= {
        f"{part}.get_upload_url" for part in ("media", "publishing") if "resource.get_upload_url(" in text
    }

    assert pairs(DRIVEN) - called == set()
    assert {one for one in pairs(BOUND) if f".{one.partition('.')[2]}(" not in text} == set()
