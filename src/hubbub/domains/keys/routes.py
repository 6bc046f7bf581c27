"""Keys over HTTP."""

from __future__ import annotations

from hubbub.domains.keys import service
from hubbub.domains.keys.schemas import ChangedKeyOut, Done, KeyChangeIn, KeyIn, KeyOut, NewKeyOut
from hubbub.domains.keys.scopes import SCOPES, Scope
from hubbub.errors.resource import ResourceNotFound
from hubbub.errors.validation import BrandInvalid, FieldInvalid, FieldRequired, ScopeInvalid
from hubbub.runtime.lists import Listed, listed
from hubbub.runtime.routes import ANY_KEY, Router
from hubbub.runtime.work import Work

router = Router("/v1/keys", "Keys")


@router.get(auth="admin")
async def list_keys(work: Work) -> Listed[KeyOut]:
    """List all keys, newest first, the revoked ones too."""
    return listed([KeyOut.of(key) for key in await service.all_keys(work)])


@router.post(status=201, auth="admin", raises=(FieldRequired, FieldInvalid, ScopeInvalid, BrandInvalid))
async def create_key(work: Work, body: KeyIn) -> NewKeyOut:
    """Make a key. The answer is the only place where its secret is ever shown."""
    made = await service.create(
        work, body.name, body.scopes or (), body.brand_ids or (), body.mode, body.error_format
    )
    return NewKeyOut.of(made)


@router.get("/scopes", scope=ANY_KEY)
async def list_scopes() -> Listed[Scope]:
    """List what a key can be restricted to."""
    return listed(list(SCOPES))


@router.patch(
    "/{id}",
    auth="admin",
    raises=(FieldRequired, FieldInvalid, ScopeInvalid, BrandInvalid, ResourceNotFound),
)
async def change_key(work: Work, id: str, body: KeyChangeIn) -> ChangedKeyOut:
    """Rename a key, or replace its scopes, brands or error format. What is left out stays."""
    changed = await service.change(work, id, body.name, body.scopes, body.brand_ids, body.error_format)
    return ChangedKeyOut.of(changed)


@router.post("/{id}/rotate", auth="admin", raises=(ResourceNotFound,))
async def rotate_key(work: Work, id: str) -> NewKeyOut:
    """Give a key a new secret. The old one stops working at once."""
    return NewKeyOut.of(await service.rotate(work, id))


@router.delete("/{id}", auth="admin", raises=(ResourceNotFound,))
async def revoke_key(work: Work, id: str) -> Done:
    """Revoke a key for good. Doing it again changes nothing."""
    await service.revoke(work, id)
    return Done(ok=True)
