"""Accounts, pages and sign-ins on the wire (contract 4.1–4.3)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType
from pydantic import BaseModel, Field, RootModel

from hubbub.domains.accounts.choice import Candidate, Lost, Waiting
from hubbub.domains.accounts.connect import Consent
from hubbub.domains.accounts.store import Account, PageRow
from hubbub.social.creator import Creator

CONSENT_MESSAGE = "Open auth_url in a browser and approve; the state works once, for ten minutes."


class AccountsQuery(BaseModel):
    brand_id: str | None = Field(default=None, description="Only the accounts of this brand.")


class ConnectIn(BaseModel):
    platform: str = Field(description="The platform's name, as `GET /v1/platforms` lists it.")
    brand_id: str | None = Field(
        default=None, description="The brand the account is for; without it a new brand is made."
    )
    redirect_uri: str | None = Field(
        default=None, description="Where the person ends up: https, or http on localhost."
    )
    state: str | None = Field(default=None, description="A word of your own, given back at the end.")
    metadata: dict[str, Any] | None = Field(
        default=None,
        description="What the platform asks for; `sandbox: true` connects to the stand-in of the platform.",
    )


class ConsentQuery(BaseModel):
    platform: str | None = Field(default=None, description="Needed unless `account_id` is given.")
    account_id: str | None = Field(default=None, description="The account to reconnect.")
    brand_id: str | None = Field(default=None, description="The brand a new account is for.")
    redirect_uri: str | None = Field(
        default=None, description="Where the person ends up: https, or http on localhost."
    )
    state: str | None = Field(default=None, description="A word of your own, given back at the end.")


class ExchangeMetadata(BaseModel):
    redirect_uri: str | None = Field(default=None, description="Where the platform sent the code.")
    state: str | None = Field(default=None, description="The state that came with the consent page.")


class ExchangeIn(BaseModel):
    code: str = Field(description="What the platform sent back.")
    platform: str | None = Field(default=None, description="Known from the state when left out.")
    metadata: ExchangeMetadata | None = None
    state: str | None = Field(default=None, description="The same as `metadata.state`, for older clients.")


class SelectIn(BaseModel):
    page_ids: list[str] | None = Field(
        default=None, description="The platform's ids of the pages to connect; the first becomes the default."
    )
    platform_account_id: str | None = Field(
        default=None, description="The same for platforms where one profile is chosen."
    )


class PageChangeIn(BaseModel):
    is_default: bool | None = Field(default=None, description="Publish here when no page is named.")
    is_active: bool | None = Field(default=None, description="Whether the page is used at all.")


class AccountOut(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    platform: str
    name: str
    username: str
    brand_id: str | None
    status: Literal["active", "reconnect_required"]
    reconnect_reason: str | UnsetType = UNSET
    profile_picture_url: str | UnsetType = UNSET
    bio: str | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    login_id: str | UnsetType = UNSET
    page_name: str | UnsetType = UNSET

    @classmethod
    def of(cls, account: Account, page_name: str | None) -> AccountOut:
        world = {"sandbox": True} if account.mode == "sandbox" else {}
        return cls(
            id=account.id,
            platform=account.platform,
            name=account.name,
            username=account.username,
            brand_id=account.brand_id,
            status=account.status,
            reconnect_reason=account.reconnect_reason or UNSET,
            profile_picture_url=account.profile_picture_url or UNSET,
            bio=account.bio or UNSET,
            metadata={**account.metadata, **world} or UNSET,
            login_id=account.login_id or UNSET,
            page_name=page_name or UNSET,
        )


class PageOut(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    name: str
    platform_page_id: str
    is_default: bool
    is_active: bool
    username: str | UnsetType = UNSET
    category: str | UnsetType = UNSET
    profile_picture_url: str | UnsetType = UNSET
    link: str | UnsetType = UNSET

    @classmethod
    def of(cls, page: PageRow) -> PageOut:
        return cls(
            id=page.id,
            name=page.name,
            platform_page_id=page.remote_id,
            is_default=page.is_default,
            is_active=page.is_active,
            username=page.username or UNSET,
            category=page.category or UNSET,
            profile_picture_url=page.picture_url or UNSET,
            link=page.link or UNSET,
        )


class Pages(msgspec.Struct, frozen=True):
    data: list[PageOut]


class ConnectedOut(BaseModel):
    """An account that is connected."""

    account_id: str
    platform: str
    username: str
    display_name: str

    @classmethod
    def of(cls, account: Account) -> ConnectedOut:
        return cls(
            account_id=account.id,
            platform=account.platform,
            username=account.username,
            display_name=account.name,
        )


class ConsentOut(BaseModel):
    """A consent page to send the person to."""

    auth_url: str
    state: str
    message: str

    @classmethod
    def of(cls, consent: Consent) -> ConsentOut:
        return cls(auth_url=consent.url, state=consent.state, message=CONSENT_MESSAGE)


class ConsentUrlOut(BaseModel):
    """A consent page to send the person to."""

    auth_url: str
    url: str
    state: str
    message: str

    @classmethod
    def of(cls, consent: Consent) -> ConsentUrlOut:
        return cls(auth_url=consent.url, url=consent.url, state=consent.state, message=CONSENT_MESSAGE)


class CandidateOut(BaseModel):
    """A page that may be chosen. Text that is unknown is empty."""

    platform_page_id: str
    name: str
    category: str
    picture_url: str
    assignable: bool
    assigned_brand_id: str
    assigned_brand_name: str
    assigned_account_id: str

    @classmethod
    def of(cls, candidate: Candidate) -> CandidateOut:
        return cls(
            platform_page_id=candidate.place.remote_id,
            name=candidate.place.name,
            category=candidate.place.category or "",
            picture_url=candidate.place.picture_url or "",
            assignable=candidate.is_free,
            assigned_brand_id=candidate.brand_id or "",
            assigned_brand_name=candidate.brand_name or "",
            assigned_account_id=candidate.account_id or "",
        )


class LostOut(BaseModel):
    """A page that this sign-in no longer offers."""

    platform_page_id: str
    name: str
    brand_id: str
    brand_name: str

    @classmethod
    def of(cls, lost: Lost) -> LostOut:
        return cls(
            platform_page_id=lost.remote_id,
            name=lost.name,
            brand_id=lost.brand_id or "",
            brand_name=lost.brand_name or "",
        )


class PendingOut(BaseModel):
    """A sign-in that waits for somebody to choose pages."""

    status: Literal["selection_required"] = "selection_required"
    connection_id: str
    platform: str
    login_id: str
    pages: list[CandidateOut]
    lost_access: list[LostOut]

    @classmethod
    def of(cls, waiting: Waiting) -> PendingOut:
        return cls(**_pending(waiting))


class PendingDetailOut(BaseModel):
    """A sign-in that waits for somebody to choose pages, and how long it does."""

    connection_id: str
    platform: str
    login_id: str
    pages: list[CandidateOut]
    lost_access: list[LostOut]
    expires_at: datetime

    @classmethod
    def of(cls, waiting: Waiting) -> PendingDetailOut:
        return cls(expires_at=waiting.expires_at, **_pending(waiting))


class ConnectOut(RootModel[ConnectedOut | ConsentOut | PendingOut]):
    """201 and an account, 202 and a consent page, or 200 and a choice to be made."""


class ExchangeOut(RootModel[ConnectedOut | PendingOut]):
    """201 and an account, or 200 and a choice to be made."""


class BoardOut(msgspec.Struct, frozen=True):
    id: str
    name: str
    privacy: str | None


class Boards(msgspec.Struct, frozen=True):
    data: list[BoardOut]


class LimitsOut(RootModel[dict[str, int]]):
    """What is left of an account's allowances, by name."""


