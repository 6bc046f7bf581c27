"""Something of everything that has an id, in one workspace: what others must not reach."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from hubbub.runtime.routes import Route
from provoked.by_media import picture
from provoked.guest import Guest

NOT_IDS = {"platform", "code"}
"""Path parameters that name what everybody may see."""
SIGNED = "signed"
BODIES: dict[str, Any] = {
    "select_pages": {"page_ids": ["1"]},
    "change_page": {"is_active": True},
    "change_key": {"name": "renamed"},
    "resolve_target": {"outcome": "absent"},
}
"""What a route needs before it looks for the id."""
UNKNOWN = {
    "accounts.id": "acc_01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "accounts.page_id": "sapi_page_01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "accounts.connection_id": "pc_0123456789abcdef0123456789abcdef",
    "posts.account_id": "acc_01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "posts.pid": "0b9a4f2e-7c1d-4f4e-9a52-3f1f0a4d8c77",
    "media.media_id": "0b9a4f2e-7c1d-4f4e-9a52-3f1f0a4d8c77",
    "keys.id": "0b9a4f2e-7c1d-4f4e-9a52-3f1f0a4d8c77",
}


@dataclass(frozen=True)
class Belongings:
    owner: Guest
    brand: str
    empty_brand: str
    ids: dict[str, str]
    """By `<first part of the path>.<parameter>`."""


def filled(route: Route, ids: dict[str, str]) -> str:
    """The route's path with these ids. Raises KeyError for a parameter nobody has an id for."""
    noun = route.path.split("/")[2]
    return re.sub(r"{(\w+)}", lambda found: ids[f"{noun}.{found[1]}"], route.path)


def has_id(route: Route) -> bool:
    return bool(set(re.findall(r"{(\w+)}", route.path)) - NOT_IDS) and route.auth != SIGNED


async def furnish(owner: Guest) -> Belongings:
    """An account with a page, a sign-in that waits, a post, a file and a key, all of one brand."""
    brand = await owner.brand()
    account_id = await owner.facebook(brand_id=brand)
    person = await owner.person("facebook", places=["One", "Two"])
    second = await owner.brand()
    waiting = await owner.exchange(await owner.consent(person, brand_id=second))
    key = await owner.post("/v1/keys", {"name": "spare"})
    owner.stage.secrets.discard(key.json["raw_key"])
    ids = {
        "accounts.id": account_id,
        "accounts.page_id": (await owner.pages(account_id))[0]["id"],
        "accounts.connection_id": waiting.json["connection_id"],
        "posts.account_id": account_id,
        "posts.pid": await owner.draft(account_id),
        "media.media_id": await owner.media(picture()),
        "keys.id": key.json["id"],
    }
    return Belongings(owner, brand, await owner.brand(), ids)


async def ask(guest: Guest, route: Route, path: str) -> Any:
    """Call a route with whatever body it wants."""
    return await guest.call(route.method, path, BODIES.get(route.name))


def anonymous(answer: Any, *ids: str) -> tuple[int, str]:
    """An answer without what differs between two ids: the ids, the request id, the time."""
    error = dict(answer.json["error"])
    text = repr(sorted(error.items()))
    for id in ids:
        text = text.replace(id, "<id>")
    return answer.status, text
