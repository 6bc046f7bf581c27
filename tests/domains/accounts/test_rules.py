from __future__ import annotations

import pytest

from hubbub.domains.accounts.rules import return_address, with_parameters
from hubbub.errors.validation import FieldInvalid


@pytest.mark.parametrize(
    "uri",
    [
        "https://customer.example/done",
        "https://customer.example:8443/done?a=b#part",
        "http://localhost:3000/done",
        "http://127.0.0.1/done",
        "http://[::1]:8080/",
    ],
)
def test_a_return_address_is_https_or_local(uri: str) -> None:
    assert return_address(uri, "redirect_uri") == uri


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "customer.example",
        "http://customer.example",
        "http://localhost.evil.example",
        "https://user@evil.example/",
        "https:///path",
        "https://customer.example\\@evil.example",
        "https://customer.example/\r\nSet-Cookie: a=b",
        "https://customer.example:port/",
        "https://[::1",
        "javascript:alert(1)",
        "https://customer.example/" + "x" * 2048,
    ],
)
def test_any_other_return_address_is_refused(uri: str) -> None:
    with pytest.raises(FieldInvalid) as refused:
        return_address(uri, "redirect_uri")
    assert refused.value.field == "redirect_uri"


def test_parameters_join_those_an_address_has() -> None:
    joined = with_parameters("https://a.example/x?b=1&c=#d", {"state": "ä&=", "status": "success"})
    assert joined == "https://a.example/x?b=1&c=&state=%C3%A4%26%3D&status=success#d"
