"""Retention of revenue and of customers between two days, and by cohorts: customers who began in the same quarter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from domain.kernel.base import Carried
from domain.kernel.calendar import quarter_of

ZERO = Decimal(0)


class Retention(Carried):
    """What is kept of a starting revenue, in percent: gross without expansion, net with it; none when nothing started."""

    gross_percent: Decimal | None
    net_percent: Decimal | None


def retention_rates(starting: Decimal, expansion: Decimal, contraction: Decimal, churn: Decimal) -> Retention:
    """Retention from the movements of one period, all in one currency and zero or more."""
    if starting == 0:
        return Retention(gross_percent=None, net_percent=None)
    kept = starting - contraction - churn
    return Retention(gross_percent=kept / starting * 100, net_percent=(kept + expansion) / starting * 100)


class CustomerRevenue(Carried):
    """One customer's recurring revenue at the start and the end of a period, in one currency at the start's rate."""

    start: Decimal
    end: Decimal


class CohortRetention(Carried):
    """Retention of the customers that were there at the start; `logo_percent` counts customers instead of revenue."""

    starting: Decimal
    expansion: Decimal
    contraction: Decimal
    churn: Decimal
    rates: Retention
    logo_percent: Decimal | None


def cohort_retention(customers: Iterable[CustomerRevenue]) -> CohortRetention:
    """Retention from each customer's own movement, so that one's growth never hides another's loss.

    Customers without revenue at the start are new or came back, and do not count.
    """
    cohort = [customer for customer in customers if customer.start > 0]
    kept = [customer for customer in cohort if customer.end > 0]
    starting = sum((customer.start for customer in cohort), ZERO)
    churn = sum((customer.start for customer in cohort if customer.end <= 0), ZERO)
    expansion = sum((max(ZERO, customer.end - customer.start) for customer in kept), ZERO)
    contraction = sum((max(ZERO, customer.start - customer.end) for customer in kept), ZERO)
    return CohortRetention(
        starting=starting,
        expansion=expansion,
        contraction=contraction,
        churn=churn,
        rates=retention_rates(starting, expansion, contraction, churn),
        logo_percent=Decimal(len(kept)) / len(cohort) * 100 if cohort else None,
    )


class Movement(Carried):
    """What became of one account's recurring revenue: `new`, `grew`, `shrank`, `left`, or `kept`."""

    account_id: str
    start: Decimal
    end: Decimal

    @property
    def kind(self) -> str:
        """What became of it, in a word."""
        if not self.start:
            return "new"
        if not self.end:
            return "left"
        return "grew" if self.end > self.start else "shrank" if self.end < self.start else "kept"


class RevenueRetention(Carried):
    """Retention in one currency from one day to another, with the accounts behind each figure, the largest movement first."""

    currency: str
    cohort: CohortRetention
    new: Decimal
    end: Decimal
    movements: tuple[Movement, ...]

    @property
    def from_existing_percent(self) -> Decimal | None:
        """The share of the revenue at the end that comes from customers who were there at the start."""
        return (self.end - self.new) / self.end * 100 if self.end else None


def revenue_retention(currency: str, start: Mapping[str, Decimal], end: Mapping[str, Decimal]) -> RevenueRetention:
    """Retention from the recurring revenue of each account on two days, in one currency."""
    movements = [
        Movement(account_id=account, start=start.get(account, ZERO), end=end.get(account, ZERO))
        for account in {*start, *end}
    ]
    movements = [one for one in movements if one.start or one.end]
    return RevenueRetention(
        currency=currency,
        cohort=cohort_retention(CustomerRevenue(start=one.start, end=one.end) for one in movements),
        new=sum((one.end for one in movements if not one.start), ZERO),
        end=sum((one.end for one in movements), ZERO),
        movements=tuple(sorted(movements, key=lambda one: (-abs(one.end - one.start), one.account_id))),
    )


class Cohort(Carried):
    """Customers whose first recurring revenue lies in one quarter: at the end of that quarter and of each one after it, how many
    there are and what they bring."""

    quarter: str
    customers: tuple[int, ...]
    revenue: tuple[Decimal, ...]


def cohorts(ends: Sequence[date], revenue: Sequence[Mapping[str, Decimal]]) -> list[Cohort]:
    """The cohorts of one currency from each account's revenue at the ends of successive quarters.

    ends: the first day after each quarter, in order. Who came and went within one quarter is in none; the first cohort is of all who began
    until then.
    """
    first: dict[str, int] = {}
    for at, by_account in enumerate(revenue):
        for account, amount in by_account.items():
            if amount:
                first.setdefault(account, at)
    found = []
    for at, end in enumerate(ends):
        members = [account for account, began in first.items() if began == at]
        if members:
            later = [[amount for account in members if (amount := of.get(account, ZERO))] for of in revenue[at:]]
            found.append(
                Cohort(
                    quarter=f"{'' if at else 'until '}{quarter_of(date.fromordinal(end.toordinal() - 1))}",
                    customers=tuple(len(amounts) for amounts in later),
                    revenue=tuple(sum(amounts, ZERO) for amounts in later),
                )
            )
    return found


def quarter_ends(since: date, until: date) -> list[date]:
    """The first days after the quarters that end after `since` and not after `until`."""
    year, month = since.year, (since.month - 1) // 3 * 3 + 1
    found: list[date] = []
    while True:
        year, month = (year + 1, 1) if month == 10 else (year, month + 3)
        if date(year, month, 1) > until:
            return found
        found.append(date(year, month, 1))
