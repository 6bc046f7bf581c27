"""Graph's own manners: parameters, fields, errors, many ids at once, batches, faults."""

from __future__ import annotations

import json
import tomllib
from importlib import resources
from typing import Any

import httpx2
import pytest


@pytest.mark.parametrize("version", ["v26.0/", "v20.0/", ""])
@pytest.mark.parametrize("end", ["", "/"])
def test_any_version_and_a_slash_at_the_end_are_fine(stand: Any, graph: Any, version: str, end: str) -> None:
    url = f"{stand.base}/{version}{graph.page_id}{end}"
    answer = stand.http.get(url, params={"access_token": graph.token, "fields": ""})
    assert answer.json() == {"name": "Ada Baker's Page", "id": graph.page_id}
    assert answer.headers["facebook-api-version"] == (version.rstrip("/") or "v26.0")


def test_parameters_may_come_in_any_way(stand: Any, graph: Any) -> None:
    url, token = f"{stand.base}/{graph.page_id}/feed", {"access_token": graph.token}
    stand.http.post(url, params={**token, "message": "query"})
    stand.http.post(url, data={**token, "message": "form"})
    stand.http.post(url, json={**token, "message": "json", "published": True})
    stand.http.post(url, params=token, data={"message": "multipart"}, files={"unused": ("a", b"b")})
    stand.http.post(url, headers={"Authorization": f"OAuth {graph.token}"}, data={"message": "header"})
    assert [post["text"] for post in graph.seen()] == ["query", "form", "json", "multipart", "header"]


def test_a_message_that_looks_like_json_stays_a_message(graph: Any) -> None:
    graph.write('{"not": "json"}')
    graph.write("[1]")
    assert [post["text"] for post in graph.seen()] == ['{"not": "json"}', "[1]"]


@pytest.mark.parametrize(
    "shape",
    [
        lambda ids: {"attached_media": json.dumps([{"media_fbid": i} for i in ids])},
        lambda ids: {f"attached_media[{n}]": json.dumps({"media_fbid": i}) for n, i in enumerate(ids)},
        lambda ids: {f"attached_media[{n}][media_fbid]": i for n, i in enumerate(ids)},
    ],
    ids=["json", "indexed", "indexed twice"],
)
def test_lists_are_read_in_every_shape_clients_send(graph: Any, shape: Any) -> None:
    photos = [graph.photo(published="false")["id"] for _ in range(2)]
    graph.post(f"{graph.page_id}/feed", message="two", **shape(photos))
    assert [item["id"] for item in graph.seen()[0]["media"]] == photos


def test_fields_nest_and_take_arguments(graph: Any) -> None:
    post = graph.write("Hello")
    for number in range(3):
        graph.comment(post, f"c{number}")
    fields = (
        "message,from{name},comments.limit(2).order(reverse_chronological).summary(true){message,from{id}}"
    )
    read = graph.get(post, fields=fields)
    assert read["from"] == {"name": "Ada Baker's Page"}
    assert [comment["message"] for comment in read["comments"]["data"]] == ["c2", "c1"]
    assert read["comments"]["summary"]["total_count"] == 3
    rest = graph.stand.http.get(read["comments"]["paging"]["next"]).json()
    assert [(comment["message"], set(comment)) for comment in rest["data"]] == [
        ("c0", {"message", "from", "id"})
    ]
    first = graph.stand.http.get(rest["paging"]["previous"]).json()
    assert [comment["message"] for comment in first["data"]] == ["c2", "c1"]


@pytest.mark.parametrize("fields", ["message,nonsense", "comments{nonsense}", "nonsense"])
def test_an_unknown_field_is_refused(graph: Any, fields: str) -> None:
    post = graph.write()
    graph.comment(post, "x")
    refused = graph.refused("GET", post, params={"fields": fields})
    assert refused["code"] == 100
    assert refused["message"].startswith("(#100) Tried accessing nonexisting field (nonsense) on node type (")


@pytest.mark.parametrize("fields", ["message{", "message)", "comments.limit{id}", ",", "📷"])
def test_fields_that_cannot_be_read_are_a_syntax_error(graph: Any, fields: str) -> None:
    refused = graph.refused("GET", graph.page_id, params={"fields": fields})
    assert refused["code"] == 2500
    assert "Syntax error" in refused["message"]


