"""Leads that service hands over: gated, held, routed, answered in time or not, credited."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.kernel.refusals import Refusal
from tests.conftest import Servers
from tests.e2e.lives import settled
from tests.workflows.service_side import COOL_DOWN, onboarded, open_case, report_full_use, resolve_case, shows, tell

LEAD = {
    "by": "S-2",
    "contact": "P-1",
    "product": "SEATS",
    "motion": "seats",
    "evidence": "They asked twice how to add colleagues",
    "consent": True,
}


async def lead_of(servers: Servers, lead_id: str) -> Any:
    """The lead's row."""
    return await servers.pool.fetchrow("select * from lead where lead_id = $1", lead_id)


async def notices_of(servers: Servers, account: str, like: str) -> list[str]:
    """Who was told something of that title."""
    rows = await servers.pool.fetch(
        "select staff_id from outbox where account_id = $1 and channel = 'deliver_notice' and body->>'title' like $2"
        " order by created_at, delivery_id",
        account,
        like,
    )
    return [row["staff_id"] for row in rows]


@pytest.mark.engine
async def test_a_lead_is_routed_accepted_and_won_to_the_credit_of_both(servers: Servers) -> None:
    _, account = await onboarded(servers)
    ask = servers.client.ask
    filed = await ask(account, "hand_over_lead", {**LEAD, "request_id": "l-1"})
    assert filed["status"] == "routed"
    assert await ask(account, "hand_over_lead", {**LEAD, "request_id": "l-1"}) == filed
    again = await ask(account, "hand_over_lead", {**LEAD, "evidence": "And once more on the telephone"})
    assert (again["lead_id"], again["merged"]) == (filed["lead_id"], True)
    assert "once more" in (await lead_of(servers, filed["lead_id"]))["evidence"]
    assert await notices_of(servers, account, "Lead from service%") == ["S-1"]
    with pytest.raises(Refusal, match="needs its reason"):
        await ask(account, "answer_lead", {"by": "S-1", "lead_id": filed["lead_id"], "decision": "reject"})
    with pytest.raises(Refusal, match="does not fit"):
        await ask(account, "answer_lead", {"by": "S-1", "lead_id": filed["lead_id"], "decision": "won"})
    await ask(account, "answer_lead", {"by": "S-1", "lead_id": filed["lead_id"], "decision": "accept"})
    await servers.client.fast_forward(account, timedelta(days=10))
    assert await notices_of(servers, account, "A lead waits%") == []
    won = await ask(account, "answer_lead", {"by": "S-1", "lead_id": filed["lead_id"], "decision": "won"})
    assert (won["sourced_by"], won["by"]) == ("S-2", "S-1")
    row = await lead_of(servers, filed["lead_id"])
    assert (row["status"], row["sourced_by"], row["closed_by"]) == ("won", "S-2", "S-1")
    assert await notices_of(servers, account, f"Lead for {LEAD['product']}%") == ["S-2", "S-2"]
    assert "service" not in (await servers.client.briefing(account)).splitlines()[0]


async def test_nobody_answers_so_somebody_else_gets_it_and_then_people_see_it(servers: Servers) -> None:
    _, account = await onboarded(servers)
    filed = await servers.client.ask(account, "hand_over_lead", LEAD)
    due_at = datetime.fromisoformat(filed["due_at"])
    await servers.client.fast_forward_to(account, due_at - timedelta(minutes=1))
    assert await notices_of(servers, account, "A lead waits%") == ["S-1"]
    assert (await lead_of(servers, filed["lead_id"]))["routed_to"] == "S-1"
    await servers.client.fast_forward_to(account, due_at + timedelta(minutes=1))
    row = await lead_of(servers, filed["lead_id"])
    assert (row["status"], row["routed_to"], row["rerouted"]) == ("routed", "S-2", 1)
    assert row["due_at"] > row["routed_at"] + timedelta(days=1)
    await servers.client.fast_forward_to(account, row["due_at"] + timedelta(minutes=1))
    assert await notices_of(servers, account, "A lead waits%") == ["S-1", "S-2"]
    assert (await lead_of(servers, filed["lead_id"]))["status"] == "overdue"
    await shows(servers, account, "lead_overdue")
    answer = {"by": "S-1", "lead_id": filed["lead_id"], "decision": "reject", "reason": "they want to wait"}
    await servers.client.ask(account, "answer_lead", answer)
    await settled(servers.pool, account)
    await shows(servers, account, "lead_overdue", shown=False)


