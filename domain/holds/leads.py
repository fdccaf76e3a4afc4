"""Leads that service hands over to sales: gated, routed, answered within two business days, credited to who found and who closed."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.frame.case_words import RUNNING
from domain.frame.decision import CloseStaffTasks, Decision, JournalLine, Notice, OpenStaffTask
from domain.frame.messages import OwnWords
from domain.frame.notice_acts import act
from domain.frame.sales_holds import HoldLevel, Purpose
from domain.frame.service_facts import LeadFacts, LeadStatus
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Step
from domain.frame.success_facts import OfferFacts
from domain.holds.guard import guard_of
from domain.holds.holds import Verdict
from domain.holds.requests import AnswerLead, HandOverLead, LeadAnswer
from domain.holds.reviewed import Reviewed
from domain.holds.writes import AddEvidence, FileLead, NoteOnCase, RouteLead, SettleLead, WarnOfLead
from domain.kernel.base import Write
from domain.kernel.refusals import INVALID_REQUEST, NOT_ALLOWED, Problem, Refusal

STAGE = "service"
REFERENCE = "reference"
"""What a lead is about that comes of a customer who would be a reference."""
SAME_WITHIN = timedelta(days=90)
REMIND_AFTER = 1
ANSWER_WITHIN = 2
"""business days"""
WAITING = frozenset({LeadStatus.HELD, LeadStatus.ROUTED, LeadStatus.OVERDUE})
ALIVE = WAITING | {LeadStatus.ACCEPTED, LeadStatus.ATTACHED}


def hand_over(situation: Situation, request: HandOverLead, lead_id: str) -> Decision:
    """Files a lead: merged into the same one of the last 90 days, attached to an open offer, held back, or routed to the owner.

    Raises:
        Refusal: the contact did not agree to be called or is unknown, or the customer is in dispute over a refund.
    """
    _check(situation, request)
    if same := _same(situation, request):
        says = f"Lead {same.lead_id} again: {request.product}"
        answer = {"lead_id": same.lead_id, "status": same.status, "merged": True}
        return Decision(JournalLine(says), Outcome(answer=answer), [AddEvidence(same.lead_id, request.evidence)])
    offer = _open_offer(situation, request.product)
    blocked = _blocked(situation, request.product)
    status = LeadStatus.ATTACHED if offer else LeadStatus.HELD if blocked else LeadStatus.ROUTED
    due_at = _days_on(situation, ANSWER_WITHIN) if status == LeadStatus.ROUTED else None
    filed = FileLead(
        lead_id=lead_id,
        contact_id=request.contact,
        product=request.product,
        motion=request.motion.value,
        evidence=request.evidence,
        case_id=request.case_id,
        urgency=request.urgency.value,
        status=status,
        sourced_by=request.by,
        routed_to="owner" if status != LeadStatus.HELD else None,
        due_at=due_at,
        offer_id=offer.offer_id if offer else None,
    )
    says = f"Lead from service: {request.motion.value.replace('_', ' ')} of {request.product}"
    answer = {
        "lead_id": lead_id,
        "status": status,
        "offer_id": offer.offer_id if offer else None,
        "due_at": due_at.isoformat() if due_at else None,
        "why": blocked,
    }
    notices = [] if blocked else [_told(situation, lead_id, says, request.evidence, due_at)]
    plan = [*_steps(situation, lead_id, 1), *_looked_at(situation)] if status != LeadStatus.ATTACHED else []
    outcome = Outcome(
        plan=plan if status == LeadStatus.ROUTED else plan[-1:], said=[f"{says}, {status}"], answer=answer
    )
    return Decision(JournalLine(f"{says}, {status}", detail={"lead_id": lead_id}), outcome, [filed], notices=notices)


def of_reference(
    situation: Situation, lead_id: str, contact_id: str, product: str, says: str, evidence: str, comment: str
) -> Decision:
    """A customer would be a reference: a lead and a task of the owner's with a day; held back while service blocks sales."""
    blocked = _blocked(situation, product)
    due_at = None if blocked else _days_on(situation, ANSWER_WITHIN)
    filed = FileLead(
        lead_id=lead_id,
        contact_id=contact_id,
        product=product,
        motion=REFERENCE,
        evidence=f"{evidence}\n{comment}".strip(),
        case_id=None,
        urgency="low",
        status=LeadStatus.HELD if due_at is None else LeadStatus.ROUTED,
        sourced_by="customer",
        routed_to=None if due_at is None else "owner",
        due_at=due_at,
    )
    line = JournalLine("")
    if due_at is None:
        return Decision(line, Outcome(plan=_looked_at(situation)), [filed])
    task = OpenStaffTask(task_of(lead_id), says, "owner", due_at, evidence)
    told = [evidence, OwnWords(comment) or "No remark was made.", _answer_by(situation, due_at)]
    plan = [*_steps(situation, lead_id, 1), *_looked_at(situation)]
    told_of = Notice(says, told, to="owner", due=due_at, acts=_answer_it(lead_id))
    return Decision(line, Outcome(plan=plan), [filed, task], notices=[told_of])