class InteractionSettingsOut(BaseModel):
    comment_disabled: bool
    duet_disabled: bool
    stitch_disabled: bool


class CreatorOut(BaseModel):
    """What the person behind an account may publish (contract 4.5)."""

    platform: str
    nickname: str
    avatar_url: str | None
    can_post: bool
    max_video_duration_sec: int | None
    privacy_level_options: list[str]
    interaction_settings: InteractionSettingsOut

    @classmethod
    def of(cls, platform: str, creator: Creator) -> CreatorOut:
        return cls(
            platform=platform,
            nickname=creator.nickname,
            avatar_url=creator.avatar_url,
            can_post=creator.can_post,
            max_video_duration_sec=creator.max_video_seconds,
            privacy_level_options=list(creator.privacy_levels),
            interaction_settings=InteractionSettingsOut(
                comment_disabled=creator.comments_off,
                duet_disabled=creator.duets_off,
                stitch_disabled=creator.stitches_off,
            ),
        )


def _pending(waiting: Waiting) -> dict[str, Any]:
    return {
        "connection_id": waiting.id,
        "platform": waiting.platform,
        "login_id": waiting.login_id,
        "pages": [CandidateOut.of(candidate) for candidate in waiting.candidates],
        "lost_access": [LostOut.of(lost) for lost in waiting.lost],
    }
