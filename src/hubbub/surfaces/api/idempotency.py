"""`Idempotency-Key`: a request that arrives twice has its effect once, and the same answer twice."""

from __future__ import annotations

from collections.abc import Callable

from hubbub.domains.answers import service as kept_answers
from hubbub.domains.answers.service import Claim, Kept
from hubbub.errors.refusal import Action
from hubbub.errors.validation import FieldInvalid
from hubbub.runtime.routes import Route
from hubbub.runtime.work import Work, open_work
from hubbub.surfaces.api.answers import Answer
from hubbub.surfaces.api.call import Call, Fingerprint
from hubbub.surfaces.api.envelope import problems_of

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEY_MAX = 255

Refuse = Callable[[Exception], Answer]
"""How a failure is answered, in the caller's own envelope."""


def applies_to(route: Route) -> bool:
    """Whether the header means anything: for every POST of somebody in particular."""
    return route.method == "POST" and route.auth not in ("public", "signed")


def key_of(route: Route, sent: str | None) -> str | None:
    """The key of a request; None where there is none, or where it means nothing. Raises FieldInvalid."""
    if sent is None or not applies_to(route):
        return None
    if not sent or not sent.isprintable():
        raise FieldInvalid(field=HEADER, problem="must have printable characters.", reason="format")
    if len(sent) > KEY_MAX:
        raise FieldInvalid(
            field=HEADER, problem=f"must have at most {KEY_MAX} characters; this one has more.",
            reason="too_long", max=KEY_MAX, actual=len(sent),
        )  # fmt: skip
    return sent


async def once(call: Call, key: str, refuse: Refuse) -> Answer:
    """Answer the request, or give the answer again that was given before.

    Raises Conflict while the first one with the key is under way, FieldInvalid when it was another request, and
    whatever is not worth keeping: faults of ours, and refusals that waiting can lift. Nothing has happened then.
    """
    id = kept_answers.id_of(call.caller, call.route.method, call.path, key)
    # A route that fetches first would hold a transaction open meanwhile.
    if "work" in call.wanted and call.route.first is None:
        return await _in_turn(call, id, refuse)
    return await _claimed(call, id, refuse)


async def _in_turn(call: Call, id: bytes, refuse: Refuse) -> Answer:
    """In one transaction: the turn, the effect and the kept answer."""
    fingerprint = Fingerprint(call)
    async with open_work(call.runtime, call.caller) as work:
        if kept := await kept_answers.turn(work, id):
            return await _again(kept, fingerprint)
        try:
            async with kept_answers.attempt(work):
                await call.prepare()
                answer = await call.go(work)
        except Exception as failure:  # noqa: BLE001 - raised on unless it is to be kept
            answer = _lasting(failure, fingerprint, refuse)
        if kept := await _to_keep(answer, fingerprint):
            await kept_answers.keep(work, id, kept)
        return answer


async def _claimed(call: Call, id: bytes, refuse: Refuse) -> Answer:
    """In transactions of the handler's own, while a claim is held; or in one, once it has what it waits for."""
    fingerprint = Fingerprint(call)
    found = await kept_answers.claim(call.runtime, call.caller, id)
    if isinstance(found, Kept):
        return await _again(found, fingerprint)
    async with kept_answers.held(call.runtime, call.caller, found):
        try:
            await call.prepare()
            if "work" in call.wanted:
                return await _settled_with_effect(call, found, fingerprint)
            answer = await call.go(None)
        except Exception as failure:  # noqa: BLE001 - raised on unless it is to be kept
            answer = _lasting(failure, fingerprint, refuse)
        async with open_work(call.runtime, call.caller) as work:
            await _settle(work, found, answer, fingerprint)
    return answer


async def _settled_with_effect(call: Call, claim: Claim, fingerprint: Fingerprint) -> Answer:
    async with open_work(call.runtime, call.caller) as work:
        answer = await call.go(work)
        if not await _settle(work, claim, answer, fingerprint):
            raise kept_answers.in_flight()  # the claim lapsed, so somebody else's effect counts
        return answer


async def _settle(work: Work, claim: Claim, answer: Answer, fingerprint: Fingerprint) -> bool:
    kept = await _to_keep(answer, fingerprint)
    if kept is None:
        await kept_answers.release(work, claim)
        return True
    return await kept_answers.settle(work, claim, kept)


async def _again(kept: Kept, fingerprint: Fingerprint) -> Answer:
    """Raises FieldInvalid when the request is not the one that was answered."""
    if await fingerprint.digest() != kept.fingerprint:
        raise FieldInvalid(
            field=HEADER,
            problem="must be new for every request; it was used for another one.",
            reason="reused",
        )
    return Answer(kept.status, kept.body, {**kept.headers, REPLAYED: "true"}, kept.content_type)


async def _to_keep(answer: Answer, fingerprint: Fingerprint) -> Kept | None:
    """None for a stream, of which nothing is kept."""
    if not isinstance(answer.body, bytes):
        return None
    digest = await fingerprint.digest()
    return Kept(digest, answer.status, answer.content_type, answer.body, answer.headers)


def _lasting(failure: Exception, fingerprint: Fingerprint, refuse: Refuse) -> Answer:
    """The answer to a failure that the same request meets every time; any other is raised on."""
    refusals = [problem.refusal for problem in problems_of(failure) or ()]
    passes = any(each.http_status >= 500 or each.action is Action.WAIT for each in refusals)
    if not refusals or passes or not fingerprint.is_whole:
        raise failure
    return refuse(failure)