def task_of(lead_id: str) -> str:
    """The key of the task that a lead brings with it."""
    return f"lead/{lead_id}"


def _blocked(situation: Situation, product: str) -> str | None:
    """Why a lead about a product has to wait; null if it may go to sales."""
    verdict = guard_of(situation).ask(Purpose.UPSELL, product, automatic=False)
    return verdict.says if verdict.verdict is Verdict.HELD and verdict.level is HoldLevel.BLOCK else None


def _check(situation: Situation, request: HandOverLead) -> None:
    if not request.consent:
        raise Refusal(
            NOT_ALLOWED,
            f"contact {request.contact!r} did not agree to be called about it; offer it in the conversation instead",
        )
    contacts = [contact.contact_id for contact in situation.customer.contacts]
    if request.contact not in contacts:
        problem = Problem(field="contact", problem=f"is none of this customer's contacts: {', '.join(contacts)}")
        raise Refusal(INVALID_REQUEST, "the lead cannot be handed over", [problem])
    if request.case_id is not None and situation.service.case(request.case_id) is None:
        problem = Problem(field="case_id", problem="is no case of this customer that is open or was resolved lately")
        raise Refusal(INVALID_REQUEST, "the lead cannot be handed over", [problem])
    disputed = [case.case_id for case in situation.service.running() if case.refund_dispute]
    if disputed:
        raise Refusal(
            NOT_ALLOWED, f"the customer is in dispute with us over a refund (case {disputed[0]}); settle that first"
        )


def _same(situation: Situation, request: HandOverLead) -> LeadFacts | None:
    alive = (one for one in situation.service.leads if one.product == request.product and one.status in ALIVE)
    return next((one for one in alive if situation.as_of - one.filed_at <= SAME_WITHIN), None)


def _open_offer(situation: Situation, product: str) -> OfferFacts | None:
    assets = {asset.asset_id for asset in situation.customer.assets if asset.product == product}
    return next((o for o in situation.customer.offers if o.is_open and o.asset_id in assets), None)


def _told(
    situation: Situation, lead_id: str, says: str, evidence: str, due_at: datetime | None, to: str = "owner"
) -> Notice:
    lines = [f"What was seen: {evidence}"]
    if due_at is not None:
        lines.append(_answer_by(situation, due_at))
    return Notice(says, lines, to=to, due=due_at, acts=_answer_it(lead_id))


def _answer_by(situation: Situation, due_at: datetime) -> str:
    return f"Please accept or reject it by {situation.customer.day_of(due_at)}."


def _answer_it(lead_id: str) -> tuple[str]:
    return (act("answer_lead", lead_id=lead_id),)


