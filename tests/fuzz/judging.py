"""What an answer is held against, and what was reached."""

from __future__ import annotations

from collections import Counter
from typing import Any

import jsonschema
from pydantic import TypeAdapter, ValidationError
from schemathesis.specs.openapi.checks import negative_data_rejection

READ_GENEROUSLY: dict[str, TypeAdapter[Any]] = {
    "boolean": TypeAdapter(bool),
    "integer": TypeAdapter(int),
    "number": TypeAdapter(float),
}
"""A body may say true as 1 or as "yes", and a number as text."""


def taken_anyway(case: Any) -> list[Any]:
    """The check that does not hold for this case: it does not fit the description, and callers may send it."""
    if case.meta is None or case.meta.generation.mode.is_positive:
        return []
    unknown = "unexpected properties" in (getattr(case.meta.phase.data, "description", None) or "")
    return [negative_data_rejection] if unknown or _reads_as_valid(case) else []


def _reads_as_valid(case: Any) -> bool:
    content = case.operation.definition.raw.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None or not isinstance(case.body, dict):
        return False
    whole = {**content["schema"], "components": case.operation.schema.raw_schema["components"]}
    wrong = [
        error
        for top in jsonschema.Draft202012Validator(whole).iter_errors(case.body)
        for error in (top.context or [top])
        if not (error.validator == "type" and error.validator_value == "null")
    ]
    return all(
        error.validator == "type" and _is_readable(error.instance, error.validator_value) for error in wrong
    )


def _is_readable(value: Any, kind: str) -> bool:
    try:
        READ_GENEROUSLY[kind].validate_python(value)
    except (KeyError, ValidationError):
        return False
    return True


class Reached:
    """How often each operation answered with which status, and each link led to a success."""

    def __init__(self) -> None:
        self.statuses: dict[str, Counter[int]] = {}
        self.links: Counter[tuple[str, str]] = Counter()
        self.scenarios = 0
        self.wrong: list[Exception] = []

    def __repr__(self) -> str:
        return f"{self.scenarios} chains, {self.statuses}, {self.links}"

    def note(self, operation: str, status: int) -> None:
        self.statuses.setdefault(operation, Counter())[status] += 1

    def successes(self, operation: str) -> int:
        return sum(n for status, n in self.statuses.get(operation, Counter()).items() if status < 400)

    @property
    def total(self) -> int:
        return sum(counted.total() for counted in self.statuses.values())
