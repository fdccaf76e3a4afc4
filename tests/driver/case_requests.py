"""What can be asked of a case: for each update the case and a request that may well be accepted."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from domain.journey.registry import CASE, Kind
from tests.driver.life import AGENT, LEAD, MANAGER, Life, Party
from tests.driver.making import Makers

Made = tuple[str, dict[str, Any]] | None

MAKERS = Makers[Made]()
OPEN = ("new", "open", "waiting_customer", "waiting_internal", "waiting_third_party")
BY = {"by": AGENT}


async def some_case(life: Life, party: Party) -> str:
    """An open case of the customer, an old one or a new one."""
    known = await life.case(party, OPEN)
    return known if known is not None and life.random.random() < 0.6 else await life.open_case(party)


async def resolved(life: Life, party: Party) -> str:
    """A case that is resolved."""
    case_id = await life.open_case(party)
    await life.ask_case(case_id, "resolve", {"code": "fixed", "text": "It works again.", **BY})
    return case_id


@MAKERS.of("open_case")
async def open_case(life: Life, party: Party) -> Made:
    document = life.case_document(party)
    return document["case_id"], document


@MAKERS.of("respond")
async def respond(life: Life, party: Party) -> Made:
    return await some_case(life, party), {"body": "We look into it.", **BY}


@MAKERS.of("note")
async def note(life: Life, party: Party) -> Made:
    return await some_case(life, party), {"body": "Looks like a cable.", "shared": life.random.random() < 0.5, **BY}


@MAKERS.of("customer_message")
async def customer_message(life: Life, party: Party) -> Made:
    states = (*OPEN, "resolved", "closed")
    case_id = await life.case(party, states) or await life.open_case(party)
    return case_id, {"body": "Any news?", "channel": life.random.choice(["phone", "mail", "chat"])}


@MAKERS.of("answer_csat")
async def answer_csat(life: Life, party: Party) -> Made:
    sql = (
        "select s.survey_id, s.case_id from case_survey s join service_case c using (case_id) where c.account_id = $1"
        " and s.withdrawn_at is null and s.answered_at is null and s.sent_at > $2 order by s.survey_id"
    )
    row = await life.one(sql, party.account_id, await life.now(party) - timedelta(days=6))
    if row is None:
        await resolved(life, party)
        await life.later(party, 3)
        row = await life.one(sql, party.account_id, await life.now(party) - timedelta(days=6))
    return (row["case_id"], {"score": life.random.choice([1, 3, 4, 5, 5]), "comment": "thanks"}) if row else None


@MAKERS.of("wait")
async def wait(life: Life, party: Party) -> Made:
    until = (await life.now(party) + timedelta(days=life.random.randint(1, 9))).isoformat()
    request = {"waiting_for": life.random.choice(["customer", "internal", "third_party"]), "reason": "a part", **BY}
    return await life.open_case(party), {**request, **({"until": until} if life.random.random() < 0.5 else {})}


@MAKERS.of("resume")
async def resume(life: Life, party: Party) -> Made:
    case_id = await life.open_case(party)
    await life.ask_case(case_id, "wait", {"reason": "a part", **BY})
    return case_id, {"reason": "it came", **BY}


@MAKERS.of("resolve")
async def resolve(life: Life, party: Party) -> Made:
    return await some_case(life, party), {"code": "fixed", "text": "A new cable.", **BY}


@MAKERS.of("reopen")
async def reopen(life: Life, party: Party) -> Made:
    return await resolved(life, party), {"reason": "it is down again", **BY}


@MAKERS.of("merge")
async def merge(life: Life, party: Party) -> Made:
    return await life.open_case(party), {"into": await life.open_case(party), "reason": "the same", **BY}


@MAKERS.of("close")
async def close(life: Life, party: Party) -> Made:
    return await resolved(life, party), BY


@MAKERS.of("cancel")
async def cancel(life: Life, party: Party) -> Made:
    return await life.open_case(party), {"reason": "a mistake", **BY}


@MAKERS.of("assign")
async def assign(life: Life, party: Party) -> Made:
    to = life.random.choice([{"owner": AGENT}, {"owner": "AG-2"}, {"team": "service"}, {}])
    return await some_case(life, party), {**to, **BY}


@MAKERS.of("escalate")
async def escalate(life: Life, party: Party) -> Made:
    return await life.open_case(party), {"reason": "the shop stands still", **BY}


@MAKERS.of("de_escalate")
async def de_escalate(life: Life, party: Party) -> Made:
    case_id = await life.open_case(party)
    await life.ask_case(case_id, "escalate", {"reason": "the shop stands still", **BY})
    return case_id, {"reason": "it runs", **BY}


@MAKERS.of("prioritise")
async def prioritise(life: Life, party: Party) -> Made:
    levels = ["high", "medium", "low"]
    return await some_case(life, party), {
        "impact": life.random.choice(levels),
        "urgency": life.random.choice(levels),
        "reason": "looked at",
        **BY,
    }


@MAKERS.of("identify")
async def identify(life: Life, party: Party) -> Made:
    document = life.case_document(party)
    del document["account_id"]
    document["contact"] = {"name": "Somebody", "email": f"{document['case_id']}@elsewhere.example".lower()}
    await life.ask_case(document["case_id"], "open_case", document)
    return document["case_id"], {"account_id": party.account_id, "contact_id": "P-1", **BY}


@MAKERS.of("retry")
async def retry(life: Life, party: Party) -> Made:
    return await some_case(life, party), BY


# Money


async def bought(
    life: Life, party: Party, price: str = "80000", units: int = 3, *, to: int | None = None
) -> dict[str, Any]:
    """Devices bought a moment ago, of a product of their own, and a day later cheaper, `to` so many percent of their price."""
    order = life.order(party, await life.now(party), ahead=0)
    product = life.new_id("POS")
    order["products"].append({"code": product, "name": "Till", "kind": "device"})
    order["lines"] = [{"line_id": "9", "product": product, "quantity": units, "unit_price": price}]
    await life.ask(party, "place_order", order)
    await life.later(party, 1)
    share = life.random.choice([70, 95])
    await life.publish(party, product, str(int(price) * (to or share) // 100))
    return {"order_id": order["order_id"], "line_id": "9"}


async def claim(life: Life, party: Party) -> Made:
    line = await bought(life, party, life.random.choice(["500", "80000"]), life.random.randint(1, 9))
    case_id = await life.open_case(party, category="price_match")
    return case_id, {**line, "role": "agent", **BY}


@MAKERS.of("claim_price_match")
async def claim_price_match(life: Life, party: Party) -> Made:
    return await claim(life, party)


@MAKERS.of("grant_goodwill")
async def grant_goodwill(life: Life, party: Party) -> Made:
    line = await bought(life, party)
    case_id = await life.open_case(party, **line)
    return case_id, {
        "amount": life.random.choice(["1", "10", "50"]),
        "reason": "a bad start",
        "role": "manager",
        "by": MANAGER,
    }


async def waiting_claim(life: Life, party: Party) -> str:
    """A case with a claim above the agent's band."""
    line = await bought(life, party, "900000" if party.currency == "JPY" else "6000", 3, to=70)
    case_id = await life.open_case(party, category="price_match")
    await life.ask_case(case_id, "claim_price_match", {**line, "role": "agent", **BY})
    return case_id


@MAKERS.of("approve_claim")
async def approve_claim(life: Life, party: Party) -> Made:
    who = life.random.choice([(LEAD, "lead"), *[(MANAGER, "manager")] * 5])
    return await waiting_claim(life, party), {"by": who[0], "role": who[1], "reason": "fine"}


@MAKERS.of("reject_claim")
async def reject_claim(life: Life, party: Party) -> Made:
    return await waiting_claim(life, party), {"by": MANAGER, "role": "manager", "reason": "not this time"}


@MAKERS.of("dispute_refund")
async def dispute_refund(life: Life, party: Party) -> Made:
    made = await claim(life, party)
    if made is None:
        return None
    await life.ask_case(made[0], "claim_price_match", made[1])
    return made[0], {"reason": "that is not all"}


def as_in(kind: Kind) -> Callable[[Life, Party], Awaitable[Made]]:
    """The maker of a request that has none of its own: it is sent as the registry's example has it."""

    async def made(life: Life, party: Party) -> Made:
        return await some_case(life, party), dict(json.loads(kind.example))

    return made


MAKERS.update({name: as_in(kind) for name, kind in CASE.items() if name not in MAKERS})
