"""What a connector can promise, one small protocol per chapter, and the results it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from hubbub.social.creator import Creator
from hubbub.social.draft import Draft
from hubbub.social.numbers import AccountNumbers, PostNumbers
from hubbub.social.person import Grant, SignedIn

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Prepared:
    """Everything the visible call needs, as small JSON: it is stored before the call is made."""

    body: Json


@dataclass(frozen=True)
class Working:
    """Not yet: the platform is still busy. Stored, and the same verb is called again after a while."""

    body: Json
    look_after: float
    """Seconds to wait before looking again."""


@dataclass(frozen=True)
class Receipt:
    """What the platform gave for a post it accepted."""

    remote_id: str
    permalink: str | None = None
    body: Json = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Settled:
    """The post is up."""

    remote_id: str
    permalink: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seeking:
    """What is known when a lost answer is looked for."""

    since: datetime
    """When the call was about to be made; nothing older can be ours."""
    known: frozenset[str]
    """Ids of posts and comments on this account that already belong to something else."""


class Undecided(Exception):
    """Looking could not tell whether the post is there. The message is the evidence."""


@runtime_checkable
class Publishes(Protocol):
    """Can put a draft in front of people."""

    async def prepare(self, draft: Draft, so_far: Json | None) -> Prepared | Working:
        """Everything that can be done without being seen: uploads, containers.

        `so_far` is the body of the `Working` it last returned. Called again after a crash too, so
        wasted uploads are acceptable; a visible effect is not.
        """
        ...

    async def submit(self, prepared: Prepared) -> Receipt:
        """The one call after which people may see the post. Sent once."""
        ...

    async def settle(self, receipt: Receipt) -> Settled | Working:
        """Is it up yet? One look, no loop: the caller waits."""
        ...

    async def find(self, prepared: Prepared, seeking: Seeking) -> Receipt | None:
        """After a lost answer: is it there? None means certainly not. Raises Undecided."""
        ...


@runtime_checkable
class Comments(Protocol):
    """Can write a comment of its own under a post it has published."""

    async def comment(self, remote_id: str, text: str) -> str:
        """Write it, once; the new comment's id."""
        ...

    async def find_comment(self, remote_id: str, text: str, seeking: Seeking) -> str | None:
        """After a lost answer: is it there? None means certainly not. Raises Undecided."""
        ...


@runtime_checkable
class Deletes(Protocol):
    """Can take a published post down."""

    async def delete(self, remote_id: str) -> None:
        """May be repeated: a post that is gone already is deleted."""
        ...


@runtime_checkable
class Measures(Protocol):
    """Can tell how a post and an account are doing. May be repeated."""

    async def post_numbers(self, remote_id: str) -> PostNumbers: ...

    async def account_numbers(self) -> AccountNumbers: ...


@runtime_checkable
class Limits(Protocol):
    """Can tell what is left of the account's own allowances."""

    async def limits(self) -> Mapping[str, int]:
        """Whole numbers by name, as `posts_remaining`."""
        ...


@runtime_checkable
class KnowsCreator(Protocol):
    """Can tell what the person behind an account may publish, and what they have to choose."""

    async def creator(self) -> Creator: ...


@runtime_checkable
class Edits(Protocol):
    """Can change the text of a published post."""

    async def edit(self, remote_id: str, text: str) -> None:
        """Put this text in the place of the post's. May be repeated."""
        ...


@runtime_checkable
class Threads(Protocol):
    """Can continue a post with others (`Draft.segments`)."""

    async def continue_thread(self, receipt: Receipt) -> Settled | Working:
        """Publish the next segment, once however often it is called; Settled when the last one is up.

        Called by `settle`, with a receipt that says what is still to come. The body of the last `Working` holds
        `thread_post_ids`, and `thread_failed_at_index` when a segment was refused.
        """
        ...


@runtime_checkable
class SignsInWithFields(Protocol):
    """Connects with what a person types: an app password, a bot token."""

    async def sign_in(self, fields: Mapping[str, str]) -> SignedIn: ...


@runtime_checkable
class SignsInByConsent(Protocol):
    """Connects by a consent page that sends a code back."""

    def consent_url(self, redirect_uri: str, state: str, verifier: str) -> str:
        """Where to send the person. Pure."""
        ...

    async def exchange(self, code: str, redirect_uri: str, verifier: str) -> SignedIn:
        """Turn the code into a grant. A code works once."""
        ...


@runtime_checkable
class Refreshes(Protocol):
    """Can renew a grant."""

    async def refresh(self, grant: Grant) -> Grant:
        """Raises RemoteRefusal, certain, when the platform will not renew it any more."""
        ...


@runtime_checkable
class Revokes(Protocol):
    """Can tell the platform that we are done with a grant."""

    async def revoke(self, grant: Grant) -> None: ...


PROMISES: dict[str, type] = {
    "publish": Publishes,
    "first_comment": Comments,
    "delete": Deletes,
    "edit": Edits,
    "thread": Threads,
    "metrics": Measures,
    "limits": Limits,
    "creator_info": KnowsCreator,
}
"""Which promise stands behind each key of `[can]`."""
