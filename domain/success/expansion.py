"""Expansion: an offer of more seats when they run short and the customer is healthy; accepted, it amends the asset."""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_CEILING
from typing import Any

from domain.frame.decision import Decision, JournalLine, Mail, Notice
from domain.frame.keys import StageId, StageKind
from domain.frame.ownership import upsold
from domain.frame.sales_holds import Purpose
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Stage, Step
from domain.frame.success_facts import OfferFacts, OfferStatus
from domain.holds.guard import guard_of
from domain.holds.holds import ContactDecision
from domain.holds.writes import ForgetHeldSteps, HoldBackStep
from domain.kernel.base import Write
from domain.kernel.money import money, to_minor_unit
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from domain.kernel.requests import CustomerDecision as Answer
from domain.kernel.shown import counted
from domain.success import conversation
from domain.success.health import Health, SeatUse, seat_use
from domain.success.requests import AnswerOffer
from domain.success.score_rules import Band
from domain.success.writes import MakeOffer, SettleOffer

OFFERED = "offered"


def stage_of(asset_id: str) -> str:
    """The id of an asset's expansion."""
    return str(StageId(StageKind.EXPANSION, asset_id))


def offer_for(situation: Situation, uses: list[SeatUse], health: Health) -> Decision | None:
    """The offer that the figures call for, if any: seats short, customer healthy and onboarded, not asked lately, term not about to end."""
    terms = situation.playbook.expansion
    short = [use for use in uses if use.share >= terms.threshold and not use.asset.ramps_after(situation.as_of)]
    if not short or health.unblocked is not Band.HEALTHY or not situation.customer.onboarded():
        return None
    asked = max((offer.offered_at for offer in situation.customer.offers), default=None)
    if asked is not None and situation.as_of - asked < timedelta(days=terms.quiet_days):
        return None
    use = max(short, key=lambda use: (use.share, use.asset.asset_id))
    if _ends_soon(situation, use):
        return None
    if held := guard_of(situation).holds_back(Purpose.UPSELL, use.asset.product):
        return _wait(situation, use, held)
    return _offer(situation, use)


def _wait(situation: Situation, use: SeatUse, held: ContactDecision) -> Decision:
    """An offer is called for and service holds sales back: the figures are looked at again once it does not."""
    name = f"usage-after-hold-{situation.as_of:%Y%m%dT%H%M%S}"
    look = situation.step_now("adoption_usage_review", "adoption", name)
    says = f"Offer of more seats of {use.asset.product_name} held back"
    writes: list[Write] = [
        ForgetHeldSteps("adoption/usage-after-hold-*"),
        HoldBackStep(look, Purpose.UPSELL, use.asset.product),
    ]
    return Decision(JournalLine(f"{says}: {held.says}", kind="expansion_held"), Outcome(said=[says]), writes)


def _ends_soon(situation: Situation, use: SeatUse) -> bool:
    ends_at = use.asset.periods[-1].ends_at
    limit = situation.as_of + timedelta(days=situation.playbook.expansion.not_before_end_days)
    return ends_at is not None and ends_at < limit


def _offer(situation: Situation, use: SeatUse) -> Decision:
    terms, asset = situation.playbook.expansion, use.asset
    wanted = int((use.active / terms.headroom).to_integral_value(rounding=ROUND_CEILING))
    add = max(1, wanted - use.seats)
    unit_price = asset.unit_price
    mrr_change = asset.mrr_of(add, unit_price)
    due, expires_on = situation.customer.morning(situation.in_days(terms.expires_after))
    expires_at = situation.customer.end_of(expires_on)
    offer_id = f"offer-{asset.asset_id}-{situation.today}"
    stage = stage_of(asset.asset_id)
    offer = OfferFacts(
        offer_id=offer_id,
        asset_id=asset.asset_id,
        add=add,
        unit_price=unit_price,
        status=OfferStatus.OPEN,
        offered_at=situation.as_of,
        expires_at=expires_at,
    )
    says = f"{counted(add, 'more seat')} of {asset.product_name} offered: {use.says}"
    context = {
        "offer_id": offer_id,
        "product": asset.product_name,
        **_counted(use),
        "add": add,
        "unit_price": money(unit_price, asset.currency).told(),
        "per": asset.per.value,
        "mrr_change": to_minor_unit(mrr_change, asset.currency).told(),
        "expires": expires_on.isoformat(),
        **conversation.instead_of(situation),
    }
    return Decision(
        JournalLine(says, kind="expansion_offer", detail={"offer_id": offer_id, "add": add}),
        Outcome(
            plan=[expiry_of(situation, offer)], stages={stage: Stage(status=OFFERED, tasks=[offer_id])}, said=[says]
        ),
        [MakeOffer(offer_id, asset.asset_id, add, unit_price, asset.currency, mrr_change, situation.as_of, expires_at)],
        [Mail("upsell_offer", context, product=asset.product)],
        [Notice(says, [f"The offer is open until {expires_on}."], to="owner", due=due)],
    )


