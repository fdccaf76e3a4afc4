"""Optional mails keep their distance: a person gets one in three days, at an hour at which people work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from domain.calendar import MONTHS_IN_YEAR, add_months
from domain.customer import ContactFacts
from domain.decision import Decision, JournalLine, Mail
from domain.journey import Outcome, Step
from domain.situation import Situation
from domain.step_words import plain

QUIET_DAYS = 3
ANSWERS = frozenset({"welcome", "order_confirmed", "provisioning_done", "go_live", "introduction", "opted_out"})
"""Mails that answer what was just done or ordered: nobody waits for them, and none waits for them."""
OF_A_DECISION = frozenset({"outreach", "recovered", "upsell_offer"})
"""Mails of a step that also gives people something to do, which does not wait for the mail."""
KEEPS_ITS_DAY = "touch_anniversary"
_MOMENTS: Mapping[str, int] = {"touch_day_1": 5, "touch_month_1": 40}
"""Mails about a day of the first weeks, with the days after which they are not true any more."""


@dataclass(frozen=True)
class Paced:
    """An optional mail that a step would send, and to whom."""

    mail: Mail
    contact: ContactFacts


def paced(situation: Situation, decision: Decision) -> Paced | None:
    """The optional mail of a decision that waits with its step; null if there is none, or nobody who wants it."""
    for mail in decision.mails:
        contact = situation.customer.contact(mail.role, mail.contact_id)
        waits = not mail.contractual and mail.template not in ANSWERS | OF_A_DECISION
        if waits and contact is not None and not contact.unsubscribed:
            return Paced(mail, contact)
    return None


def day_for(situation: Situation, template: str, last: datetime | None) -> date | None:
    """The local day on whose morning an optional mail may leave that would leave now; null for now.

    last: when this person got the one before.
    """
    if template == KEEPS_ITS_DAY:
        return None
    customer, today = situation.customer, situation.today
    earliest = today
    if last is not None:
        earliest = max(today, customer.day_of(last) + timedelta(days=QUIET_DAYS))
    for kept in _anniversaries(situation, today):
        if abs((kept - earliest).days) < QUIET_DAYS:
            earliest = kept + timedelta(days=QUIET_DAYS)
    if earliest == today and customer.at_work(situation.as_of):
        return None
    at, day = customer.morning(earliest)
    return day if at > situation.as_of else customer.morning(today + timedelta(days=1))[1]


def _anniversaries(situation: Situation, today: date) -> list[date]:
    """The days of this year and the next on which the customer hears that they have been one for so many years."""
    if not situation.playbook.onboarding.anniversaries:
        return []
    since = situation.customer.day_of(situation.customer.account.since)
    years = (today.year - since.year, today.year - since.year + 1)
    return [add_months(since, MONTHS_IN_YEAR * number) for number in years if number > 0]


def put_off(situation: Situation, step: Step, template: str, day: date) -> Decision:
    """The step is done on the morning of a later day, by what is so then; what is about a day that is long gone by then never is."""
    since = situation.customer.day_of(situation.customer.account.since)
    moment = _MOMENTS.get(template)
    if moment is not None and (day - since).days > moment:
        return Decision(JournalLine(f"Left out: {plain(template)}, its day is over", kind="skipped"))
    at, on = situation.customer.morning(day, business_day=False)
    later = step.model_copy(update={"at": at, "on": on})
    says = f"Put off to {on}: mail {plain(template)}, so that nobody gets too many at once"
    return Decision(JournalLine(says, kind="put_off"), Outcome(plan=[later], put_off=True))
