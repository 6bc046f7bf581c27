"""The sign-in page of a stand-in: who you are, *Approve* and *Deny*; scripts are redirected at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from hubbub.emulation.call import Call, Reply
from hubbub.emulation.world import Thing

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:16px/1.5 system-ui;max-width:28rem;margin:4rem auto;padding:0 1rem}}
button{{font:inherit;padding:.5rem 1.5rem;margin-right:.5rem}}label{{display:block}}</style>
<h1>{title}</h1>
<p>This is a sandbox: nobody's real account is touched.</p>
<form method="post" action="?{query}">
{people}
{wants}<p><button name="decision" value="approve">Approve</button>
<button name="decision" value="deny">Deny</button></p>
</form></html>
"""


def consent(
    call: Call,
    people: Sequence[Thing],
    redirect_uri: str,
    state: str | None,
    *,
    approved: Callable[[Thing], dict[str, str]],
    denied: Callable[[], dict[str, str]],
    title: str = "Sign in",
    scopes: Sequence[str] = (),
) -> Reply:
    """The page, or the redirect once somebody has decided.

    A decision is the posted form, or `sandbox_person=<username>` (with `sandbox_deny=1` to refuse) in the
    query. `approved(person)` and `denied()` give the parameters that go back to `redirect_uri`; `state` is
    added to both when it is not None. The emulator checks client, redirect and scopes before it calls this,
    and must route GET and POST of the same path here. An unknown username is answered with 400.
    """
    said = {**call.query, **(call.form if call.method == "POST" else {})}
    username = said.get("sandbox_person")
    if username is None:
        return Reply(200, _page(call, people, title, scopes))
    person = next((p for p in people if p["username"] == username), None)
    if person is None:
        known = ", ".join(escape(p["username"]) for p in people)
        return Reply(
            400, f"<p>There is no person {escape(username)} in this sandbox; there are: {known}.</p>"
        )
    refused = said.get("decision") == "deny" or said.get("sandbox_deny", "0") not in ("", "0", "false")
    back = denied() if refused else approved(person)
    if state is not None:
        back = {**back, "state": state}
    return Reply(302, None, {"Location": with_query(redirect_uri, back)})


def with_query(url: str, added: dict[str, str]) -> str:
    """The URL with these parameters after those it has."""
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *added.items()])
    return urlunsplit(parts._replace(query=query))


def _page(call: Call, people: Sequence[Thing], title: str, scopes: Sequence[str]) -> str:
    choices = "\n".join(
        f'<label><input type="radio" name="sandbox_person" value="{escape(person["username"])}"'
        f"{' checked' if first else ''}> {escape(person['name'])} (@{escape(person['username'])})</label>"
        for first, person in ((i == 0, p) for i, p in enumerate(people))
    )
    wants = f"<p>The app asks for: {escape(', '.join(scopes))}</p>\n" if scopes else ""
    return PAGE.format(title=escape(title), query=escape(call.raw_query), people=choices, wants=wants)
