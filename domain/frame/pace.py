"""Optional mails keep their distance: a person gets one in three days, at an hour at which people work."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from domain.frame import mail_kinds
from domain.frame.customer import ContactFacts
from domain.frame.decision import Decision, JournalLine, Mail
from domain.frame.mail_kinds import OF_CASES, MailKind, template_of
from domain.frame.mail_names import mail_in_words
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Step
from domain.kernel.calendar import MONTHS_IN_YEAR, add_months

QUIET_DAYS = 3
ANSWERS = mail_kinds.of_kind(MailKind.ANSWER)
APART = "adoption_mail"
"""The kind of step by which a mail comes that did not leave with its decision."""
NOTICE = "renewal_notice"
NOTICES_APART = 7
"""Days: renewal notices of other contracts that are due within so many go along with one of now."""

_ONE_MAIL: Mapping[str, Callable[[Step], str]] = {
    "onboarding_touch": lambda step: step.name.replace("-", "_"),
    "fulfilment_follow_up": lambda step: "delivery_follow_up",
    "adoption_survey": lambda step: "survey",
}
"""Kinds of steps that send one optional mail to the main contact and do nothing else, each with the template of that mail."""


@dataclass(frozen=True)
class Paced:
    """An optional mail that a step would send, and to whom."""

    mail: Mail
    contact: ContactFacts


def paced(situation: Situation, decision: Decision) -> Paced | None:
    """The optional mail of a decision that waits with its step; null if there is none, or nobody who wants it. A step that has
    something contractual to say waits for nothing."""
    if any(mail.contractual for mail in decision.mails):
        return None
    for mail in decision.mails:
        contact = situation.customer.contact(mail.role, mail.contact_id)
        if mail.kind is MailKind.OPTIONAL and contact is not None and contact.wants(mail.template):
            return Paced(mail, contact)
    return None


def day_for(situation: Situation, template: str, last: datetime | None, every_days: int | None = None) -> date | None:
    """The local day on whose morning an optional mail may leave that would leave now; null for now.

    last: when this person got the one before; every_days: how far apart they want them. Days that the customer was told of, or that
    are theirs, are kept free.
    """
    return None if template_of(template).keeps_its_day else _day_for(situation, last, every_days or QUIET_DAYS)


def _day_for(situation: Situation, last: datetime | None, apart: int = QUIET_DAYS) -> date | None:
    customer, today = situation.customer, situation.today
    now = customer.at_work(situation.as_of)
    day = today if now or customer.morning(today)[0] > situation.as_of else situation.in_days(1)
    if last is not None:
        day = max(day, customer.day_of(last) + timedelta(days=apart))
    day = _clear_of(situation, day, situation.kept or ())
    return None if now and day == today else day


def late_day_for(situation: Situation, template: str, last: datetime | None, written_at: datetime) -> date | None:
    """As `day_for`, for a mail that could not leave when it was written. By then nobody waits for an answer to what they have just
    done: it leaves at the promised hours like all else, though at no distance."""
    own_day = template_of(template).keeps_its_day
    if template not in ANSWERS and not own_day:
        return _day_for(situation, last)
    customer, today = situation.customer, situation.today
    own = own_day and customer.day_of(written_at) == today
    now = customer.in_hours(situation.as_of) if own else customer.at_work(situation.as_of)
    day = today if now or customer.morning(today)[0] > situation.as_of else situation.in_days(1)
    if own_day and last is not None:
        day = max(day, customer.day_of(last) + timedelta(days=1))
    return None if now and day == today else day


def near(agenda: Iterable[Step], now: datetime, doing: Step) -> list[Step]:
    """The steps of an agenda that an optional mail of `now`, sent by the step `doing`, may be too near to, and that can be put off
    without being asked; those that are due at the same instant are among them. To a renewal notice those of other contracts are near."""
    if doing.kind == NOTICE:
        month = now + timedelta(days=31)
        others = (step for step in agenda if step.kind == NOTICE and step.stage != doing.stage and not step.along)
        return [step for step in others if step.at < month and not doing.along]
    until = now + timedelta(days=QUIET_DAYS + 1)
    waiting = (step for step in agenda if step.key != doing.key and not step.along)
    return [step for step in waiting if step.kind in _ONE_MAIL and step.at < until]


def ahead(situation: Situation, decision: Decision, near: Iterable[Step]) -> list[tuple[Step, Decision]]:
    """What the optional mail of a decision moves as soon as it is written: steps whose mail may go along with it are done now, and leave
    with it as one; those that would only find, on their day, that they come too early are asked again on the later one."""
    found, contact = paced(situation, decision), situation.customer.contact()
    if found is None or contact is None or found.contact.email.lower() != contact.email.lower():
        return []
    later = []
    for step in near:
        template = _ONE_MAIL[step.kind](step)
        if found.mail.template in not_counted(template):
            continue
        if _may_go_along(situation, found.mail, step, template):
            later.append((step, _brought_forward(situation, step, template)))
            continue
        day = day_for(replace(situation, as_of=step.at), template, situation.as_of)
        put = put_off(situation, step, template, day) if day is not None and day > step.on else None
        if put is not None and put.outcome.put_off:
            later.append((step, put))
    return later


def notices_along(situation: Situation, decision: Decision, near: Iterable[Step]) -> list[tuple[Step, Decision]]:
    """The renewal notices of other contracts that go along with one of now: those of its month, and of the days after it. So a customer
    hears of all of them in one mail, earlier rather than later."""
    if all(mail.template != NOTICE for mail in decision.mails):
        return []
    today, days = situation.today, timedelta(days=NOTICES_APART)
    along = (
        step for step in near if (step.on.year, step.on.month) == (today.year, today.month) or step.on < today + days
    )
    return [(step, _brought_forward(situation, step, NOTICE)) for step in along]


def _may_go_along(situation: Situation, mail: Mail, step: Step, template: str) -> bool:
    """True if a step's own mail may leave so many days before its day, and both can be said in one message."""
    own, leading = template_of(template), template_of(mail.template)
    if own.early is None or step.on > situation.in_days(own.early):
        return False
    return leading.takes_question if own.asks else not (own.alone or leading.alone or leading.asks)