def _days_on(situation: Situation, days: int) -> datetime:
    return guard_of(situation).clock.add_days(situation.as_of, days)


def _steps(situation: Situation, lead_id: str, attempt: int) -> list[Step]:
    """The reminder, and the look at the lead when its time is over."""
    times = {name: _days_on(situation, days) for name, days in (("reminder", REMIND_AFTER), ("overdue", ANSWER_WITHIN))}
    return [
        Step(
            kind=f"service_lead_{name}",
            stage=STAGE,
            name=f"lead-{lead_id}-{name}-{attempt}",
            at=at,
            on=situation.customer.day_of(at),
        )
        for name, at in times.items()
    ]


def _looked_at(situation: Situation) -> list[Step]:
    name = f"review-{situation.as_of:%Y%m%dT%H%M%S%f}"
    return [situation.step_now("service_review", STAGE, name)]


def review(situation: Situation, found: Reviewed) -> None:
    """Held leads go to the owner once nothing blocks them; whoever has one whose case was reopened is warned."""
    routed = 0
    for lead in situation.service.leads:
        if lead.status == LeadStatus.HELD:
            if _blocked(situation, lead.product) is not None:
                found.waiting.append(f"lead for {lead.product}")
                continue
            due_at = _days_on(situation, ANSWER_WITHIN)
            says = f"Lead from service, held back until now: {lead.motion.replace('_', ' ')} of {lead.product}"
            found.writes.append(RouteLead(lead.lead_id, "owner", due_at))
            found.notices.append(_told(situation, lead.lead_id, says, lead.evidence, due_at))
            found.plan += _steps(situation, lead.lead_id, 1)
            found.note(says, f"lead-{routed}", said=True)
            routed += 1
        if lead.status in WAITING:
            found.waiting.append(f"lead for {lead.product}")
        reopened = lead.case_state in {state.value for state in RUNNING} and lead.status in {
            LeadStatus.ROUTED,
            LeadStatus.ACCEPTED,
        }
        if reopened and not lead.warned and _was_over(situation, lead):
            lines = [f"Case {lead.case_id}, which it came from, was opened again. Read it before you call."]
            found.writes.append(WarnOfLead(lead.lead_id))
            found.notices.append(
                Notice(f"Careful with the lead for {lead.product}", lines, to="owner", person=lead.seller)
            )


def _was_over(situation: Situation, lead: LeadFacts) -> bool:
    case = situation.service.case(lead.case_id) if lead.case_id else None
    return case is not None and case.reopened_at is not None and case.reopened_at >= lead.filed_at


def _find(situation: Situation, lead_id: str) -> LeadFacts:
    lead = situation.service.lead(lead_id)
    if lead is None:
        waiting = ", ".join(lead.lead_id for lead in situation.service.leads if lead.status in WAITING) or "none"
        raise Refusal(NOT_ALLOWED, f"lead {lead_id!r} is none of this customer's; waiting for an answer: {waiting}")
    return lead


_FROM = {
    LeadAnswer.ACCEPT: WAITING - {LeadStatus.HELD},
    LeadAnswer.REJECT: WAITING,
    LeadAnswer.WON: frozenset({LeadStatus.ACCEPTED, LeadStatus.ATTACHED}),
    LeadAnswer.LOST: frozenset({LeadStatus.ACCEPTED, LeadStatus.ATTACHED}),
}
_STATUS = {
    LeadAnswer.ACCEPT: LeadStatus.ACCEPTED,
    LeadAnswer.REJECT: LeadStatus.REJECTED,
    LeadAnswer.WON: LeadStatus.WON,
    LeadAnswer.LOST: LeadStatus.LOST,
}