def _counted(use: SeatUse) -> dict[str, Any]:
    found = conversation.figures_of(use)
    return {name: found[name] for name in ("seats", "active_users", "counted_on", "counted_since")}


def figures(situation: Situation, offer: OfferFacts) -> dict[str, Any] | None:
    """What an offer says of the seats in use, as it is now; null once they do not run short any more."""
    asset = situation.customer.asset(offer.asset_id)
    uses = seat_use(situation.customer, situation.playbook, situation.as_of)
    use = next((use for use in uses if asset is not None and use.asset.product == asset.product), None)
    return _counted(use) if use is not None and use.share >= situation.playbook.expansion.threshold else None


def expiry_of(situation: Situation, offer: OfferFacts) -> Step:
    """The step with which an offer lapses."""
    day_of = situation.customer.day_of
    name = f"expire-{day_of(offer.offered_at)}"
    return Step(
        kind="expansion_expiry",
        stage=stage_of(offer.asset_id),
        name=name,
        at=offer.expires_at,
        on=day_of(offer.expires_at),
    )


def expire(situation: Situation, step: Step) -> Decision:
    """An offer that nobody answered lapses quietly."""
    asset_id = step.about
    waiting = [offer for offer in situation.customer.offers if offer.asset_id == asset_id and offer.is_open]
    if not waiting:
        return Decision(JournalLine("Offer was answered", kind="skipped"), Outcome(stages={step.stage: None}))
    settled = [SettleOffer(offer.offer_id, OfferStatus.EXPIRED, "no answer", situation.as_of) for offer in waiting]
    return Decision(
        JournalLine("Offer expired unanswered"),
        Outcome(stages={step.stage: None}, said=["Offer expired"]),
        list(settled),
    )


def answer(situation: Situation, request: AnswerOffer) -> Decision:
    """The customer's answer: accepted, the seats are theirs from this moment to the end of the term."""
    offer = situation.customer.offer(request.offer_id)
    if offer is None or not offer.is_open:
        state = f"is {offer.status}" if offer else "was never made"
        waiting = ", ".join(o.offer_id for o in situation.customer.offers if o.is_open) or "none"
        raise Refusal(NOT_ALLOWED, f"offer {request.offer_id!r} {state}; open offers: {waiting}")
    asset = situation.customer.asset(offer.asset_id)
    stage = stage_of(offer.asset_id)
    closing = Outcome(stages={stage: None}, drop=[stage])
    if request.decision is Answer.DECLINE:
        says = f"Offer declined: {request.reason or 'no reason given'}"
        outcome = closing.having(said=[says], answer={"offer_id": offer.offer_id, "status": OfferStatus.DECLINED})
        return Decision(
            JournalLine(says),
            outcome,
            [SettleOffer(offer.offer_id, OfferStatus.DECLINED, request.reason, situation.as_of)],
        )
    if asset is None or asset.at(situation.as_of) is None:
        raise Refusal(
            NOT_ALLOWED, f"asset {offer.asset_id!r} of this offer is not in force any more; decline the offer"
        )
    change = upsold(situation.records, asset, offer.add, offer.unit_price, situation.as_of, offer.offer_id)
    current = asset.at(situation.as_of)
    seats = (current.quantity if current else 0) + offer.add
    says = f"{counted(offer.add, 'more seat')} of {asset.product_name} sold, {seats} now"
    context = {
        "product": asset.product_name,
        "seats": seats,
        "from": situation.today.isoformat(),
        "mrr_change": to_minor_unit(change.mrr_change, asset.currency).told(),
    }
    outcome = closing.having(
        said=[says], answer={"offer_id": offer.offer_id, "status": OfferStatus.ACCEPTED, "quantity": seats}
    )
    return Decision(
        JournalLine(says, detail={"asset_id": asset.asset_id, "add": offer.add}),
        outcome,
        [SettleOffer(offer.offer_id, OfferStatus.ACCEPTED, request.reason, situation.as_of), change],
        [Mail("upsell_confirmed", context)],
        [Notice(says, ["They have said yes to the offer."], to="owner")],
    )
