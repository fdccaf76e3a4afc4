"""What sales and service ask of a journey beside its customer: holds, leads, what is sold from a case, mails that came in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.driver.life import AGENT, LEAD, Life, Party
from tests.driver.making import Made, Makers

MAKERS = Makers[Made]()


@MAKERS.of("place_hold")
async def place_hold(life: Life, party: Party) -> Made:
    until = (await life.now(party) + timedelta(days=3)).isoformat()
    return {"reason": "do not disturb", "level": life.random.choice(["warn", "block"]), "until": until, "by": "S-2"}


@MAKERS.of("lift_hold")
async def lift_hold(life: Life, party: Party) -> Made:
    await life.ask(party, "place_hold", {"reason": "a moment", "by": "S-2"})
    row = await life.one(
        "select hold_id from sales_hold where account_id = $1 and reason = 'manual' and lifted_at is null order by hold_id",
        party.account_id,
    )
    return {"hold_id": row["hold_id"], "reason": "over", "by": "S-2"} if row else None


@MAKERS.of("override_hold")
async def override_hold(life: Life, party: Party) -> Made:
    await life.ask(party, "place_hold", {"reason": "a moment", "by": "S-2"})
    return {"by": LEAD, "role": "service_manager", "reason": "the director asks", "hours": life.random.randint(1, 24)}


@MAKERS.of("acknowledge_hold")
async def acknowledge_hold(life: Life, party: Party) -> Made:
    await life.ask(party, "place_hold", {"reason": "read this first", "level": "warn", "by": "S-2"})
    return {"by": "S-1"}


@MAKERS.of("release_for_renewal")
async def release_for_renewal(life: Life, party: Party) -> Made:
    case_id = await life.open_case(party)
    return {"by": AGENT, "role": "service_manager", "case_id": case_id, "reason": "talked to them"}


def _lead(life: Life) -> dict[str, Any]:
    return {
        "by": "S-2",
        "contact": "P-1",
        "product": life.random.choice(["SEATS", "PRO"]),
        "motion": life.random.choice(["seats", "tier", "add_on", "cross_sell"]),
        "evidence": "They asked twice how to add colleagues",
        "consent": True,
    }


@MAKERS.of("hand_over_lead")
async def hand_over_lead(life: Life, party: Party) -> Made:
    return _lead(life)


@MAKERS.of("answer_lead")
async def answer_lead(life: Life, party: Party) -> Made:
    sql = "select lead_id from lead where account_id = $1 and status in ('routed', 'overdue', 'held') order by lead_id"
    row = await life.one(sql, party.account_id)
    if row is None or life.random.random() < 0.5:
        await life.settle_cases(party)
        await life.ask(party, "hand_over_lead", _lead(life))
        if life.random.random() < 0.4:
            await life.later(party, 6)  # nobody has answered in time
        row = await life.one(sql, party.account_id)
    if row is None:
        return None
    decision = life.random.choice(["accept", "reject"])
    return {"by": "S-1", "lead_id": row["lead_id"], "decision": decision, "reason": "seen"}


@MAKERS.of("sell_from_case")
async def sell_from_case(life: Life, party: Party) -> Made:
    await life.settle_cases(party)
    await life.prices(party)
    case_id = await life.open_case(party, impact="low", urgency="low")
    lines = [{"kind": "sale", "line_id": "1", "product": "BEANS", "quantity": 1}]
    return {"by": AGENT, "case_id": case_id, "lines": lines, "solves": True, "price_book": life.book}


@MAKERS.of("note_mail")
async def note_mail(life: Life, party: Party) -> Made:
    event = life.random.choice(["answered", "unsubscribed", "bounced"])
    more: dict[str, Any] = {
        "answered": {"case_id": "C-x", "template": "welcome"},
        "unsubscribed": {"contact_id": "P-2"},
        "bounced": {"contact_id": "P-2", "email": party.order["contacts"][1]["email"], "reason": "550 no such user"},
    }[event]
    return {"event": event, **more}
