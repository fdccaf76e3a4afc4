"""The guard: whether a customer may be reached now, by what service knows of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from domain.frame.sales_holds import CaseForHold, HoldLevel, HoldReason, Purpose
from domain.frame.service_facts import ServiceFacts
from domain.frame.situation import Situation
from domain.holds.holds import (
    USUAL,
    ContactDecision,
    ContactRequest,
    Hold,
    HoldRules,
    Verdict,
    contact_allowed,
    derive_holds,
)
from domain.kernel.business_clock import BusinessClock
from domain.kernel.calendar import local_day
from domain.kernel.national import weekday_clock
from domain.kernel.refusals import Problem, Refusal

SALES_HELD = "SalesHeld"


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
            product=product if product else None,
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
            return decision.having(verdict=Verdict.ALLOWED)
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


def guard_of(situation: Situation) -> SalesGuard:
    """Whether the customer of a situation may be reached at its instant."""
    account = situation.customer.account
    return SalesGuard(situation.service, account.country, account.time_zone, situation.as_of)


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
    "contact_welcome": Purpose.INTRODUCTION,
    "introduction": Purpose.INTRODUCTION,
    "outreach": Purpose.SALES_OUTREACH,
    "recovered": Purpose.SALES_OUTREACH,
    "play_note": Purpose.CAMPAIGN,
    "reference": Purpose.SALES_OUTREACH,
    "reorder_check_in": Purpose.SALES_OUTREACH,
    "survey": Purpose.SURVEY,
    "touch_anniversary": Purpose.CAMPAIGN,
    "touch_day_1": Purpose.CAMPAIGN,
    "touch_month_1": Purpose.CAMPAIGN,
    "upsell_offer": Purpose.UPSELL,
    "win_back": Purpose.SALES_OUTREACH,
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
