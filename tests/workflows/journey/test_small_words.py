"""Refusals and offers in words: the customer's days, what can be done, and nothing that would be refused at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.kernel.refusals import Refusal
from tests.asset_life import Life, refused
from tests.builders import order
from tests.cases import case, case_client, staffed
from tests.conftest import Servers
from tests.e2e.lives import until
from tests.workflows.quotes.test_quotes import asked, sale


@pytest.mark.engine
async def test_what_lies_beyond_the_end_is_said_with_the_customers_last_day(servers: Servers) -> None:
    life = await Life.begin(servers)
    last, beyond = life.day(12) - timedelta(days=1), life.month(14)
    seats = [{"asset_id": life.seats}]
    says = f"{life.seats} ends on {last.isoformat()}; name a day until then, or renew it first"
    await refused(life, "cancel_assets", {"assets": seats, "effective": beyond}, "AssetExpired", says)
    less = {"assets": [{"asset_id": life.seats, "remove": 1}], "effective": beyond}
    await refused(life, "amend_assets", less, "AssetExpired", says)
    early = {"assets": [{"asset_id": life.seats, "remove": 1}], "effective": "2020-01-01"}
    with pytest.raises(Refusal) as told:
        await life.ask("amend_assets", **early)
    assert "T" not in str(told.value).replace("Tanuki", ""), str(told.value)
    backwards = {"contract_id": life.contract, "start": life.month(12), "end": life.month(11)}
    with pytest.raises(Refusal) as told:
        await life.ask("renew_assets", **backwards)
    assert "T15:00" not in str(told.value)


async def test_too_many_assets_for_one_transfer_are_refused_with_what_to_do(servers: Servers) -> None:
    life = await Life.begin(servers)
    many = [{"asset_id": f"SO-0.{n}"} for n in range(51)]
    request = {"to_account": "somebody", "assets": many}
    await refused(life, "transfer_assets", request, "InvalidRequest", "51 assets are too many for one transfer")


@pytest.mark.parametrize("key", ["check-in", "adoption /check-in", "", "/", "adoption/check in", "x" * 300])
async def test_what_is_no_steps_key_is_refused_in_words(servers: Servers, key: str) -> None:
    life = await Life.begin(servers, days=1)
    for update, more in (("skip_step", {"reason": "x"}), ("reschedule_step", {"day": life.month(6)})):
        await refused(life, update, {"step": key, **more}, "InvalidRequest", "is no step's key such as")


async def test_a_price_that_is_missing_is_said_without_our_own_words(servers: Servers) -> None:
    life = await Life.begin(servers)
    free = {"code": f"NEW-{life.account}", "name": "Something new", "kind": "subscription"}
    await life.ask("amend_assets", assets=[{"asset_id": life.seats, "add": 1}], products=[free])
    request = asked(f"Q-{life.account}", sale("1", free["code"], 1), price_book="standard")
    await refused(life, "request_quote", request, "NoPrice", "has no price for a term for")


async def test_goodwill_in_a_currency_without_a_budget_says_where_there_is_one(servers: Servers) -> None:
    life = await Life.begin(servers, days=1)
    cases = case_client(servers)
    agent = f"AG-{life.account}"
    opened = case(life.document, owner=agent, team=await staffed(servers, agent))
    await cases.open_case(opened)
    line = {"order_id": life.document["order_id"], "line_id": "3", "reason": "sorry", "by": agent}
    with pytest.raises(Refusal, match="grant goodwill in JPY"):
        await cases.ask(opened["case_id"], "grant_goodwill", {"amount": "10", "currency": "CHF", **line})
    francs = order(currency="CHF")
    await servers.client.place_order(francs)
    other = case(francs, owner=agent, team=await staffed(servers, agent))
    await cases.open_case(other)
    says = r"no budget in CHF \(there is one in EUR, .*JPY.*\); `goodwill_year`"
    granted = {"amount": "10", "role": "manager", **line, "order_id": francs["order_id"]}
    with pytest.raises(Refusal, match=says) as told:
        await cases.ask(other["case_id"], "grant_goodwill", granted)
    assert told.value.type == "OverBudget"


async def test_a_renewal_is_offered_only_where_something_is_left_to_renew(servers: Servers) -> None:
    life = await Life.begin(servers)
    offered = f"`answer_renewal`, `request_renewal` contract_id=`{life.contract}`"

    async def briefed(words: str, *, there: bool = True) -> None:
        async def is_so() -> bool:
            return (words in await servers.client.briefing(life.account)) is there

        await until(is_so, f"{words} is {'' if there else 'not '}offered")

    await briefed(offered)
    await life.ask("cancel_assets", contract_id=life.contract, effective="period_end")
    await briefed("`answer_renewal`", there=False)
    accept = {"contract_id": life.contract, "decision": "accept"}
    await refused(life, "answer_renewal", accept, "NotAllowed", "nothing of it is left to renew")
    await life.ask("rollback", asset_id=life.seats)
    await briefed(offered)
    await life.ask("answer_renewal", contract_id=life.contract, decision="decline", reason="price")
    await briefed(f"`answer_renewal` contract_id=`{life.contract}`, decision=`accept`, which takes the decline back")
