from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from hubbub.domains.media.links import Links
from hubbub.errors.system import HttpError
from hubbub.runtime.settings import Settings

NOW = datetime(2026, 8, 1, 12, 0, 0, 900_000, tzinfo=UTC)
ID = UUID(int=7)


def _links(key: int = 1) -> Links:
    return Links(Settings(encryption_key=base64.b64encode(bytes([key]) * 32).decode()))


def _signed(links: Links) -> tuple[str, str]:
    address, expires_at = links.address("http://here", "PUT", ID, "image/png", NOW, 900)
    assert expires_at == NOW.replace(microsecond=0) + timedelta(seconds=900)
    query = parse_qs(urlsplit(address).query)
    return query["expires"][0], query["signature"][0]


def test_an_address_works_until_it_expires() -> None:
    links = _links()
    expires, signature = _signed(links)
    links.check("PUT", ID, "image/png", expires, signature, NOW)
    links.check("PUT", ID, "image/png", expires, signature, NOW + timedelta(seconds=899))
    with pytest.raises(HttpError, match=r"^http\.403"):
        links.check("PUT", ID, "image/png", expires, signature, NOW + timedelta(seconds=900))


def test_an_address_fits_only_what_it_was_made_for() -> None:
    links = _links()
    expires, signature = _signed(links)
    later = str(int(expires) + 1)
    wrong = [
        ("GET", ID, "image/png", expires, signature),
        ("PUT", UUID(int=8), "image/png", expires, signature),
        ("PUT", ID, "image/jpeg", expires, signature),
        ("PUT", ID, "image/png", later, signature),
        ("PUT", ID, "image/png", expires, signature[:-1] + ("0" if signature[-1] != "0" else "1")),
        ("PUT", ID, "image/png", expires, ""),
        ("PUT", ID, "image/png", "", ""),
        ("PUT", ID, "image/png", expires, "é\udc80" * 32),
        ("PUT", ID, "image/png", "9" * 5000, signature),
    ]
    for purpose, media_id, declared, until, proof in wrong:
        with pytest.raises(HttpError, match=r"^http\.403"):
            links.check(purpose, media_id, declared, until, proof, NOW)  # type: ignore[arg-type]


def test_another_installation_signs_differently() -> None:
    expires, signature = _signed(_links(1))
    with pytest.raises(HttpError):
        _links(2).check("PUT", ID, "image/png", expires, signature, NOW)
