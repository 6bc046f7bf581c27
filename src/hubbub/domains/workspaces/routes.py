"""Users over HTTP."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from hubbub.domains.workspaces import service
from hubbub.runtime.routes import ANY_KEY, Router
from hubbub.runtime.work import Work

router = Router("/v1/users", "Users")


class UserOut(msgspec.Struct, frozen=True):
    id: UUID
    email: str
    plan: str
    onboarding: bool
    beta_tester: bool
    avatar_url: str | None
    allowed_platforms: list[str] | None
    billing_blocked: bool
    billing_blocked_at: datetime | None
    lock_accounts_to_brand: bool
    facebook_page_selection: bool
    use_case: str


@router.get("/me", scope=ANY_KEY)
async def get_me(work: Work) -> UserOut:
    """Tell who owns the key's workspace, and how it is set up."""
    user = await service.user(work)
    return UserOut(
        id=user.id,
        email=user.email,
        plan=user.plan,
        onboarding=user.onboarding,
        beta_tester=user.beta_tester,
        avatar_url=user.avatar_url,
        allowed_platforms=user.allowed_platforms,
        billing_blocked=user.billing_blocked_at is not None,
        billing_blocked_at=user.billing_blocked_at,
        lock_accounts_to_brand=user.lock_accounts_to_brand,
        facebook_page_selection=not work.runtime.settings.auto_select_pages,
        use_case=user.use_case or "",
    )
