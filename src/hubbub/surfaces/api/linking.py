"""Which operation an answer leads to: the links of the description, from paths and names alone.

https://spec.openapis.org/oas/v3.1.0#link-object
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

PARAMETER = re.compile(r"{(\w+)}")
HAS_ID = "id"

Paths = dict[str, dict[str, Any]]


def link(paths: Paths, schemas: Mapping[str, Any]) -> None:
    """Add `links` to every success that names something another operation takes in its path.

    An answer names a thing by the `id` of what its own address makes or lists, or by a field that is called as the
    parameter or after the collection: `account_id` for `/v1/accounts/{…}`.
    """
    targets = [
        (path, operation["operationId"])
        for path, operations in sorted(paths.items())
        if "{" in path
        for operation in operations.values()
    ]
    for path, operations in paths.items():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status.startswith("2"):
                    named = set(_fields(response, schemas))
                    links = dict(_links(path, named, targets))
                    if links:
                        response["links"] = links


def _links(
    path: str, named: set[str], targets: list[tuple[str, str]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    own = set(PARAMETER.findall(path))
    for target, operation_id in targets:
        found: dict[str, str] = {}
        for name, collection in _parameters(target):
            if pointer := _pointer(path, named, name, collection):
                found[name] = f"$response.body#/{pointer}"
            elif name in own and target.startswith(path.split("{")[0]):
                found[name] = f"$request.path.{name}"
        wanted = PARAMETER.findall(target)
        # Nobody follows a name, as `platform`.
        follows = len(found) == len(wanted) and all(name.endswith(HAS_ID) for name in wanted)
        if follows and any("response" in each for each in found.values()):
            yield operation_id, {"operationId": operation_id, "parameters": found}


def _parameters(path: str) -> Iterator[tuple[str, str]]:
    """Each parameter with the path before it."""
    for found in PARAMETER.finditer(path):
        yield found[1], path[: found.start()].rstrip("/")


def _pointer(path: str, named: set[str], parameter: str, collection: str) -> str | None:
    """Where an answer says what a parameter is to be; None where it does not."""
    noun = collection.rsplit("/", 1)[-1].removesuffix("s")
    for field in (f"{noun}_id", parameter):
        if field != HAS_ID and field in named:
            return field
    if path == collection:
        return next((field for field in (HAS_ID, f"data/0/{HAS_ID}") if field in named), None)
    return None


def _fields(response: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    """The fields of a JSON answer; of a list those of its items as well, as `data/0/…`."""
    content = response.get("content", {}).get("application/json")
    if content is None:
        return
    for fields in _objects(content["schema"], schemas):
        for name, schema in fields.items():
            yield name
            if name == "data" and "items" in schema:
                for inner in _objects(schema["items"], schemas):
                    yield from (f"data/0/{each}" for each in inner)


def _objects(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The properties of an object, or of each of several that it may be."""
    if "$ref" in schema:
        yield from _objects(schemas[schema["$ref"].rsplit("/", 1)[-1]], schemas)
    for choice in [*schema.get("anyOf", []), *schema.get("oneOf", [])]:
        yield from _objects(choice, schemas)
    if "properties" in schema:
        yield schema["properties"]
