"""Events of a journey reach an endpoint that fails at first: signed, each taken once, with the id of its first attempt."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from uuid import uuid4

import jsonschema
import pytest

from domain.journey.event_catalogue import CATALOGUE
from gateway.cases import CaseClient
from gateway.client import PerennialClient
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, settled, until
from tests.webhook_receiver import Receiver
from workers.wiring import build_worker

pytestmark = pytest.mark.engine  # workers of their own

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


async def test_events_are_told_once_whatever_the_endpoint_does_at_first(servers: Servers) -> None:
    queue = f"webhooks-{uuid4().hex[:8]}"
    document = order()
    document["contracts"][0]["auto_renew"] = True
    account = account_of(document)
    asset = f"{document['order_id']}.1"
    with Receiver(SECRET, [500, 503]) as receiver:
        settings = servers.settings.model_validate(
            {
                **servers.settings.model_dump(),
                "task_queue": queue,
                "webhook_url": receiver.url,
                "webhook_secret": SECRET,
            }
        )
        client = PerennialClient(servers.temporal, servers.pool, task_queue=queue)
        async with build_worker(servers.temporal, servers.pool, settings):
            await client.place_order(document)
            await settled(servers.pool, account)
            first = list(receiver.attempts)
            await client.fast_forward(account, timedelta(days=60))
            await client.ask(account, "amend_assets", {"assets": [{"asset_id": asset, "remove": 10}], "by": "s-1"})
            await client.fast_forward(account, timedelta(days=360))
            number = await servers.pool.fetchval("select min(number) from invoice where account_id = $1", account)
            await client.ask(account, "note_payment", {"number": number, "status": "overdue", "by": "ledger"})
            total = await servers.pool.fetchval("select min(total) from invoice where account_id = $1", account)
            paid = {"payment_id": "p-1", "amount": f"{10 * total:f}", "currency": "JPY", "by": "bank"}
            await client.ask(account, "book_payment", paid)
            await client.ask(account, "close_journey", {"reason": "test"})

            async def told() -> bool:
                waiting = await servers.pool.fetchval(
                    "select count(*) from outbox where account_id = $1 and channel = 'deliver_webhook'"
                    " and status = 'waiting'",
                    account,
                )
                return not waiting

            await until(told, "every event is told")
    assert [attempt.status for attempt in first] == [500, 503, 204, 204]
    assert {attempt.id for attempt in first[:2]} == {attempt.id for attempt in first[2:]}
    assert all(attempt.genuine for attempt in receiver.attempts)
    taken = receiver.taken()
    assert len({attempt.id for attempt in taken}) == len(taken)
    kinds = Counter(attempt.body["type"] for attempt in taken)
    assert kinds == {
        "order.activated": 1,
        "invoice.issued": 3,
        "asset.changed": 2,
        "credit_memo.issued": 1,
        "contract.renewed": 1,
        "invoice.overdue": 1,
        "payment.booked": 1,
        "invoice.paid": 3,
    }
    schemas = {kind.type.value: kind.schema() for kind in CATALOGUE}
    for attempt in taken:
        jsonschema.validate(attempt.body, schemas[attempt.body["type"]])
    rows = await servers.pool.fetch(
        "select status, message_id, body from outbox where account_id = $1 and channel = 'deliver_webhook'", account
    )
    assert {(row["status"], row["message_id"]) for row in rows} == {("sent", attempt.id) for attempt in taken}
    activated = next(a.body for a in taken if a.body["type"] == "order.activated")
    assert (activated["data"]["account_id"], activated["data"]["order_id"]) == (account, document["order_id"])
    [contract] = document["contracts"]
    assert activated["data"]["first_invoices"] == {contract["contract_id"]: contract["term"]["start"]}
    invoice = next(a.body["data"] for a in taken if a.body["type"] == "invoice.issued")
    total = await servers.pool.fetchval("select total from invoice where invoice_id = $1", invoice["invoice_id"])
    assert invoice["total"] == {"amount": f"{total:f}", "currency": "JPY"}


async def test_a_case_is_told_of_once_it_is_known_whose_it_is_and_as_it_goes_on(servers: Servers) -> None:
    queue = f"webhooks-{uuid4().hex[:8]}"
    document = order()
    account = account_of(document)
    case_id = f"C-{account}"
    with Receiver(SECRET) as receiver:
        changed = {"task_queue": queue, "webhook_url": receiver.url, "webhook_secret": SECRET}
        settings = servers.settings.model_validate({**servers.settings.model_dump(), **changed})
        client = PerennialClient(servers.temporal, servers.pool, task_queue=queue)
        cases = CaseClient(servers.temporal, servers.pool, task_queue=queue)
        async with build_worker(servers.temporal, servers.pool, settings):
            await client.place_order(document)
            contact = {"email": "somebody@else.example"}
            await cases.open_case({"case_id": case_id, "subject": "Tills are down", "body": "now", "contact": contact})
            await cases.ask(case_id, "identify", {"account_id": account, "by": "s-1"})
            await cases.ask(case_id, "assign", {"owner": "S-1", "by": "s-1"})
            await cases.ask(case_id, "escalate", {"reason": "all tills stand still", "by": "s-1"})
            await cases.ask(case_id, "resolve", {"code": "fixed", "text": "Cable replaced.", "by": "s-1"})
            await cases.ask(case_id, "reopen", {"reason": "it is broken again", "by": "s-1"})
            of_case = [f"case.{what}" for what in ("opened", "escalated", "resolved", "reopened")]

            async def told() -> bool:
                return {one.body["type"] for one in receiver.taken()} >= set(of_case)

            await until(told, "the case was told of")
    bodies = [one.body for one in receiver.taken() if one.body["type"].startswith("case.")]
    assert sorted(body["type"] for body in bodies) == sorted(of_case), "each once"
    schemas = {kind.type.value: kind.schema() for kind in CATALOGUE}
    for body in bodies:
        jsonschema.validate(body, schemas[body["type"]])
        assert (body["data"]["account_id"], body["data"]["case_id"]) == (account, case_id)
    assert (
        next(body["data"]["reason"] for body in bodies if body["type"] == "case.escalated") == "all tills stand still"
    )


async def test_without_an_endpoint_nothing_is_written_for_it(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=1))
    channels = await servers.pool.fetch("select distinct channel from outbox where account_id = $1", account)
    assert "deliver_webhook" not in {row["channel"] for row in channels}
