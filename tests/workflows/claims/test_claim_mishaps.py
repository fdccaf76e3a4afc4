"""Money asked back at the wrong moment: by two at once, or decided too late."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from domain.kernel.refusals import Refusal
from tests.conftest import Servers
from tests.pricing import open_shop


@pytest.mark.engine
async def test_two_cases_grant_goodwill_at_once_from_one_budget(servers: Servers) -> None:
    shop = await open_shop(servers)
    cases = [await shop.open_case(order_id=shop.order_id, line_id="3") for _ in range(3)]
    grant = {"amount": "60000", "reason": "a bad start", "by": shop.manager, "role": "manager"}
    answers = await asyncio.gather(
        *(shop.cases.ask(case_id, "grant_goodwill", grant) for case_id in cases), return_exceptions=True
    )
    assert sum(isinstance(answer, dict) for answer in answers) == 1
    assert [answer.type for answer in answers if isinstance(answer, Refusal)] == ["OverBudget"] * 2
    assert [memo["total"] for memo in await shop.memos()] == [60_000]


@pytest.mark.engine
async def test_two_approve_at_once_and_the_money_goes_once(servers: Servers) -> None:
    shop = await open_shop(servers)
    await shop.publish("60000", await shop.day())
    case_id = await shop.open_case()
    await shop.claim(case_id)
    both = [{"by": shop.lead, "role": "lead"}, {"by": shop.manager, "role": "manager"}]
    answers = await asyncio.gather(
        *(shop.cases.ask(case_id, "approve_claim", one) for one in both), return_exceptions=True
    )
    assert [answer.type for answer in answers if isinstance(answer, Refusal)] == ["UnknownClaim"]
    assert [memo["total"] for memo in await shop.memos()] == [100_000]


async def test_an_approval_after_its_time_comes_too_late_even_if_no_timer_rang(servers: Servers) -> None:
    shop = await open_shop(servers)
    await shop.publish("60000", await shop.day())
    case_id = await shop.open_case()
    await shop.claim(case_id)
    # As if the worker had been away when the time was over.
    over = await shop.cases.now(case_id) - timedelta(minutes=1)
    await servers.pool.execute("update refund_claim set remind_at = $2, due_at = $2 where case_id = $1", case_id, over)
    for update in ("approve_claim", "reject_claim"):
        with pytest.raises(Refusal, match="had to be decided by"):
            await shop.cases.ask(case_id, update, {"by": shop.lead, "role": "lead", "reason": "fine"})
    await shop.cases.ask(case_id, "retry", {"by": shop.lead})
    [claim] = await shop.claims()
    assert (claim.status, claim.decided_at, claim.decided_by) == ("timed_out", over, "system")
    assert await shop.memos() == []


async def test_why_a_claim_was_refused_is_not_among_what_the_customer_was_written(servers: Servers) -> None:
    shop = await open_shop(servers)
    await shop.publish("60000", await shop.day())
    case_id = await shop.open_case()
    await shop.claim(case_id)
    reason = "they always try this"
    await shop.cases.ask(case_id, "reject_claim", {"by": shop.lead, "role": "lead", "reason": reason})
    told = await servers.pool.fetch(
        "select body from case_message where case_id = $1 and direction = 'outbound'", case_id
    )
    assert [row["body"] for row in told if row["body"]] == ["price match of 100000 JPY declined"]
    declined = await shop.mail("ご返金のご依頼について")
    assert reason not in (declined.text or "")
