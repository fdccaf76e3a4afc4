"""What can be asked of a journey: for each update a request that may well be accepted, made from what the tables know."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from domain.journey.catching_up import may_be_left_out
from domain.journey.registry import JOURNEY, Kind
from tests.driver import renewal_requests, sales_requests, task_requests
from tests.driver.life import LEAD, Life, Party
from tests.driver.making import Made, Makers

MAKERS = Makers[Made]()
APART = ("receive_assets", "take_up_holdings", "close_journey", "erase_person")
"""What is sent by other journeys, comes with an import, and ends a life: each has its own place in a life.
Whoever was erased is in no order any more, which random orders would not know."""


@MAKERS.of("place_order")
async def place_order(life: Life, party: Party) -> Made:
    return life.order(party, await life.now(party))


@MAKERS.of("import_order")
async def import_order(life: Life, party: Party) -> Made:
    return life.order(party, await life.now(party), past=True)


@MAKERS.of("import_orders")
async def import_orders(life: Life, party: Party) -> Made:
    now = await life.now(party)
    orders = [life.order(party, now, past=True) for _ in range(life.random.randint(2, 4))]
    return {"orders": sorted(orders, key=lambda order: str(order["activated_at"])), "request_id": life.new_id("R")}


@MAKERS.of("complete_task")
async def complete_task(life: Life, party: Party) -> Made:
    sql = (
        "select name, stage from onboarding_task where account_id = $1 and status = 'open' and owner <> 'system'"
        " order by stage, name"
    )
    row = await life.one(sql, party.account_id)
    if row is None:
        await life.ask(party, "place_order", life.order(party, await life.now(party), ahead=0))
        await life.later(party, 3)
        row = await life.one(sql, party.account_id)
    if row is None:
        return None
    return {"task": row["name"], "order_id": row["stage"].removeprefix("onboarding:"), "by": "S-2"}


async def _task(life: Life, party: Party, which: str) -> dict[str, Any] | None:
    """A task of onboarding of that kind, as a request names it."""
    sql = f"select name, stage from onboarding_task where account_id = $1 and {which} order by stage, name"
    rows = await life.rows(sql, party.account_id)
    if not rows:
        return None
    row = life.random.choice(rows)
    return {"task": row["name"], "order_id": row["stage"].removeprefix("onboarding:"), "by": "S-2"}


@MAKERS.of("block_task")
async def block_task(life: Life, party: Party) -> Made:
    task = await _task(life, party, "status = 'open' and waits_for is null and owner <> 'system'")
    return task and {**task, "waits_for": life.random.choice(["customer", "us"]), "reason": "somebody is away"}


@MAKERS.of("unblock_task")
async def unblock_task(life: Life, party: Party) -> Made:
    return await _task(life, party, "status = 'open' and waits_for is not null")


@MAKERS.of("reopen_task")
async def reopen_task(life: Life, party: Party) -> Made:
    task = await _task(life, party, "status = 'done' and owner <> 'system'")
    return task and {**task, "reason": "it was not done after all"}


@MAKERS.of("answer_renewal")
async def answer_renewal(life: Life, party: Party) -> Made:
    order = life.order(party, await life.now(party), ahead=0)
    order["contracts"][0]["term"]["months"] = life.random.choice([2, 3])
    order["contracts"][0]["notice_days"] = 0
    await life.ask(party, "place_order", order)
    await life.later(party, 42)
    decision = life.random.choice(["accept", "accept", "decline"])
    return {
        "contract_id": order["contracts"][0]["contract_id"],
        "decision": decision,
        "by": "customer",
        **({"reason": "price"} if decision == "decline" else {}),
    }


@MAKERS.of("request_renewal")
async def request_renewal(life: Life, party: Party) -> Made:
    sql = (
        "select contract_id from contract c where account_id = $1 and status = 'active' and not exists"
        " (select from contract_term t where t.contract_id = c.contract_id and t.number > 1 and t.starts_at > $2)"
        " and exists (select from asset a join asset_state_period p using (asset_id)"
        " where a.contract_id = c.contract_id and p.quantity > 0 and p.ends_at > $2) order by contract_id"
    )
    row = await life.one(sql, party.account_id, await life.now(party))
    return {"contract_id": row["contract_id"], "by": "customer"} if row else None


@MAKERS.of("answer_offer")
async def answer_offer(life: Life, party: Party) -> Made:
    sql = "select offer_id from offer where account_id = $1 and status = 'open' order by offer_id"
    row = await life.one(sql, party.account_id)
    if row is None:
        order = life.order(party, await life.now(party), ahead=0)
        order["contracts"][0]["term"]["months"] = 24
        await life.ask(party, "place_order", order)
        await life.settle_cases(party)
        await life.later(party, 3)
        await life.onboard(party)
        await life.use(party, 0.99)
        await life.later(party, 35)
        row = await life.one(sql, party.account_id)
    if row is None:
        return None
    return {"offer_id": row["offer_id"], "decision": life.random.choice(["accept", "decline"]), "by": "customer"}


@MAKERS.of("answer_survey")
async def answer_survey(life: Life, party: Party) -> Made:
    sql = "select survey_id from survey where account_id = $1 and withdrawn_at is null order by survey_id"
    row = await life.one(sql, party.account_id)
    if row is None:
        await life.settle_cases(party)
        await life.ask(party, "place_order", life.order(party, await life.now(party), ahead=0))
        await life.later(party, 3)
        await life.onboard(party)
        await life.later(party, 70)
        row = await life.one(sql, party.account_id)
    score = life.random.choice([3, 7, 8, 9, 9, 10, 10])
    if row is not None and row["survey_id"].startswith("ces-"):
        score = min(score, 7)
    return {"survey_id": row["survey_id"], "score": score, "comment": "fine", "by": "customer"} if row else None


@MAKERS.of("pause")
async def pause(life: Life, party: Party) -> Made:
    until = await life.now(party) + timedelta(days=life.random.randint(1, 9))
    return {"reason": "they asked for quiet", **({"until": until.isoformat()} if life.random.random() < 0.5 else {})}


@MAKERS.of("resume")
async def resume(life: Life, party: Party) -> Made:
    await life.ask(party, "pause", {"reason": "for a moment"})
    await life.later(party, life.random.choice([0.01, 2, 20]))
    return {"by": "S-1"}


@MAKERS.of("reconcile")
async def reconcile(life: Life, party: Party) -> Made:
    return {"by": "S-1"}


@MAKERS.of("retry_deliveries")
async def retry_deliveries(life: Life, party: Party) -> Made:
    return {"by": "S-1"}


@MAKERS.of("skip_step")
async def skip_step(life: Life, party: Party) -> Made:
    step = await some_step(life, party)
    return {"step": step, "reason": "they do not like that"} if step else None


@MAKERS.of("reschedule_step")
async def reschedule_step(life: Life, party: Party) -> Made:
    day, step = await life.today(party) + timedelta(days=life.random.randint(-1, 30)), await some_step(life, party)
    return {"step": step, "day": day.isoformat()} if step else None


async def some_step(life: Life, party: Party) -> str | None:
    """The key of a step that the journey waits for and that may be left out and moved."""
    agenda = await life.world.client.agenda_of(party.account_id)
    found = [step for step in agenda.steps if may_be_left_out(step.kind)] if agenda else []
    if not found:
        return None
    kind = life.random.choice(sorted({step.kind for step in found}))
    return life.random.choice([step.key for step in found if step.kind == kind])


@MAKERS.of("amend_assets")
async def amend_assets(life: Life, party: Party) -> Made:
    pick, asset = life.random, await life.asset(party, "a.selling_model = 'termed'")
    contract = await life.contract(party)
    today = await life.today(party)
    effective = pick.choice([None, None, today.isoformat(), (today + timedelta(days=pick.randint(1, 70))).isoformat()])
    when = {"effective": effective} if effective else {}
    if asset is None or (contract is not None and pick.random() < 0.2):
        if contract is None:
            return None
        line = {"contract_id": contract["contract_id"], "product": "PRO", "quantity": pick.randint(1, 9)}
        return {"add_ons": [{**line, "unit_price": life.price(party)}], **when}
    change: dict[str, Any] = pick.choice(
        [
            {"add": pick.randint(1, 20)},
            {"add": pick.randint(1, 20), "unit_price": life.price(party)},
            {"remove": pick.randint(1, max(1, asset["quantity"] - 1))},
            {"remove": asset["quantity"]},
            {"price": life.price(party)},
            {"fields": {"level": pick.choice(["gold", "blue"])}},
            {"end": (today + timedelta(days=pick.randint(20, 500))).isoformat()},
            {"start": (today + timedelta(days=pick.randint(1, 40))).isoformat()},
            {"end_with": {"contract_id": contract["contract_id"]}} if contract else {"add": 1},
        ]
    )
    return {"assets": [{"asset_id": asset["asset_id"], **change}], **when, "reason": "as they wish"}


@MAKERS.of("renew_assets")
async def renew_assets(life: Life, party: Party) -> Made:
    pick, contract = life.random, await life.contract(party)
    asset = await life.asset(party, "a.selling_model = 'termed'")
    terms: dict[str, Any] = pick.choice([{"months": pick.choice([1, 3, 12, 13])}, {}, {"uplift_percent": "4.2"}])
    if asset is not None and pick.random() < 0.4:
        priced = {"price": life.price(party)} if pick.random() < 0.5 else {}
        return {"assets": [{"asset_id": asset["asset_id"], **priced}], **terms}
    return {"contract_id": contract["contract_id"], **terms} if contract else None


@MAKERS.of("cancel_assets")
async def cancel_assets(life: Life, party: Party) -> Made:
    pick = life.random
    if pick.random() < 0.5:  # something of its own, so that not everything ends
        order = life.order(party, await life.now(party), ahead=pick.choice([0, 3, 15]))
        await life.ask(party, "place_order", order)
        target: dict[str, Any] = {"contract_id": order["contracts"][0]["contract_id"]}
        if pick.random() < 0.5:
            target = {"assets": [{"asset_id": f"{order['order_id']}.1"}]}
        first = order["contracts"][0]["term"]["start"]
    else:
        asset = await life.asset(party)
        if asset is None:
            return None
        target, first = {"assets": [{"asset_id": asset["asset_id"]}]}, (await life.today(party)).isoformat()
    later = (await life.today(party) + timedelta(days=pick.randint(1, 60))).isoformat()
    effective = pick.choice([{}, {}, {"effective": "period_end"}, {"effective": later}, {"effective": first}])
    return {**target, **effective, "reason": "not needed"}


@MAKERS.of("swap_assets")
async def swap_assets(life: Life, party: Party) -> Made:
    asset = await life.asset(party, "a.product_code = 'SEATS'")
    if asset is None:
        return None
    some = life.random.random() < 0.5
    line = {
        "asset_id": asset["asset_id"],
        "to_product": "PRO",
        "unit_price": life.price(party, 300),
        "kind": life.random.choice(["swap", "upgrade", "downgrade"]),
        **({"quantity": life.random.randint(1, asset["quantity"])} if some else {}),
    }
    return {"assets": [line]}


@MAKERS.of("transfer_assets")
async def transfer_assets(life: Life, party: Party) -> Made:
    other = life.other(party)
    asset = await life.asset(party, "a.selling_model = 'termed'")
    if asset is None or other.closed:
        return None
    pick = life.random
    part = {"quantity": pick.randint(1, asset["quantity"])} if pick.random() < 0.7 else {}
    day = (await life.today(party) + timedelta(days=pick.randint(1, 20))).isoformat()
    when = {"effective": day} if pick.random() < 0.3 else {}
    return {"to_account": other.account_id, "assets": [{"asset_id": asset["asset_id"], **part}], **when}


@MAKERS.of("rollback")
async def rollback(life: Life, party: Party) -> Made:
    asset = await life.asset(party, "a.selling_model = 'termed'")
    if asset is None:
        return None
    day = (await life.today(party) + timedelta(days=life.random.randint(2, 25))).isoformat()
    change = {"assets": [{"asset_id": asset["asset_id"], "add": 2}], "effective": day}
    await life.ask(party, "amend_assets", change)
    return {"asset_id": asset["asset_id"]}


@MAKERS.of("change_account")
async def change_account(life: Life, party: Party) -> Made:
    change: dict[str, Any] = life.random.choice(
        [
            {"owner": life.random.choice(["S-1", LEAD])},
            {"success_manager": life.random.choice(["S-2", LEAD])},
            {"language": life.random.choice(["en", "ja", "pt-BR"])},
            {"time_zone": life.random.choice(["Europe/Paris", "Asia/Seoul"])},
            {"segment": "standard"},
        ]
    )
    return {**change, "reason": "they moved", "by": "S-1"}


@MAKERS.of("change_contacts")
async def change_contacts(life: Life, party: Party) -> Made:
    person = {"contact_id": life.new_id("P"), "name": "Mia Roth", "email": f"mia.{life.made}@customer.example"}
    role = life.random.choice(["main", "billing", "sponsor"])
    return {"add": [person], "change": [{"contact_id": "P-1", "role": role}], "by": "S-1"}


# Quotes


def _changed(life: Life) -> dict[str, Any]:
    """What a quote changes of seats."""
    return life.random.choice(
        [
            {"kind": "quantity", "delta": life.random.choice([2, 9])},
            {"kind": "quantity", "delta": -1},
            {"kind": "cancel"},
            {"kind": "swap", "to_product": "CARE", "quantity": 1},
            {"kind": "renew", "months": 12},
        ]
    )


async def quote(life: Life, party: Party, off: str | None = None) -> dict[str, Any]:
    """A request for a quote on a device or on what is owned."""
    await life.settle_cases(party)
    await life.prices(party)
    made = {"quote_id": life.new_id("Q"), "discounts": [{"name": "friend", "value": off}] if off else [], "by": "S-1"}
    asset = await life.asset(party, "a.product_code = 'SEATS'")
    if off is None and asset is not None and life.random.random() < 0.4:
        change: dict[str, Any] = {"line_id": "1", "asset_id": asset["asset_id"], **_changed(life)}
        if life.random.random() < 0.6 and change["kind"] != "renew":
            change["effective"] = (await life.today(party) + timedelta(days=life.random.randint(1, 40))).isoformat()
        return {**made, "lines": [change]}
    lines: list[dict[str, Any]] = [
        {"kind": "sale", "line_id": "1", "product": life.device, "quantity": life.random.randint(1, 5)}
    ]
    if life.random.random() < 0.5:
        lines.append({"kind": "sale", "line_id": "2", "product": "SEATS", "quantity": 4, "months": 12})
    return {**made, "lines": lines, "price_book": life.book}


@MAKERS.of("request_quote")
async def request_quote(life: Life, party: Party) -> Made:
    return await quote(life, party, life.random.choice([None, "5"]))


@MAKERS.of("approve")
async def approve(life: Life, party: Party) -> Made:
    asked = await quote(life, party, "35")
    await life.ask(party, "request_quote", asked)
    if life.random.random() < 0.4:
        await life.later(party, life.random.choice([5, 5, 25]))  # it waits for its approval, for ever if need be
    decision = life.random.choice(["approve", "approve", "reject"])
    said = {"reason": "too much"} if decision == "reject" else {}
    return {"quote_id": asked["quote_id"], "role": "director", "decision": decision, "by": "D-1", **said}


@MAKERS.of("accept_quote")
async def accept_quote(life: Life, party: Party) -> Made:
    asked = await quote(life, party)
    await life.ask(party, "request_quote", asked)
    return {"quote_id": asked["quote_id"], "by": "customer"}


@MAKERS.of("decline_quote")
async def decline_quote(life: Life, party: Party) -> Made:
    asked = await quote(life, party)
    await life.ask(party, "request_quote", asked)
    return {"quote_id": asked["quote_id"], "reason": "too dear", "by": "customer"}


@MAKERS.of("report_fulfilment")
async def report_fulfilment(life: Life, party: Party) -> Made:
    order = life.order(party, await life.now(party), ahead=0)
    order["lines"] = [{"line_id": "3", "product": life.device, "quantity": 4, "unit_price": life.price(party, 500)}]
    await life.ask(party, "place_order", order)
    about = {"order_id": order["order_id"], "line_id": "3", "by": "warehouse"}
    promised = (await life.now(party) + timedelta(days=2)).isoformat()
    await life.ask(party, "report_fulfilment", {**about, "step": "ordered", "promised_at": promised})
    if life.random.random() < 0.4:
        await life.later(party, 4)  # late
    for step in ("shipped", "delivered"):
        await life.ask(party, "report_fulfilment", {**about, "step": step, "quantity": 3})
    return {**about, "step": life.random.choice(["installed", "returned", "shipped"]), "quantity": 1}


def as_in(kind: Kind) -> Callable[[Life, Party], Awaitable[Made]]:
    """The maker of a request that has none of its own: it is sent as the registry's example has it."""

    async def made(life: Life, party: Party) -> Made:
        return dict(json.loads(kind.example))

    return made


MAKERS.update(sales_requests.MAKERS)
MAKERS.update(renewal_requests.MAKERS)
MAKERS.update(task_requests.MAKERS)
MAKERS.update({name: as_in(kind) for name, kind in JOURNEY.items() if name not in (*MAKERS, *APART)})
