from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from trial import router as trial_router

from api import Api
from hubbub.surfaces.api import openapi, routers

pytestmark = pytest.mark.anyio

METHODS = ("get", "post", "put", "patch", "delete")


def everything() -> dict[str, Any]:
    return openapi.describe([route for router in routers.found() for route in router.routes])


def operations(description: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method} {path}", operation)
        for path, item in description["paths"].items()
        for method, operation in item.items()
    ]


def references(tree: Any) -> set[str]:
    if isinstance(tree, dict):
        own = {tree["$ref"]} if isinstance(tree.get("$ref"), str) else set[str]()
        return own.union(*(references(value) for value in tree.values()))
    return set[str]().union(*(references(value) for value in tree)) if isinstance(tree, list) else set()


async def test_it_is_served_to_anybody(api: Api) -> None:
    answer = await api.as_("").get("/openapi.json")
    assert answer.status == 200
    assert answer.json == json.loads(json.dumps(everything()))


def test_every_reference_leads_somewhere() -> None:
    description = everything()
    for reference in references(description):
        assert reference.removeprefix("#/components/schemas/") in description["components"]["schemas"]


def test_every_schema_is_a_schema() -> None:
    for schema in everything()["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_operation_ids_are_unique_and_everything_is_explained() -> None:
    found = operations(everything())
    ids = [operation["operationId"] for _, operation in found]
    assert sorted(ids) == sorted(set(ids))
    assert [where for where, operation in found if not operation["summary"] or not operation["tags"]] == []


def test_what_is_always_sent_is_always_required() -> None:
    description = openapi.describe(trial_router.routes)
    page = next(
        schema for name, schema in description["components"]["schemas"].items() if name.startswith("Paged")
    )
    assert set(page["required"]) == {"data", "count", "pagination"}
    for name, schema in everything()["components"]["schemas"].items():
        if name.endswith("Out"):
            assert '"default":' not in json.dumps(schema), name


def test_errors_are_one_response_for_each_status() -> None:
    description = everything()
    responses = description["paths"]["/v1/keys/{id}"]["patch"]["responses"]
    assert set(responses) == {"200", "400", "401", "403", "404", "429", "500", "default"}
    error = responses["401"]["content"]["application/json"]["schema"]["properties"]["error"]
    assert set(error["discriminator"]["mapping"]) == {
        "auth.missing_header",
        "auth.empty_token",
        "auth.invalid_key",
        "auth.invalid_token",
        "auth.not_provisioned",
        "auth.user_not_found",
    }
    assert description["components"]["schemas"]["Error_MissingHeader"]["properties"]["code"] == {
        "const": "auth.missing_header"
    }


def test_parameters_come_from_the_path_and_the_query_model() -> None:
    get = openapi.describe(trial_router.routes)["paths"]["/v1/trial"]["get"]
    by_name = {parameter["name"]: parameter for parameter in get["parameters"]}
    assert by_name["limit"]["schema"]["maximum"] == 5
    assert by_name["cursor"]["description"]
    assert by_name["account_ids"]["explode"] is False
    assert get["x-scope"] == "posts:read"
    path = openapi.describe(trial_router.routes)["paths"]["/v1/trial/{first}/of/{second}"]["get"]
    assert [parameter["name"] for parameter in path["parameters"]] == ["first", "second"]


def test_bodies_uploads_pages_and_redirects_are_described() -> None:
    paths = openapi.describe(trial_router.routes)["paths"]
    body = paths["/v1/trial"]["post"]["requestBody"]
    assert body["required"] is True
    assert body["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/TrialIn"}
    assert "multipart/form-data" in paths["/v1/trial/upload"]["post"]["requestBody"]["content"]
    assert "text/html" in paths["/v1/trial/page"]["get"]["responses"]["200"]["content"]
    assert "302" in paths["/v1/trial/elsewhere"]["get"]["responses"]
    assert "204" in paths["/v1/trial/unmapped"]["get"]["responses"]
    assert {"201", "202"} <= set(paths["/v1/trial/accepted"]["post"]["responses"])


def test_who_may_call_is_described() -> None:
    paths = everything()["paths"]
    assert paths["/v1/health"]["get"]["security"] == []
    assert paths["/v1/keys"]["get"]["security"] == [{"key": []}]
    assert paths["/v1/keys"]["get"]["x-unrestricted-key"] is True


def test_an_answer_leads_to_what_can_be_done_with_what_it_names() -> None:
    paths = everything()["paths"]
    made = paths["/v1/posts"]["post"]["responses"]["201"]["links"]
    assert made["update_post"] == {"operationId": "update_post", "parameters": {"pid": "$response.body#/id"}}
    assert {"get_post", "update_post", "delete_post", "publish_post"} <= set(made)
    uploaded = paths["/v1/media/upload"]["post"]["responses"]["201"]["links"]
    assert uploaded["delete_media"]["parameters"] == {"media_id": "$response.body#/media_id"}
    connected = paths["/v1/accounts/connect"]["post"]["responses"]["201"]["links"]
    assert connected["disconnect_account"]["parameters"] == {"id": "$response.body#/account_id"}
    listed = paths["/v1/accounts/{id}/pages"]["get"]["responses"]["200"]["links"]
    assert listed["change_page"]["parameters"] == {
        "id": "$request.path.id",
        "page_id": "$response.body#/data/0/id",
    }
    assert "links" not in paths["/v1/health"]["get"]["responses"]["200"]


def test_every_link_leads_to_an_operation_and_fills_its_path() -> None:
    description = everything()
    wanted = {
        operation["operationId"]: {
            each["name"] for each in operation.get("parameters", []) if each["in"] == "path"
        }
        for _, operation in operations(description)
    }
    links = [
        link
        for _, operation in operations(description)
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    ]
    assert len(links) > 30
    assert all(set(link["parameters"]) == wanted[link["operationId"]] for link in links)


def test_null_is_nothing_that_a_query_can_say() -> None:
    for name, operation in operations(everything()):
        for parameter in operation.get("parameters", []):
            assert "null" not in json.dumps(parameter["schema"]), name


def test_a_file_may_be_of_any_type() -> None:
    content = everything()["paths"]["/v1/media/{media_id}/content"]["get"]["responses"]["200"]["content"]
    assert list(content) == ["*/*"]
