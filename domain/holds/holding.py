"""Sales held back while service owes something: the review of what holds a customer, and what waited for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from domain.frame import pace
from domain.frame.case_words import state_in_words
from domain.frame.customer import ContractStatus, Customer
from domain.frame.decision import Decision, JournalLine, Notice
from domain.frame.flight import Channel
from domain.frame.keys import within_account
from domain.frame.mail_names import mail_in_words
from domain.frame.sales_holds import BY_HAND, HoldLevel, HoldReason, Purpose
from domain.frame.service_facts import WRITTEN_ANEW, HeldMail, HeldStep, WrittenMail
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Stage, Step
from domain.frame.step_words import within_words
from domain.holds import leads, left_alone, unhappy
from domain.holds.guard import PATIENCE, guard_of
from domain.holds.holds import Hold, customer_level
from domain.holds.reviewed import Reviewed
from domain.holds.writes import ForgetHeldSteps, KeepHolds, RecordTold, ReleaseMails, RewriteMail, WithdrawMail

STAGE = "service"
REASONS_SHOWN = 3
WHAT_WAITS = (
    "Until service is done, offers, quotes, check-ins and surveys wait; what contracts and cases need goes out."
)


def review_step(situation: Situation, name: str) -> Step:
    """The look at a customer's holds that is due now; `name` tells one from another."""
    return situation.step_now("service_review", STAGE, f"review-{name}")


def after_request(situation: Situation) -> list[Step]:
    """The look that follows a request which changed what may be said."""
    return [review_step(situation, f"{situation.as_of:%Y%m%dT%H%M%S%f}")]


def after_move(before: Customer | None, situation: Situation) -> list[Step]:
    """The look of a customer who is elsewhere now than `before`: what is looked at on a business morning is on another one there."""
    if before is None:
        return []
    was, now = before.account, situation.customer.account
    return after_request(situation) if (was.time_zone, was.country) != (now.time_zone, now.country) else []


Anew = Callable[[Situation, WrittenMail], dict[str, Any] | str]
"""What is changed of a mail by the facts of now, by the names of its fields, or why it is dropped."""


def review(situation: Situation, step: Step, anew: Anew) -> Decision:
    """What holds the customer now goes on record and is shown; what waited and may go now goes, or is skipped if its moment has passed."""
    guard, found = guard_of(situation), Reviewed()
    level = customer_level(guard.holds)
    _look_at_holds(situation, guard.holds, found)
    for mail in situation.service.mails:
        _look_at_mail(situation, mail, anew, found)
    for held in situation.service.steps:
        _look_at_step(situation, held, found)
    for seen in situation.service.seen:
        found.writes.append(RecordTold(seen.case_id, seen.person.staff_id))
        lines = [
            f"You looked at case {seen.case_id} ({seen.subject}) while it was open; it is {state_in_words(seen.state)} now."
        ]
        found.notices.append(Notice(f"Case {seen.case_id} is {state_in_words(seen.state)}", lines, person=seen.person))
    leads.review(situation, found)
    waited = [mail_in_words(mail.template) for mail in situation.service.mails]
    unhappy.ended(situation, [*waited, *(_in_words(held) for held in situation.service.steps)], found)
    unhappy.chase(situation, found)
    left_alone.remind(situation, found)
    found.looks += [at] if (at := guard.next_look()) is not None else []
    next_look = found.next_look
    if next_look is not None:
        found.plan.append(_lift_step(situation, next_look))
    found.attention["hold"] = _why(level, guard.holds) if level is not HoldLevel.NONE else None
    return _decision(situation, level, next_look, found)


def _decision(situation: Situation, level: HoldLevel, next_look: datetime | None, found: Reviewed) -> Decision:
    standing = level is not HoldLevel.NONE or bool(found.waiting)
    status = "open" if level is HoldLevel.NONE else level.value
    outcome = Outcome(
        plan=found.plan,
        drop=[f"{STAGE}/lift-*"],
        stages={STAGE: Stage(status=status, tasks=found.waiting[:8], until=next_look) if standing else None},
        deliveries=found.deliveries,
        attention=found.attention,
        holds=[hold.id for hold in situation.service.manual],
        cases=[case.view() for case in situation.service.running()[:8]],
        said=found.said,
    )
    line = JournalLine("Holds looked at: nothing new", kind="skipped")
    if found.said:
        line = JournalLine(found.said[0], kind="service_hold", detail={"level": level.value})
    return Decision(line, outcome, found.writes, notices=found.notices, more_lines=found.lines)


def _lift_step(situation: Situation, at: datetime) -> Step:
    on = situation.customer.day_of(at)
    # Two holds may end within a second; a look under the name of the one that is done would never come.
    return Step(kind="service_hold_lift", stage=STAGE, name=f"lift-{at:%Y%m%dT%H%M%S%f}", at=at, on=on)


def _look_at_holds(situation: Situation, holds: tuple[Hold, ...], found: Reviewed) -> None:
    """Brings the record up to date, and tells the owner when sales has to stop and when it may go on."""
    on_record = {(hold.source, hold.reason): hold.level for hold in situation.service.recorded}
    current = {(hold.source, hold.reason): hold.level for hold in holds}
    if on_record != current:
        derived = tuple(hold for hold in holds if hold.reason not in BY_HAND)
        found.writes.append(KeepHolds(derived))
    _tell_of_answers(situation, [hold for hold in holds if (hold.source, hold.reason) not in on_record], found)
    before = _strongest(set(on_record.values()))
    now = customer_level(holds)
    if now is before:
        return
    says = _why(now, holds) if now is not HoldLevel.NONE else "Nothing holds sales back any more"
    found.said.append(says)
    if HoldLevel.BLOCK in (now, before):
        lines = [*(hold.says for hold in holds[:REASONS_SHOWN]), WHAT_WAITS]
        if now is HoldLevel.NONE:
            lines = ["What waited goes out if it is still of use."]
        found.notices.append(Notice(says, lines, to="owner"))


