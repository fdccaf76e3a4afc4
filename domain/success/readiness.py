"""Readiness: whether a customer may be asked for more now, from what calls for it and how they are; never while anything holds it back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from domain.frame.decision import Decision, JournalLine, Notice, OpenStaffTask
from domain.frame.sales_holds import PROMOTER_FROM, Purpose
from domain.frame.situation import Situation
from domain.frame.state import Outcome
from domain.holds.guard import guard_of
from domain.holds.holds import Verdict
from domain.kernel.money import half_up
from domain.kernel.shown import counted
from domain.orders.order import ContactRole
from domain.success.health import Health, seat_use
from domain.success.requests import ConsiderExpansion, Suggested
from domain.success.score_rules import Band

TASK = "expansion/ready"
_FRESH = timedelta(days=180)
"""An answer to a survey tells something for so long."""
_RENEWAL_AHEAD = 120
_SURE = 10
"""From so many buyers on, what they bought besides tells something."""
_MOST = 40
_EACH_MORE = 5


@dataclass(frozen=True)
class Trigger:
    """What calls for more: points of at most 40, and why in words."""

    points: int
    says: str


@dataclass(frozen=True)
class Readiness:
    """A score from 0 to 100 with what it is made of: trigger 40, health 25, sponsor 15, payment 10, timing 10."""

    parts: dict[str, int]
    says: tuple[str, ...]

    @property
    def score(self) -> int:
        return sum(self.parts.values())


def consider(situation: Situation, request: ConsiderExpansion, asked_at: datetime | None, health: Health) -> Decision:
    """The owner's task to ask for more, if the customer is ready for it; otherwise why not. `asked_at`: when there was such a task last."""
    triggers = _triggers(situation, request.suggested)
    found = readiness(situation, triggers, health)
    why = _why_not(situation, triggers, found, asked_at, health.band)
    answer = {
        "ready": why is None,
        "score": found.score,
        "parts": found.parts,
        "because": list(found.says),
        "why_not": why,
    }
    if why is not None:
        return Decision(JournalLine(f"Not asked for more: {why}", kind="skipped"), Outcome(answer=answer))
    says = f"Ready for more: {triggers[0].says}"
    due_at, due = situation.customer.morning(situation.in_days(situation.playbook.expansion.decide_within))
    lines = [*(trigger.says for trigger in triggers), f"Readiness {found.score} of 100: {', '.join(found.says)}."]
    task = OpenStaffTask(TASK, f"Talk about more: {triggers[0].says}", "owner", due_at, " ".join(lines))
    return Decision(
        JournalLine(says, detail={"score": found.score, "parts": found.parts}),
        Outcome(said=[says], answer={**answer, "due": due.isoformat()}),
        [task],
        notices=[Notice(says, lines, to="owner", due=due_at)],
    )


def _why_not(
    situation: Situation, triggers: list[Trigger], found: Readiness, asked_at: datetime | None, band: Band
) -> str | None:
    """What stands against asking a customer for more now; null if nothing does."""
    customer, terms = situation.customer, situation.playbook.expansion
    if not triggers:
        return "nothing calls for it"
    if not customer.owns(situation.as_of):
        return "they own nothing any more"
    if not customer.onboarded():
        return "their onboarding is not done"
    if band not in (Band.HEALTHY, Band.WATCH):
        return f"their health is {band.value}"
    verdict = guard_of(situation).ask(Purpose.UPSELL)
    if verdict.verdict is not Verdict.ALLOWED:
        return verdict.says
    asked = [offer.offered_at for offer in customer.offers] + [lead.filed_at for lead in situation.service.leads]
    last = max([*asked, *([asked_at] if asked_at else [])], default=None)
    if last is not None and situation.as_of - last < timedelta(days=terms.quiet_days):
        return f"they were asked on {customer.day_of(last)}, less than {counted(terms.quiet_days, 'day')} ago"
    if found.score < terms.ready:
        return f"their readiness is {found.score}, less than {terms.ready}"
    return None


def readiness(situation: Situation, triggers: list[Trigger], health: Health) -> Readiness:
    """How ready a customer is, by the weights of the field: what calls for it, health, sponsor, payment, timing."""
    customer = situation.customer
    strength = min(_MOST, max((one.points for one in triggers), default=0) + _EACH_MORE * max(0, len(triggers) - 1))
    sponsor = customer.contact(ContactRole.SPONSOR)
    known = sponsor is not None and sponsor.role is ContactRole.SPONSOR
    disputed = any(case.refund_dispute for case in situation.service.running())
    days = _days_to_end(situation)
    ends_soon = days is not None and days < situation.playbook.expansion.not_before_end_days
    parts = {
        "trigger": strength,
        "health": int(half_up().apply(Decimal(health.score or 0) / 4)),
        "sponsor": 15 if known else 8 if sponsor is not None else 0,
        "payment": 0 if disputed else 10,
        "timing": 0 if ends_soon else 10,
    }
    says = (
        f"health {'unknown' if health.score is None else health.score}",
        "a sponsor is known" if known else "no sponsor is known",
        "a refund is disputed" if disputed else "no money is disputed",
        f"the term ends in {counted(days, 'day')}" if ends_soon and days is not None else "no term ends soon",
    )
    return Readiness(parts, says)


def _triggers(situation: Situation, suggested: list[Suggested]) -> list[Trigger]:
    """What calls for more, the strongest first."""
    found = [*_seats(situation), *_suggested(situation, suggested), *_promoter(situation), *_renewal(situation)]
    return sorted(found, key=lambda one: -one.points)


def _seats(situation: Situation) -> list[Trigger]:
    terms = situation.playbook.expansion
    uses = [
        use for use in seat_use(situation.customer, situation.playbook, situation.as_of) if use.share >= terms.headroom
    ]
    return [
        Trigger(40 if use.share >= terms.threshold else 30, f"{use.asset.product_name}: {use.says}")
        for use in uses
        if use.counted_on is None  # one count is no fortnight
    ][-1:]


def _suggested(situation: Situation, suggested: list[Suggested]) -> list[Trigger]:
    owned = set(situation.customer.product_names())
    for one in suggested:
        share = Decimal(one.together) / one.buyers
        if one.product in owned or one.buyers < _SURE or share < Decimal("0.25"):
            continue
        says = f"{one.together} of {one.buyers} customers who bought {one.because} have {one.product} too"
        return [Trigger(30 if share >= Decimal("0.5") else 20, says)]
    return []


def _promoter(situation: Situation) -> list[Trigger]:
    answers = [s for s in situation.customer.surveys if s.score is not None and situation.as_of - s.sent_at <= _FRESH]
    if not answers:
        return []
    latest = max(answers, key=lambda survey: survey.sent_at)
    score = latest.score or 0
    return [Trigger(20, f"they would recommend us: {score} of 10")] if score >= PROMOTER_FROM else []


def _renewal(situation: Situation) -> list[Trigger]:
    days = _days_to_end(situation)
    if days is None or not situation.playbook.expansion.not_before_end_days <= days <= _RENEWAL_AHEAD:
        return []
    return [Trigger(15, f"the next renewal is {counted(days, 'day')} away")]


def _days_to_end(situation: Situation) -> int | None:
    """The days to the next end of a term in force; null if none ends."""
    ends = [
        (contract.term.until - situation.today).days
        for contract in situation.customer.contracts
        if contract.term.starts_at <= situation.as_of < contract.term.ends_at
    ]
    return min(ends, default=None)
