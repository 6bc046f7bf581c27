from __future__ import annotations

import pytest
from sandbox import People, connect_bluesky

from api import Api
from hubbub.domains.accounts import service
from hubbub.domains.accounts.vault import Sealed, Unreadable, Vault
from hubbub.kit.secret import Secret
from hubbub.social.person import Grant, Identity, Place, SignedIn

pytestmark = pytest.mark.anyio

KEY = b"0123456789abcdef0123456789abcdef"


def test_what_goes_in_comes_out() -> None:
    vault = Vault(KEY)
    signed_in = SignedIn(
        Grant(Secret("access"), Secret("refresh"), None, ("a", "b"), {"pds": "https://pds.example"}),
        Identity("did:1", "Rosa", "rosa", None, "cakes", {"followers": 3}),
        (Place("17", "Cakes", token=Secret("page")), Place("18", "Pies")),
    )
    assert vault.open_sign_in(vault.seal_sign_in(signed_in, "pc_1"), "pc_1") == signed_in


def test_the_same_text_never_looks_the_same() -> None:
    vault = Vault(KEY)
    sealed = [vault.seal_text(Secret("token"), "acc_1") for _ in range(3)]
    assert len({one.ciphertext for one in sealed}) == 3
    assert all(b"token" not in one.ciphertext for one in sealed)
    assert "ciphertext" not in repr(sealed[0])


def test_another_row_another_key_or_an_altered_byte_does_not_open() -> None:
    vault = Vault(KEY)
    sealed = vault.seal_text(Secret("token"), "acc_1")
    altered = Sealed(sealed.key_id, sealed.ciphertext[:-1] + bytes([sealed.ciphertext[-1] ^ 1]))
    for wrong in (
        lambda: vault.open_text(sealed, "acc_2"),
        lambda: vault.open_text(altered, "acc_1"),
        lambda: vault.open_text(Sealed(sealed.key_id, b""), "acc_1"),
        lambda: Vault(KEY[::-1]).open_text(sealed, "acc_1"),
    ):
        with pytest.raises(Unreadable) as caught:
            wrong()
        assert "token" not in str(caught.value)


async def test_a_ciphertext_moved_to_another_account_does_not_open(api: Api, people: People) -> None:
    await people.welcome("bluesky", "rosa")
    first = (await connect_bluesky(api)).json["account_id"]
    second = (await connect_bluesky(api, "rosa")).json["account_id"]
    async with api.work() as work:
        await work.db.exec_driver_sql(
            "UPDATE account_secrets SET ciphertext = (SELECT ciphertext FROM account_secrets"
            " WHERE account_id = $1) WHERE account_id = $2",
            (first, second),
        )
    assert await service.connector_for(api.runtime, first, None)
    with pytest.raises(Unreadable, match=second):
        await service.connector_for(api.runtime, second, None)
