"""A database, or the engine's, that came back from a copy of before."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from unittest.mock import AsyncMock

import pytest

from gateway.cases import CaseClient
from gateway.client import PerennialClient
from gateway.reconciling import Reconciler
from tests.agendas import apart
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.copies import back_from_before, number_of
from tests.e2e.lives import account_of, settled
from tests.own_database import own_database
from tests.workflows.journey.test_reconciling import begin, invoices, reconciler
from workers.redoing import Redo
from workers.wiring import build_activities

pytestmark = pytest.mark.engine  # journeys that the server has lost


@pytest.mark.damaged
async def test_a_journey_from_a_copy_of_before_is_brought_to_the_latest_instant_on_record(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    later = await servers.client.now(account) + timedelta(days=40)
    await servers.pool.execute(
        "insert into effect (key, account_id, run, as_of, outcome) values ($1, $2, '', $3, '{}')",
        f"journey:{account}/adoption/done-after-the-copy",
        account,
        later,
    )
    answer = await servers.client.reconcile(account)
    assert datetime.fromisoformat(answer["as_of"]) == later
    assert await servers.client.now(account) >= later


async def test_what_a_database_has_lost_is_done_again_before_any_journey_is_asked(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, account = await begin(servers)
    async with own_database(servers.stack, "redone") as own:
        redo = Redo(build_activities(own.pool, servers.settings, servers.temporal))
        cases = CaseClient(servers.temporal, own.pool)
        again = Reconciler(PerennialClient(servers.temporal, own.pool), cases, own.pool, redo)
        monkeypatch.setattr(again, "_not_on_record", AsyncMock(return_value=[account]))  # and nobody else's
        monkeypatch.setattr(again, "_cases_not_on_record", AsyncMock(return_value={}))
        done = dict([one async for one in again.redo()])
        assert again.left == []
        keys = "select key, as_of from effect where account_id = $1 and key not like '%/settled' order by key"
        known = await servers.pool.fetch(keys, account)
        assert [*await own.pool.fetch(keys, account)] == known
        assert 10 < done.pop(account) <= len(known)
        assert not done
        assert await invoices(replace(servers, pool=own.pool), account) == await invoices(servers, account)


@pytest.mark.damaged
async def test_an_order_sent_again_to_a_journey_from_a_copy_of_before_begins_nothing_anew(servers: Servers) -> None:
    _, account = await begin(servers, 5)
    more = order(account)
    await servers.client.place_order(more)
    taken = await number_of(servers.temporal, f"journey-{account}", "place_order")
    await servers.client.fast_forward(account, timedelta(days=30))
    await settled(servers.pool, account)
    lived = await servers.client.now(account)
    await back_from_before(servers.temporal, f"journey-{account}", taken)
    await reconciler(servers).look(account, mend=True)
    await servers.client.fast_forward_to(account, lived)
    assert await apart(servers, account) == []
    first = await anext(aiter(servers.handle(account).fetch_history_events()))
    run = first.workflow_execution_started_event_attributes.original_execution_run_id
    key = f"journey:{account}/order:{more['order_id']}"
    assert await servers.pool.fetchval("select run from effect where key = $1", key) == run, "as from a copy"
    before = [row["key"] for row in await servers.journal(account)]
    await servers.client.place_order(more)
    assert await apart(servers, account) == []
    after = [row["key"] for row in await servers.journal(account)]
    assert [key for key in after if "/service/review-" not in key] == [
        key for key in before if "/service/review-" not in key
    ], "but for a look at what holds sales back"
