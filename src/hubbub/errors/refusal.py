"""What a refusal is: a class with a permanent dotted code, typed fields, one sentence and an action."""

from __future__ import annotations

import inspect
import re
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, ClassVar, cast, dataclass_transform


class Action(StrEnum):
    """Whose turn it is, and what they should do."""

    FIX_REQUEST = "fix_request"
    RECONNECT = "reconnect_account"
    WAIT = "wait"
    CHANGE_PLAN = "change_plan"
    CONTACT_PLATFORM = "contact_platform"
    REPORT = "report_to_us"


class Category(StrEnum):
    """How a failed target is sorted on the wire (contract 4.10)."""

    VALIDATION = "validation"
    AUTH = "auth"
    RATE_LIMIT = "rate_limit"
    PLATFORM = "platform"
    SYSTEM = "system"


registry: dict[str, type[Refusal]] = {}

retired: frozenset[str] = frozenset(
    {
        "account_already_linked",
        "account_not_found",
        "field_invalid",
        "field_required",
        "invalid_credentials",
        "invalid_token",
        "missing_metadata",
        "not_found",
        "not_supported",
        "platform_rate_limit",
        "rate_limit_exceeded",
        "storage_quota_exceeded",
        "unauthorized",
        "unsupported_platform",
    }
)
"""Codes no refusal may take: released once and withdrawn, or the flat envelope's own words."""


@dataclass_transform(kw_only_default=True, eq_default=False)
class Refusal(Exception):
    """Base of every refusal. A subclass is one code; its annotations are its fields.

    The docstring's first line is the title in the documentation, the rest the explanation. Fields
    become `error.meta`; fields that are None are left out. A code may name one field in braces
    (`platform.{platform}.auth`): one class then stands for a family of codes. A subclass without a
    code of its own only shares fields with its own subclasses and is not registered.
    """

    code: ClassVar[str]
    status: ClassVar[int]
    action: ClassVar[Action]
    message: ClassVar[str]
    hidden: ClassVar[frozenset[str]] = frozenset()
    """Fields that fill the sentence but are not repeated in `meta`."""
    wire_names: ClassVar[Mapping[str, str]] = {}
    """Fields whose key in `meta` is a word a refusal already uses for itself."""

    def __init_subclass__(cls) -> None:
        dataclass(kw_only=True, eq=False, repr=False)(cls)
        if "code" not in cls.__dict__:
            return
        if cls.code in retired:
            raise TypeError(f"{cls.code} is retired")
        if cls.code in registry and registry[cls.code].__qualname__ != cls.__qualname__:
            raise TypeError(f"two refusals share the code {cls.code}")
        unknown = placeholders(cls.message + cls.code) - set(cls.field_names())
        if unknown:
            raise TypeError(f"{cls.__name__} mentions {sorted(unknown)}, which are not its fields")
        registry[cls.code] = cls

    @classmethod
    def field_names(cls) -> list[str]:
        return [field.name for field in fields(cast(Any, cls))]

    @property
    def details(self) -> dict[str, Any]:
        """Every field with its value; enough to build the refusal again."""
        return {name: getattr(self, name) for name in self.field_names()}

    @property
    def wire_code(self) -> str:
        """The code as a client sees it, a family's placeholder filled in."""
        return self.code.format_map(self.details)

    @property
    def http_status(self) -> int:
        """The status of this one; families whose members differ say so here."""
        return self.status

    @property
    def sentence(self) -> str:
        return self.message.format_map({k: "" if v is None else v for k, v in self.details.items()})

    @property
    def meta(self) -> dict[str, Any]:
        named_in_code = placeholders(self.code)
        return {
            self.wire_names.get(name, name): value
            for name, value in self.details.items()
            if value is not None and name not in self.hidden and name not in named_in_code
        }

    @property
    def retry_after(self) -> int | None:
        """Seconds after which the same request may succeed, where waiting helps."""
        seconds = self.details.get("retry_after_seconds")
        return int(seconds) if seconds is not None else None

    def __str__(self) -> str:
        return f"{self.wire_code}: {self.sentence}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.wire_code})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (rebuild, (self.code, self.details))


VALIDATION_STARTS = ("validation.", "publishing.media", "publishing.duplicate_target")
VALIDATION_ENDS = (".media_required", ".media_invalid", ".content_rejected", "privacy_level_required")
AUTH_STARTS = ("auth.", "account.", "byok.credentials", "post.missed")
PLATFORM_STARTS = (
    "platform.",
    "telegram.",
    "whatsapp.",
    "publish_timeout",
    "publishing.delivery.timeout",
    "publishing.unconfirmed",
)
AUTH_ENDS = (
    ".auth",
    ".auth_factor_required",
    ".bad_credentials",
    ".insufficientPermissions",
    ".permission_denied",
    "_scope_missing",
)


def placeholders(template: str) -> set[str]:
    """The field names a template mentions."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def rebuild(code: str, details: Mapping[str, Any]) -> Refusal:
    """The refusal that was stored as its registry code and fields."""
    return cast(Any, registry[code])(**details)


class Refused(Exception):
    """Several refusals at once: everything that is wrong with one request."""

    def __init__(self, refusals: Iterable[Refusal]) -> None:
        self.refusals = list(refusals)
        super().__init__("; ".join(str(refusal) for refusal in self.refusals))


def title_of(refusal: type[Refusal]) -> tuple[str, str]:
    """A class's documentation: its first sentence, and the rest."""
    text = inspect.getdoc(refusal) or ""
    head, _, rest = text.partition("\n\n")
    return " ".join(head.split()), rest.strip()


def class_of(wire_code: str) -> type[Refusal] | None:
    """The class a code on the wire came from; None when no refusal has that code.

    A family whose last word is fixed (`platform.{platform}.230`) goes before one that takes any number.
    """
    if wire_code in registry:
        return registry[wire_code]
    for family in sorted(registry.values(), key=lambda each: len(placeholders(each.code))):
        if re.fullmatch(pattern_of(family), wire_code):
            return family
    return None


def pattern_of(refusal: type[Refusal]) -> str:
    """A regular expression for the codes of a family: any word for text, digits for numbers."""
    types = {field.name: field.type for field in fields(cast(Any, refusal))}
    return "".join(
        re.escape(text) + ("" if name is None else "-?[0-9]+" if types[name] == "int" else "[^.]+")
        for text, name, _, _ in string.Formatter().parse(refusal.code)
    )


def category_of(code: str, status: int) -> Category:
    """Which of the wire's five categories a code belongs to."""
    if code.startswith(VALIDATION_STARTS) or code.endswith(VALIDATION_ENDS):
        return Category.VALIDATION
    if code.startswith(AUTH_STARTS) or code.endswith(AUTH_ENDS):
        return Category.AUTH
    if code.endswith(".rate_limit") or status == 429:
        return Category.RATE_LIMIT
    if code.startswith(PLATFORM_STARTS):
        return Category.PLATFORM
    return Category.SYSTEM
