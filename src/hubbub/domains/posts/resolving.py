"""A person says what became of a post that nobody here can tell about."""

from __future__ import annotations

from hubbub.domains.events import service as events
from hubbub.domains.posts import events as happened
from hubbub.domains.posts import outcome, reading
from hubbub.domains.posts.reading import Loaded
from hubbub.domains.posts.schemas import ResolveIn
from hubbub.domains.posts.store import Row
from hubbub.errors.account import AccountNotFound
from hubbub.errors.publishing import DeliveryTimeout
from hubbub.errors.resource import StateInvalid
from hubbub.errors.validation import FieldRequired
from hubbub.runtime.work import Work


async def resolve(work: Work, pid: str, account_id: str, found: ResolveIn) -> Loaded:
    """Settle an unconfirmed target: it is there and is adopted, or it is not and has failed, to be retried.

    Raises PostNotFound, AccountNotFound, StateInvalid, FieldRequired.
    """
    post, targets = await reading.own(work, pid)
    target = _meant([target for target in targets if target.account_id == account_id], account_id, found)
    if found.outcome == "published":
        if not (found.permalink or found.platform_post_id):
            raise FieldRequired(field="permalink")
        ended = outcome.Outcome("published", found.platform_post_id, found.permalink)
    else:
        ended = outcome.failed(DeliveryTimeout(platform=target.platform, account_id=account_id))
    await events.announce(work, happened.resolved(post, target, found.outcome))
    await outcome.record(work, target, ended)
    return await reading.load(work, post.id)


def _meant(targets: list[Row], account_id: str, found: ResolveIn) -> Row:
    """The one target of the account that is unconfirmed; with several pages, the page named."""
    if not targets:
        raise AccountNotFound(id=account_id)
    open_ones = [
        target
        for target in targets
        if target.status == "unconfirmed" and found.page_id in (None, target.page_id)
    ]
    if not open_ones:
        raise StateInvalid(post_status=targets[0].status, operation="resolved")
    if len(open_ones) > 1:
        raise FieldRequired(field="page_id", account_id=account_id)
    return open_ones[0]
