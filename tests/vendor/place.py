"""A Hubbub that runs as a process of its own, and the sandbox beside it."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2

PASSWORD = "sandbox"
DONE = "https://customer.example/done"

_numbers = itertools.count(1)


def unheard(words: str) -> str:
    """Words that no other test says."""
    return f"{words} no. {next(_numbers)}"


@dataclass(frozen=True)
class Place:
    api: str
    sandbox: str
    key: str
    browser: httpx2.Client

    # The API without a client

    def call(self, method: str, path: str, body: Any = None, **how: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.key}", **how.pop("headers", {})}
        if body is not None:
            how["json"] = body
        return self.browser.request(method, self.api + path, headers=headers, **how)

    def select(self, pending: Any, *page_ids: str) -> str:
        """Choose among the pages that a sign-in offers; the account's id."""
        path = f"/v1/accounts/pending/{pending['connection_id']}/select"
        answer = self.call("POST", path, {"page_ids": list(page_ids)})
        assert answer.status_code == 201, answer.text
        return answer.json()["account_id"]

    # The sandbox

    def control(self, path: str, body: Any = None) -> Any:
        method = "GET" if body is None else "POST"
        answer = self.browser.request(method, f"{self.sandbox}/_sandbox{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def welcome(self, platform: str, **fields: Any) -> str:
        """Somebody new who can sign in; the username. On facebook `places` are the pages, one by default."""
        username = f"person{next(_numbers)}"
        self.control(f"/{platform}/people", {"username": username, "name": username.title(), **fields})
        return username

    def approve(self, auth_url: str, username: str) -> dict[str, str]:
        """Press the button on a consent page; what is sent back (`code`, `state`) and `redirect_uri`."""
        answer = self.browser.get(f"{auth_url}&sandbox_person={username}")
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["location"])
        return {
            **dict(parse_qsl(back.query)),
            "redirect_uri": f"{back.scheme}://{back.netloc}{back.path}",
        }

    def next(self, platform: str, on: str, then: str, times: int = 1, **params: Any) -> None:
        self.control(f"/{platform}/next", {"on": on, "then": then, "times": times, "params": params})

    def posts(self, platform: str, text: str) -> list[Any]:
        """What stands on the platform with this text."""
        return [post for post in self.control(f"/{platform}/world")["posts"] if post["text"] == text]

    def comments(self, platform: str, text: str) -> list[Any]:
        return [said for said in self.control(f"/{platform}/world")["comments"] if said["text"] == text]

    def settled(self, post_id: str, within: float = 60) -> Any:
        """The post, once nothing of it is under way any more."""
        deadline = time.monotonic() + within
        while True:
            post = self.call("GET", f"/v1/posts/{post_id}").json()
            if post["status"] not in ("publishing", "scheduled"):
                return post
            assert time.monotonic() < deadline, f"it never settled: {post}"
            time.sleep(0.05)


def typed(username: str) -> dict[str, Any]:
    """What a person types to connect a Bluesky account of the sandbox."""
    return {"sandbox": True, "identifier": username, "app_password": PASSWORD}


@dataclass(frozen=True)
class Accounts:
    """Connected once for all tests that only publish."""

    bluesky: str
    facebook: str
    instagram: str
    page: str
    """Our id of the facebook account's only page."""
    remote_page: str
    """The platform's id of it."""

    @property
    def both(self) -> list[dict[str, Any]]:
        return [{"account_id": self.bluesky}, {"account_id": self.facebook}]

    @property
    def all(self) -> list[dict[str, Any]]:
        return [*self.both, {"account_id": self.instagram}]
