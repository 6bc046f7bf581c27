"""Where platforms send people after a consent page."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from pydantic import BaseModel, Field

from hubbub.domains.accounts import connect
from hubbub.domains.accounts.rules import with_parameters
from hubbub.runtime.process import Runtime
from hubbub.runtime.routes import Page, Redirect, Router

router = Router("/oauth/callback", "Accounts")

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body{{font:16px/1.5 system-ui;max-width:32rem;margin:4rem auto;padding:0 1rem}}code{{font-size:.9em}}</style>
<h1>{title}</h1>
<p>{text}</p>
</html>
"""
SUCCESS = ("Connected", "The account {account_id} is connected. You can close this window.")
CHOICE = (
    "One more step",
    "The sign-in offers several pages. Choose with <code>POST /v1/accounts/pending/{connection_id}/select</code>.",
)
ERROR = ("Not connected", "{error_description} <code>{error}</code>")
UNKNOWN = ("Not connected", "This sign-in is unknown, was used before, or is older than ten minutes.")
SENTENCES = {"success": SUCCESS, "selection_required": CHOICE, "error": ERROR}


class ReturnQuery(BaseModel):
    state: str = Field(default="", description="The state the consent page was opened with.")
    code: str = Field(default="", description="What the platform gives for a consent.")
    error: str = Field(default="", description="What it gives when there is none.")
    error_description: str = ""
    error_reason: str = ""


@router.get("/{platform}", auth="public", also=(302, 403, 410))
async def finish_consent(runtime: Runtime, platform: str, query: ReturnQuery) -> Page:
    """Finish a sign-in, and send the person to the `redirect_uri` it began with, or show how it ended.

    The address gets `status` (`success`, `error` or `selection_required`), `platform`, your `state`, and
    `account_id`, `connection_id`, or `error` and `error_description`.
    """
    return _ending(await connect.returned(runtime, platform, query.model_dump()))


def _ending(returned: connect.Returned | None) -> Any:
    """A Redirect or a Page; the API's description has no word for either."""
    if returned is None:
        return _page(UNKNOWN, {}, status=410)
    if returned.redirect_uri is not None:
        return Redirect(with_parameters(returned.redirect_uri, returned.parameters))
    outcome = returned.parameters["status"]
    return _page(SENTENCES[outcome], returned.parameters, status=403 if outcome == "error" else 200)


def _page(sentence: tuple[str, str], facts: Mapping[str, str], *, status: int) -> Page:
    title, text = sentence
    safe = {name: escape(value) for name, value in facts.items()}
    return Page(PAGE.format(title=title, text=text.format_map(safe)), status)
