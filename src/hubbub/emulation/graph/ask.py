"""One Graph request with all its parameters in one place, wherever the client put them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qsl

from hubbub.emulation.call import Call, Upload
from hubbub.emulation.graph.errors import GraphError, bad_parameter

VERSION = re.compile(r"v\d+\.\d+")
INDEXED = re.compile(r"(\w+)((?:\[[^\]]*\])+)")
NEWEST_VERSION = "v26.0"
YES = frozenset({"true", "1"})
NO = frozenset({"false", "0", ""})


@dataclass
class Ask:
    """`node` and `edge` come from the path; `params` are merged, later sources winning over earlier.

    https://developers.facebook.com/docs/graph-api/overview
    """

    method: str
    version: str
    segments: list[str]
    params: dict[str, Any]
    base: str
    bearer: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    uploads: dict[str, Upload] = field(default_factory=lambda: dict[str, Upload]())

    @property
    def token(self) -> str | None:
        """A token in a parameter wins over one in a header."""
        given = self.params.get("access_token")
        return str(given) if given else self.bearer

    def given(self, name: str) -> bool:
        return self.params.get(name) not in (None, "")

    def text(self, name: str, *aliases: str) -> str:
        """The first of these parameters that says something, else an empty text."""
        for key in (name, *aliases):
            if self.given(key):
                value = self.params[key]
                return value if isinstance(value, str) else json.dumps(value)
        return ""

    def flag(self, name: str, default: bool) -> bool:
        """Raises GraphError 100 when the value is neither yes nor no."""
        if not self.given(name):
            return default
        word = str(self.params[name]).lower()
        if word in YES | NO:
            return word in YES
        raise bad_parameter(f"Param {name} must be a boolean")

    def number(self, name: str) -> int | None:
        if not self.given(name):
            return None
        try:
            return int(str(self.params[name]))
        except ValueError as broken:
            raise bad_parameter(f"Param {name} must be an integer") from broken

    def items(self, name: str) -> list[Any]:
        """A list parameter: a JSON array, JSON text, indexed keys, or a plain comma list."""
        value: Any = self.params.get(name)
        if value in (None, ""):
            return []
        if isinstance(value, str):
            value = _decoded(value) if value.lstrip()[:1] in ("[", "{") else value.split(",")
        if isinstance(value, dict):
            value = [value]
        if not isinstance(value, list):
            raise bad_parameter(f"Param {name} must be an array.")
        return [_decoded(item) for item in cast("list[Any]", value)]


def read_call(call: Call, base: str = "", path: str | None = None) -> Ask:
    """A call as a Graph request. Raises GraphError 100 for a body that claims to be JSON and is not."""
    version, segments = split_path(call.path if path is None else path)
    query = parse_qsl(call.raw_query, keep_blank_values=True)
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json" and call.body.strip():
        fields = list(json_body(call.body).items())
    elif kind == "application/x-www-form-urlencoded":
        fields = parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True)
    else:
        fields = list(call.form.items())
    params = merged(fields, query)
    scheme, _, credential = call.headers.get("authorization", "").partition(" ")
    return Ask(
        method=meant(call.method, params),
        version=version,
        segments=segments,
        params=params,
        base=base or call.base_url,
        bearer=credential.strip() if scheme.lower() in ("bearer", "oauth") else None,
        headers=call.headers,
        uploads={upload.name: upload for upload in call.files},
    )


def split_path(path: str) -> tuple[str, list[str]]:
    """The version (the newest when there is none) and what follows; slashes at the ends do not matter."""
    segments = [part for part in path.split("/") if part]
    if segments and VERSION.fullmatch(segments[0]):
        return segments[0], segments[1:]
    return NEWEST_VERSION, segments


def meant(method: str, params: Mapping[str, Any]) -> str:
    """`method=delete` (or get, post) in the parameters of a POST says what is really meant."""
    said = str(params.get("method", "")).upper()
    return said if method.upper() == "POST" and said in ("GET", "DELETE") else method.upper()


def merged(*sources: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Parameters of several sources as one mapping, with `a[0][b]=c` folded into lists and objects."""
    params: dict[str, Any] = {}
    for source in sources:
        for key, value in source:
            indexed = INDEXED.fullmatch(key)
            if indexed is None:
                params[key] = value
            else:
                _put(params, [indexed[1], *re.findall(r"\[([^\]]*)\]", indexed[2])], value)
    return {key: _as_list(value) for key, value in params.items()}


def json_body(body: bytes) -> dict[str, Any]:
    """Raises GraphError 100 when the body is not a JSON object."""
    try:
        value: Any = json.loads(body or b"{}")
    except ValueError as broken:
        raise GraphError(100, "Invalid JSON in the request body") from broken
    if not isinstance(value, dict):
        raise GraphError(100, "The request body must be a JSON object")
    return cast("dict[str, Any]", value)


def _put(params: dict[str, Any], keys: list[str], value: Any) -> None:
    here = params
    for key in keys[:-1]:
        inner = here.get(key)
        if not isinstance(inner, dict):
            inner = here[key] = {}
        here = cast("dict[str, Any]", inner)
    last = keys[-1] or str(len(here))
    here[last] = value


def _as_list(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _as_list(item) for key, item in cast("dict[str, Any]", value).items()}
    if inner and all(key.isdigit() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner


def _decoded(value: Any) -> Any:
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except ValueError as broken:
            raise bad_parameter("A parameter is not valid JSON") from broken
    return value
