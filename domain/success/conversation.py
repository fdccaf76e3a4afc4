"""What a check-in says, and whether it is written at all: what has changed since the last one, what is next, one thing to try."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from domain.frame.customer import ContractStatus
from domain.frame.situation import Looks, Situation
from domain.frame.state import Step
from domain.kernel.money import half_up
from domain.orders.order import ContactRole
from domain.success import low_scores, thanks
from domain.success.health import SeatUse, seat_use

COUNTED = ("active_users", "seats", "adoption", "counted_on", "counted_since")
TIPS = ("seats", "least_used", "administrator", "show", "ask")
"""Things to try, the most useful first; the last two can always be tried."""
VARIANTS = 3
"""So many ways there are to say a check-in; see its template."""
_MONTHS_SHOWN = 6
_AHEAD = timedelta(days=120)


def figures_of(use: SeatUse) -> dict[str, str | int | None]:
    """Seats in use, as they are written and kept."""
    share = str(half_up(3).apply(use.share))
    return {
        "product": use.asset.product_name,
        "active_users": use.active,
        "seats": use.seats,
        "adoption": share,
        "counted_on": use.counted_on.isoformat() if use.counted_on else None,
        "counted_since": use.since.isoformat() if use.since else None,
    }


def reported(situation: Situation) -> dict[str, Any]:
    """What a check-in says of a customer's products and of their use, as it is now: of each, the least used one first."""
    uses = seat_use(situation.customer, situation.playbook, situation.as_of)
    figures = [figures_of(use) for use in uses]
    products = situation.customer.product_names(situation.as_of)
    least = figures[0] if figures else {}
    told = {name: least.get(name) for name in ("product", *COUNTED)}
    return {"products": products, **told, "others": figures[1:]}


def why_not_written(situation: Situation) -> str | None:
    """Why a check-in of now says nothing to the customer; null if it does. One that was promised comes even if we wrote about their use
    meanwhile: only a talk with each other stands for it, as they were told, or a mail that said that it does."""
    looks, terms, day_of = situation.looks or Looks(), situation.playbook.adoption, situation.customer.day_of
    rhythm = terms.write_every_days or terms.every_days
    if thanks.leaves(situation):
        return "they have said that they leave"
    promised = promised_for(situation)
    if terms.write_every_days and looks.told_at is not None and (promised is None or promised > situation.today):
        told = day_of(looks.told_at)
        if told + timedelta(days=rhythm) > situation.today:
            return f"they heard of their use on {told}"
    if looks.talked_at is not None and (talked := day_of(looks.talked_at)) > situation.in_days(-(rhythm // 3) - 1):
        return f"we talked with each other on {talked}"
    return None


def writes_on(situation: Situation, day: date) -> bool:
    """True for the day of a check-in that is written, unless we talk with each other before."""
    looks, wait = situation.looks or Looks(), situation.playbook.adoption.write_every_days
    told = looks.told_at
    return wait is None or told is None or situation.customer.day_of(told) + timedelta(days=wait) <= day


def says(situation: Situation, next_on: str | None) -> dict[str, Any]:
    """What a check-in of now is filled with."""
    looks = situation.looks or Looks()
    last = looks.said or {}
    now = reported(situation)
    found = {**now, "next_on": next_on, "term_ends": next_term_end(situation, within=_AHEAD)}
    before: list[str] = last.get("products") or []
    if looks.said_at is not None:
        products = situation.customer.product_names(situation.as_of)
        found["since"] = situation.customer.day_of(looks.said_at).isoformat()
        found["added"] = [name for name in products if name not in before]
        found["gone"] = [name for name in before if name not in products]
        found |= _use_since(situation, looks)
    found["low"] = low_scores.since(situation, looks.said_at)
    found["variant"] = (int(last.get("variant", -1)) + 1) % VARIANTS
    found["try"] = next(tip for tip in _tips(situation) if tip["tip"] != (last.get("try") or {}).get("tip"))
    return found


def _use_since(situation: Situation, looks: Looks) -> dict[str, Any]:
    """The seats in use at the last check-in and at the looks in between, if they are of the product that is spoken of now; none if
    nothing has changed."""
    uses = seat_use(situation.customer, situation.playbook, situation.as_of)
    product = uses[0].asset.product_name if uses else None
    now = (uses[0].active, uses[0].seats) if uses else None
    seen = [
        {"on": situation.customer.day_of(at).isoformat(), "active_users": one["active_users"], "seats": one["seats"]}
        for at, one in looks.seen
        if one.get("product") == product and one.get("active_users") is not None and not one.get("counted_on")
    ]
    if all((one["active_users"], one["seats"]) == now for one in seen):
        return {"seen": []}
    return {"seen": seen[-_MONTHS_SHOWN:]}


def _tips(situation: Situation) -> Iterator[dict[str, Any]]:
    uses = seat_use(situation.customer, situation.playbook, situation.as_of)
    if uses and (free := uses[0].seats - uses[0].active) > 0:
        yield {"tip": "seats", "free": free, "product": uses[0].asset.product_name}
    if len(uses) > 1 and uses[0].share < situation.playbook.adoption.recovered:
        yield {"tip": "least_used", "product": uses[0].asset.product_name}
    if all(contact.role is not ContactRole.ADMIN for contact in situation.customer.contacts):
        yield {"tip": "administrator"}
    yield {"tip": "show"}
    yield {"tip": "ask"}


def promised_for(situation: Situation) -> date | None:
    """The day for which the last check-in that was written has promised the next one, unless something else took its place."""
    looks = situation.looks or Looks()
    said = looks.said or {}
    return date.fromisoformat(said["next_on"]) if said.get("next_on") and not looks.replaced else None


def instead_of(situation: Situation) -> dict[str, str]:
    """What another word about their use says of a promised check-in that would come within the rhythm: it takes its place."""
    promised, wait = promised_for(situation), situation.playbook.adoption.write_every_days
    if promised is None or wait is None or not situation.today < promised < situation.in_days(wait):
        return {}
    return {"instead_of": promised.isoformat()}


def next_term_end(situation: Situation, within: timedelta | None = None) -> dict[str, str | bool] | None:
    """The next term that ends, `within` the coming time if that is given: of which contract, its last day, and whether it renews by itself."""
    running = (c for c in situation.customer.contracts if c.status == ContractStatus.ACTIVE and not c.term.is_open)
    ends = [
        (c.term.until - timedelta(days=1), c.contract_id, c.auto_renew)
        for c in running
        if situation.as_of < c.term.ends_at and (within is None or c.term.ends_at <= situation.as_of + within)
    ]
    if not ends:
        return None
    day, contract_id, renews = min(ends)
    return {"contract_id": contract_id, "day": day.isoformat(), "renews": renews}


def told_next(situation: Situation, coming: Iterable[Step]) -> str | None:
    """The day of the first of the coming check-ins that is written after one of now; null if by then nothing may be left to talk of."""
    wait = timedelta(days=situation.playbook.adoption.write_every_days or 0)
    written = next((step for step in coming if step.on >= situation.today + wait), None)
    if written is None or not situation.customer.holds_term(written.at):
        return None
    return written.on.isoformat()
