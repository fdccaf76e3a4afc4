"""Anniversaries: a yearly word to a customer who still owns something."""

from __future__ import annotations

from datetime import date, timedelta

from domain.frame.customer import ContractStatus
from domain.frame.decision import Decision, JournalLine, Mail
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Step
from domain.kernel.calendar import MONTHS_IN_YEAR, add_months
from domain.success import low_scores

ANNIVERSARIES = "relationship"
WIN_BACKS = f"{ANNIVERSARIES}/win-back-*"
LEAVES_WITHIN = timedelta(days=60)


def anniversary(situation: Situation, step: Step) -> Decision:
    """A yearly word to a customer who still owns something; the next one is planned a year on."""
    since = situation.customer.day_of(situation.customer.account.since)
    years = anniversary_year(step.key) - since.year
    plan = [anniversary_after(situation, step)]
    if (why := no_thanks(situation) or _were_away(situation)) is not None:
        return Decision(JournalLine(f"Anniversary {years} left out: {why}", kind="skipped"), Outcome(plan=plan))
    return Decision(
        JournalLine(f"Anniversary: {years} {'year' if years == 1 else 'years'}"),
        Outcome(plan=plan),
        mails=[Mail("touch_anniversary", {"years": years})],
    )


def no_thanks(situation: Situation) -> str | None:
    """Why nobody is thanked for another year; null if they are."""
    customer = situation.customer
    if "reorder/lapsed" in customer.staff_tasks or not customer.product_names(situation.as_of):
        return "the customer is gone"
    if low_scores.is_open(situation):
        return low_scores.NOT_FOLLOWED_UP
    if leaves(situation) and not customer.goods:
        return "they have said that they leave"
    if not customer.owns(situation.as_of):
        return "what they have is kept running, and waits for their answer"
    return None


def _were_away(situation: Situation) -> str | None:
    """Why the years since they first came are not counted: in between they had left; null if they never had."""
    back = situation.looks.back_at if situation.looks else None
    return f"they had left, and came back on {situation.customer.day_of(back)}" if back else None


def leaves(situation: Situation) -> bool:
    """True for who has declined to renew all that runs, once the last of it ends within two months."""
    running = [one for one in situation.customer.contracts if one.status != ContractStatus.ENDED]
    ends = [one.term.ends_at for one in running if one.status == ContractStatus.DECLINED]
    return bool(ends) and len(ends) == len(running) and max(ends) <= situation.as_of + LEAVES_WITHIN


def anniversaries_of(situation: Situation, since: date) -> Outcome:
    """The next anniversary of somebody who came on the day `since`, in place of any that is planned."""
    return Outcome(plan=[next_anniversary(situation, since)], drop=[f"{ANNIVERSARIES}/anniversary-*"])


def day_of_anniversary(situation: Situation, step: Step) -> date:
    """The day that an anniversary is of, whatever day it was moved to."""
    since = situation.customer.day_of(situation.customer.account.since)
    return add_months(since, (anniversary_year(step.key) - since.year) * MONTHS_IN_YEAR)


def anniversary_year(key: str) -> int:
    """The year that an anniversary is of, whatever day it was moved to."""
    return int(key.rpartition("-")[2])


def anniversary_after(situation: Situation, step: Step) -> Step:
    """The one that follows on an anniversary that is kept or left out today."""
    since = situation.customer.day_of(situation.customer.account.since)
    # In a later year than the step's own: to a customer who has moved west, the same anniversary may be still to come.
    return next_anniversary(situation, since, after=max(date(anniversary_year(step.key), 12, 31), situation.today))


def next_anniversary(situation: Situation, since: date, after: date | None = None) -> Step:
    """The first anniversary after the day `after`, or after today."""
    years = 1
    while (day := add_months(since, years * MONTHS_IN_YEAR)) <= (after or situation.today):
        years += 1
    return situation.step("relationship_anniversary", ANNIVERSARIES, f"anniversary-{day.year}", day, business_day=False)
