"""Every file that is written from code and data: what it must contain, for `write` and for `check`."""

from __future__ import annotations

import json
import types
import typing
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from hubbub.connector import publish as platform_facts
from hubbub.connector.registry import Registry
from hubbub.errors import publish as errors
from hubbub.kit import text
from hubbub.runtime.settings import Settings
from hubbub.surfaces.api import openapi, routers
from hubbub.surfaces.cli import pages
from hubbub.surfaces.dialects.flat import envelope as flat

TYPES: dict[Any, str] = {
    str: "text",
    int: "number",
    float: "number",
    bool: "flag (true or false)",
    Path: "path",
    list[str]: "JSON list of texts",
}
INTRODUCTIONS = {
    "errors": (
        "Errors",
        "Every error has a code that never changes its meaning. Branch on the code and on `action`, never on the "
        "sentence. `meta` holds what the sentence was made from.",
    ),
    "settings": (
        "Settings",
        "All settings come from the environment. `hubbub doctor` says what is missing or does not fit together.\n\n"
        "Besides these, each platform with a consent page has an app of yours: `HUBBUB_<PLATFORM>_CLIENT_ID` and "
        "`HUBBUB_<PLATFORM>_CLIENT_SECRET`. A platform without them is reached in the sandbox only.",
    ),
    "platforms": ("Platforms", "The same facts, for programs: `GET /v1/platforms`."),
}


def files(root: Path) -> dict[Path, str]:
    """Each derived file below `root` with the content it must have. What people wrote around it is kept."""
    registry = Registry()
    facts = [found.facts for found in registry.values()]
    known_settings = settings_catalogue()
    catalogue = errors.catalogue()
    content = {
        "contract/openapi.json": _json(_description()),
        "contract/errors.json": _json(catalogue),
        "contract/dialects/flat.json": _json(flat.everything()),
        "contract/platforms.json": _json(platform_facts.catalogue(facts)),
        "contract/settings.json": _json(known_settings),
        "contract/text_vectors.json": _json({"vectors": text.vectors()}),
        "docs/reference/errors.md": _page(root, "errors", errors.page(catalogue)),
        "docs/reference/settings.md": _page(root, "settings", pages.settings(known_settings)),
        "docs/reference/platforms.md": _page(root, "platforms", pages.platforms(facts)),
    }
    for name, found in registry.items():
        notes = found.folder / "notes.md"
        content[f"docs/platforms/{name}.md"] = pages.platform(
            found, notes.read_text() if notes.is_file() else ""
        )
    return {root / place: text for place, text in content.items()}


def leftovers(root: Path, wanted: dict[Path, str]) -> list[Path]:
    """Pages of platforms that are gone."""
    return [file for file in sorted((root / "docs" / "platforms").glob("*.md")) if file not in wanted]


def settings_catalogue() -> dict[str, Any]:
    """Every setting: its variable, what it takes, what it is when nobody says, what it means."""
    return {"settings": [_setting(name, field) for name, field in Settings.model_fields.items()]}


def _setting(name: str, field: FieldInfo) -> dict[str, Any]:
    default = field.get_default(call_default_factory=True)
    return {
        "name": name,
        "variable": "DATABASE_URL" if name == "database_url" else f"HUBBUB_{name.upper()}",
        "type": _type(field.annotation),
        "default": str(default) if isinstance(default, Path) else default,
        "meaning": " ".join((field.description or "").split()),
    }


def _type(annotation: Any) -> str:
    """In a reader's words; whatever may be missing is described without that."""
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        [annotation] = [part for part in typing.get_args(annotation) if part is not types.NoneType]
    return TYPES.get(annotation, "secret text")


def _description() -> dict[str, Any]:
    return openapi.describe([route for router in routers.found() for route in router.routes])


def _page(root: Path, name: str, generated: str) -> str:
    """The page with its generated part replaced; a new page begins with its title and introduction."""
    file = root / "docs" / "reference" / f"{name}.md"
    title, introduction = INTRODUCTIONS[name]
    begin, end = errors.BEGIN, errors.END
    fresh = f"# {title}\n\n{introduction}\n\n{begin}\n{end}\n"
    return errors.between(file.read_text() if file.is_file() else fresh, generated)


def _json(thing: Any) -> str:
    return json.dumps(thing, indent=2, ensure_ascii=False) + "\n"
