from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from sandbox import People, connect_bluesky, connect_facebook, held, let_grant_end_in

from api import Api
from hubbub.connector.refusals import RemoteRefusal
from hubbub.domains.accounts import service
from hubbub.runtime import log

pytestmark = pytest.mark.anyio

CANARY = "canary-7f3e-password"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Everything that is logged, as JSON as in production; afterwards logging is as it was."""
    before, handlers = structlog.get_config(), logging.root.handlers[:]
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    log.configure("json", "debug")
    yield stream
    structlog.configure(**before)
    logging.root.handlers[:] = handlers


async def test_no_credential_reaches_logs_events_answers_errors_or_tables(
    api: Api, people: People, written: io.StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    await people.welcome("bluesky", "rosa", password=CANARY)
    await people.welcome("facebook", "tom", places=["Tom's"])
    said: list[Any] = []
    metadata = {"identifier": "rosa", "app_password": CANARY, "sandbox": True}
    body = {"platform": "bluesky", "metadata": metadata}
    said.append((await api.post("/v1/accounts/connect", body)).json)
    bluesky = said[0]["account_id"]
    said.append((await api.post("/v1/accounts/connect", {**body, "state": 7})).json)
    said.append((await connect_bluesky(api, "rosa")).json)
    parameters, _ = await connect_facebook(api, people, "tom")
    facebook = parameters["account_id"]
    pending, _ = await connect_facebook(api, people)
    said += [parameters, pending, (await api.get("/v1/accounts")).json]
    said.append((await api.get(f"/v1/accounts/pending/{pending['connection_id']}")).json)
    said.append((await api.get(f"/v1/accounts/{facebook}/pages")).json)

    grants = [(await held(api, account)).grant for account in (bluesky, facebook)]
    page = said[-1]["data"][0]["id"]
    connectors = [
        await service.connector_for(api.runtime, bluesky, None),
        await service.connector_for(api.runtime, facebook, page),
    ]
    tokens = [grant.access_token.reveal() for grant in grants]
    tokens += [token.reveal() for grant in grants if (token := grant.refresh_token)]
    tokens += [token.reveal() for connector in connectors if (token := connector.place_token)]
    assert len(tokens) == 4
    said += [repr(grants), *(repr(vars(connector)) for connector in connectors)]

    await let_grant_end_in(api, bluesky, 30)
    refresh = "POST /xrpc/com.atproto.server.refreshSession"
    await people.next("bluesky", refresh, "throttle", params={"retry_after": 1})
    with pytest.raises(RemoteRefusal) as refused:
        await service.connector_for(api.runtime, bluesky, None)
    said += [repr(refused.value), str(refused.value), repr(refused.value.upstream)]

    assert "/v1/accounts/connect" in written.getvalue()
    everything = [json.dumps(said, default=repr), written.getvalue(), caplog.text, await dump(api)]
    for secret in (CANARY, *tokens):
        assert all(secret not in text for text in everything)


async def dump(api: Api) -> str:
    """Every row of every table, as text."""
    async with api.work() as work:
        names = await work.db.exec_driver_sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = list(names.scalars())
        rows = [
            str(row)
            for table in tables
            for row in (await work.db.exec_driver_sql(f'SELECT t::text FROM "{table}" t')).scalars()
        ]
    assert {"accounts", "events", "pending_connections"} <= set(tables)
    decoded = [bytes.fromhex(part) for row in rows for part in _hex_in(row)]
    return "\n".join([*rows, *(part.decode("latin-1") for part in decoded)])


def _hex_in(row: str) -> list[str]:
    return [part.split('"')[0] for part in row.split("\\x")[1:] if len(part.split('"')[0]) % 2 == 0]
