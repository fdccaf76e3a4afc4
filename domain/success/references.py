"""References: a customer who would recommend us is asked once to be one; a yes is a lead of the owner's, a no is for good."""

from __future__ import annotations

from datetime import timedelta

from domain.frame import pace
from domain.frame.customer import ContactFacts
from domain.frame.decision import Decision, JournalLine, Mail
from domain.frame.sales_holds import PROMOTER_FROM, Purpose
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Step
from domain.frame.success_facts import ReferenceFacts, SurveyFacts
from domain.holds import leads
from domain.holds.guard import guard_of
from domain.holds.writes import HoldBackStep
from domain.kernel.base import Write
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from domain.orders.order import TERM_KINDS
from domain.success.requests import AnswerReference
from domain.success.score_rules import Band
from domain.success.writes import AskReference, RecordReferenceAnswer

TEMPLATE = "reference"
ASKED_AFTER = 7
"""days from an answer as good as that"""
AGAIN_AFTER = timedelta(days=365)
"""Who did not answer may be asked once more."""


def after_answer(situation: Situation, score: int, stage: str) -> list[Step]:
    """The question that follows on an answer of now, if it is so good and nothing stands against it."""
    if score < PROMOTER_FROM or _why_not(situation) is not None:
        return []
    day = situation.in_days(ASKED_AFTER)
    return [situation.step(pace.APART, stage, f"{TEMPLATE}-{day}", day)]


def _why_not(situation: Situation) -> str | None:
    """Why a customer is not asked to be a reference; null if they may be."""
    customer, asked = situation.customer, situation.customer.references
    if any(one.answer is not None for one in asked):
        return "they have answered that before"
    if any(situation.as_of - one.sent_at < AGAIN_AFTER for one in asked):
        return "they were asked within a year"
    if not customer.holds_term(situation.as_of):
        return "nothing sold for a term is left"
    if customer.health and customer.health[-1].band == Band.CRITICAL:
        return "their health is critical"
    return None


def _promoter(situation: Situation) -> SurveyFacts | None:
    """Their latest answer whether they would recommend us, if they would."""
    answered = [one for one in situation.customer.surveys if one.score is not None]
    latest = max(answered, key=lambda one: one.sent_at, default=None)
    return latest if latest is not None and (latest.score or 0) >= PROMOTER_FROM else None


def _whom(situation: Situation, survey: SurveyFacts) -> ContactFacts | None:
    """Who answered, if they are among the contacts still; else whoever is written to."""
    known = [one for one in situation.customer.contacts if one.email.lower() == survey.sent_to and not one.rejected]
    return known[0] if known else situation.customer.contact()


def ask(situation: Situation, step: Step) -> Decision:
    """The question, as it is by now: of who does not praise us any more, or is in trouble, nothing is asked."""
    survey, why = _promoter(situation), _why_not(situation)
    contact = _whom(situation, survey) if survey is not None else None
    if survey is None or contact is None or why is not None:
        says = f"Not asked to be a reference: {why or 'they would not recommend us any more'}"
        return Decision(JournalLine(says, kind="skipped"))
    if guard_of(situation).holds_back(Purpose.SALES_OUTREACH) is not None:
        later = step.having(name=f"{step.name.partition('.')[0]}.{situation.as_of:%Y%m%dT%H%M%S}")
        line = JournalLine("Question for a reference held back")
        return Decision(line, writes=[HoldBackStep(later, Purpose.SALES_OUTREACH)])
    reference_id = f"ref-{situation.customer.account.account_id}-{step.on}"
    return Decision(
        JournalLine("Asked to be a reference"),
        writes=[AskReference(reference_id, contact.contact_id, contact.email.lower(), situation.as_of)],
        mails=[Mail(TEMPLATE, {"reference_id": reference_id}, contact_id=contact.contact_id)],
    )


def answer(situation: Situation, request: AnswerReference) -> Decision:
    """A yes becomes a lead with a day for the owner; a no is remembered, and nobody asks again."""
    asked = _asked(situation, request.reference_id)
    if asked.answer is not None:
        if asked.answer == request.decision:
            line = JournalLine("Answer about a reference, once more", kind="skipped")
            return Decision(line, Outcome(answer={"reference_id": asked.reference_id, "decision": asked.answer}))
        said = f"question {asked.reference_id!r} was answered already with {asked.answer}"
        raise Refusal(NOT_ALLOWED, f"{said}; talk to the customer")
    writes: list[Write] = [
        RecordReferenceAnswer(asked.reference_id, request.decision, request.comment, situation.as_of)
    ]
    says = "They would be a reference" if request.decision == "yes" else "They would rather not be a reference"
    given = {"reference_id": asked.reference_id, "decision": request.decision}
    decision = Decision(JournalLine(says), Outcome(said=[says], answer=given), writes)
    if request.decision == "no":
        return decision
    evidence = "Asked after they would recommend us, they said that they would be a reference."
    product = _product(situation)
    if product is None:
        return decision
    lead = leads.of_reference(situation, asked.reference_id, asked.contact_id, product, says, evidence, request.comment)
    return decision + lead + Outcome(answer={**given, "lead_id": asked.reference_id})


def _asked(situation: Situation, reference_id: str) -> ReferenceFacts:
    for one in situation.customer.references:
        if one.reference_id == reference_id:
            return one
    known = ", ".join(one.reference_id for one in situation.customer.references) or "none"
    raise Refusal(NOT_ALLOWED, f"{reference_id!r} was not asked of this customer; asked: {known}")


def _product(situation: Situation) -> str | None:
    """What they can speak of: the first of what they have for a term."""
    held = [one for one in situation.customer.assets if one.kind in TERM_KINDS and one.periods]
    current = [one for one in held if (at := one.at(situation.as_of)) is not None and at.quantity]
    return next((one.product for one in current or held), None)
