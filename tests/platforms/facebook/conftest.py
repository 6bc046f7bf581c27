"""A Facebook stand-in on a real socket, and somebody with a Page who is signed in."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from PIL import Image

from hubbub.emulation.testing import running_sandbox

REDIRECT = "http://127.0.0.1:1/callback"
SCOPES = (
    "pages_show_list,pages_manage_posts,pages_read_engagement,pages_read_user_content,"
    "pages_manage_engagement,pages_manage_metadata"
)
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(2000)
usernames = (f"person_{n}" for n in itertools.count(1))


def png(colour: str = "red", kind: str = "PNG") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (8, 6), colour).save(made, kind)
    return made.getvalue()


class Stand:
    """The stand-in as a script sees it: Graph below `base`, the controls beside it."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.base = root + "/facebook"
        self.http = httpx2.Client(timeout=10)
        self.png = png()
        self.mp4 = MP4

    def control(self, name: str, /, **body: Any) -> Any:
        answer = self.http.post(f"{self.root}/_sandbox/{name}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def world(self) -> dict[str, list[dict[str, Any]]]:
        return self.http.get(f"{self.root}/_sandbox/facebook/world").json()

    def person(self, **fields: Any) -> dict[str, Any]:
        return self.control("facebook/people", **{"username": next(usernames), "name": "Ada Baker", **fields})

    def dialog(self, username: str, *, scope: str = SCOPES, **extra: str) -> dict[str, str]:
        """The parameters that came back on the redirect."""
        asked = {"client_id": "app", "redirect_uri": REDIRECT, "state": "s", "scope": scope, **extra}
        answer = self.http.get(
            f"{self.base}/v26.0/dialog/oauth", params={**asked, "sandbox_person": username}
        )
        assert answer.status_code == 302, answer.text
        return {k: v[0] for k, v in parse_qs(urlsplit(answer.headers["location"]).query).items()}

    def token_call(self, **params: str) -> httpx2.Response:
        app = {"client_id": "app", "client_secret": "secret"}
        return self.http.get(f"{self.base}/v26.0/oauth/access_token", params={**app, **params})

    def sign_in(self, username: str, *, scope: str = SCOPES, long: bool = True) -> str:
        code = self.dialog(username, scope=scope)["code"]
        token = self.token_call(code=code, redirect_uri=REDIRECT).json()["access_token"]
        if long:
            answer = self.token_call(grant_type="fb_exchange_token", fb_exchange_token=token)
            token = answer.json()["access_token"]
        return token


class Graph:
    """Calls with one token. `get`, `post`, `delete` expect success; `refused` expects Graph's error."""

    def __init__(self, stand: Stand, page_id: str, token: str, user_token: str, username: str) -> None:
        self.stand = stand
        self.page_id = page_id
        self.token = token
        self.user_token = user_token
        self.username = username

    def call(self, method: str, path: str, **how: Any) -> httpx2.Response:
        headers = {"authorization": f"Bearer {self.token}"}
        return self.stand.http.request(method, f"{self.stand.base}/v26.0/{path}", headers=headers, **how)

    def get(self, path: str, **params: Any) -> Any:
        return _good(self.call("GET", path, params=params))

    def post(self, path: str, files: Any = None, **form: Any) -> Any:
        return _good(self.call("POST", path, data=form, files=files))

    def delete(self, path: str) -> Any:
        return _good(self.call("DELETE", path))

    def refused(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        answer = self.call(method, path, **how)
        error = answer.json()["error"]
        assert answer.status_code >= 400
        assert error["fbtrace_id"]
        assert error["type"]
        return {**error, "status": answer.status_code}

    def write(self, message: str = "Hello", **form: Any) -> str:
        return self.post(f"{self.page_id}/feed", message=message, **form)["id"]

    def photo(self, **form: Any) -> dict[str, Any]:
        return self.post(f"{self.page_id}/photos", files={"source": ("a.png", png(), "image/png")}, **form)

    def video(self, **form: Any) -> str:
        part = {"source": ("a.mp4", MP4, "video/mp4")}
        return self.post(f"{self.page_id}/videos", files=part, **form)["id"]

    def seen(self) -> list[dict[str, Any]]:
        """The posts of this page that people can see."""
        return [post for post in self.stand.world()["posts"] if post["author"] == self.page_id]

    def comment(self, on: str, text: str, **fields: Any) -> str:
        said = {"happening": "comment", "on": on, "text": text, **fields}
        return self.stand.control("facebook/emit", **said)["id"]

    def fault(self, then: str, on: str | None = None, **params: Any) -> None:
        where = {} if on is None else {"on": on}
        self.stand.control("facebook/next", then=then, params=params, **where)


def _good(answer: httpx2.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text)


@pytest.fixture(scope="module")
def stand() -> Iterator[Stand]:
    with running_sandbox(only=["facebook"]) as root:
        made = Stand(root)
        yield made
        made.http.close()


@pytest.fixture
def graph(stand: Stand) -> Graph:
    """A new person with one page, signed in for long, speaking as the page."""
    person = stand.person()
    user_token = stand.sign_in(person["username"])
    page = Graph(stand, "", user_token, user_token, person["username"]).get("me/accounts")["data"][0]
    return Graph(stand, page["id"], page["access_token"], user_token, person["username"])
