"""What falls due is reported as the life goes on: quoted, accepted, declined, each with what it is likely to bring."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from activities.contracts.due_renewals import due_renewals
from domain.contracts.forecast import Forecast, RenewalCategory, forecast
from domain.kernel.calendar import local_day
from tests.conftest import Servers
from tests.e2e.lives import account_of
from tests.workflows.contracts.test_in_grace import from_today


async def _due(servers: Servers, account: str, instant: Any) -> list[Forecast]:
    today = local_day(instant, "Asia/Tokyo")
    async with servers.pool.acquire() as connection:
        found = await due_renewals(connection, today - timedelta(days=400), today + timedelta(days=800))
    return forecast([one for one in found if one.account_id == account], today)


async def test_a_term_is_open_then_quoted_then_renewed_and_the_next_one_is_lost(servers: Servers) -> None:
    document = from_today()
    account, contract = account_of(document), document["contracts"][0]
    await servers.client.place_order(document)
    row = await servers.pool.fetchrow(
        "select starts_at, ends_at from contract_term where contract_id = $1", contract["contract_id"]
    )
    assert row is not None
    began, ends = row
    [first] = await _due(servers, account, began)
    assert first.category is RenewalCategory.OPEN
    mrr = await servers.pool.fetchval(
        "select sum(mrr) from asset_state_period join asset using (asset_id) where contract_id = $1",
        contract["contract_id"],
    )
    assert first.due.arr == 12 * mrr
    assert first.likely == first.due.arr * Decimal("0.6")
    await servers.client.fast_forward_to(account, ends - timedelta(days=10))
    answer = {"contract_id": contract["contract_id"], "by": "S-1"}
    quoted = await _due(servers, account, ends - timedelta(days=10))
    assert [one.due.quoted for one in quoted] == [True]
    await servers.client.ask(account, "answer_renewal", {**answer, "decision": "accept"})
    renewed, coming = await _due(servers, account, ends - timedelta(days=10))
    assert (renewed.category, renewed.likely) == (RenewalCategory.RENEWED, renewed.due.arr)
    assert coming.due.until > renewed.due.until
    await servers.client.fast_forward_to(account, ends + timedelta(days=330))
    await servers.client.ask(account, "answer_renewal", {**answer, "decision": "decline", "reason": "price"})
    _, lost = await _due(servers, account, ends + timedelta(days=330))
    assert (lost.category, lost.why, lost.likely) == (RenewalCategory.LOST, "price", Decimal(0))
