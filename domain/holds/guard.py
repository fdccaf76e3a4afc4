"""What sales has to heed of service: a customer's cases and holds as the facts show them, and what waits until they are over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any

import holidays
from pydantic import AwareDatetime

from domain.frame.case_words import RUNNING
from domain.frame.state import Channel, OpenCaseView, Step
from domain.holds.holds import (
    CaseForHold,
    ContactDecision,
    ContactRequest,
    Feedback,
    Hold,
    HoldLevel,
    HoldReason,
    HoldRules,
    ManualHold,
    Override,
    Purpose,
    Verdict,
    contact_allowed,
    derive_holds,
)
from domain.kernel.base import Carried
from domain.kernel.business_calendar import WEEKDAYS, BusinessCalendar, Interval, WeekHours
from domain.kernel.business_clock import BusinessClock
from domain.kernel.business_errors import UnknownCountryError
from domain.kernel.calendar import local_day
from domain.kernel.ids import ProductCode
from domain.kernel.localtime import MINUTES_A_DAY
from domain.kernel.national import national_holidays
from domain.kernel.refusals import Problem, Refusal
from domain.success.throttling import AskedBefore

SALES_HELD = "SalesHeld"
EXCERPT = 60


class Person(Carried):
    """One of the seller's people."""

    staff_id: str
    name: str
    email: str
    language: str | None = None


class KnownCase(CaseForHold):
    """A case as sales may see it. `said` is what the customer wrote last; `promised_at` is when its resolution is due."""

    subject: str = ""
    owner: str | None = None
    person: Person | None = None
    """its owner, if the owner is one of the people on record"""
    manager: Person | None = None
    said: str | None = None
    said_at: AwareDatetime | None = None
    next_milestone: str | None = None
    next_due: AwareDatetime | None = None
    promised_at: AwareDatetime | None = None
    reopened_at: AwareDatetime | None = None
    turned_at: AwareDatetime | None = None
    """when it was recorded last that it waits, or goes on"""

    def view(self) -> OpenCaseView:
        """What the journey's briefing shows of it."""
        return OpenCaseView(
            case_id=self.case_id,
            priority=self.priority.value,
            state=self.state.value,
            owner=self.owner,
            opened_at=self.opened_at,
            said=self.said[:EXCERPT] if self.said else None,
            next_milestone=self.next_milestone,
            next_due=self.next_due,
            promised_at=self.promised_at,
        )


class Acknowledged(Carried):
    """Somebody has read why a customer is held: `source` is the case, the survey or the manual hold."""

    source: str
    by: str


class RecordedHold(Carried):
    """A hold that is on record as live."""

    source: str
    reason: HoldReason
    level: HoldLevel
    recorded_at: AwareDatetime | None = None
    reminded_at: AwareDatetime | None = None
    """when the owner was reminded of it last"""


class WrittenMail(Carried):
    """A mail as it was written, which leaves later: `body` are the fields of its message."""

    delivery_id: str
    created_at: AwareDatetime
    stage: str = ""
    contact_id: str | None = None
    body: dict[str, Any] = {}
    quote_over: bool = False
    """true for a quote that nobody can accept any more"""

    @property
    def template(self) -> str:
        """The name of its template; empty for a notice."""
        return str(self.body.get("template", ""))

    @property
    def context(self) -> dict[str, Any]:
        """What it says."""
        found: dict[str, Any] = self.body.get("context") or {}
        return found

    @property
    def optional(self) -> bool:
        """True if it can be unsubscribed from."""
        return self.body.get("unsubscribe") is not None


class HeldMail(WrittenMail):
    """A mail that waits for the holds, or for an hour at which it may leave. Nothing holds one without a purpose."""

    purpose: Purpose | None = None
    product: ProductCode | None = None

    @property
    def optional_to(self) -> str | None:
        """The address, in lower case, of whoever may have no more of them."""
        return str(self.body.get("to_email", "")).lower() if self.optional else None


class Written(Carried):
    """The latest mail of a template to an address, in lower case, that may have no more of them."""

    to: str
    template: str
    at: AwareDatetime


class MorningMail(WrittenMail):
    """A message that waits for the morning: a mail or a notice."""

    channel: Channel


class HeldStep(Carried):
    """A step of the journey that waits for the holds to allow it."""

    step: Step
    purpose: Purpose
    product: ProductCode | None = None


class SeenCase(Carried):
    """A case that is over and that one of the seller's people saw while it was not."""

    case_id: str
    state: str
    subject: str
    person: Person