async def test_a_lead_waits_for_a_block_and_its_time_begins_afterwards(servers: Servers) -> None:
    _, account = await onboarded(servers)
    case = await open_case(servers, account)
    filed = await servers.client.ask(account, "hand_over_lead", {**LEAD, "case_id": case})
    assert filed["status"] == "held"
    assert case in filed["why"]
    await servers.client.fast_forward(account, timedelta(days=6))
    assert (await lead_of(servers, filed["lead_id"]))["status"] == "held"
    assert await notices_of(servers, account, "Lead from service%") == []
    resolved_at = await resolve_case(servers, account, case)
    await servers.client.fast_forward(account, COOL_DOWN)
    row = await lead_of(servers, filed["lead_id"])
    assert row["routed_at"] >= resolved_at + timedelta(days=3)
    assert await notices_of(servers, account, "Lead from service, held back until now%") == ["S-1"]
    at = await servers.client.now(account)
    await servers.client.ask(account, "answer_lead", {"by": "S-1", "lead_id": filed["lead_id"], "decision": "accept"})
    await servers.pool.execute(
        "insert into case_event (case_id, sequence, at, recorded_at, kind, by) values ($1, 90, $2, $2, 'reopened', 'customer')",
        case,
        at,
    )
    await servers.pool.execute(
        "update service_case set status = 'open', resolved_at = null, status_at = $2, last_activity_at = $2 where case_id = $1",
        case,
        at,
    )
    await tell(servers, account, case, "reopened")
    assert (await lead_of(servers, filed["lead_id"]))["warned_at"] is not None
    assert len(await notices_of(servers, account, "Careful with the lead%")) == 1


async def test_a_lead_for_what_is_offered_already_joins_the_offer(servers: Servers) -> None:
    _, account = await onboarded(servers)
    await report_full_use(servers, account)
    await servers.client.fast_forward(account, timedelta(days=8))
    offer = await servers.pool.fetchval("select offer_id from offer where account_id = $1", account)
    filed = await servers.client.ask(account, "hand_over_lead", LEAD)
    assert (filed["status"], filed["offer_id"]) == ("attached", offer)


@pytest.mark.parametrize(
    ("more", "type", "says"),
    [
        ({"consent": False}, "NotAllowed", "did not agree to be called"),
        ({"contact": "P-9"}, "InvalidRequest", "none of this customer's contacts: P-1"),
        ({"product": "SEATZ"}, "UnknownProduct", "did you mean SEATS"),
        ({"case_id": "C-9"}, "InvalidRequest", "no case of this customer"),
        ({"evidence": "short"}, "InvalidRequest", "evidence"),
        ({"motion": "nagging"}, "InvalidRequest", "motion"),
        ({"evidence": None}, "InvalidRequest", "evidence"),
    ],
)
async def test_a_lead_without_its_grounds_is_refused(
    servers: Servers, more: dict[str, Any], type: str, says: str
) -> None:
    _, account = await onboarded(servers)
    with pytest.raises(Refusal, match=says) as refused:
        await servers.client.ask(account, "hand_over_lead", {**LEAD, **more})
    assert refused.value.type == type
    assert not await servers.pool.fetchval("select count(*) from lead where account_id = $1", account)


async def test_nothing_is_sold_to_a_customer_in_dispute(servers: Servers) -> None:
    _, account = await onboarded(servers)
    await open_case(servers, account, category="refund_dispute", priority="low")
    with pytest.raises(Refusal, match="in dispute"):
        await servers.client.ask(account, "hand_over_lead", LEAD)