def _brought_forward(situation: Situation, step: Step, template: str) -> Decision:
    """The step is done at once."""
    now = step.having(at=situation.as_of, on=situation.today, along=True)
    when = "Today" if step.on <= situation.today else f"Brought forward to {situation.today}"
    says = f"{when}: {mail_in_words(template)}, which goes along with another mail"
    return Decision(JournalLine(says, kind="put_off"), Outcome(plan=[now], put_off=True))


def not_counted(template: str) -> frozenset[str]:
    """The mails from which one of this template keeps no distance."""
    return ANSWERS | OF_CASES if template_of(template).foretold else ANSWERS


def clear_of_anniversaries(situation: Situation, day: date) -> date:
    """A business day from `day` on that keeps its distance from the day on which the customer hears of their years with us."""
    return _clear_of(situation, day, ())


def _clear_of(situation: Situation, day: date, kept: Collection[date]) -> date:
    day = situation.customer.morning(day)[1]
    taken = sorted({*kept, *_anniversaries(situation, day)})
    while (near := next((one for one in taken if abs((one - day).days) < QUIET_DAYS), None)) is not None:
        day = situation.customer.morning(near + timedelta(days=QUIET_DAYS))[1]
    return day


def _anniversaries(situation: Situation, around: date) -> list[date]:
    """The days about then on which the customer hears that they have been one for so many years."""
    if not situation.playbook.onboarding.anniversaries:
        return []
    since = situation.customer.day_of(situation.customer.account.since)
    years = range(around.year - since.year - 1, around.year - since.year + 2)
    return [add_months(since, MONTHS_IN_YEAR * number) for number in years if number > 0]


def apart(situation: Situation, decision: Decision, template: str, day: date) -> Decision:
    """The decision as it is, but for the mail: that one is decided anew on the morning of a later day."""
    at, on = situation.customer.morning(day)
    step = Step(kind=APART, stage="adoption", name=f"{template}-{situation.today}", at=at, on=on)
    says = f"Put off to {on}: {mail_in_words(template)}, so that nobody gets too many at once"
    left = replace(decision, mails=[mail for mail in decision.mails if mail.template != template])
    line = JournalLine(says, name=f"{template}-put-off", kind="mail_put_off")
    return left + Decision(line, Outcome(plan=[step]))


def put_off(situation: Situation, step: Step, template: str, day: date) -> Decision:
    """The step is done on the morning of a later day, by what is so then; what is about a day that is long gone by then never is."""
    since = situation.customer.day_of(situation.customer.account.since)
    moment = template_of(template).moment
    if moment is not None and (day - since).days > moment:
        return Decision(JournalLine(f"Left out: {mail_in_words(template)}, its day is over", kind="skipped"))
    at, on = situation.customer.morning(day, business_day=False)
    later = step.having(at=at, on=on)
    says = f"Put off to {on}: {mail_in_words(template)}, so that nobody gets too many at once"
    return Decision(JournalLine(says, kind="put_off"), Outcome(plan=[later], put_off=True))


def said_once(decision: Decision, mail: Mail, before: Mapping[str, Any] | None) -> Decision:
    """The decision without its renewal notice if one of the last days, which said `before`, told all that it tells."""
    offer = mail.context["quote"]
    if before is None or before["term_end"] != mail.context["term_end"] or (offer and before["quote"] != offer):
        return decision
    line = replace(decision.line, title="Renewal notice left out: the same was said in the last days", kind="skipped")
    outcome = decision.outcome.having(said=[])
    return replace(decision, line=line, outcome=outcome, mails=[one for one in decision.mails if one is not mail])
