"""After each test the agenda of every journey that it began is the one that follows from the facts."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.agendas import apart_of_all
from tests.conftest import Servers


@pytest.fixture
async def servers(request: pytest.FixtureRequest, servers: Servers) -> AsyncIterator[Servers]:
    """Not asked of tests marked `damaged`, which spoil what the journeys are compared with."""
    before = {row["account_id"] for row in await servers.pool.fetch("select account_id from account")}
    yield servers
    if request.node.get_closest_marker("damaged"):
        return
    after = {row["account_id"] for row in await servers.pool.fetch("select account_id from account")}
    found = await apart_of_all(servers, sorted(after - before))
    assert not found, "\n".join(f"{account}: {says}" for account, all_said in found.items() for says in all_said)