class LeadFacts(Carried):
    """A lead that service found, as far as its journey looks at it. `case_state` is the present one of its case."""

    lead_id: str
    contact_id: str
    product: str
    product_name: str
    motion: str
    evidence: str
    urgency: str
    status: str
    sourced_by: str
    filed_at: AwareDatetime
    agent: Person | None = None
    seller: Person | None = None
    case_id: str | None = None
    case_state: str | None = None
    due_at: AwareDatetime | None = None
    rerouted: int = 0
    warned: bool = False


class Unhappy(Carried):
    """The call that an unhappy answer asks for, while nobody has made it: `source` is the survey, `person` has to call."""

    source: str
    title: str
    due_at: AwareDatetime
    person: Person
    manager: Person | None = None
    """of the team whose case was rated"""
    reminded: bool = False
    escalated: bool = False


class Bearing(Carried):
    """What a customer had to bear lately, by the ids of the cases: what a discount may be earned with."""

    late: list[str] = []
    """resolved later than promised"""
    reopened: list[str] = []
    low_rated: list[str] = []


class ServiceFacts(Carried):
    """All that service tells sales of one customer. What only a review looks at is left empty for others."""

    cases: list[KnownCase] = []
    feedback: list[Feedback] = []
    asked: list[AskedBefore] = []
    """the surveys about cases that went to somebody of the customer lately"""
    manual: list[ManualHold] = []
    overrides: list[Override] = []
    acknowledged: list[Acknowledged] = []
    released: list[str] = []
    """cases whose owner, or a manager, lets a renewal be talked about"""
    recorded: list[RecordedHold] = []
    mails: list[HeldMail] = []
    written: list[Written] = []
    """optional mails of the last days"""
    mornings: list[MorningMail] = []
    steps: list[HeldStep] = []
    seen: list[SeenCase] = []
    leads: list[LeadFacts] = []
    unhappy: list[Unhappy] = []
    bearing: Bearing = Bearing()

    def case(self, case_id: str) -> KnownCase | None:
        """The case of that id, if it is open or was resolved lately."""
        return next((case for case in self.cases if case.case_id == case_id), None)

    def running(self) -> list[KnownCase]:
        """The cases in which work is owed, the most pressing first."""
        found = [case for case in self.cases if case.state in RUNNING]
        return sorted(found, key=lambda case: (not case.escalated, case.priority.rank, case.opened_at))


NO_SERVICE = ServiceFacts()


@lru_cache(maxsize=128)
def weekday_clock(country: str, zone: str, year: int) -> BusinessClock:
    """The clock by which a customer's business days are counted: whole days without their weekend and public holidays.

    A country without known holidays has none, and Saturday and Sunday off. `year` and its neighbours are covered.
    """
    try:
        days_off = national_holidays(country, range(year - 1, year + 3))
        weekend = set(holidays.country_holidays(country).weekend)
    except UnknownCountryError:
        days_off, weekend = (), {5, 6}
    whole = (Interval(opens=0, closes=MINUTES_A_DAY),)
    week = WeekHours(**{day: () if n in weekend else whole for n, day in enumerate(WEEKDAYS)})
    return BusinessClock(BusinessCalendar(id=f"days-{country}", timezone=zone, week=week, holidays=days_off))


USUAL = HoldRules()


