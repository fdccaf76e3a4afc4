"""Overdue invoices: reminders by the playbook's ladder, all of them in one mail, until they are paid; then a person takes over."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from domain.billing.dunning import STAGE
from domain.frame.step_words import in_words
from domain.journey.agenda import Running
from gateway.cases import CaseClient
from tests.agendas import apart
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, settled, until
from tests.e2e.outages import outside
from tests.gateway.api.test_reading import placed

DAY = timedelta(days=1)


class Debtor:
    """A customer with an invoice that the ledger says is overdue."""

    def __init__(self, servers: Servers, account: str, address: str, total: Any) -> None:
        self.servers, self.account, self.address, self.total = servers, account, address, total

    async def ask(self, update: str, **request: Any) -> dict[str, Any]:
        return await self.servers.client.ask(self.account, update, {"by": "ledger", **request})

    async def days(self, days: int) -> None:
        await self.servers.client.fast_forward(self.account, timedelta(days=days))
        await settled(self.servers.pool, self.account)
        assert await apart(self.servers, self.account) == []

    async def reminders(self) -> list[dict[str, Any]]:
        rows = await self.servers.pool.fetch(
            "select body->'context' as said, created_at from outbox where account_id = $1 and body->>'template' = 'payment_reminder'"
            " order by created_at",
            self.account,
        )
        return [{**row["said"], "at": row["created_at"]} for row in rows]

    async def tasks(self) -> list[Any]:
        return await self.servers.pool.fetch(
            "select staff_id, closed_at, outcome from staff_task where account_id = $1 and key like 'dunning/%'",
            self.account,
        )


async def _debtor(servers: Servers) -> Debtor:
    document = await placed(servers)
    account = document["account"]["account_id"]
    total = await servers.pool.fetchval("select total from invoice where account_id = $1", account)
    debtor = Debtor(servers, account, document["contacts"][0]["email"], total)
    await debtor.days(1)
    return debtor


async def test_reminders_grow_firmer_and_then_a_person_takes_over_until_it_is_paid(servers: Servers) -> None:
    debtor = await _debtor(servers)
    await debtor.ask("note_payment", number=1, status="overdue")
    told = await servers.client.now(debtor.account)
    running = await servers.handle(debtor.account).query("agenda", result_type=Running)
    assert [in_words(step) for step in running.steps if step.stage == STAGE] == ["Reminder of overdue invoices"]
    await debtor.days(45)
    found = await debtor.reminders()
    assert [one["tone"] for one in found] == ["friendly", "firm", "final"]
    for one, days in zip(found, (3, 10, 20), strict=True):
        assert timedelta(days=days - 1) < one["at"] - told < timedelta(days=days + 6)  # it moves to a business day
        assert [invoice["owed"]["amount"] for invoice in one["invoices"]] == [str(debtor.total)]
    texts = [servers.stack.mailbox.read(mail.id).text or "" for mail in servers.mails_to(debtor.address)]
    assert sum(f"INV-{debtor.account}-1" in text and "お支払いの確認" in text for text in texts) == 3
    assert [(task["staff_id"], task["closed_at"]) for task in await debtor.tasks()] == [("S-1", None)]
    await debtor.ask("book_payment", payment_id="p-1", amount=str(debtor.total), currency="JPY")
    assert [task["outcome"] for task in await debtor.tasks()] == ["it is paid"]
    await debtor.days(30)
    assert len(await debtor.reminders()) == 3


async def test_whoever_pays_hears_no_more_and_whoever_pays_in_time_nothing(servers: Servers) -> None:
    debtor = await _debtor(servers)
    await debtor.ask("note_payment", number=1, status="overdue")
    await debtor.days(6)
    await debtor.ask("book_payment", payment_id="p-1", amount=str(debtor.total - 1000), currency="JPY")
    await debtor.days(8)
    parts = [one["totals"][0]["amount"] for one in await debtor.reminders()]
    assert parts == [str(debtor.total), "1000"]
    await debtor.ask("note_payment", number=1, status="paid")
    await debtor.days(30)
    assert len(await debtor.reminders()) == 2
    late = await debtor.ask("book_payment", payment_id="p-2", amount="1000", currency="JPY", number=1)
    assert late["over"]["amount"] == "0"
    again = await debtor.ask("note_payment", number=1, status="overdue")
    assert again["status"] == "paid"
    await debtor.days(10)
    assert len(await debtor.reminders()) == 2


async def test_all_that_is_overdue_stands_in_one_mail_and_nobody_is_reminded_twice_within_a_step(
    servers: Servers,
) -> None:
    debtor = await _debtor(servers)
    asset = await servers.pool.fetchval(
        "select asset_id from asset where account_id = $1 and product_code = 'SEATS'", debtor.account
    )
    await servers.client.ask(debtor.account, "amend_assets", {"assets": [{"asset_id": asset, "add": 5}], "by": "S-1"})
    await debtor.ask("note_payment", number=1, status="overdue")
    await debtor.days(1)
    await debtor.ask("note_payment", number=2, status="overdue")
    await debtor.days(16)
    found = await debtor.reminders()
    assert [[one["invoice_id"][-2:] for one in mail["invoices"]] for mail in found] == [["-1", "-2"]] * 2
    await debtor.ask("note_payment", number=1, status="paid")
    await debtor.days(25)
    later = await debtor.reminders()
    assert [[one["invoice_id"][-2:] for one in mail["invoices"]] for mail in later[2:]] == [["-2"]]
    gaps = [(two["at"] - one["at"]).days for one, two in pairwise(later)]
    assert min(gaps) >= 5


async def test_reminders_wait_while_a_refund_is_disputed(servers: Servers) -> None:
    debtor = await _debtor(servers)
    await debtor.ask("note_payment", number=1, status="overdue")
    cases = CaseClient(servers.temporal, servers.pool)
    case_id = f"D-{debtor.account}"
    await cases.open_case(
        {
            "case_id": case_id,
            "account_id": debtor.account,
            "subject": "Refund",
            "body": "It was too much",
            "category": "refund_dispute",
        }
    )
    await debtor.days(12)
    assert await debtor.reminders() == []
    waits = [line["title"] for line in await servers.journal(debtor.account) if line["kind"] == "put_off"]
    assert any(f"a refund is disputed in case {case_id}" in title for title in waits)
    await cases.ask(case_id, "resolve", {"code": "solved", "text": "settled", "by": "S-1"})
    await debtor.days(8)
    assert [one["tone"] for one in await debtor.reminders()][:1] == ["friendly"]


async def test_a_reminder_that_is_left_out_does_not_end_the_ladder(servers: Servers) -> None:
    debtor = await _debtor(servers)
    await debtor.ask("note_payment", number=1, status="overdue")
    running = await servers.handle(debtor.account).query("agenda", result_type=Running)
    [step] = [step for step in running.steps if step.stage == STAGE]
    await debtor.ask("skip_step", step=step.key, reason="we have spoken", by="S-1")
    await debtor.days(40)
    assert [one["tone"] for one in await debtor.reminders()] == ["firm", "final"]
    assert [task["closed_at"] for task in await debtor.tasks()] == [None]


@pytest.mark.engine  # a worker of its own
async def test_a_reminder_that_waits_for_a_server_says_what_is_owed_by_then_or_is_withdrawn(
    servers: Servers, tmp_path: Path
) -> None:
    async with outside(servers, tmp_path) as world:
        found = []
        for left in (0, 700):
            document = order()
            account = account_of(document)
            await world.client.place_order(document)
            total = await servers.pool.fetchval("select total from invoice where account_id = $1", account)
            found.append((account, total - left))
        await world.mail_goes_down()
        for account, amount in found:
            told = {"number": 1, "status": "overdue", "by": "ledger"}
            await world.client.ask(account, "note_payment", told)
            await world.client.fast_forward(account, timedelta(days=8))
            paid = {"payment_id": f"p-{account}", "amount": f"{amount:f}", "currency": "JPY", "by": "bank"}
            await world.client.ask(account, "book_payment", paid)
        await world.mail_comes_up()
        reminder = "select * from outbox where account_id = $1 and body->>'template' = 'payment_reminder'"

        async def settled_one(account: str) -> Any:
            await world.client.ask(account, "retry_deliveries", {})

            async def gone() -> bool:
                row = await servers.pool.fetchrow(reminder, account)
                return row is not None and row["status"] != "waiting"

            await until(gone, f"the reminder of {account} is settled")
            return await servers.pool.fetchrow(reminder, account)

        assert (await settled_one(found[0][0]))["status"] == "withdrawn"
        part = await settled_one(found[1][0])
        assert part["status"] == "sent"
        assert part["body"]["context"]["totals"] == [{"amount": "700", "currency": "JPY"}]
