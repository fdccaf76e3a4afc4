"""Contracts without an end: invoiced period after period, changed within one, and ended by notice with the period that it reaches."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.journey.agenda_facts import load_facts
from activities.journey.imported_assets import export_assets
from activities.service.callers import load_view
from domain.journey.horizon import Horizon
from domain.journey.planning import agenda
from domain.kernel.calendar import FOR_EVER
from domain.kernel.refusals import Refusal
from tests.agendas import apart
from tests.asset_life import Life, refused
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import settled
from tests.workflows.contracts.test_in_grace import said
from tests.workflows.contracts.test_parting import churn

BEANS = [{"line_id": "1", "product": "BEANS", "quantity": 1, "unit_price": "100"}]


class Evergreen(Life):
    """20 seats for 1,200 yen a month, until further notice."""

    @classmethod
    async def sold(cls, servers: Servers, by: str = "monthly", **contract: Any) -> Evergreen:
        document = order(lines=[])
        life = cls(servers, document)
        sold = document["contracts"][0]
        line = {"line_id": "1", "product": "SEATS", "quantity": 20, "unit_price": "1200"}
        sold |= {"term": {"start": life.month(0), "evergreen": by}, "lines": [line], **contract}
        await servers.client.place_order(document)
        return life

    async def invoiced(self) -> list[tuple[str, Decimal]]:
        """Invoices, and credit memos below zero, by day."""
        rows = await self.servers.pool.fetch(
            "select issued_on, net from invoice where account_id = $1 union all"
            " select issued_on, -net from credit_memo where account_id = $1 order by 1, 2",
            self.account,
        )
        return [(row["issued_on"].isoformat(), row["net"]) for row in rows]

    async def notice(self, **given: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await self.ask("give_notice", contract_id=self.contract, by="customer", **given)
        return answer


def last(day: date) -> str:
    return (day - timedelta(days=1)).isoformat()


async def test_it_is_invoiced_month_by_month_and_ends_with_the_month_that_the_notice_reaches(servers: Servers) -> None:
    life = await Evergreen.sold(servers)
    await life.reach(life.day(14) + timedelta(days=1))
    assert await life.invoiced() == [(life.month(n), Decimal(24000)) for n in range(15)]
    assert (await life.term())["until"] == FOR_EVER
    assert await apart(servers, life.account) == []

    with pytest.raises(Refusal, match="has no end: it goes on without a renewal; give_notice ends it"):
        await life.ask("answer_renewal", contract_id=life.contract, decision="accept", by="customer")
    early = life.day(15) - timedelta(days=1)
    with pytest.raises(Refusal, match=f"it ends on {last(life.day(16))} at the earliest"):
        await life.notice(on=early.isoformat(), reason="price")
    within = life.day(16) + timedelta(days=3)
    answer = await life.notice(on=within.isoformat(), reason="price")
    assert answer["runs_until"] == last(life.day(17))
    assert answer["moved"].startswith(f"{within} lies within a period")
    assert (await churn(servers, life.contract))["reason"] == "price"
    assert (await life.term())["status"] == "declined"
    assert await apart(servers, life.account) == []
    with pytest.raises(Refusal, match=f"notice was given: contract .* ends on {last(life.day(17))}"):
        await life.notice()

    await life.reach(life.day(17) + timedelta(days=40))
    assert await life.invoiced() == [(life.month(n), Decimal(24000)) for n in range(17)]
    found = await life.term()
    assert found["status"] == "ended"
    assert f"Contract {life.contract} ended: notice was given" in await life.titles()
    await settled(servers.pool, life.account)
    assert [one["ended_on"] for one in await said(servers, life.account, "contract_ended")] == [last(life.day(17))]
    assert await said(servers, life.account, "renewal_notice") == []
    await life.check()


async def test_a_change_within_a_year_counts_to_its_end_and_notice_is_taken_back(servers: Servers) -> None:
    life = await Evergreen.sold(servers, "yearly", notice_days=90)
    await life.reach(life.day(3))
    await life.ask("amend_assets", assets=[{"asset_id": life.seats, "add": 10}], by="S-1")
    assert await life.invoiced() == [(life.month(0), Decimal(12 * 24000)), (life.month(3), Decimal(9 * 12000))]
    price = [{"asset_id": life.seats, "price": "1000"}]
    await life.ask("amend_assets", assets=price, effective=life.month(12), by="S-1")
    extra = {"contract_id": life.contract, "product": "CARE", "quantity": 1, "unit_price": "500"}
    await life.ask("amend_assets", add_ons=[extra], effective=life.month(6), by="S-1")
    await life.reach(life.day(12) + timedelta(days=1))
    assert (await life.invoiced())[2:] == [
        (life.month(6), Decimal(6 * 500)),
        (life.month(12), Decimal(12 * (30 * 1000 + 500))),
    ]
    answer = await life.notice()
    assert answer["runs_until"] == last(life.day(24))
    assert await apart(servers, life.account) == []
    await life.ask("rollback", asset_id=life.seats, by="S-1")
    found = await life.term()
    assert (found["status"], found["until"]) == ("active", FOR_EVER)
    assert await apart(servers, life.account) == []
    await life.ask("cancel_assets", contract_id=life.contract, effective=life.month(18), by="S-1")
    await life.reach(life.day(18) + timedelta(days=1))
    assert (await life.invoiced())[4:] == [(life.month(18), Decimal(-6 * 30500))], "what was agreed, they have back"
    assert (await life.term())["status"] == "ended"
    await life.check()


async def test_a_term_that_is_agreed_begins_after_the_running_period_and_is_renewed(servers: Servers) -> None:
    life = await Evergreen.sold(servers)
    await life.reach(life.day(2) + timedelta(days=5))
    with pytest.raises(Refusal, match="only the end of a plain term can be moved"):
        await life.ask("amend_assets", assets=[{"asset_id": life.seats, "end": life.month(9)}], by="S-1")
    asked = {"contract_id": life.contract, "months": 6, "auto_renew": True, "uplift_percent": "10"}
    assert (await life.ask("convert_contract", **asked, by="S-1"))["runs_until"] == last(life.day(9))
    assert await apart(servers, life.account) == []
    await life.reach(life.day(10) + timedelta(days=1))
    amounts = [24000] * 9 + [26400] * 2
    assert await life.invoiced() == [(life.month(n), Decimal(amount)) for n, amount in enumerate(amounts)]
    found = await life.term()
    assert (found["number"], found["until"], found["origin"]) == (2, life.day(15), "automatic")
    assert await apart(servers, life.account) == []
    with pytest.raises(Refusal, match="has a term until"):
        await life.notice()
    await life.check()


async def test_what_is_handed_over_goes_on_without_an_end(servers: Servers) -> None:
    life, document = await Evergreen.sold(servers), order()
    other = Evergreen(servers, document)
    await servers.client.place_order({**document, "contracts": [], "lines": BEANS})
    await life.reach(life.day(2))
    await other.reach(life.day(2))
    sent = {"to_account": other.account, "assets": [{"asset_id": life.seats, "quantity": 5}]}
    await life.ask("transfer_assets", **sent, by="S-1")
    await other.reach(life.day(4) + timedelta(days=1))
    await life.reach(life.day(4) + timedelta(days=1))
    assert (await life.invoiced())[-2:] == [(life.month(3), Decimal(18000)), (life.month(4), Decimal(18000))]
    assert (await other.invoiced())[-2:] == [(life.month(3), Decimal(6000)), (life.month(4), Decimal(6000))]
    [contract] = await servers.pool.fetch("select * from contract where account_id = $1", other.account)
    assert contract["evergreen"] == "monthly"
    assert await apart(servers, other.account) == []
    other.contract = contract["contract_id"]
    assert (await other.notice())["runs_until"] == last(life.day(6))


@pytest.mark.parametrize(
    ("term", "contract", "says"),
    [
        ({"months": 12}, {}, "an evergreen term has no end and no length"),
        ({}, {"auto_renew": True}, "leave out auto_renew, renewal_months and uplift_percent"),
        ({}, {"uplift_percent": "3"}, "leave out auto_renew, renewal_months and uplift_percent"),
        ({}, {"billing": "whole_term"}, "there is no whole term"),
        ({"evergreen": "weekly"}, {}, "monthly"),
    ],
)
async def test_what_contradicts_itself_is_refused(
    servers: Servers, term: dict[str, Any], contract: dict[str, Any], says: str
) -> None:
    document = order(lines=[])
    sold = document["contracts"][0]
    sold |= {"term": {"start": sold["term"]["start"], "evergreen": "monthly"} | term, **contract}
    with pytest.raises(Refusal, match=says):
        await servers.client.place_order(document)


async def test_a_term_is_not_given_notice_of(servers: Servers) -> None:
    life = Life(servers, order())
    await servers.client.place_order(life.document)
    asked = {"contract_id": life.document["contracts"][0]["contract_id"], "by": "customer"}
    await refused(life, "give_notice", asked, "NotAllowed", "has a term until")


async def test_nobody_reads_a_day_on_which_it_would_end(servers: Servers) -> None:
    """Mails, journal, what the Temporal UI shows, the plan of a year, what a caller's page and an export say."""
    life = await Evergreen.sold(servers, "yearly")
    await life.reach(life.day(2))
    await life.ask("amend_assets", assets=[{"asset_id": life.seats, "add": 10}], by="S-1")
    await life.reach(life.day(12) + timedelta(days=20))
    await life.notice()
    await life.ask("rollback", asset_id=life.seats, by="S-1")
    await settled(servers.pool, life.account)
    to = life.document["contacts"][0]["email"]
    mails = [servers.stack.mailbox.read(mail.id).text or "" for mail in servers.mails_to(to)]
    assert any("解約のお申し出があるまで継続" in mail for mail in mails)
    handle = servers.handle(life.account)
    async with servers.pool.acquire() as connection:
        facts = await load_facts(connection, life.account, await servers.client.now(life.account))
        assert facts is not None
        exported = await export_assets(connection, life.account)
        rows = await connection.fetch("select body::text from outbox where account_id = $1", life.account)
        view = await load_view(connection, life.account, await servers.client.now(life.account))
    assert exported[0]["contract"]["term"] == {"start": life.month(0), "evergreen": "yearly"}
    shown = [
        *mails,
        *(str(row) for row in rows),
        *await life.titles(),
        str(view),
        str(await handle.query("agenda")),
        str(agenda(facts, Horizon(months=12))),
    ]
    assert [text for text in shown if re.search(r"\b(?:2999|3000)\b", text)] == []
