"""What falls due is reported as the life goes on: quoted, accepted, declined, each with what it is likely to bring."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.contracts.due_renewals import due_renewals, renewed_in
from domain.contracts.forecast import Forecast, RenewalCategory, forecast, speed
from domain.kernel.calendar import local_day
from domain.kernel.refusals import Refusal
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


async def test_what_a_person_expects_stands_in_the_forecast_with_the_reason(servers: Servers) -> None:
    document = from_today()
    account, contract_id = account_of(document), document["contracts"][0]["contract_id"]
    await servers.client.place_order(document)
    ends = await servers.pool.fetchval("select ends_at from contract_term where contract_id = $1", contract_id)
    await servers.client.fast_forward_to(account, ends - timedelta(days=40))
    expected = {"contract_id": contract_id, "category": "at_risk", "reason": "their CFO looks elsewhere", "by": "S-1"}
    for wrong in ({**expected, "reason": ""}, {**expected, "category": "lost"}):
        with pytest.raises(Refusal, match=r"reason|category"):
            await servers.client.ask(account, "set_renewal_category", wrong)
    await servers.client.ask(account, "set_renewal_category", expected)
    [found] = await _due(servers, account, ends)
    assert (found.category, found.why) == (RenewalCategory.AT_RISK, "S-1 says: their CFO looks elsewhere")
    best = {**expected, "category": "best_case", "reason": "the CFO liked the review", "request_id": "second"}
    await servers.client.ask(account, "set_renewal_category", best)
    [found] = await _due(servers, account, ends)
    assert (found.category, found.likely) == (RenewalCategory.BEST_CASE, found.due.arr * Decimal("0.5"))
    titles = [row["title"] for row in await servers.journal(account) if row["kind"] == "set_renewal_category"]
    assert [title.partition(": ")[2] for title in titles] == ["their CFO looks elsewhere", "the CFO liked the review"]
    await servers.client.ask(account, "answer_renewal", {"contract_id": contract_id, "decision": "accept"})
    with pytest.raises(Refusal, match="is renewed already"):
        await servers.client.ask(account, "set_renewal_category", {**best, "request_id": "third"})


async def test_more_seats_never_count_and_fewer_do(servers: Servers) -> None:
    for quantity, counts in ((60, Decimal(40 * 1200 * 12)), (10, Decimal(10 * 1200 * 12))):
        document = from_today()
        contract = document["contracts"][0]
        contract["lines"] = contract["lines"][:1]
        account, contract_id = account_of(document), contract["contract_id"]
        await servers.client.place_order(document)
        ends = await servers.pool.fetchval("select ends_at from contract_term where contract_id = $1", contract_id)
        await servers.client.fast_forward_to(account, ends - timedelta(days=40))
        wish = {"contract_id": contract_id, "seats": quantity, "by": "customer"}
        await servers.client.ask(account, "revise_renewal", wish)
        await servers.client.fast_forward_to(account, ends - timedelta(days=38))
        await servers.client.ask(account, "answer_renewal", {"contract_id": contract_id, "decision": "accept"})
        first, _ = await _due(servers, account, ends)
        assert (first.category, first.due.arr, first.likely) == (
            RenewalCategory.RENEWED,
            Decimal(40 * 1200 * 12),
            counts,
        )
        async with servers.pool.acquire() as connection:
            found = await renewed_in(connection, ends - timedelta(days=60), ends)
        [own] = [one for one in found if one.contract_id == contract_id]
        assert timedelta(days=1, hours=23) <= own.took < timedelta(days=3)
        assert speed([own]).within == {"an hour": 0, "a day": 0, "3 days": 1, "longer": 0}
