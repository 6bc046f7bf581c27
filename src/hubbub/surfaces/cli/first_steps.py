"""What a person reads after `hubbub up`: where everything is, and five lines to paste."""

from __future__ import annotations

import json
from typing import Any

from hubbub.connector.registry import Found, Registry
from hubbub.emulation import mounts
from hubbub.runtime.home import Home

SANDBOX_PERSON = "demo"
NEWCOMER = "ada"
"""Somebody made for the consent page: unlike the person who is always there, she has one place to publish to."""
SANDBOX_PASSWORD = "sandbox"  # noqa: S105 - the same for every stand-in


def welcome(api: str, sandbox: str | None, key: str, home: Home) -> str:
    """The whole text. With a sandbox it ends with five `curl` lines that work as they stand, in order."""
    lines = ["", "Hubbub is running. Ctrl-C stops it.", "", f"  API      {api}"]
    lines += [f"  Sandbox  {sandbox}"] if sandbox else []
    lines += [f"  API key  {key}", ""]
    if sandbox:
        paint(home)
        lines += [
            "Paste this into another terminal to publish a picture to two platforms of the sandbox:",
            "",
        ]
        lines += [*steps(api, sandbox, key, home), ""]
    return "\n".join(lines)


def paint(home: Home) -> None:
    """Leave a picture in the data folder, once."""
    if home.picture.exists():
        return
    from PIL import Image

    across = Image.linear_gradient("L").resize((640, 360))
    picture = Image.merge(
        "RGB", (across.rotate(180), across.transpose(Image.Transpose.FLIP_LEFT_RIGHT), across)
    )
    picture.save(home.picture, "PNG")


def steps(api: str, sandbox: str, key: str, home: Home) -> list[str]:
    """Names for what repeats, then the five lines: connect twice, upload, publish, look."""
    typed, asked = _pair()
    connect = 'curl -s $API/v1/accounts/connect -H "$AUTH" -H "$JSON"'
    wanted = {"platform": typed.facts.name, "metadata": {"sandbox": True, **_typed_in(typed)}}
    consent = f"{connect} -d '{_json({'platform': asked.facts.name})}' | {_pick('auth_url')}"
    mine, yours = (found.facts.name.upper() for found in (typed, asked))
    post = _json(
        {
            "text": "Hello from Hubbub",
            "media": [{"source_type": "media_id", "source": "'$MEDIA'"}],
            "targets": [{"account_id": f"'${mine}'"}, {"account_id": f"'${yours}'"}],
            "publish_now": True,
        }
    )
    whose = _pick("id", f',"platform":"{asked.facts.name}"')
    pretty = "python3 -m json.tool"
    picture = home.picture.resolve()
    return [
        f"API={api} SANDBOX={sandbox} AUTH='Authorization: Bearer {key}' JSON='Content-Type: application/json'",
        f"{mine}=$({connect} -d '{_json(wanted)}' | {_pick('account_id')})",
        f"curl -so /dev/null $SANDBOX/_sandbox/{asked.facts.name}/people -d '{_json({'username': NEWCOMER})}'; "
        f'curl -sLo /dev/null "$({consent})&sandbox_person={NEWCOMER}"; '
        f'{yours}=$(curl -s $API/v1/accounts -H "$AUTH" | {whose})',
        f'MEDIA=$(curl -s $API/v1/media/upload -H "$AUTH" -F \'file=@"{picture}"\' | {_pick("media_id")})',
        f'POST=$(curl -s $API/v1/posts -H "$AUTH" -H "$JSON" -d \'{post}\' | {_pick("id")})',
        f'sleep 3; curl -s $API/v1/posts/$POST -H "$AUTH" | {pretty}; '
        f"curl -s $SANDBOX/_sandbox/{typed.facts.name}/world | {pretty}",
    ]


def _pair() -> tuple[Found, Found]:
    """A platform that one signs in to by typing and one with a consent page; both show pictures."""
    stand_ins = mounts.find()
    able = [found for name, found in Registry().items() if name in stand_ins and _shows_pictures(found)]
    return (
        next(found for found in able if found.facts.auth.kind != "oauth2"),
        next(found for found in able if found.facts.auth.kind == "oauth2"),
    )


def _shows_pictures(found: Found) -> bool:
    return any(form.media and "image" in form.media.kinds for form in found.facts.formats.values())


def _typed_in(found: Found) -> dict[str, str]:
    """What the sandbox's person types to sign in: the name for every field, the password for every secret."""
    return {
        name: SANDBOX_PASSWORD if field.secret else SANDBOX_PERSON
        for name, field in found.facts.auth.fields.items()
        if field.required
    }


def _json(thing: Any) -> str:
    return json.dumps(thing, separators=(",", ":"))


def _pick(field: str, then: str = "") -> str:
    """A command that takes the first value of a field out of JSON; `then` is JSON that must follow the value."""
    return f"""grep -o '"{field}":"[^"]*"{then}' | head -1 | cut -d'"' -f4"""
