"""One id, one request: of a journey and of a case, at once and after a rollover, and as the release before wrote it down."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from activities.kernel.pool import Pool
from domain.kernel.refusals import Refusal
from tests.builders import order
from tests.cases import case, case_client, customer, staffed
from tests.conftest import Servers
from tests.e2e.lives import account_of, place, rows_at_rest, rows_of, run_id

pytestmark = pytest.mark.engine  # updates that the server gets twice


async def rows_of_case(pool: Pool, case_id: str) -> list[Any]:
    """All that is on record of a case."""
    return [
        await pool.fetch(f"select * from {table} where case_id = $1 order by 1, 2, 3", case_id)
        for table in ("service_case", "case_event", "case_message")
    ]


def requests_of(document: dict[str, Any]) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Updates of a journey in an order in which they are possible: name, request, and what makes another request of it."""
    contract = document["contracts"][0]["contract_id"]
    quote = f"Q-{document['order_id']}"
    seats = f"{document['order_id']}.1"
    line = {
        "kind": "quantity",
        "line_id": "1",
        "asset_id": seats,
        "delta": 5,
        "effective": document["contracts"][0]["term"]["start"],
    }
    return [
        ("complete_task", {"task": "kickoff"}, {"task": "training"}),
        ("pause", {"reason": "holiday"}, {"reason": "audit"}),
        ("resume", {"by": "s-1"}, {}),
        ("place_hold", {"reason": "audit"}, {"level": "warn"}),
        ("override_hold", {"by": "s-1", "role": "service_manager", "reason": "call", "hours": 2}, {"hours": 3}),
        ("amend_assets", {"assets": [{"asset_id": seats, "add": 3}]}, {"assets": [{"asset_id": seats, "add": 4}]}),
        ("note_mail", {"event": "answered", "case_id": "C-0", "template": "survey"}, {"template": "offer"}),
        ("report_fulfilment", {"order_id": document["order_id"], "line_id": "3", "step": "shipped"}, {"quantity": 1}),
        ("request_quote", {"quote_id": quote, "lines": [line]}, {"valid_days": 9}),
        ("decline_quote", {"quote_id": quote}, {"reason": "price"}),
        ("renew_assets", {"contract_id": contract}, {"months": 24}),
        ("cancel_assets", {"contract_id": contract, "effective": "period_end"}, {"effective": "now"}),
    ]


async def test_another_request_under_an_id_of_a_journey_is_refused_and_nothing_is_written(servers: Servers) -> None:
    document = order()
    document["account"]["segment"] = "standard"
    account = account_of(document)
    await place(servers.temporal, document, start={"roll_over_after_events": 60})
    await servers.client.fast_forward(account, timedelta(minutes=1))
    asked = []
    for number, (update, request, other) in enumerate(requests_of(document)):
        request = {"request_id": f"r-{number}", **request}
        answer = await servers.client.ask(account, update, request)
        asked.append((update, request, {**request, **other}, answer))

    async def all_again() -> None:
        for update, request, other, answer in asked:
            assert await servers.client.ask(account, update, {**request, "by": "s-2"}) == answer, update
            if other == request:
                continue
            with pytest.raises(Refusal) as refused:
                await servers.client.ask(account, update, other)
            assert refused.value.type == "RequestConflict", (update, str(refused.value))

    before = await rows_at_rest(servers.temporal, servers.pool, account)
    await all_again()
    assert await rows_of(servers.pool, account) == before
    run = await run_id(servers.temporal, account)
    await servers.client.fast_forward(account, timedelta(days=40))
    assert await run_id(servers.temporal, account) != run
    before = await rows_at_rest(servers.temporal, servers.pool, account)
    await all_again()
    assert await rows_of(servers.pool, account) == before
    # Rows of a release that noted no fingerprint: whatever comes under their ids gets the first answer.
    await servers.pool.execute("update effect set asked = null where account_id = $1", account)
    for update, _, other, answer in asked:
        assert await servers.client.ask(account, update, other) == answer, update


OF_A_CASE: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("note", {"body": "looks bad"}, {"shared": True}),
    ("respond", {"body": "We are on it."}, {"body": "We are not."}),
    ("prioritise", {"priority": "high"}, {"priority": "low"}),
    ("escalate", {"reason": "angry"}, {"reason": "very angry"}),
    ("de_escalate", {"reason": "calm"}, {"reason": "very calm"}),
    ("wait", {"reason": "a part"}, {"waiting_for": "internal"}),
    ("resume", {"reason": "it came"}, {"reason": "it came late"}),
    ("assign", {"reason": "whoever"}, {"team": "nobody"}),
    ("grant_goodwill", {"amount": "1000", "reason": "sorry", "line_id": "3"}, {"amount": "2000"}),
    ("resolve", {"code": "fixed", "text": "A new cable."}, {"text": "A new till."}),
    ("reopen", {"reason": "again"}, {"reason": "and again"}),
]