def test_a_post_can_answer_with_fields_of_the_new_node(graph: Any) -> None:
    made = graph.post(f"{graph.page_id}/feed", message="Hi", fields="id,permalink_url,message")
    assert made["message"] == "Hi"
    page = graph.stand.http.get(made["permalink_url"])
    assert "Hi" in page.text


@pytest.mark.parametrize(
    ("path", "code", "status"),
    [("1", 104, 400), ("me", 2500, 400), ("me/accounts", 2500, 400)],
)
def test_a_call_without_a_token_is_refused(stand: Any, path: str, code: int, status: int) -> None:
    answer = stand.http.get(f"{stand.base}/{path}")
    assert (answer.json()["error"]["code"], answer.status_code) == (code, status)


def test_a_token_that_is_none_is_190(stand: Any) -> None:
    answer = stand.http.get(f"{stand.base}/me", params={"access_token": "nonsense"})
    error = answer.json()["error"]
    assert (error["code"], "error_subcode" in error) == (190, False)
    assert answer.headers["www-authenticate"].startswith('OAuth "Facebook Platform" "invalid_token"')


def test_what_is_not_there_is_not_found(graph: Any) -> None:
    gone = graph.refused("GET", "1234567890")
    assert (gone["code"], gone["error_subcode"], gone["status"]) == (100, 33, 400)
    alias = graph.refused("GET", "nobody_here")
    assert (alias["code"], alias["status"]) == (803, 404)
    assert graph.refused("GET", f"{graph.page_id}/nonsense")["code"] == 100
    assert graph.refused("POST", f"{graph.page_id}/nonsense")["error_subcode"] == 33
    assert graph.refused("GET", f"{graph.page_id}/feed/more")["code"] == 2500


def test_another_page_is_out_of_reach(stand: Any, graph: Any) -> None:
    mine = graph.write()
    other = stand.person()
    token = stand.sign_in(other["username"])
    page = stand.http.get(f"{stand.base}/me/accounts", params={"access_token": token}).json()["data"][0]
    stranger = type(graph)(stand, page["id"], page["access_token"], token, other["username"])
    assert stranger.refused("GET", mine)["error_subcode"] == 33
    assert stranger.refused("DELETE", mine)["error_subcode"] == 33
    assert stranger.refused("POST", f"{graph.page_id}/feed", data={"message": "x"})["error_subcode"] == 33
    assert stranger.refused("GET", f"{graph.page_id}/feed")["code"] == 10
    assert stranger.get(graph.page_id, fields="name")["name"] == "Ada Baker's Page"


def test_publishing_takes_a_page_token(graph: Any) -> None:
    as_person = type(graph)(graph.stand, graph.page_id, graph.user_token, graph.user_token, graph.username)
    assert as_person.refused("POST", f"{graph.page_id}/feed", data={"message": "x"})["code"] == 210


def test_many_ids_are_read_at_once(graph: Any) -> None:
    first, second = graph.write("one"), graph.write("two")
    read = graph.get("", ids=f"{first},{second}", fields="message")
    assert read == {first: {"message": "one", "id": first}, second: {"message": "two", "id": second}}


def test_deleting_works_by_method_parameter_too(graph: Any) -> None:
    post = graph.write()
    assert graph.post(post, method="delete") == {"success": True}
    assert graph.seen() == []


def batch(graph: Any, *items: dict[str, Any], **form: Any) -> list[Any]:
    return graph.post("", batch=json.dumps(items), **form)


def test_a_batch_item_can_use_what_an_earlier_one_answered(graph: Any) -> None:
    answers = batch(
        graph,
        {"method": "POST", "name": "new", "relative_url": f"{graph.page_id}/feed", "body": "message=a%26b"},
        {"method": "GET", "relative_url": "v25.0/{result=new:$.id}?fields=message"},
    )
    assert answers[0] is None
    assert answers[1]["code"] == 200
    assert json.loads(answers[1]["body"])["message"] == "a&b"
    assert {"name": "facebook-api-version", "value": "v25.0"} in answers[1]["headers"]


def test_a_batch_reads_ids_from_a_list(graph: Any) -> None:
    posts = {graph.write("one"), graph.write("two")}
    answers = batch(
        graph,
        {
            "method": "GET",
            "name": "all",
            "relative_url": f"{graph.page_id}/feed",
            "omit_response_on_success": False,
        },
        {"method": "GET", "relative_url": "?ids={result=all:$.data.*.id}&fields=message"},
        include_headers="false",
    )
    assert answers[0]["code"] == 200
    assert set(json.loads(answers[1]["body"])) == posts
    assert "headers" not in answers[1]