@dataclass(frozen=True)
class SalesGuard:
    """Whether a customer may be reached, by what service knows at one instant. Ask at the moment of sending."""

    facts: ServiceFacts
    country: str
    zone: str
    as_of: datetime
    rules: HoldRules = USUAL

    @property
    def clock(self) -> BusinessClock:
        """Business days where the customer is."""
        return weekday_clock(self.country, self.zone, self.as_of.year)

    @cached_property
    def holds(self) -> tuple[Hold, ...]:
        """What holds sales back, blocks first."""
        facts = self.facts
        if not (facts.cases or facts.feedback or facts.manual):
            return ()
        return derive_holds(facts.cases, facts.feedback, facts.manual, self.clock, as_of=self.as_of, rules=self.rules)

    def ask(
        self,
        purpose: Purpose,
        product: str | None = None,
        *,
        automatic: bool = True,
        by: str | None = None,
        renewal_at: datetime | None = None,
    ) -> ContactDecision:
        """The verdict on reaching the customer for `purpose`, about `product` if about one.

        A person (`automatic` false) may go on under a warning once they, `by`, have acknowledged what raised it.
        """
        warnings = {hold.source for hold in self.holds if hold.level is HoldLevel.WARN}
        read = {one.source for one in self.facts.acknowledged if one.by == by}
        request = ContactRequest(
            purpose=purpose,
            product=ProductCode(product) if product else None,
            automatic=automatic,
            acknowledged=warnings <= read,
            released=frozenset(self.facts.released),
            renewal_at=renewal_at,
        )
        return contact_allowed(request, self.holds, self.facts.overrides, as_of=self.as_of, rules=self.rules)

    def at_sending(self, purpose: Purpose, product: str | None = None) -> ContactDecision:
        """The verdict on a message that leaves by itself. A quote was asked for by a person, who had to read any warning first."""
        decision = self.ask(purpose, product, automatic=purpose is not Purpose.NEW_QUOTE)
        if decision.verdict is Verdict.ACKNOWLEDGE:
            return decision.model_copy(update={"verdict": Verdict.ALLOWED})
        return decision

    def holds_back(self, purpose: Purpose, product: str | None = None) -> ContactDecision | None:
        """The verdict that keeps something from being said by itself now; null if it may be said."""
        decision = self.at_sending(purpose, product)
        return None if decision.verdict is Verdict.ALLOWED else decision

    def renewal_held(self, renewal_at: datetime | None = None) -> ContactDecision | None:
        """The verdict that keeps a renewal from being talked about; null if it may be.

        Only a block does: what a contract's end needs said is said under a warning. Close to `renewal_at` a manager decides.
        """
        decision = self.ask(Purpose.RENEWAL_TALK, automatic=False, renewal_at=renewal_at)
        return decision if decision.verdict in {Verdict.HELD, Verdict.MANAGER_DECIDES} else None

    def require(self, purpose: Purpose, product: str | None = None, *, by: str | None = None) -> None:
        """Refuses what a person, `by`, wants to do while a hold keeps it back: `Refusal` (SalesHeld) with a problem per hold."""
        decision = self.ask(purpose, product, automatic=False, by=by)
        if decision.verdict is Verdict.ALLOWED:
            return
        advice = "wait until service is done; `override_hold` is for a service lead or manager"
        if decision.verdict is Verdict.ACKNOWLEDGE:
            advice = "read the cases and send `acknowledge_hold` first"
        problems = [Problem(field=hold.source, problem=hold.says) for hold in decision.holds]
        raise Refusal(SALES_HELD, f"service holds sales back from this customer; {advice}", problems)

    def next_look(self) -> datetime | None:
        """When the holds may change by themselves: a cool-down, a manual hold or an override ends."""
        ends = [hold.review_at for hold in self.holds if hold.review_at is not None]
        ends += [override.until for override in self.facts.overrides]
        return min((at for at in ends if at > self.as_of), default=None)


def hold_of(case: CaseForHold, country: str, zone: str, as_of: datetime) -> str:
    """What one case means for sales at `as_of`, in words for its own page; empty if it holds nothing back."""
    found = derive_holds([case], (), (), weekday_clock(country, zone, as_of.year), as_of=as_of)
    if not found:
        return ""
    held = "sales is held back" if found[0].level is HoldLevel.BLOCK else "sales has to read it first"
    if found[0].reason is HoldReason.COOLING_DOWN and found[0].review_at is not None:
        # Nobody may look at the page again by then: what it says is so on either side of the day.
        held = f"sales may go on from {local_day(found[0].review_at, zone)}"
    return f"{held}: {', '.join(hold.reason.replace('_', ' ') for hold in found)}"


SALES_MAILS: dict[str, Purpose] = {
    "check_in": Purpose.SALES_OUTREACH,
    "outreach": Purpose.SALES_OUTREACH,
    "recovered": Purpose.SALES_OUTREACH,
    "reorder_check_in": Purpose.SALES_OUTREACH,
    "survey": Purpose.SURVEY,
    "touch_anniversary": Purpose.CAMPAIGN,
    "touch_day_1": Purpose.CAMPAIGN,
    "touch_month_1": Purpose.CAMPAIGN,
    "upsell_offer": Purpose.UPSELL,
}
"""The journey's own mails that a hold keeps back. What delivers something sold, or is owed by contract, is not among them."""

PATIENCE: dict[Purpose, timedelta] = {
    Purpose.CAMPAIGN: timedelta(days=3),
    Purpose.SALES_OUTREACH: timedelta(days=14),
    Purpose.SURVEY: timedelta(days=30),
    Purpose.UPSELL: timedelta(days=30),
    Purpose.NEW_QUOTE: timedelta(days=30),
}
"""How long a mail that waits is still worth sending."""
