from __future__ import annotations

import pytest
from trial import router

from api import Api
from hubbub.domains.workspaces.tables import brands
from hubbub.runtime.routes import Router
from hubbub.surfaces.api import adapter

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["/nothing", "/v1", "/v1/trial/a/b/c/d", "/v2/trial", "/v1/trial/%00x"])
async def test_an_unknown_address_is_http_404_before_anything_else(trial: Api, path: str) -> None:
    answer = await trial.as_("").get(path)
    assert (answer.status, answer.code) == (404, "http.404")


async def test_a_wrong_method_says_which_are_right(trial: Api) -> None:
    answer = await trial.as_("").delete("/v1/trial")
    assert (answer.status, answer.code) == (405, "http.405")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert answer.json["error"]["meta"]["allowed"] == ["GET", "HEAD", "OPTIONS", "POST"]


@pytest.mark.parametrize("path", ["/v1/trial", "/v1/trial/", "//v1/trial//"])
async def test_a_trailing_slash_changes_nothing(trial: Api, path: str) -> None:
    assert (await trial.call("GET", f"http://api.test{path}")).status == 200


async def test_path_parameters_arrive_as_they_were_sent(trial: Api) -> None:
    answer = await trial.get("/v1/trial/a%20b/of/sapi_ü")
    assert answer.json == ["a b", "sapi_ü", "http://api.test"]


@pytest.mark.parametrize("part", ["%00", "a%00b", "%ff", "%ed%a0%80"])
async def test_a_path_no_row_can_have_is_not_found(trial: Api, part: str) -> None:
    answer = await trial.get(f"/v1/trial/{part}/of/x")
    assert (answer.status, answer.code) == (404, "http.404")


async def test_head_is_get_without_a_body(trial: Api) -> None:
    full, head = await trial.get("/v1/trial"), await trial.call("HEAD", "/v1/trial")
    assert (head.status, head.content) == (200, b"")
    assert head.headers["content-length"] == full.headers["content-length"]
    assert (await trial.as_("").call("HEAD", "/v1/trial")).status == 401


async def test_options_tells_the_methods_to_anybody(trial: Api) -> None:
    answer = await trial.as_("").call("OPTIONS", "/v1/trial")
    assert (answer.status, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")


async def test_a_refusal_undoes_the_transaction(trial: Api) -> None:
    assert (await trial.post("/v1/trial/brand/ghost")).code == "resource.conflict"
    async with trial.work() as work:
        assert (await work.db.execute(brands.select())).all() == []


async def test_an_answer_that_cannot_be_sent_undoes_the_transaction(trial: Api) -> None:
    assert (await trial.post("/v1/trial/fault/ghost")).code == "system.internal"
    async with trial.work() as work:
        assert (await work.db.execute(brands.select())).all() == []


async def test_a_reply_carries_its_status_and_headers(trial: Api) -> None:
    answer = await trial.post("/v1/trial/accepted")
    assert (answer.status, answer.headers["x-trial"]) == (202, "yes")


async def test_nothing_is_204_without_a_body(trial: Api) -> None:
    answer = await trial.get("/v1/trial/unmapped")
    assert (answer.status, answer.content) == (204, b"")
    assert "content-type" not in answer.headers


async def test_pages_redirects_and_streams(trial: Api) -> None:
    page = await trial.get("/v1/trial/page")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    moved = await trial.get("/v1/trial/elsewhere")
    assert (moved.status, moved.headers["location"]) == (302, "https://example.com/?state=1")
    streamed = await trial.get("/v1/trial/stream")
    assert (streamed.headers["content-type"], len(streamed.content)) == ("image/png", 10_000)


async def test_the_base_url_is_the_configured_one_where_there_is_one(trial: Api) -> None:
    trial.runtime.settings.public_url = "https://hub.example/"
    assert (await trial.get("/v1/trial/a/of/b")).json[2] == "https://hub.example"


async def test_a_handler_that_asks_for_what_no_request_has_is_found_at_once() -> None:
    strange = Router("/v1/strange", "Strange")

    @strange.get("/{id}")
    async def handler(id: str, weather: str) -> None:
        """Ask for the weather."""

    with pytest.raises(TypeError, match="weather"):
        adapter.read(strange.routes[0])


async def test_the_index_and_the_health_are_public(api: Api) -> None:
    about = await api.as_("").get("/")
    assert about.json["openapi"] == "http://api.test/openapi.json"
    health = await api.as_("").get("/v1/health")
    assert (health.status, health.json["status"]) == (200, "ok")


async def test_every_trial_route_has_a_docstring() -> None:
    assert all(route.handler.__doc__ for route in router.routes)
