"""The sign-in page, pressed by a person and by a script."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import httpx2

BACK = "http://127.0.0.1:1/callback?keep=1"
QUERY = {"redirect_uri": BACK, "state": "s&1"}


def where(answer: httpx2.Response) -> dict[str, list[str]]:
    assert answer.status_code == 302
    return parse_qs(urlsplit(answer.headers["location"]).query)


def test_the_page_names_the_people_and_has_two_buttons(client: httpx2.Client) -> None:
    client.post("/_sandbox/finch/people", json={"username": "eve", "name": "<b>Eve</b>"})
    page = client.get("/finch/authorize", params=QUERY).text
    assert "Demo Person" in page
    assert "&lt;b&gt;Eve" in page
    assert "&lt;write&gt;" in page
    assert re.findall(r'name="decision" value="(\w+)">(\w+)<', page) == [
        ("approve", "Approve"),
        ("deny", "Deny"),
    ]


def test_the_buttons_post_back_to_the_same_address(client: httpx2.Client) -> None:
    page = client.get("/finch/authorize", params=QUERY)
    action = re.search(r'action="([^"]+)"', page.text)
    assert action is not None
    target = page.url.join(action[1].replace("&amp;", "&"))
    said = {"sandbox_person": "demo", "decision": "approve"}
    assert where(client.post(target, data=said)) == {"keep": ["1"], "code": ["code-demo"], "state": ["s&1"]}
    said["decision"] = "deny"
    assert where(client.post(target, data=said))["error"] == ["access_denied"]


def test_a_script_is_redirected_at_once(client: httpx2.Client) -> None:
    yes = client.get("/finch/authorize", params={**QUERY, "sandbox_person": "demo"})
    assert where(yes)["code"] == ["code-demo"]
    no = client.get("/finch/authorize", params={**QUERY, "sandbox_person": "demo", "sandbox_deny": "1"})
    assert where(no) == {"keep": ["1"], "error": ["access_denied"], "state": ["s&1"]}


def test_an_unknown_person_is_told_so(client: httpx2.Client) -> None:
    answer = client.get("/finch/authorize", params={**QUERY, "sandbox_person": "nobody"})
    assert answer.status_code == 400
    assert "demo" in answer.text


def test_without_a_state_none_is_sent_back(client: httpx2.Client) -> None:
    answer = client.get("/finch/authorize", params={"redirect_uri": BACK, "sandbox_person": "demo"})
    assert "state" not in where(answer)
