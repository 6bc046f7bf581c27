"""Platform: a folder's `platform.toml`, typed. Read without importing any platform code."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

Unit = Literal["chars", "graphemes", "utf16", "bytes", "weighted"]
Kind = Literal["image", "video", "audio", "file"]


class Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Host(Facts):
    """One base URL, live and as a path below the platform's mount in the sandbox."""

    live: str
    sandbox: str = ""


class AskedField(Facts):
    """One thing a person must type to sign in."""

    title: str
    help: str = ""
    secret: bool = False
    required: bool = True


class Auth(Facts):
    kind: Literal["oauth2", "password", "token"]
    authorize: str | None = None
    """`host:/path` of the consent page, the host being one of `[hosts]`."""
    token: str | None = None
    pkce: bool = False
    scope_separator: str = " "
    scopes: list[str] = []
    params: dict[str, str] = {}
    """Extra query parameters of the consent page."""
    refresh: Literal["none", "long_lived", "rotating"] = "none"
    lifetime_seconds: int | None = None
    refresh_before_seconds: int = 600
    fields: dict[str, AskedField] = {}


class Publish(Facts):
    certainty: Literal["idempotent", "findable", "blind"]
    """What is possible when the answer was lost: send again with the same key, look, or nothing."""
    visible_after: float = 0
    """Seconds after which a read certainly shows a post that was accepted."""
    submit_timeout: float = 60
    """Seconds a submit may take before its answer counts as lost."""
    settle_timeout: float = 600
    """Seconds a platform may take to process an accepted post."""


class Text(Facts):
    is_shown: bool = True
    """Whether the format has a place for words; where it has none they are left out, with a warning."""
    max: int | None = None
    unit: Unit = "chars"
    max_bytes: int | None = None
    required: bool = False
    links: int | None = None
    tags: int | None = None
    mentions: int | None = None


class Media(Facts):
    kinds: list[Kind]
    min: int = 0
    max: int
    mixed: bool = False


class FileRule(Facts):
    types: list[str] = []
    max_bytes: int | None = None
    ratio: tuple[float, float] | None = None
    """Width divided by height: smallest, largest."""
    min_pixels: tuple[int, int] | None = None
    seconds: tuple[float, float] | None = None
    max_fps: float | None = None


class Alt(Facts):
    max: int
    unit: Unit = "chars"


class Format(Facts):
    """One thing that can be published, with its limits."""

    title: str = ""
    has_title: bool = False
    """Whether a post of this format shows a title of its own."""
    text: Text = Text()
    media: Media | None = None
    image: FileRule | None = None
    video: FileRule | None = None
    alt: Alt | None = None
    first_comment: bool = True


class Option(Facts):
    """One field that only this platform has, described well enough to draw a form."""

    type: Literal["text", "url", "choice", "flag", "number", "list", "names", "object"]
    help: str
    choices: list[str] = []
    default: Any = None
    max: int | None = None
    formats: list[str] = []
    """The formats it applies to; none listed means all."""


class Budget(Facts):
    calls: int
    seconds: int
    per: Literal["account", "app", "place"] = "account"


class Variant(BaseModel):
    """What differs for some accounts: `when` says which, the rest are dotted overrides."""

    model_config = ConfigDict(frozen=True, extra="allow")
    when: dict[str, dict[str, Any]]

    def is_for(self, account: Mapping[str, Any]) -> bool:
        return all(account.get(key) == value for key, value in self.when.get("account", {}).items())


class Places(Facts):
    """How accounts of this platform spread over pages, boards or channels."""

    noun: str
    per_brand: int | None = None
    """How many a brand may hold, where the vendor caps it."""
    choose: bool = True
    """Whether the person chooses among several when connecting."""


class Hooks(Facts):
    scheme: Literal["hmac_sha256", "hmac_sha1", "none"] = "none"
    header: str | None = None


class Platform(Facts):
    """Everything that is known about a platform before any of its code runs."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    docs: str
    checked: date
    hosts: dict[str, Host]
    auth: Auth
    can: dict[str, list[str]]
    """Each capability, and the scopes it needs."""
    publish: Publish | None = None
    places: Places | None = None
    visibility: list[str] = ["public"]
    """Who a post can be meant for. Anything else is refused: private must never come out public."""
    formats: dict[str, Format] = {}
    options: dict[str, Option] = {}
    hooks: Hooks = Hooks()
    rate: list[Budget] = []
    variants: dict[str, Variant] = {}
    exempt: dict[str, str] = {}

    _varied: dict[tuple[str, ...], Platform] = PrivateAttr(default_factory=dict[tuple[str, ...], Any])

    @property
    def logins(self) -> list[str]:
        """The other ways to sign in, by the word that an account remembers as `login`; each is a variant."""
        named = (variant.when.get("account", {}).get("login") for variant in self.variants.values())
        return [login for login in named if login is not None]

    def for_account(self, account: Mapping[str, Any]) -> Platform:
        """The facts as they hold for one account: every variant that matches is folded in."""
        matching = tuple(name for name, variant in self.variants.items() if variant.is_for(account))
        if matching not in self._varied:
            self._varied[matching] = _vary(self, matching)
        return self._varied[matching]


def _vary(platform: Platform, variants: tuple[str, ...]) -> Platform:
    facts = platform.model_dump()
    for name in variants:
        facts = merge(facts, platform.variants[name].model_extra or {})
    return Platform.model_validate(facts)


def merge(facts: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`facts` with `changes` folded in, table by table; neither is altered."""
    merged = deepcopy(dict(facts))
    for key, value in changes.items():
        below = merged.get(key)
        both_tables = isinstance(value, Mapping) and isinstance(below, Mapping)
        merged[key] = merge(below, value) if both_tables else value  # type: ignore[arg-type]
    return merged


def load(folder: Path) -> Platform:
    """Read a folder's facts. Raises pydantic's ValidationError naming every mistake."""
    return Platform.model_validate(tomllib.loads((folder / "platform.toml").read_text()))
