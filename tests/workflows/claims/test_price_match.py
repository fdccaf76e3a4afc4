"""Price protection end to end: a case, the ledger, the mailbox, and whoever has a say."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from activities.holds.hold_rows import active_holds
from domain.kernel.refusals import Refusal
from gateway.cases import CaseClient
from tests.conftest import Servers
from tests.e2e.lives import until
from tests.pricing import open_shop
from tests.webhook_receiver import Received, Receiver
from tests.workflows.billing.test_invoice_lines import ITEM, NET, PRICE, RATE, UNITS, documents, number
from workers.wiring import build_worker


def yen(amount: int) -> dict[str, str]:
    return {"amount": str(amount), "currency": "JPY"}


async def test_bought_yesterday_cheaper_today_one_call(servers: Servers) -> None:
    shop = await open_shop(servers, tax_rates=["10"])
    today = await shop.later(1)
    await shop.publish("72000", today)

    case_id = await shop.open_case()
    bought = {line.line_id: line for line in await shop.cases.purchases(shop.account_id)}
    assert (bought["3"].unit_price, bought["3"].left) == (Decimal(80_000), Decimal(400_000))
    now = await shop.cases.now(case_id)
    shown = await shop.cases.preview_price_match(shop.account_id, shop.order_id, "3", as_of=now)
    assert shown.now is not None
    assert [shown.paid.amount, shown.now.amount, shown.difference.amount] == [80_000, 72_000, 8_000]
    assert [shown.net.amount, shown.tax.amount, shown.refund.amount] == [40_000, 4_000, 44_000]
    assert (shown.window_ends_on, shown.price_since) == (today + timedelta(days=29), today)
    assert (shown.refused, shown.approval, shown.claims) == (None, "agent", [])

    answer = await shop.claim(case_id, refund="44000", request_id="call-1")
    assert (answer["status"], answer["refund"]) == ("refunded", yen(44_000))
    assert await shop.claim(case_id, refund="44000", request_id="call-1") == answer
    await shop.cases.ask(case_id, "resolve", {"code": "price_match", "text": "差額を返金しました。", "by": shop.agent})

    [memo] = await shop.memos()
    assert (memo["credit_memo_id"], memo["total"], memo["currency"]) == (answer["credit_memo"], 44_000, "JPY")
    assert (memo["kind"], memo["order_id"], memo["line_id"]) == ("price_protection", shop.order_id, "3")
    mail = await shop.mail(memo["credit_memo_id"])
    assert mail.summary.language == "ja"
    assert all(words in (mail.text or "") for words in ("差額をご返金", "￥80,000", "￥72,000", "￥44,000", "￥4,000"))
    assert f"添付：返金明細書 {memo['credit_memo_id']}" in (mail.text or "")
    [(_, [given_back])] = [
        found for found in await documents(servers, shop.account_id, "ja") if found[0]["kind"] == "credit_memo"
    ]
    assert "の差額返金：5×（80000－72000）JPY、税額4000" in given_back[ITEM]
    assert [number(given_back[column]) for column in (UNITS, PRICE, RATE, NET)] == [5, 8_000, 10, 40_000]
    told = await shop.mail(f"{case_id}: price match of ¥44,000", shop.owner_email)
    assert f"Decided by Agent {shop.agent} (" in (told.text or "")
    assert (await shop.cases.case(case_id)).status == "resolved"  # type: ignore[union-attr]
    assert [kind for kind in await shop.kinds(case_id) if kind in ("created", "refunded", "resolved")] == [
        "created",
        "refunded",
        "resolved",
    ]

    async def looked_at() -> set[str]:
        looks = "select key from effect where account_id = $1 and key like '%/service/review-%'"
        return {row["key"].rpartition(":")[2] for row in await servers.pool.fetch(looks, shop.account_id)}

    async def all_told() -> bool:
        return "resolved" in await looked_at()

    await until(all_told, "the journey has heard of it")
    assert await looked_at() == {"opened", "resolved"}, "what holds sales back is the same after a refund"
    [line] = [row for row in await servers.journal(shop.account_id) if row["kind"] == "case_goodwill"]
    assert (line["detail"]["refund"], line["detail"]["paid"], line["detail"]["now"]) == (yen(44_000), "80000", "72000")
    [claim] = await shop.claims()
    assert (claim.gross, claim.tax) == (Decimal(40_000), Decimal(4_000))
    assert (claim.price_since, claim.paid_on) == (today, today - timedelta(days=1))


async def test_a_claim_again_shows_the_first_and_a_later_drop_pays_what_it_adds(servers: Servers) -> None:
    shop = await open_shop(servers)
    await shop.publish("75000", await shop.day())
    first, second = await shop.open_case(), await shop.open_case()
    answer = await shop.claim(first)
    with pytest.raises(Refusal) as refusal:
        await shop.claim(second)
    assert refusal.value.type == "AlreadyClaimed"
    assert answer["claim_id"] in str(refusal.value)
    await shop.publish("70000", await shop.later(3))
    assert (await shop.claim(second))["refund"] == yen(25_000)
    assert [memo["total"] for memo in await shop.memos()] == [25_000, 25_000]
    said = await servers.pool.fetchval(
        "select string_agg(description, ' | ' order by credit_memo_id) from credit_memo_line join credit_memo using (credit_memo_id)"
        " where account_id = $1",
        shop.account_id,
    )
    assert "5 × (80000 - 75000) JPY |" in said
    # The line adds up for whoever reads it.
    assert said.endswith("5 × (80000 - 70000) JPY, less 25000 that was given back before")
    shown = await shop.cases.preview_price_match(
        shop.account_id, shop.order_id, "3", as_of=await servers.client.now(shop.account_id)
    )
    assert (shown.refused, [claim["claim_id"] for claim in shown.claims]) == (
        "AlreadyClaimed",
        [answer["claim_id"], f"{second}.r1"],
    )


@pytest.mark.engine
async def test_two_cases_claim_the_same_line_at_once(servers: Servers) -> None:
    shop = await open_shop(servers)
    await shop.publish("75000", await shop.day())
    cases = [await shop.open_case() for _ in range(4)]
    answers = await asyncio.gather(*(shop.claim(case_id) for case_id in cases), return_exceptions=True)
    refunded = [answer for answer in answers if isinstance(answer, dict)]
    refused = [answer for answer in answers if isinstance(answer, Refusal)]
    assert (len(refunded), {refusal.type for refusal in refused}) == (1, {"AlreadyClaimed"})
    assert len(refused) == 3
    assert [memo["total"] for memo in await shop.memos()] == [25_000]
    kinds = [await shop.kinds(case_id) for case_id in cases]
    assert sum(found.count("refunded") for found in kinds) == 1


async def test_a_lead_approves_and_nobody_else_may(servers: Servers) -> None:
    shop = await open_shop(servers)
    await shop.publish("60000", await shop.day())
    case_id = await shop.open_case()
    asked = await shop.claim(case_id)
    assert (asked["status"], asked["approval"], asked["refund"]) == ("waiting", "lead", yen(100_000))
    assert "claimed" in await shop.kinds(case_id)
    assert await shop.memos() == []
    await shop.mail(f"{case_id}: price match of ¥100,000", f"{shop.lead.lower()}@seller.example")

    decisions: list[tuple[str, dict[str, Any]]] = [
        ("NotAllowed", {"by": shop.agent, "role": "lead"}),
        ("NotAllowed", {"by": shop.lead, "role": "manager"}),
        ("NotAllowed", {"by": shop.lead, "role": "agent"}),
        ("UnknownClaim", {"by": shop.lead, "claim_id": "nothing"}),
    ]
    for type, decision in decisions:
        with pytest.raises(Refusal) as refusal:
            await shop.cases.ask(case_id, "approve_claim", decision)
        assert refusal.value.type == type
    approved = await shop.cases.ask(case_id, "approve_claim", {"by": shop.lead, "role": "lead"})
    assert (approved["status"], approved["refund"]) == ("refunded", yen(100_000))
    assert [memo["total"] for memo in await shop.memos()] == [100_000]
    [claim] = await shop.claims()
    assert (claim.decided_by, claim.decided_role, claim.claimed_by) == (shop.lead, "lead", shop.agent)
    with pytest.raises(Refusal, match="0 claims wait"):
        await shop.cases.ask(case_id, "approve_claim", {"by": shop.manager, "role": "manager"})


async def test_what_was_returned_while_a_claim_waited_is_not_refunded(servers: Servers) -> None:
    shop = await open_shop(servers)
    await shop.publish("60000", await shop.day())
    case_id = await shop.open_case()
    await shop.claim(case_id)
    await shop.returned(3)
    approved = await shop.cases.ask(case_id, "approve_claim", {"by": shop.lead, "role": "lead"})
    assert approved["refund"] == yen(40_000)
    assert [memo["total"] for memo in await shop.memos()] == [40_000]


async def test_nobody_decides_in_time_and_the_claim_is_refused_by_itself(servers: Servers) -> None:
    shop = await open_shop(servers, quantity=50)
    await shop.publish("60000", await shop.day())
    case_id = await shop.open_case()
    asked = await shop.claim(case_id)
    assert (asked["status"], asked["approval"]) == ("waiting", "manager")
    await servers.client.fast_forward(shop.account_id, timedelta(days=6))
    assert await shop.memos() == []
    [claim] = await shop.claims()
    assert (claim.status, claim.decided_by, claim.credit_memo_id) == ("timed_out", "system", None)
    assert claim.remind_at is not None
    assert claim.reminded_at == claim.remind_at
    assert claim.claimed_at < claim.remind_at < (claim.due_at or claim.claimed_at) == claim.decided_at
    await shop.mail(f"{case_id}: price match of ¥1,000,000 still needs", f"{shop.manager.lower()}@seller.example")
    await shop.mail(f"{case_id}: price match of ¥1,000,000 was refused", f"{shop.agent.lower()}@seller.example")
    declined = await shop.mail("ご返金のご依頼について")
    assert "承認を得ることができませんでした" in (declined.text or "")
    # It may be asked for again, and then somebody decides.
    again = await shop.claim(case_id)
    assert again["claim_id"] != asked["claim_id"]
    rejected = await shop.cases.ask(
        case_id, "reject_claim", {"by": shop.manager, "role": "manager", "reason": "a special price before"}
    )
    assert rejected["status"] == "rejected"
    assert await shop.memos() == []


async def test_what_is_refused_leaves_nothing_behind(servers: Servers) -> None:
    shop = await open_shop(servers)
    case_id = await shop.open_case()
    today = await shop.day()

    async def refused(**request: Any) -> str:
        with pytest.raises(Refusal) as refusal:
            await shop.claim(case_id, **request)
        return refusal.value.type

    assert await refused() == "PriceUnknown"
    await shop.publish("500", today, currency="USD")
    assert await refused() == "OtherCurrency"
    await shop.publish("79950", today)
    assert await refused() == "BelowMinimum"
    await shop.publish("80000", today)
    assert await refused() == "NoPriceDrop"
    await shop.publish("72000", today)
    assert await refused(line_id="99") == "UnknownLine"
    assert await refused(line_id=shop.contract_line) == "PaidOverTime"
    assert await refused(quantity=6) == "TooManyUnits"
    assert await refused(quantity=-1) == "InvalidRequest"
    assert await refused(refund="1") == "NotAsShown"
    assert await refused(expected_version=99) == "StaleCase"
    await shop.shipped()
    assert await refused() == "NotDelivered"
    await shop.delivered()
    await shop.returned(5)
    assert await refused() == "LineReturned"
    with pytest.raises(Refusal) as stranger:
        await (await open_shop(servers)).claim(case_id)
    assert stranger.value.type == "UnknownLine"

    assert await shop.memos() == []
    assert await shop.claims() == []
    assert await shop.kinds(case_id) == ["created", "assigned"]


async def test_after_the_window_goodwill_has_a_budget_of_its_own(servers: Servers) -> None:
    shop = await open_shop(servers)
    today = await shop.later(40)
    await shop.publish("72000", today)
    case_id = await shop.open_case(order_id=shop.order_id, line_id="3")
    with pytest.raises(Refusal, match="grant goodwill") as refusal:
        await shop.claim(case_id)
    assert refusal.value.type == "OutOfWindow"

    async def grant(amount: int, **more: Any) -> dict[str, Any]:
        request = {"amount": str(amount), "reason": "just out of the window", "by": shop.agent, **more}
        return await shop.cases.ask(case_id, "grant_goodwill", request)

    granted = await grant(5_000)
    assert (granted["kind"], granted["status"]) == ("goodwill", "refunded")
    assert (await grant(30_000, by=shop.lead, role="lead"))["status"] == "refunded"
    assert (await grant(40_000))["approval"] == "manager"
    with pytest.raises(Refusal, match=r"25000 left in \d{4}") as above:
        await grant(25_001)
    assert above.value.type == "OverBudget"
    with pytest.raises(Refusal) as negative:
        await grant(-1)
    assert negative.value.type == "InvalidRequest"
    memos = await shop.memos()
    assert [(memo["reason"], memo["kind"], memo["total"]) for memo in memos] == [
        ("goodwill", "goodwill", Decimal(5_000)),
        ("goodwill", "goodwill", Decimal(30_000)),
    ]
    assert "お詫びのしるし" in ((await shop.mail(memos[0]["credit_memo_id"])).text or "")


async def test_a_disputed_refund_holds_sales_back(servers: Servers) -> None:
    shop = await open_shop(servers)
    case_id = await shop.open_case()
    now = await servers.client.now(shop.account_id)
    async with servers.pool.acquire() as connection:
        assert {hold.level for hold in await active_holds(connection, shop.account_id, now)} == {"warn"}
    await shop.cases.ask(case_id, "dispute_refund", {"reason": "the refund never came"})
    async with servers.pool.acquire() as connection:
        holds = await active_holds(connection, shop.account_id, now + timedelta(minutes=1))
    assert [(hold.level, hold.reason, hold.source) for hold in holds] == [("block", "refund_dispute", case_id)]
    with pytest.raises(Refusal, match="dispute already"):
        await shop.cases.ask(case_id, "dispute_refund", {"reason": "still not here"})


def memos(told: list[Received]) -> list[Received]:
    """What was told of credit notes."""
    return [one for one in told if one.body["type"] == "credit_memo.issued"]


@pytest.mark.engine
async def test_whoever_pays_is_told_of_the_credit_memo_once(servers: Servers) -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    queue = f"refunds-{uuid4().hex[:8]}"
    shop = await open_shop(servers)
    await shop.publish("72000", await shop.day())
    with Receiver(secret, [503], of="credit_memo.issued") as receiver:
        changes = {"task_queue": queue, "webhook_url": receiver.url, "webhook_secret": secret}
        settings = servers.settings.model_validate({**servers.settings.model_dump(), **changes})
        shop.cases = CaseClient(servers.temporal, servers.pool, task_queue=queue)
        async with build_worker(servers.temporal, servers.pool, settings):
            answer = await shop.claim(await shop.open_case())

            async def told() -> bool:
                return bool(memos(receiver.taken()))

            await until(told, "the endpoint is told")
        [event] = memos(receiver.taken())
        assert [attempt.id for attempt in memos(receiver.attempts)] == [event.id, event.id]
    assert (event.body["type"], event.genuine) == ("credit_memo.issued", True)
    data = event.body["data"]
    assert (data["credit_memo_id"], data["account_id"], data["total"]) == (
        answer["credit_memo"],
        shop.account_id,
        yen(40_000),
    )
    [line] = data["lines"]
    assert (line["kind"], line["order_id"], line["line_id"], line["amount"]) == (
        "price_protection",
        shop.order_id,
        "3",
        "40000",
    )
