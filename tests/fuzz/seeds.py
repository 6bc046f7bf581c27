"""Things that exist, for requests to name; examples.py has the words that stand for them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from vendor.place import Accounts, Place, typed


class Seeds:
    """`fill(case)` before a case is sent. A request that may use a thing up gets a new one."""

    def __init__(self, place: Place, accounts: Accounts, picture: bytes) -> None:
        self.place = place
        self.picture = picture
        self._numbers = itertools.count(1)
        self._accounts = accounts
        self._lasting = {
            "the-bluesky": accounts.bluesky,
            "the-facebook": accounts.facebook,
            "the-page": accounts.page,
            "the-place": accounts.remote_page,
            "the-picture": self.upload(),
            "the-published": self._publish(),
            "the-brand": place.call("GET", "/v1/accounts").json()["data"][0]["brand_id"],
        }
        self._due = {"scheduled_at": "2099-01-01T00:00:00Z", "targets": [{"account_id": accounts.bluesky}]}
        self._fresh: dict[str, Callable[[], str]] = {
            "the-draft": lambda: self._post({})["id"],
            "the-scheduled": lambda: self._post(self._due)["id"],
            "the-published": self._publish,
            "the-picture": self.upload,
            "the-key": lambda: self._made("/v1/keys", {"name": "spare"})["id"],
            "the-connection": self._connection,
            "the-bluesky": lambda: self._made("/v1/accounts/connect", self._somebody())["account_id"],
            "the-facebook": self._facebook,
            "the-page": lambda: self._page,
        }
        self._page = accounts.page
        own_key = place.call("GET", "/v1/keys").json()["data"][0]["id"]
        self._protected = {
            own_key: "the-key",
            accounts.bluesky: "the-bluesky",
            accounts.facebook: "the-facebook",
        }

    def fill(self, case: Any) -> None:
        """Replace every word that begins with `the-` by the id of what it stands for."""
        signed = case.path_parameters.get("media_id") == "the-picture" and case.path.endswith("/content")
        spends = case.method.upper() not in ("GET", "HEAD", "OPTIONS")
        case.path_parameters = {
            name: self._expendable(value) if spends else self._known(value)
            for name, value in case.path_parameters.items()
        }
        case.query = self._known(case.query)
        if signed and is_valid(case):
            self._sign(case)
        if isinstance(case.body, dict | list):
            case.body = self._known(self._whole(case))

    def _expendable(self, value: Any) -> Any:
        word = self._protected.get(value, value)
        return self._fresh[word]() if word in self._fresh else value

    def upload(self) -> str:
        file = {"file": ("picture.jpg", self.picture, "image/jpeg")}
        return self.place.call("POST", "/v1/media/upload", files=file).json()["media_id"]

    def _known(self, tree: Any) -> Any:
        if isinstance(tree, Mapping):
            return {name: self._known(value) for name, value in tree.items()}
        if isinstance(tree, list):
            return [self._known(value) for value in tree]
        if not isinstance(tree, str) or not tree.startswith("the-"):
            return tree
        return self._lasting.get(tree) or (self._fresh[tree]() if tree in self._fresh else tree)

    def _whole(self, case: Any) -> Any:
        """Three words stand for a whole body."""
        if isinstance(case.body, dict) and is_valid(case):
            if case.body.get("text") == "the-post":
                return {"text": f"words {next(self._numbers)}", **self._due}
            if case.body.get("platform") == "the-somebody":
                return self._somebody()
            if case.body.get("code") == "the-consent":
                return self._consent(self.place.welcome("facebook"))
        return case.body

    def _sign(self, case: Any) -> None:
        if case.method.upper() == "PUT":
            given = self.place.call("GET", "/v1/media/upload-url?media_type=image/jpeg&filename=a.jpg").json()
            url, case.path_parameters["media_id"] = given["upload_url"], given["media_id"]
            case.headers["Content-Type"] = "image/jpeg"
        else:
            case.path_parameters["media_id"] = self.upload()  # an old one is not on the first page any more
            [newest] = self.place.call("GET", "/v1/media?limit=1").json()["data"]
            url = newest["url"]
        case.query = dict(parse_qsl(urlsplit(url).query))

    def _publish(self) -> str:
        targets = [{"account_id": self._accounts.bluesky}]
        made = self._post({"publish_now": True, "targets": targets})["id"]
        assert self.place.settled(made)["status"] == "published"
        return made

    def _post(self, more: Mapping[str, Any]) -> Any:
        return self._made("/v1/posts", {"text": f"words {next(self._numbers)}", **more})

    def _somebody(self) -> dict[str, Any]:
        return {"platform": "bluesky", "metadata": typed(self.place.welcome("bluesky"))}

    def _consent(self, username: str) -> dict[str, Any]:
        began = self._made("/v1/accounts/connect", {"platform": "facebook"})
        back = self.place.approve(began["auth_url"], username)
        return {"platform": "facebook", "code": back.pop("code"), "metadata": back}

    def _connection(self) -> str:
        """A sign-in that waits for a choice between two pages."""
        username = self.place.welcome("facebook", places=["Bakery", "Books"])
        offered = self._made("/v1/oauth/exchange", self._consent(username))
        self._lasting["the-place"] = offered["pages"][0]["platform_page_id"]
        return offered["connection_id"]

    def _facebook(self) -> str:
        account_id = self._made("/v1/oauth/exchange", self._consent(self.place.welcome("facebook")))[
            "account_id"
        ]
        [page] = self.place.call("GET", f"/v1/accounts/{account_id}/pages").json()["data"]
        self._page = page["id"]
        return account_id

    def _made(self, path: str, body: Any) -> Any:
        answer = self.place.call("POST", path, body)
        assert answer.is_success, answer.text
        return answer.json()


def is_valid(case: Any) -> bool:
    """Whether a case is meant to fit the description."""
    return case.meta is None or case.meta.generation.mode.is_positive
