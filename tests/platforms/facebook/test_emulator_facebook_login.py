"""Signing in at the stand-in: dialog, codes, tokens, permissions."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import httpx2
import pytest

REDIRECT = "http://127.0.0.1:1/callback"
DAY = 24 * 60 * 60


@pytest.fixture
def ada(stand: Any) -> str:
    return stand.person()["username"]


def ask(stand: Any, path: str, token: str, **params: str) -> httpx2.Response:
    return stand.http.get(f"{stand.base}/{path}", params={"access_token": token, **params})


def error_of(answer: httpx2.Response) -> tuple[int, int | None]:
    error = answer.json()["error"]
    return error["code"], error.get("error_subcode")


def test_the_dialog_is_a_page_that_asks(stand: Any, ada: str) -> None:
    asked = {"client_id": "app", "redirect_uri": REDIRECT, "scope": "pages_show_list"}
    for path in ("dialog/oauth", "v24.0/dialog/oauth"):
        page = stand.http.get(f"{stand.base}/{path}", params=asked)
        assert page.status_code == 200
        assert ada in page.text
        assert "Approve" in page.text
        assert "pages_show_list" in page.text


def test_the_approve_button_brings_a_code_and_the_state_back(stand: Any, ada: str) -> None:
    asked = {"client_id": "app", "redirect_uri": REDIRECT, "state": "a b"}
    form = {"sandbox_person": ada, "decision": "approve"}
    answer = stand.http.post(f"{stand.base}/dialog/oauth", params=asked, data=form)
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(REDIRECT + "?code=")
    assert answer.headers["location"].endswith("&state=a+b#_=_")


def test_saying_no_comes_back_as_facebook_says_it(stand: Any, ada: str) -> None:
    assert stand.dialog(ada, sandbox_deny="1") == {
        "error": "access_denied",
        "error_code": "200",
        "error_description": "Permissions error",
        "error_reason": "user_denied",
        "state": "s",
    }


def test_a_dialog_without_an_application_is_an_error_page(stand: Any) -> None:
    answer = stand.http.get(f"{stand.base}/dialog/oauth", params={"redirect_uri": REDIRECT})
    assert answer.status_code == 400


def test_a_code_becomes_a_short_token_and_that_a_long_one(stand: Any, ada: str) -> None:
    code = stand.dialog(ada)["code"]
    short = stand.token_call(code=code, redirect_uri=REDIRECT).json()
    assert (short["token_type"], short["expires_in"]) == ("bearer", 7200)
    exchange = {"grant_type": "fb_exchange_token", "fb_exchange_token": short["access_token"]}
    long = stand.token_call(**exchange).json()
    assert long["expires_in"] == 60 * DAY
    assert ask(stand, "me", long["access_token"]).json()["name"] == "Ada Baker"


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"redirect_uri": REDIRECT + "/other"}, (100, 36008)),
        ({"client_id": "other app"}, (100, 36008)),
        ({"code": "made up"}, (100, None)),
        ({"client_secret": "wrong"}, (1, None)),
        ({"client_secret": ""}, (1, None)),
        ({"client_id": ""}, (101, None)),
    ],
)
def test_a_code_is_bound_to_its_application_and_address(
    stand: Any, ada: str, change: dict[str, str], wanted: tuple[int, int | None]
) -> None:
    stand.token_call(grant_type="client_credentials")
    code = stand.dialog(ada)["code"]
    answer = stand.token_call(**{"code": code, "redirect_uri": REDIRECT, **change})
    assert answer.status_code == 400
    assert error_of(answer) == wanted


def test_a_code_works_once_and_not_for_long(stand: Any, ada: str) -> None:
    code, late = (stand.dialog(ada)["code"] for _ in range(2))
    assert stand.token_call(code=code, redirect_uri=REDIRECT).status_code == 200
    assert error_of(stand.token_call(code=code, redirect_uri=REDIRECT)) == (100, 36009)
    stand.control("clock", advance_seconds=601)
    assert error_of(stand.token_call(code=late, redirect_uri=REDIRECT)) == (100, 36007)


def test_a_code_can_be_redeemed_with_a_form(stand: Any, ada: str) -> None:
    form = {
        "client_id": "app",
        "client_secret": "secret",
        "redirect_uri": REDIRECT,
        "code": stand.dialog(ada)["code"],
        "grant_type": "authorization_code",
    }
    answer = stand.http.post(f"{stand.base}/v25.0/oauth/access_token", data=form)
    assert answer.json()["token_type"] == "bearer"


def test_tokens_get_old_by_the_sandbox_clock(stand: Any, ada: str) -> None:
    short, long = stand.sign_in(ada, long=False), stand.sign_in(ada)
    stand.control("clock", advance_seconds=7201)
    assert error_of(ask(stand, "me", short)) == (190, 463)
    exchange = {"grant_type": "fb_exchange_token", "fb_exchange_token": short}
    assert error_of(stand.token_call(**exchange)) == (190, 463)
    page = ask(stand, "me/accounts", long).json()["data"][0]["access_token"]
    stand.control("clock", advance_seconds=60 * DAY)
    assert error_of(ask(stand, "me", long)) == (190, 463)
    assert ask(stand, "me", page).status_code == 200


def test_a_page_token_from_a_short_token_ends_with_it(stand: Any, ada: str) -> None:
    page = ask(stand, "me/accounts", stand.sign_in(ada, long=False)).json()["data"][0]["access_token"]
    stand.control("clock", advance_seconds=7201)
    assert error_of(ask(stand, "me", page)) == (190, 463)


def test_debug_token_tells_about_a_page_token(stand: Any, graph: Any) -> None:
    told = ask(stand, "debug_token", "app|secret", input_token=graph.token).json()["data"]
    assert (told["type"], told["is_valid"], told["expires_at"]) == ("PAGE", True, 0)
    assert (told["app_id"], told["profile_id"]) == ("app", graph.page_id)
    assert "pages_manage_posts" in told["scopes"]
    graph.fault("revoke")
    graph.call("GET", "me")
    told = ask(stand, "debug_token", "app|secret", input_token=graph.token)
    assert told.status_code == 200
    assert told.json()["data"]["is_valid"] is False
    assert told.json()["data"]["error"]["subcode"] == 458
    assert ask(stand, "debug_token", "app|secret", input_token="x").json()["data"]["is_valid"] is False


def test_an_application_token_is_given_and_works(stand: Any, graph: Any) -> None:
    token = stand.token_call(grant_type="client_credentials").json()["access_token"]
    assert token.startswith("app|")
    answer = ask(stand, "debug_token", token, input_token=graph.user_token)
    assert answer.json()["data"]["type"] == "USER"


def test_permissions_are_listed_and_one_can_be_taken_back(stand: Any, graph: Any) -> None:
    listed = ask(stand, "me/permissions", graph.user_token).json()["data"]
    assert {"permission": "pages_manage_posts", "status": "granted"} in listed
    url = f"{stand.base}/me/permissions/pages_manage_posts"
    assert stand.http.delete(url, params={"access_token": graph.user_token}).json() == {"success": True}
    listed = ask(stand, "me/permissions", graph.user_token).json()["data"]
    assert {"permission": "pages_manage_posts", "status": "declined"} in listed
    refused = graph.refused("POST", f"{graph.page_id}/feed", data={"message": "x"})
    assert (refused["code"], refused["status"]) == (200, 403)


def test_taking_all_permissions_back_ends_every_token(stand: Any, graph: Any) -> None:
    graph.stand.http.delete(f"{stand.base}/me/permissions", params={"access_token": graph.user_token})
    for token in (graph.user_token, graph.token):
        assert error_of(ask(stand, "me", token)) == (190, 458)
    again = stand.sign_in(graph.username)
    assert ask(stand, "me/accounts", again).json()["data"][0]["id"] == graph.page_id


def test_a_permission_not_asked_for_is_missing(stand: Any, ada: str) -> None:
    token = stand.sign_in(ada, scope="pages_show_list")
    page = ask(stand, "me/accounts", token).json()["data"][0]
    form = {"access_token": page["access_token"], "message": "x"}
    answer = stand.http.post(f"{stand.base}/{page['id']}/feed", data=form)
    assert error_of(answer) == (200, None)
    assert error_of(ask(stand, f"{page['id']}/feed", page["access_token"])) == (10, None)
    assert error_of(ask(stand, "me/accounts", stand.sign_in(ada, scope="email"))) == (10, None)


def test_demo_has_a_bakery_and_a_bookshop(stand: Any) -> None:
    pages = ask(stand, "me/accounts", stand.sign_in("demo"), fields="name,category").json()["data"]
    assert [page["name"] for page in pages] == ["Demo Bakery", "Demo Books"]


def test_places_are_pages(stand: Any) -> None:
    person = stand.person(places=["Plain", {"name": "Shop", "category": "Bakery", "username": "shop"}])
    pages = ask(stand, "me/accounts", stand.sign_in(person["username"])).json()["data"]
    assert [(page["name"], page["category"]) for page in pages] == [
        ("Plain", "Local business"),
        ("Shop", "Bakery"),
    ]
    assert [page["id"] for page in person["pages"]] == [page["id"] for page in pages]
    nobody = stand.person(places=[])
    assert ask(stand, "me/accounts", stand.sign_in(nobody["username"])).json() == {"data": []}


def test_a_place_without_a_name_makes_nobody(stand: Any) -> None:
    body = {"username": "nameless", "places": [{"category": "Bakery"}]}
    answer = stand.http.post(f"{stand.root}/_sandbox/facebook/people", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("places:")
    assert "nameless" not in [person["username"] for person in stand.world()["people"]]


def test_pages_come_in_pages_with_links_that_work(stand: Any) -> None:
    person = stand.person(places=[f"Page {n}" for n in range(5)])
    token, names = stand.sign_in(person["username"]), []
    answer = ask(stand, "v25.0/me/accounts", token, limit="2", fields="name").json()
    while True:
        names += [page["name"] for page in answer["data"]]
        if "next" not in answer["paging"]:
            break
        answer = stand.http.get(answer["paging"]["next"]).json()
    assert names == [f"Page {n}" for n in range(5)]
    back = stand.http.get(answer["paging"]["previous"]).json()
    assert [page["name"] for page in back["data"]] == ["Page 2", "Page 3"]
    start = stand.http.get(back["paging"]["previous"]).json()
    assert [page["name"] for page in start["data"]] == ["Page 0", "Page 1"]


def test_a_token_can_be_read_from_the_page_itself(stand: Any, graph: Any) -> None:
    answer = ask(stand, graph.page_id, graph.user_token, fields="access_token").json()
    assert answer == {"access_token": graph.token, "id": graph.page_id}


def test_a_proof_with_its_time_is_checked(stand: Any, graph: Any) -> None:
    message = f"{graph.user_token}|1700000000".encode()
    proof = hmac.new(b"secret", message, hashlib.sha256).hexdigest()
    right = {"appsecret_proof": proof, "appsecret_time": "1700000000"}
    assert ask(stand, "me", graph.user_token, **right).status_code == 200
    assert error_of(ask(stand, "me", graph.user_token, appsecret_proof=proof)) == (100, None)