def test_a_batch_has_room_for_fifty(graph: Any) -> None:
    item = {"method": "GET", "relative_url": graph.page_id}
    assert len(batch(graph, *[item] * 50)) == 50
    refused = graph.refused("POST", "", data={"batch": json.dumps([item] * 51)})
    assert refused["code"] == 100


def test_a_batch_item_with_its_own_trouble_does_not_spoil_the_rest(graph: Any) -> None:
    answers = batch(
        graph,
        {"method": "GET", "relative_url": "me?access_token=nonsense"},
        {"method": "GET", "relative_url": "me?fields=name"},
    )
    assert [answer["code"] for answer in answers] == [400, 200]
    assert json.loads(answers[0]["body"])["error"]["code"] == 190


def test_throttling_speaks_the_page_s_words(graph: Any) -> None:
    graph.fault("throttle", on=f"POST /{graph.page_id}/feed", retry_after=90)
    assert graph.get("me")["id"] == graph.page_id
    answer = graph.call("POST", f"{graph.page_id}/feed", data={"message": "x"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["is_transient"]) == (400, 32, True)
    assert answer.headers["retry-after"] == "90"
    usage = json.loads(answer.headers["x-business-use-case-usage"])[graph.page_id][0]
    assert (usage["call_count"], usage["estimated_time_to_regain_access"]) == (100, 2)
    assert graph.seen() == []


def test_throttling_a_person_is_the_application_s_limit(stand: Any, graph: Any) -> None:
    graph.fault("throttle")
    answer = stand.http.get(f"{stand.base}/me", params={"access_token": graph.user_token})
    assert answer.json()["error"]["code"] == 4
    assert json.loads(answer.headers["x-app-usage"])["call_count"] == 100


def test_an_expired_token_stays_expired_until_the_next_sign_in(stand: Any, graph: Any) -> None:
    graph.fault("expire_token", on=f"POST /{graph.page_id}/feed")
    refused = graph.refused("POST", f"{graph.page_id}/feed", data={"message": "x"})
    assert (refused["code"], refused["error_subcode"]) == (190, 463)
    assert graph.refused("GET", "me")["error_subcode"] == 463
    token = stand.sign_in(graph.username)
    answer = stand.http.get(f"{stand.base}/me/accounts", params={"access_token": token}).json()
    graph.token = answer["data"][0]["access_token"]
    graph.write("back")
    assert [post["text"] for post in graph.seen()] == ["back"]


def test_a_person_can_remove_the_app(graph: Any) -> None:
    graph.fault("revoke")
    assert graph.refused("GET", "me")["error_subcode"] == 458
    graph.token = graph.user_token
    assert graph.refused("GET", "me/permissions")["error_subcode"] == 458


def test_every_refusal_of_the_facts_is_a_whole_envelope(graph: Any) -> None:
    facts = tomllib.loads((resources.files("hubbub.platforms.facebook") / "errors.toml").read_text())
    names = [entry["name"] for entry in facts["on"] if "name" in entry and "when" in entry]
    assert names
    for name in names:
        graph.fault("refuse", error=name)
        refused = graph.refused("POST", f"{graph.page_id}/feed", data={"message": "x"})
        assert isinstance(refused["code"], int), name
        assert refused["message"], name
    assert graph.seen() == []


def test_a_refusal_without_a_mark_is_a_page_instead_of_an_error(graph: Any) -> None:
    graph.fault("refuse", error="outage")
    answer = graph.call("GET", "me")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert "Sorry, something went wrong." in answer.text


def test_garbage_is_a_page_instead_of_an_answer(graph: Any) -> None:
    graph.fault("garbage")
    answer = graph.call("GET", "me")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_a_post_is_kept_although_the_connection_was_cut(graph: Any) -> None:
    graph.fault("accept_then_drop", on=f"POST /{graph.page_id}/feed")
    with pytest.raises(httpx2.TransportError):
        graph.call("POST", f"{graph.page_id}/feed", data={"message": "kept"})
    assert [post["text"] for post in graph.seen()] == ["kept"]
    graph.fault("accept_then_500", on=f"POST /{graph.page_id}/feed")
    answer = graph.call("POST", f"{graph.page_id}/feed", data={"message": "also kept"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, 2)
    assert [post["text"] for post in graph.seen()] == ["kept", "also kept"]
