"""Deliveries as vendors document them, by the mappings that come along: orders, payments, refunds, tickets."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

from tests.builders import order
from tests.conftest import Servers
from tests.gateway.api.test_reading import placed
from tests.gateway.events.sources import payload, shop


async def _invoice(servers: Servers, account_id: str) -> Any:
    return await servers.pool.fetchrow(
        "select i.invoice_id, i.number, i.total, paid_of(i) as paid, y.status from invoice i left join invoice_payment y"
        " using (invoice_id) where i.account_id = $1 order by i.number",
        account_id,
    )


async def test_an_order_that_was_paid_in_a_shop_is_an_order_and_its_payment(servers: Servers) -> None:
    event = payload("shopify_order_paid")
    event["id"], event["company"]["id"] = uuid4().int % 10**12, uuid4().int % 10**9
    account = f"shopify-{event['company']['id']}"
    async with shop(servers, "shopify") as sends:
        came = await sends.tell(event)
        again = await sends.tell(event)
    assert (came["status"], came["account_id"]) == ("done", account), came["reason"]
    assert [one["operation"] for one in came["done"]] == ["place_order", "book_payment"]
    assert again["event_id"] == came["event_id"]
    found = await servers.pool.fetchrow(
        "select name, country, time_zone, language from account where account_id = $1", account
    )
    assert tuple(found or ()) == ("Tanuki Tea K.K.", "JP", "Asia/Tokyo", "ja")
    invoice = await _invoice(servers, account)
    assert (invoice["total"], invoice["paid"], invoice["status"]) == (Decimal(52800), Decimal(52800), "paid")
    assert await servers.pool.fetchval("select count(*) from payment where account_id = $1", account) == 1


async def test_refunds_of_a_shop_go_back_of_the_order_each_once(servers: Servers) -> None:
    event = payload("shopify_order_paid")
    event["id"], event["company"]["id"] = uuid4().int % 10**12, uuid4().int % 10**9
    refunds = payload("shopify_order_refunded")["refunds"]
    for one in refunds:
        one["id"] = uuid4().int % 10**12
    failed = {**refunds[1], "id": 1, "transactions": [{**refunds[1]["transactions"][0], "status": "failure"}]}
    changed = {**event, "financial_status": "partially_refunded"}
    async with shop(servers, "shopify") as sends:
        await sends.tell(event)
        first = await sends.tell({**changed, "updated_at": "2026-11-28T09:00:00+09:00", "refunds": refunds[:1]})
        again = await sends.tell({**changed, "updated_at": "2026-11-28T09:05:00+09:00", "refunds": refunds[:1]})
        second = await sends.tell({**changed, "updated_at": "2026-11-29T09:00:00+09:00", "refunds": refunds})
        no = await sends.tell({**changed, "updated_at": "2026-11-30T09:00:00+09:00", "refunds": [*refunds, failed]})
    assert {one["status"] for one in (first, again, second)} == {"done"}, (first["reason"], second["reason"])
    assert no["status"] == "ignored"
    invoice = await _invoice(servers, f"shopify-{event['company']['id']}")
    assert (invoice["paid"], invoice["status"]) == (Decimal(52800 - 4400 - 1100), None)


async def test_since_invoices_name_no_payment_a_refund_says_by_metadata_what_goes_back(servers: Servers) -> None:
    document = await placed(servers)
    account = document["account"]["account_id"]
    invoice = await _invoice(servers, account)
    paid, refunded = payload("stripe_invoice_paid_2025"), payload("stripe_charge_refunded_2025")
    paid["data"]["object"] |= {"amount_paid": int(invoice["total"]), "customer": f"cus_{account}"}
    refunded["data"]["object"]["customer"] = f"cus_{account}"
    for one in (paid, refunded):
        one["id"] = f"{one['id']}{account}"
        one["data"]["object"]["metadata"] = {"perennial_invoice": invoice["invoice_id"]}
    async with shop(servers, "stripe", "whsec_test") as sends:
        await sends.link(f"cus_{account}", account)
        came = await sends.tell(paid)
        back = await sends.tell(refunded)
    assert (came["status"], back["status"]) == ("done", "done"), back["reason"]
    assert (await _invoice(servers, account))["paid"] == invoice["total"] - 50000


async def test_payments_and_refunds_of_stripe_settle_invoices_in_whatever_order_they_come(servers: Servers) -> None:
    document = await placed(servers)
    account = document["account"]["account_id"]
    invoice = await _invoice(servers, account)
    paid, refunded = payload("stripe_invoice_paid"), payload("stripe_charge_refunded")
    object = paid["data"]["object"]
    object["amount_paid"], object["customer"] = int(invoice["total"]), f"cus_{account}"
    object["metadata"] = {"perennial_invoice": invoice["invoice_id"]}
    refunded["data"]["object"]["customer"] = f"cus_{account}"
    async with shop(servers, "stripe", "whsec_test") as sends:
        early = await sends.tell(refunded)
        unlinked = await sends.tell(paid)
        await sends.link(f"cus_{account}", account)
        await sends.desk.replay([unlinked["event_id"]])
        await sends.desk.settle_new()
        done = await sends.became(unlinked["event_id"])
        assert (early["status"], unlinked["status"], done["status"]) == ("waiting", "waiting", "done"), done["reason"]
        assert "perennial events link" in early["reason"]
        assert (await _invoice(servers, account))["status"] == "paid"
        await sends.desk.replay([early["event_id"]])
        await sends.desk.settle_new()
        late = await sends.became(early["event_id"])
    assert late["status"] == "done", late["reason"]
    after = await _invoice(servers, account)
    assert (after["paid"], after["status"]) == (invoice["total"] - 100000, None)
    tasks = await servers.pool.fetch(
        "select key, reason from staff_task where account_id = $1 and key like 'payment/%'", account
    )
    assert ["owed again" in one["reason"] for one in tasks] == [True]


async def test_an_order_and_a_case_of_salesforce_are_a_journey_and_a_case(servers: Servers) -> None:
    activated, case = payload("salesforce_order_activated"), payload("salesforce_case")
    number = f"{uuid4().int % 10**8:08}"
    activated["OrderNumber"] = case["CaseNumber"] = number
    activated["AccountId"] = case["AccountId"] = f"001{number}"
    async with shop(servers, "salesforce") as sends:
        early = await sends.tell(case)
        placed = await sends.tell(activated)
        await sends.desk.settle_new()
        opened = await sends.became(early["event_id"])
        comment = {
            "attributes": {"type": "CaseComment"}, "Id": f"00a{number}", "IsPublished": True, "CreatedDate": "2026-11-28T09:00:00Z",
            "CommentBody": "It works with the other cable.", "Parent": {"CaseNumber": number},
            "CreatedBy": {"attributes": {"type": "User"}, "UserType": "PowerCustomerSuccess"},
        }  # fmt: skip
        commented = await sends.tell(comment)
        agents = {"Id": f"00b{number}", "CommentBody": "Then keep that one.", "CreatedBy": {"UserType": "Standard"}}
        answered = await sends.tell({**comment, **agents})
        noted = await sends.tell({**comment, "Id": f"00c{number}", "CommentBody": "By a flow.", "CreatedBy": None})
        ignored = await sends.tell({**case, "Status": "Working", "LastModifiedDate": "2026-11-28T10:00:00Z"})
        closed = await sends.tell({**case, "Status": "Closed", "LastModifiedDate": "2026-11-28T11:00:00Z"})
    assert (early["status"], placed["status"], opened["status"]) == ("waiting", "done", "done"), placed["reason"]
    assert (commented["status"], ignored["status"], closed["status"]) == ("done", "ignored", "done"), closed["reason"]
    contract = await servers.pool.fetchrow(
        "select t.start_on, l.quantity, l.unit_price from contract c join contract_term t using (contract_id)"
        " join order_line l using (contract_id) where c.account_id = $1",
        f"sf-001{number}",
    )
    assert tuple(contract or ()) == (date(2026, 12, 1), 25, Decimal("49.5"))
    state = await servers.pool.fetchval("select status from service_case where case_id = $1", f"sf-{number}")
    assert state == "resolved"
    assert (answered["status"], noted["status"]) == ("done", "done"), answered["reason"]
    rows = await servers.pool.fetch("select direction, body from case_message where case_id = $1", f"sf-{number}")
    said = {(row["direction"], row["body"]) for row in rows}
    assert {("inbound", "It works with the other cable."), ("outbound", "Then keep that one.")} < said
    assert not [body for direction, body in said if "By a flow." in body and direction != "internal"]


async def test_a_deal_and_a_ticket_of_hubspot_are_an_order_and_a_case_that_is_resolved(servers: Servers) -> None:
    won, ticket, closed = (payload(name) for name in ("hubspot_deal_won", "hubspot_ticket", "hubspot_ticket_closed"))
    company, deal, number = (str(uuid4().int)[:10] for _ in range(3))
    won["objectId"], won["properties"]["hs_primary_associated_company"]["value"] = deal, company
    won["properties"]["product_code"]["value"] = f"SEATS-{deal}"
    ticket["objectId"], ticket["properties"]["hs_primary_company_id"]["value"] = number, company
    for n, one in enumerate(closed):
        one["objectId"], one["eventId"] = number, int(number) + n
    async with shop(servers, "hubspot", "client-secret") as sends:
        await sends.link(company, f"hs-{company}")
        unknown = await sends.tell(won)
        others, seats = order(), {"code": f"SEATS-{deal}", "name": "Seats", "kind": "subscription"}
        await servers.client.place_order({**others, "products": [seats, *others["products"]]})
        await sends.desk.replay([unknown["event_id"]])
        await sends.desk.settle_new()
        known = await sends.became(unknown["event_id"])
        opened = await sends.tell(ticket)
        resolved = await sends.tell(closed)
        retried = await sends.tell([{**one, "attemptNumber": 1} for one in closed])
    assert (unknown["status"], known["status"]) == ("waiting", "done"), known["reason"]
    assert (opened["status"], resolved["status"], retried["status"]) == ("done", "done", "done"), resolved["reason"]
    assert ([len(one["done"]) for one in (resolved, retried)]) == [1, 0]
    events = await servers.pool.fetch("select kind from case_event where case_id = $1", f"hs-{number}")
    assert [one["kind"] for one in events].count("resolved") == 1
