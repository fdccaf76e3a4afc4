"""Gross and net revenue retention and logo retention, in percent."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from domain.kernel.base import Carried

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


def adoption_rate(active: Decimal, base: Decimal) -> Decimal | None:
    """Active users of those who could be, in percent; may exceed 100, and is none without a base."""
    return active / base * 100 if base else None
