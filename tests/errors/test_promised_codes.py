"""Every code that clients were promised is there, with the status and the words they were promised."""

from pathlib import Path

import pytest

from hubbub.errors import Action, Refusal, class_of, registry

HERE = Path(__file__).parent

TURNS = {
    "fix": {Action.FIX_REQUEST, Action.CHANGE_PLAN},
    "no": {Action.FIX_REQUEST, Action.CONTACT_PLATFORM},
    "wait": {Action.WAIT},
    "upgrade": {Action.CHANGE_PLAN},
    "reconnect": {Action.RECONNECT},
    "repeat": {Action.REPORT},
    "depends": set(Action),
}

OURS = {
    "account.reconnected_as_another",
    "account.scopes_missing",
    "platform.{platform}.account_unavailable",
    "platform.{platform}.bad_credentials",
    "platform.{platform}.blocked",
    "platform.{platform}.conflict",
    "platform.{platform}.content_rejected",
    "platform.{platform}.duplicate_post",
    "platform.{platform}.media_fetch_failed",
    "platform.{platform}.media_invalid",
    "platform.{platform}.not_found",
    "platform.{platform}.recipient_unavailable",
    "platform.{platform}.unavailable",
    "post.missed",
    "publishing.media_unavailable",
    "publishing.unconfirmed",
    "system.storage_full",
}
"""Codes nobody promised but us."""


def lines(name: str) -> list[list[str]]:
    text = (HERE / name).read_text(encoding="utf-8")
    return [line.split() for line in text.splitlines() if line and not line.startswith("#")]


PROMISED = [pytest.param(*line[:3], line[3:], id=line[0]) for line in lines("contract_codes.txt")]


def found(code: str) -> type[Refusal]:
    refusal = class_of(code)
    assert refusal is not None, f"nothing answers with {code}"
    return refusal


@pytest.mark.parametrize(("code", "status", "turn", "words"), PROMISED)
def test_a_promised_code_keeps_its_promise(code: str, status: str, turn: str, words: list[str]) -> None:
    refusal = found(code)
    in_meta = {refusal.wire_names.get(name, name) for name in refusal.field_names()} - refusal.hidden
    assert set(words) <= in_meta
    assert refusal.action in TURNS[turn]
    if status != "-" and not code.startswith("http."):
        assert refusal.status == int(status)


def test_nothing_is_in_the_catalogue_that_is_neither_promised_nor_ours() -> None:
    promised = {found(line[0]).code for line in lines("contract_codes.txt")}
    assert set(registry) == promised | OURS
    assert not promised & OURS


def test_what_cannot_be_provoked_yet_is_real_sorted_and_has_a_reason() -> None:
    waiting = lines("not_yet_provokable.txt")
    codes = [line[0] for line in waiting]
    assert all(code in registry for code in codes), [code for code in codes if code not in registry]
    assert codes == sorted(set(codes))
    assert all(len(line) > 1 for line in waiting)
