"""JSON Schemas of what routes take, return and raise, collected under `components`."""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterator
from typing import Any, cast, get_args, get_origin, get_type_hints

import msgspec
from pydantic import BaseModel, TypeAdapter

from hubbub.errors import Refusal
from hubbub.errors.publish import entry_of
from hubbub.errors.refusal import pattern_of, placeholders
from hubbub.runtime.routes import Page, Redirect, Reply

REF = "#/components/schemas/{}"
PYDANTIC_REF = "#/components/schemas/{model}"


class Components:
    """Named schemas, each once."""

    def __init__(self) -> None:
        self.schemas: dict[str, Any] = {}

    def taken(self, model: type[BaseModel]) -> dict[str, Any]:
        """What a route takes: the model with its defaults."""
        return self._pydantic(model.model_json_schema(ref_template=PYDANTIC_REF), model.__name__)

    def returned(self, annotation: Any) -> dict[str, Any]:
        """What a route returns. Raises TypeError for a type without a form on the wire."""
        if annotation in (Any, inspect.Signature.empty):
            return {}
        (schema,), found = msgspec.json.schema_components(
            [annotation], ref_template="#/components/schemas/{name}", schema_hook=self._foreign
        )
        for name, each in found.items():
            self.add(name, _sent(each))
        return _sent(schema)

    def raised(self, refusal: type[Refusal]) -> dict[str, Any]:
        """One error as it stands in the envelope."""
        name = f"Error_{refusal.__name__}"
        entry = entry_of(refusal)
        family = placeholders(refusal.code)
        meta = entry["meta"]
        properties: dict[str, Any] = {
            "code": {"type": "string", **({"pattern": f"^{pattern_of(refusal)}$"} if family else {})},
            "message": {"type": "string", "description": entry["message"]},
            "meta": {key: value for key, value in meta.items() if value},
            "action": {"const": entry["action"]},
            "docs": {"type": "string", "format": "uri"},
            "errors": {"type": "array", "items": {"type": "object"}},
            "upstream": {"type": "object"},
        }
        if not family:
            properties["code"] = {"const": refusal.code}
        if "retry_after_seconds" in meta["properties"]:
            properties["retry_after_seconds"] = {"type": "integer"}
        required = ["code", "message", "action", "docs", *(["meta"] if meta["required"] else [])]
        self.schemas[name] = {
            "type": "object",
            "title": entry["title"],
            "description": entry["explanation"],
            "properties": properties,
            "required": required,
        }
        return {"$ref": REF.format(name)}

    def _foreign(self, kind: type[Any]) -> dict[str, Any]:
        if inspect.isclass(kind) and issubclass(kind, BaseModel):
            schema = TypeAdapter(kind).json_schema(ref_template=PYDANTIC_REF, mode="serialization")
            return self._pydantic(_always(schema), kind.__name__)
        raise TypeError(f"{kind} has no form on the wire")

    def _pydantic(self, schema: dict[str, Any], name: str) -> dict[str, Any]:
        for inner, each in schema.pop("$defs", {}).items():
            self.add(inner, each)
        self.add(name, schema)
        return {"$ref": REF.format(name)}

    def add(self, name: str, schema: dict[str, Any]) -> None:
        """Raises TypeError when another type has this name already."""
        if self.schemas.setdefault(name, schema) != schema:
            raise TypeError(f"two different types are called {name}")


def _sent(schema: dict[str, Any]) -> dict[str, Any]:
    """Without defaults, which only mean something in what is taken."""
    if "properties" not in schema:
        return schema
    fields = {
        name: {key: value for key, value in field.items() if key != "default"}
        for name, field in schema["properties"].items()
    }
    return {**schema, "properties": fields}


def _always(schema: dict[str, Any]) -> dict[str, Any]:
    """A model's schema where every field is required: models are sent whole."""
    inner = {name: _always(each) for name, each in schema.get("$defs", {}).items()}
    whole = {**schema, **({"$defs": inner} if inner else {})}
    if whole.get("properties"):
        whole["required"] = list(whole["properties"])
    return _sent(whole)


def body_type(annotation: Any) -> Any:
    """What a handler's return annotation says about the body; None where there is none."""
    if get_origin(annotation) is Reply:
        return body_type(get_args(annotation)[0])
    if annotation is Reply:
        return Any
    return None if annotation in (None, type(None), Redirect) else annotation


def content(annotation: Any, components: Components) -> dict[str, Any] | None:
    """The `content` of a successful response; None where it is empty."""
    body = body_type(annotation)
    if body is None:
        return None
    if body is Page:
        return {"text/html": {"schema": {"type": "string"}}}
    if body is bytes or get_origin(body) is AsyncIterator:
        return {"*/*": {"schema": {"type": "string", "format": "binary"}}}
    return {"application/json": {"schema": components.returned(body)}}


def returns(handler: Any) -> Any:
    """A handler's return annotation, resolved."""
    return get_type_hints(handler).get("return", Any)


def path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]


def query_parameters(model: type[BaseModel], components: Components) -> list[dict[str, Any]]:
    """Each field as a parameter; lists are comma-joined."""
    schema = model.model_json_schema(ref_template=PYDANTIC_REF)
    for name, each in schema.get("$defs", {}).items():
        components.add(name, each)
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            **(
                {"description": text}
                if (text := cast(dict[str, Any], field).pop("description", None))
                else {}
            ),
            **({"style": "form", "explode": False} if "array" in str(field) else {}),
            "schema": _told(field),
        }
        for name, field in schema.get("properties", {}).items()
    ]


def _told(schema: dict[str, Any]) -> dict[str, Any]:
    """Without null, which a query has no way to say."""
    choices = [each for each in schema.get("anyOf", []) if each != {"type": "null"}]
    rest = {
        key: value
        for key, value in schema.items()
        if key != "anyOf" and not (key == "default" and value is None)
    }
    return {**rest, **choices[0]} if len(choices) == 1 else schema
