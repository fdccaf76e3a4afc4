"""Who may say otherwise than a sales hold: overrides, holds by hand, and journeys that pause or have ended."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from activities.holds import hold_rows
from domain.kernel.refusals import Refusal
from tests.conftest import Servers
from tests.e2e.lives import attention_of, settled, until
from tests.workflows.service_side import insert_case, live_holds, onboarded, open_case, report_full_use, tell


async def test_an_override_is_short_named_counted_and_shown_to_the_cases_owner(servers: Servers) -> None:
    _, account = await onboarded(servers)
    await servers.client.ask(account, "pause", {"reason": "so that nothing is looked at meanwhile"})
    await servers.client.ask(account, "resume", {})
    case = await open_case(servers, account, owner="S-2")
    at = await servers.client.now(account)
    first = f"journey:{account}/test/override#0"
    body = {
        "delivery_id": first,
        "template": "survey",
        "to_name": "Aoi",
        "to_email": f"aoi-{account.lower()}@customer.example",
        "language": "en",
        "time_zone": "Asia/Tokyo",
        "at": at.isoformat(),
        "context": {
            **{"company": "Tea", "contact_name": "Aoi", "seller": "Seller", "sender_name": "Sam"},
            **{"survey_id": "S-0", "question_kind": "nps"},
        },
    }
    await servers.pool.execute(
        "insert into outbox (delivery_id, account_id, channel, stage, body, created_at, purpose, status)"
        " values ($1, $2, 'deliver_mail', 'adoption', $3, $4, 'campaign', 'held')",
        body["delivery_id"],
        account,
        body,
        at,
    )
    for wrong, says in (
        ({"by": "S-1", "role": "sales_rep", "reason": "now", "hours": 2}, "may not override"),
        ({"by": "S-1", "role": "service_lead", "reason": "now", "hours": 25}, "hours"),
        (
            {
                "by": "S-1",
                "role": "service_lead",
                "reason": "now",
                "until": (at + timedelta(hours=30)).isoformat(),
            },
            "at most",
        ),
        ({"by": "S-1", "role": "service_lead", "reason": "now"}, "say how long"),
    ):
        with pytest.raises(Refusal, match=says):
            await servers.client.ask(account, "override_hold", wrong)
    asked = {"by": "S-1", "role": "service_lead", "reason": "they asked for it", "hours": 4, "request_id": "o-1"}
    answer = await servers.client.ask(account, "override_hold", asked)
    assert answer["cases"] == [case]
    assert await servers.client.ask(account, "override_hold", asked) == answer
    await settled(servers.pool, account)
    row = "select status from outbox where delivery_id = $1"
    await until_sent(servers, first)
    overrides = await servers.pool.fetch("select * from hold_override where account_id = $1", account)
    assert [(o["by"], o["used"], o["case_ids"]) for o in overrides] == [("S-1", 1, [case])]
    async with servers.pool.acquire() as connection:
        assert [hold.source for hold in await hold_rows.active_holds(connection, account, at)] == [case]
    events = await servers.pool.fetch("select * from case_event where case_id = $1", case)
    assert [e["detail"]["name"] for e in events] == ["hold_overridden"]
    told = await servers.pool.fetch(
        "select staff_id from outbox where account_id = $1 and channel = 'deliver_notice' and body->>'title' like $2",
        account,
        f"Case {case}%",
    )
    assert [one["staff_id"] for one in told] == ["S-2"]
    says = await servers.pool.fetchval(
        "select title from journal where account_id = $1 and kind = 'override_hold'", account
    )
    assert re.fullmatch(r"Holds overridden by \w+ \w+ \(service lead\) until [\d-]+ \d\d:\d\d: they asked for it", says)
    assert await live_holds(servers, account) == [("block", "pressing_case")]
    # It is over by itself: the next one waits again.
    await servers.client.fast_forward(account, timedelta(hours=5))
    again = {**body, "delivery_id": f"journey:{account}/test/override#1"}
    await servers.pool.execute(
        "insert into outbox (delivery_id, account_id, channel, stage, body, created_at, purpose, status)"
        " values ($1, $2, 'deliver_mail', 'adoption', $3, $4, 'campaign', 'held')",
        again["delivery_id"],
        account,
        again,
        at,
    )
    await tell(servers, account, case, "opened")
    assert await servers.pool.fetchval(row, again["delivery_id"]) == "held"


async def until_sent(servers: Servers, delivery_id: str) -> None:
    async def is_sent() -> bool:
        status = await servers.pool.fetchval("select status from outbox where delivery_id = $1", delivery_id)
        return bool(status == "sent")

    await until(is_sent, f"{delivery_id} is sent")


async def test_a_hold_by_hand_for_one_product_ends_by_hand_or_by_its_time(servers: Servers) -> None:
    _, account = await onboarded(servers)
    placed = await servers.client.ask(account, "place_hold", {"reason": "they are moving house", "by": "S-1"})
    with pytest.raises(Refusal, match="placed by hand"):
        await servers.client.ask(account, "lift_hold", {"hold_id": "no-such"})
    await report_full_use(servers, account)
    await servers.client.fast_forward(account, timedelta(days=2))
    assert f"`lift_hold` hold_id=`{placed['hold_id']}`" in await servers.client.briefing(account)
    assert not await servers.pool.fetchval("select count(*) from offer where account_id = $1", account)
    assert "Sales is held back: “they are moving house”" in await servers.client.briefing(account)
    await servers.client.ask(account, "lift_hold", {"hold_id": placed["hold_id"], "by": "S-1", "reason": "moved"})
    await servers.client.fast_forward(account, timedelta(days=6))
    assert await servers.pool.fetchval("select count(*) from offer where account_id = $1", account) == 1
    briefing = await servers.client.briefing(account)
    assert "`lift_hold`" not in briefing
    assert re.search(r"\*\*Sent last\*\* offer of more seats to the [\w ]+, ", briefing)
    assert re.search(r"playbook `\w+`, version \d+ ", briefing)
    until_then = (await servers.client.now(account)) + timedelta(days=3)
    await servers.client.ask(
        account, "place_hold", {"reason": "audit", "product": "CARE", "until": until_then.isoformat()}
    )
    assert await live_holds(servers, account) == [("block", "manual")]
    await servers.client.fast_forward(account, timedelta(days=4))
    assert await live_holds(servers, account) == []


async def test_a_paused_journey_looks_when_it_is_resumed_and_a_closed_one_keeps_nothing_waiting(
    servers: Servers,
) -> None:
    _, account = await onboarded(servers)
    await servers.client.ask(account, "pause", {"reason": "stocktaking"})
    at = await servers.client.now(account)
    async with servers.pool.acquire() as connection:
        case = await insert_case(connection, account, at)
    signal = {"id": f"{case}:1:opened", "at": at.isoformat(), "case_id": case, "what": "opened"}
    await servers.handle(account).signal("case_changed", signal)
    await servers.client.fast_forward(account, timedelta(hours=3))
    assert await live_holds(servers, account) == []
    await servers.client.ask(account, "resume", {})
    await servers.client.fast_forward(account, timedelta(minutes=1))
    assert await live_holds(servers, account) == [("block", "pressing_case")]
    await report_full_use(servers, account)
    await servers.client.fast_forward(account, timedelta(days=2))
    assert await servers.pool.fetchval("select count(*) from held_step where account_id = $1", account) == 1
    await servers.client.ask(account, "close_journey", {"reason": "sold"})
    assert not await servers.pool.fetchval("select count(*) from held_step where account_id = $1", account)
    assert not await servers.pool.fetchval(
        "select count(*) from outbox where account_id = $1 and status = 'held'", account
    )


async def test_a_signal_of_a_case_that_nobody_understands_raises_attention(servers: Servers) -> None:
    _, account = await onboarded(servers)
    bodies: list[list[Any]] = [
        [],
        ["text"],
        [{"id": 1}],
        [{"id": "x", "at": "never", "case_id": "C", "what": "w"}],
        [{}, {}],
    ]
    for body in bodies:
        await servers.handle(account).signal("case_changed", args=body)

    async def is_shown() -> bool:
        return "unknown_message" in await attention_of(servers.temporal, account)

    await until(is_shown, "the journey shows that it did not understand")
    assert await live_holds(servers, account) == []
