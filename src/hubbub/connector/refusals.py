"""What a platform's refusals mean: `errors.toml`, matched from top to bottom."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field

from hubbub.errors import Refusal, class_of
from hubbub.errors.platform import PlatformApiError


@dataclass(frozen=True)
class Answer:
    """A platform's answer, as far as anybody needs it: never its credentials."""

    status: int
    headers: Mapping[str, str]
    """Lower-case names."""
    body: Any
    """Parsed JSON, or the beginning of the text."""
    call: str
    """Method and path, without the query."""


class Entry(BaseModel):
    """One `[[on]]`: when it applies, what it means, whether we may be sure nothing happened."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str | None = None
    status: int | str | None = None
    when: dict[str, Any] = {}
    means: str = Field(alias="is")
    certain: bool | None = None
    take: dict[str, str] = {}
    """Refusal fields read from the answer: `header:Retry-After` or a dotted path of the body."""
    give: dict[str, Any] = {}
    """Refusal fields with a fixed value."""
    refreshes: bool = False
    """Whether renewing the credentials may mend it."""
    say: str | None = None
    """A sentence the stand-in uses."""

    def matches(self, answer: Answer) -> bool:
        if self.status is not None and not _status_matches(self.status, answer.status):
            return False
        return all(_value_matches(wanted, dig(answer.body, path)) for path, wanted in self.when.items())


class Upstream(BaseModel):
    """`[reply]`: where this platform puts what it says about an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str | None = None
    subcode: str | None = None
    message: str | list[str] | None = None
    """One path, or several for a platform with several envelopes: the first that leads somewhere."""
    trace_id: str | None = None


@dataclass
class RemoteRefusal(Exception):
    """The platform refused. `certain` means that nothing happened there."""

    refusal: Refusal
    certain: bool
    refreshes: bool = False
    upstream: dict[str, Any] = field(default_factory=dict[str, Any])
    is_final: bool = False
    """Whether enough was waited for already, though the refusal asks to come back later."""

    def __str__(self) -> str:
        return str(self.refusal)


class LostAnswer(Exception):
    """No answer, or not the one that was promised: it may have happened. The message is the evidence."""


class NotSent(Exception):
    """The call never reached the platform; certainly nothing happened. The message says why."""


class Refusals:
    """One platform's table."""

    def __init__(self, platform: str, entries: list[Entry], reply: Upstream) -> None:
        self.platform = platform
        self.entries = entries
        self.reply = reply

    @classmethod
    def load(cls, platform: str, path: Path) -> Refusals:
        """Raises pydantic's ValidationError naming every mistake."""
        table = tomllib.loads(path.read_text())
        entries = [Entry.model_validate(entry) for entry in table.pop("on", [])]
        return cls(platform, entries, Upstream.model_validate(table.pop("reply", {})))

    def read(self, answer: Answer, account_id: str | None) -> RemoteRefusal:
        """What an answer means. First match wins; anything unmatched is `api_error` and kept whole."""
        upstream = self.upstream(answer)
        entry = next((entry for entry in self.entries if entry.matches(answer)), None)
        if entry is None:
            refusal = PlatformApiError(
                platform=self.platform,
                account_id=account_id,
                upstream_status=answer.status,
                said=str(upstream.get("message") or f"HTTP {answer.status}"),
            )
            return RemoteRefusal(refusal, certain=answer.status < 500, upstream=upstream)
        context = {
            "platform": self.platform,
            "account_id": account_id,
            "upstream_status": answer.status,
            "said": upstream.get("message") or "",
            **entry.give,
            **{
                name: taken for name, path in entry.take.items() if (taken := _take(answer, path)) is not None
            },
        }
        certain = entry.certain if entry.certain is not None else answer.status < 500
        refusal = build(entry.means, context)
        return RemoteRefusal(refusal, certain, entry.refreshes, upstream)

    def upstream(self, answer: Answer) -> dict[str, Any]:
        """What the platform itself said, for the person who has to find out why."""
        said = {
            "platform": self.platform,
            "status": answer.status,
            "call": answer.call,
            "code": dig(answer.body, self.reply.code),
            "subcode": dig(answer.body, self.reply.subcode),
            "message": self._message(answer.body),
            "trace_id": dig(answer.body, self.reply.trace_id),
        }
        if said["message"] is None and isinstance(answer.body, str) and answer.body.strip():
            said["message"] = answer.body.strip()[:300]
        return {name: value for name, value in said.items() if value is not None}

    def _message(self, body: Any) -> Any:
        paths = self.reply.message if isinstance(self.reply.message, list) else [self.reply.message]
        return next((said for path in paths if (said := dig(body, path)) is not None), None)


def build(code: str, context: Mapping[str, Any]) -> Refusal:
    """The refusal of that code, given those of the context's values that it has fields for.

    Raises LookupError when there is no such code.
    """
    kind = class_of(code)
    if kind is None:
        raise LookupError(f"there is no code {code}")
    wanted = kind.field_names()
    return cast(Any, kind)(**{name: value for name, value in context.items() if name in wanted})


def dig(body: Any, path: str | None) -> Any:
    """The value at a dotted path, or None. Numbers index lists."""
    if path is None:
        return None
    here = body
    for step in path.split("."):
        if isinstance(here, Mapping):
            here = here.get(step)
        elif isinstance(here, list) and step.isdigit() and int(step) < len(here):
            here = here[int(step)]
        else:
            return None
    return here


def _status_matches(wanted: int | str, status: int) -> bool:
    if isinstance(wanted, int):
        return wanted == status
    return re.fullmatch(wanted.replace("x", r"\d"), str(status)) is not None


def _value_matches(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, str) and wanted.startswith("~"):
        return isinstance(found, str) and wanted[1:].lower() in found.lower()
    if isinstance(wanted, list):
        return found in wanted
    return found == wanted


def _take(answer: Answer, path: str) -> Any:
    """A header or a value of the body; numbers in text become numbers, seconds are rounded up."""
    place, _, name = path.partition(":")
    found = answer.headers.get(name.lower()) if place == "header" else dig(answer.body, path)
    if isinstance(found, str) and re.fullmatch(r"\d+(\.\d+)?", found.strip()):
        return int(-(-float(found) // 1))
    return found
