"""Sales beside service: the review of holds, what people decide about them, and leads. Each in a transaction that no mail leaves in."""

from __future__ import annotations

from difflib import get_close_matches

from activities.frame.unit_of_work import Activities, StepKind, UnitOfWork
from activities.orders import order_rows as order_store
from domain.frame.situation import SERVICE, Situation
from domain.holds import leads
from domain.holds.requests import (
    HandOverLead,
)
from domain.journey import mail_anew, mornings
from domain.kernel.refusals import UNKNOWN_PRODUCT, Problem, Refusal


async def _in_catalogue(work: UnitOfWork, _: Situation, request: HandOverLead) -> tuple[()]:
    """Refuses a lead about a product that nobody sells."""
    if await order_store.known_products(work.connection, {request.product}):
        return ()
    similar = get_close_matches(request.product, await order_store.product_codes(work.connection), 3)
    advice = f"; did you mean {', '.join(similar)}?" if similar else ""
    problem = Problem(field="product", problem=f"{request.product!r} is not in the catalogue{advice}")
    raise Refusal(UNKNOWN_PRODUCT, "the lead cannot be handed over", [problem])


class HoldKeeping(Activities):
    """What a journey does about holds and leads."""

    looks = {"hand_over_lead": _in_catalogue}
    steps = {
        "service_review": StepKind(mail_anew.review, SERVICE),
        "service_hold_lift": StepKind(mail_anew.review, SERVICE),
        "relationship_morning": StepKind(mornings.leave, SERVICE),
        "service_lead_reminder": StepKind(leads.remind, SERVICE),
        "service_lead_overdue": StepKind(leads.overdue, SERVICE),
    }