def answer(situation: Situation, request: AnswerLead) -> Decision:
    """Sales takes a lead or rejects it with the reason, which the agent reads; later it is won or lost, to the credit of `by`."""
    lead = _find(situation, request.lead_id)
    if lead.status not in _FROM[request.decision]:
        raise Refusal(NOT_ALLOWED, f"lead {lead.lead_id} is {lead.status}; {request.decision} does not fit")
    status = _STATUS[request.decision]
    says = f"Lead for {lead.product} {status}" + (f": {request.reason}" if request.reason else "")
    closed = request.decision is not LeadAnswer.ACCEPT
    writes: list[Write] = [SettleLead(lead.lead_id, status, request.by, request.reason, closed)]
    if lead.motion == REFERENCE:
        writes.append(CloseStaffTasks(task_of(lead.lead_id), situation.as_of, by=request.by, outcome=says))
    if lead.case_id is not None:
        note = {"lead_id": lead.lead_id, "status": status, "reason": request.reason}
        writes.append(NoteOnCase(lead.case_id, "lead_answered", request.by, note))
    notices = []
    if lead.agent is not None:
        lines = [OwnWords(request.reason) or "No remark was made.", f"You found: {lead.evidence}"]
        notices.append(Notice(says, lines, person=lead.agent))
    outcome = Outcome(
        plan=_looked_at(situation),
        drop=[f"{STAGE}/lead-{lead.lead_id}-*"],
        attention={f"lead_overdue:{lead.lead_id}": None},
        said=[says],
        answer={"lead_id": lead.lead_id, "status": status, "sourced_by": lead.sourced_by, "by": request.by},
    )
    return Decision(JournalLine(says, detail={"lead_id": lead.lead_id}), outcome, writes, notices=notices)


def _lead_of(situation: Situation, step: Step) -> tuple[LeadFacts | None, int]:
    """The lead that a step looks at while it waits for an answer, and which attempt it is."""
    lead_id, _, attempt = step.name.removeprefix("lead-").rsplit("-", 2)
    lead = situation.service.lead(lead_id)
    return (lead if lead is not None and lead.status == LeadStatus.ROUTED else None), int(attempt)


def remind(situation: Situation, step: Step) -> Decision:
    """Whoever has the lead is reminded a business day before its time is over."""
    lead, _ = _lead_of(situation, step)
    if lead is None:
        return Decision(JournalLine("The lead was answered", kind="skipped"))
    lines = [f"What was seen: {lead.evidence}"]
    says = f"A lead waits for your answer: {lead.product}"
    notice = Notice(says, lines, "owner", lead.due_at, lead.seller, acts=_answer_it(lead.lead_id))
    return Decision(JournalLine(f"Lead {lead.lead_id}: reminder sent"), notices=[notice])


def overdue(situation: Situation, step: Step) -> Decision:
    """Nobody answered in time: the lead goes to the success manager, and if they do not answer either, people have to see it."""
    lead, attempt = _lead_of(situation, step)
    if lead is None:
        return Decision(JournalLine("The lead was answered", kind="skipped"))
    if attempt > 1:
        says = f"The lead for {lead.product} waits for an answer of sales"
        settled = SettleLead(lead.lead_id, LeadStatus.OVERDUE, "system", "nobody answered", closed=False)
        return Decision(
            JournalLine(says, detail={"lead_id": lead.lead_id}),
            Outcome(attention={f"lead_overdue:{lead.lead_id}": says}, said=[says]),
            [settled],
            notices=[Notice(says, [f"What was seen: {lead.evidence}"], to="owner", acts=_answer_it(lead.lead_id))],
        )
    due_at = _days_on(situation, ANSWER_WITHIN)
    says = f"The lead for {lead.product} goes to somebody else: nobody answered in time"
    return Decision(
        JournalLine(says, detail={"lead_id": lead.lead_id}),
        Outcome(plan=_steps(situation, lead.lead_id, attempt + 1), said=[says]),
        [RouteLead(lead.lead_id, "success_manager", due_at, again=True)],
        notices=[_told(situation, lead.lead_id, says, lead.evidence, due_at, to="success_manager")],
    )