def _tell_of_answers(situation: Situation, new: list[Hold], found: Reviewed) -> None:
    """The owner hears what waits because of an unhappy answer, unless it is theirs to call: that notice says it."""
    alone = situation.customer.owner.staff_id == situation.customer.success_manager.staff_id
    for hold in new:
        if hold.reason in unhappy.ANSWERS and not (alone and hold.reason is HoldReason.DETRACTOR):
            found.notices.append(unhappy.told_of(situation, hold))


def _strongest(levels: set[HoldLevel]) -> HoldLevel:
    return next((level for level in (HoldLevel.BLOCK, HoldLevel.WARN) if level in levels), HoldLevel.NONE)


def _why(level: HoldLevel, holds: tuple[Hold, ...]) -> str:
    counting = [hold for hold in holds if hold.level is level]
    more = f" and {len(counting) - 1} more" if len(counting) > 1 else ""
    says = "Sales is held back" if level is HoldLevel.BLOCK else "Read the cases first, automatic mails wait"
    return f"{says}: {counting[0].says}{more}"


def _look_at_mail(situation: Situation, mail: HeldMail, anew: Anew, found: Reviewed) -> None:
    account = situation.customer.account.account_id
    short = within_account(account, mail.delivery_id)
    if gone := _moment_passed(situation, mail):
        _drop(mail, gone, short, found)
    elif mail.purpose is not None and guard_of(situation).holds_back(mail.purpose, mail.product) is not None:
        found.wait(mail_in_words(mail.template))
    elif (morning := _later(situation, mail, found)) is not None:
        found.wait(mail_in_words(mail.template))
        found.looks.append(morning)
    elif isinstance(changes := anew(situation, mail), str):
        _drop(mail, changes, short, found)
    else:
        other = mail.differs(changes)
        found.writes += [RewriteMail(mail.delivery_id, changes)] if other else []
        found.writes.append(ReleaseMails((mail.delivery_id,)))
        found.deliveries[short] = Channel.MAIL
        says = f"On its way after it was held back: {mail_in_words(mail.template)}"
        says = f"{says}, {WRITTEN_ANEW} by what is so now" if other else says
        found.note(says, f"mail-{short}", "released", said=True)
        found.released.append(mail)


def _drop(mail: HeldMail, why: str, short: str, found: Reviewed) -> None:
    found.writes.append(WithdrawMail(mail.delivery_id, why))
    says = f"Dropped: {mail_in_words(mail.template)}; {why}"
    found.note(says, f"mail-{short}", "dropped")


def _later(situation: Situation, mail: HeldMail, found: Reviewed) -> datetime | None:
    """The morning for which a mail waits that nothing holds back any more; null if it may leave now. What is not optional waits
    for the promised hours alone, and leaves at once while somebody says that the holds count for nothing."""
    to = mail.optional_to
    if to is None:
        at, _ = situation.soon
        return at if at > situation.as_of and not situation.service.overrides else None
    counted = [one for one in situation.service.written if one.template not in pace.not_counted(mail.template)]
    times = [one.at for one in counted if one.to == to]
    times += [situation.as_of for one in found.released if one.optional_to == to]
    day = pace.late_day_for(situation, mail.template, max(times, default=None), mail.created_at)
    return situation.customer.morning(day)[0] if day is not None else None


def _moment_passed(situation: Situation, mail: HeldMail) -> str | None:
    """Why a mail that waits is not worth sending any more; null if it is."""
    customer = situation.customer
    if (offer_id := mail.context.get("offer_id")) is not None:
        offer = customer.offer(offer_id)
        if offer is None or not offer.is_open or offer.expires_at <= situation.as_of:
            return "the offer is not open any more"
        return None
    survey_id = mail.context.get("survey_id")
    survey = customer.survey(survey_id) if survey_id is not None else None
    if survey is not None and survey.score is not None:
        return "the survey was answered"
    patience = PATIENCE.get(mail.purpose) if mail.purpose else None
    if patience is not None and situation.as_of - mail.created_at > patience:
        return f"its moment passed {patience.days} days after {customer.day_of(mail.created_at)}"
    return None


def _in_words(held: HeldStep) -> str:
    if held.step.kind == "renewal_quote":
        return f"renewal quote for {held.step.about}"
    return mail_in_words("upsell_offer") if held.purpose is Purpose.UPSELL else within_words(held.step)


def _look_at_step(situation: Situation, held: HeldStep, found: Reviewed) -> None:
    """A step that may go on is planned for now, by night and on free days for the next morning; its own activity looks again
    whether it is still wanted."""
    guard = guard_of(situation)
    talk = held.purpose is Purpose.RENEWAL_TALK
    contract = next((c for c in situation.customer.contracts if c.stage == held.step.stage), None)
    if not (talk and contract is None) and (
        (guard.renewal_held() if talk else guard.holds_back(held.purpose, held.product)) is not None
    ):
        found.wait(f"step {held.step.name}", _in_words(held))
        return
    found.writes.append(ForgetHeldSteps(held.step.key))
    if talk and (contract is None or contract.status != ContractStatus.ACTIVE):  # nothing is to be quoted any more
        contract_id = held.step.about
        found.attention[f"renewal_held:{contract_id}"] = None
        says = f"Dropped: the withheld quote for {contract_id}; its term is over or will not be renewed"
        found.note(says, f"quote-{held.step.key}", "dropped")
        return
    soon = situation.step_soon(held.step.kind, held.step.stage, held.step.name)
    found.plan.append(held.step.having(at=soon.at, on=soon.on))