async def test_another_request_under_an_id_of_a_case_is_refused_and_nothing_is_written(servers: Servers) -> None:
    team = await staffed(servers, "S-rep")
    document = await customer(servers)
    opened = case(document, team=team)
    cases = case_client(servers)
    await cases.open_case(opened)
    case_id = opened["case_id"]
    done = []
    for number, (update, request, other) in enumerate(OF_A_CASE):
        request = {"request_id": f"r-{number}", "by": "S-rep", **request}
        if "line_id" in request:
            request["order_id"] = document["order_id"]
        answer = await cases.ask(case_id, update, request)
        done.append((update, request, {**request, **other}, answer))
    before = await rows_of_case(servers.pool, case_id)
    for update, request, other, answer in done:
        assert await cases.ask(case_id, update, request) == answer, update
        with pytest.raises(Refusal) as refused:
            await cases.ask(case_id, update, other)
        assert refused.value.type == "RequestConflict", (update, str(refused.value))
    assert await rows_of_case(servers.pool, case_id) == before


async def test_an_id_means_one_request_whatever_kind_it_is_of(servers: Servers) -> None:
    document = order()
    account, seats = account_of(document), f"{document['order_id']}.1"
    await servers.client.place_order(document)
    kickoff = {"task": "kickoff", "request_id": "crm-7"}
    answer = await servers.client.ask(account, "complete_task", kickoff)
    others: list[tuple[str, dict[str, Any]]] = [
        ("pause", {"reason": "holiday"}),
        ("amend_assets", {"assets": [{"asset_id": seats, "add": 3}]}),
        ("place_hold", {"reason": "audit"}),
        ("change_account", {"language": "en"}),
        ("report_fulfilment", {"order_id": document["order_id"], "line_id": "3", "step": "shipped"}),
        ("request_quote", {"quote_id": f"Q-{account}", "lines": requests_of(document)[8][1]["lines"]}),
        ("note_mail", {"event": "unsubscribed", "contact_id": "P-1"}),
    ]
    before = await rows_at_rest(servers.temporal, servers.pool, account)
    for update, request in others:
        with pytest.raises(Refusal, match=r"asked for something else \(complete task\)") as refused:
            await servers.client.ask(account, update, {**request, "request_id": "crm-7"})
        assert refused.value.type == "RequestConflict", (update, str(refused.value))
    assert await rows_of(servers.pool, account) == before
    assert await servers.client.ask(account, "complete_task", kickoff) == answer
    # Another customer's requests, and those of a case, have ids of their own.
    other = await customer(servers)
    await servers.client.ask(account_of(other), "pause", {"reason": "holiday", "request_id": "crm-7"})
    opened = case(document, team=await staffed(servers, "S-rep2"))
    cases = case_client(servers)
    await cases.open_case(opened)
    await cases.ask(opened["case_id"], "note", {"body": "looks bad", "by": "S-rep2", "request_id": "crm-7"})
    for update, request in (
        ("wait", {"reason": "a part"}),
        ("merge", {"into": opened["case_id"]}),
        ("grant_goodwill", {"amount": "1", "reason": "sorry"}),
    ):
        with pytest.raises(Refusal, match=r"asked for something else \(note\)"):
            await cases.ask(opened["case_id"], update, {**request, "by": "S-rep2", "request_id": "crm-7"})


async def test_a_renewal_that_was_accepted_is_not_declined_under_the_same_id(servers: Servers) -> None:
    document = order()
    account, contract = account_of(document), document["contracts"][0]["contract_id"]
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=330))
    accept = {"contract_id": contract, "decision": "accept", "request_id": "r-1"}
    answer = await servers.client.ask(account, "answer_renewal", accept)
    assert answer["status"] == "renewed"
    with pytest.raises(Refusal, match="asked for something else"):
        await servers.client.ask(account, "answer_renewal", {**accept, "decision": "decline", "reason": "price"})
    assert await servers.client.ask(account, "answer_renewal", accept) == answer
    assert await servers.pool.fetchval("select status from contract where contract_id = $1", contract) == "active"
