"""Renewal forecast: what falls due, how far each renewal has come, and what it is likely to bring."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from pydantic import AwareDatetime

from domain.frame.customer import ContractStatus
from domain.frame.renewal_facts import ChurnReason
from domain.frame.step_words import plain
from domain.kernel.base import Carried


class RenewalCategory(StrEnum):
    """How far a renewal has come: `commit` renews by itself and can no longer be declined; `open` has not been quoted yet; `best_case`
    only a person says."""

    RENEWED = "renewed"
    COMMIT = "commit"
    PROBABLE = "probable"
    BEST_CASE = "best_case"
    OPEN = "open"
    AT_RISK = "at_risk"
    LOST = "lost"


PROBABILITIES: Mapping[RenewalCategory, Decimal] = {
    RenewalCategory.RENEWED: Decimal(1),
    RenewalCategory.COMMIT: Decimal("0.95"),
    RenewalCategory.PROBABLE: Decimal("0.8"),
    RenewalCategory.BEST_CASE: Decimal("0.5"),
    RenewalCategory.OPEN: Decimal("0.6"),
    RenewalCategory.AT_RISK: Decimal("0.3"),
    RenewalCategory.LOST: Decimal(0),
}
"""How likely a renewal of each category is, where nobody says otherwise."""


class DueRenewal(Carried):
    """A term of a contract that ends. `until` is the first day after it; `arr` what its assets bring in a year when it ends,
    in `currency`; `status` and `reason` those of the contract; `renewed` if a next term is on record, `quoted` if its price is;
    `next_arr` what that next term brings. `expected` is what a person says of it, `expected_why` with the reason; `churn` why it is lost."""

    contract_id: str
    account_id: str
    account: str
    owner: str
    currency: str
    until: date
    arr: Decimal
    auto_renew: bool
    notice_days: int
    status: ContractStatus
    reason: str = ""
    renewed: bool = False
    quoted: bool = False
    band: str | None = None
    blocked: bool = False
    next_arr: Decimal | None = None
    expected: RenewalCategory | None = None
    expected_why: str | None = None
    expected_by: str | None = None
    churn: ChurnReason | None = None


class Forecast(Carried):
    """A renewal with its category, why it is in it, and what it is likely to bring in a year."""

    due: DueRenewal
    category: RenewalCategory
    why: str
    likely: Decimal

    @property
    def month(self) -> str:
        """The month in which the term ends, as `2027-03`."""
        return f"{self.due.until - timedelta(days=1):%Y-%m}"


def forecast(
    renewals: Iterable[DueRenewal], today: date, probabilities: Mapping[RenewalCategory, Decimal] = PROBABILITIES
) -> list[Forecast]:
    """Each renewal with what it is likely to bring, the first to end first. More than is held today is never counted; what is renewed
    with less counts with less."""
    found = []
    for one in sorted(renewals, key=lambda one: (one.until, one.contract_id)):
        category, why = category_of(one, today)
        held = one.arr if one.next_arr is None else min(one.arr, one.next_arr)
        found.append(Forecast(due=one, category=category, why=why, likely=held * probabilities[category]))
    return found


def category_of(one: DueRenewal, today: date) -> tuple[RenewalCategory, str]:
    """How far a renewal has come on a day, and why."""
    if one.renewed:
        return RenewalCategory.RENEWED, "the next term is on record"
    if one.status in (ContractStatus.DECLINED, ContractStatus.ENDED):
        said = one.reason or one.status
        return RenewalCategory.LOST, f"{plain(one.churn)}: {said}" if one.churn and ChurnReason.of(
            said
        ) is None else said
    if one.expected is not None:
        return one.expected, f"{one.expected_by or 'somebody'} says: {one.expected_why}"
    if one.status == ContractStatus.GRACE:
        return RenewalCategory.AT_RISK, "in grace since the term ended"
    if one.blocked:
        return RenewalCategory.AT_RISK, "service holds sales back"
    if one.band in ("watch", "critical"):
        return RenewalCategory.AT_RISK, f"health is {one.band}"
    if one.auto_renew and today > one.until - timedelta(days=1 + one.notice_days):
        return RenewalCategory.COMMIT, "renews by itself, and the last day to decline has passed"
    if one.auto_renew:
        return RenewalCategory.PROBABLE, "renews by itself unless it is declined"
    if one.quoted:
        return RenewalCategory.PROBABLE, "quoted"
    return RenewalCategory.OPEN, "not quoted yet"


# How fast a wish becomes a renewed asset


class RenewedIn(Carried):
    """A renewal that the customer accepted, how long after they had first asked for it; `asked_at` is null where their yes was the first
    word."""

    contract_id: str
    account: str
    asked_at: AwareDatetime | None
    renewed_at: AwareDatetime

    @property
    def took(self) -> timedelta:
        """From the first word to the renewed asset: nothing, where the yes was the first word."""
        return max(timedelta(0), self.renewed_at - (self.asked_at or self.renewed_at))


class Speed(Carried):
    """How long renewals took from the customer's first word to the renewed asset: the median, and how many within each time."""

    renewals: int
    median: timedelta | None
    within: dict[str, int]


SPANS: Mapping[str, timedelta] = {
    "an hour": timedelta(hours=1),
    "a day": timedelta(days=1),
    "3 days": timedelta(days=3),
}
LONGER = "longer"


def speed(found: Iterable[RenewedIn]) -> Speed:
    """The distribution of what renewals took."""
    took = sorted(one.took for one in found)
    within = dict.fromkeys([*SPANS, LONGER], 0)
    for one in took:
        within[next((name for name, most in SPANS.items() if one <= most), LONGER)] += 1
    return Speed(renewals=len(took), median=median(took) if took else None, within=within)


def median(took: Sequence[timedelta]) -> timedelta:
    """The one in the middle of some that ascend, or the mean of the two there."""
    middle = len(took) // 2
    return took[middle] if len(took) % 2 else (took[middle - 1] + took[middle]) / 2
