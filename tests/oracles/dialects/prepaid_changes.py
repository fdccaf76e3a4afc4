"""Changes of price, quantity or plan inside a prepaid period: credit for the old side, charge for the new one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from domain.assets.dates import DAY
from domain.assets.errors import PolicyError
from domain.assets.proration_policy import AdjustmentRule, ChangeDay, Precision, ProrationPolicy, RoundOn
from domain.kernel.base import Carried
from domain.kernel.zones import zone_of
from tests.oracles.dialects.moments import local_date
from tests.oracles.dialects.percentages import percent_of
from tests.oracles.dialects.proration import length_of, period_length

Moments = tuple[date, date]
ZERO = Decimal(0)


class Effective(StrEnum):
    IMMEDIATE = "immediate"
    PERIOD_END = "period_end"
    """the change waits; nothing is credited or charged now"""


class NewCharge(StrEnum):
    PRORATED = "prorated"
    FULL = "full"
    """the new side starts a fresh period"""


class Side(Carried):
    """One side of a change: what the full period costs."""

    unit_price: Decimal
    quantity: int
    discount_amount: Decimal = ZERO

    @property
    def full_price(self) -> Fraction:
        return Fraction(self.unit_price) * self.quantity - Fraction(self.discount_amount)


@dataclass(frozen=True, slots=True)
class Change:
    """A change at `moment` inside `period` (half-open); `new_period` is the new side's own, if it has one."""

    old: Side
    new: Side
    period: Moments
    moment: date
    new_period: Moments | None = None
    effective: Effective = Effective.IMMEDIATE
    new_charge: NewCharge = NewCharge.PRORATED
    already_adjusted: Decimal = ZERO


class PriceChangeAmounts(Carried):
    """All amounts are positive; `net` is charge less credit, before tax. Rounding the net leaves the sides open."""

    used_units: int
    remaining_units: int
    period_units: int
    used_amount: Decimal | None = None
    credit: Decimal | None = None
    credit_tax: Decimal | None = None
    credit_total: Decimal | None = None
    charge: Decimal | None = None
    charge_tax: Decimal | None = None
    charge_total: Decimal | None = None
    net: Decimal
    next_bill: Decimal


def prorate_change(change: Change, policy: ProrationPolicy, tax_percent: Decimal = ZERO) -> PriceChangeAmounts:
    """Credit the rest of the old side and charge the rest of the new one.

    Raises:
        PolicyError: The period is empty, or the policy cannot measure it.
    """
    used, remaining, length = _units(change.period, change.moment, policy)
    waits = change.effective is Effective.PERIOD_END
    credit = Fraction() if waits else _credit(change, Fraction(remaining, length), policy)
    charge = Fraction() if waits else _charge(change, Fraction(remaining, length), policy)
    full_new = policy.rounding.apply(change.new.full_price)
    if policy.round_on is RoundOn.NET:
        net = policy.rounding.apply(charge - credit)
        return PriceChangeAmounts(
            used_units=used, remaining_units=remaining, period_units=length, net=net, next_bill=full_new + net
        )
    credited, charged = policy.rounding.apply(credit), policy.rounding.apply(charge)
    credit_tax, charge_tax = (percent_of(side, tax_percent, policy.rounding) for side in (credited, charged))
    return PriceChangeAmounts(
        used_units=used,
        remaining_units=remaining,
        period_units=length,
        used_amount=policy.rounding.apply(change.old.full_price * Fraction(used, length)),
        credit=credited,
        credit_tax=credit_tax,
        credit_total=credited + credit_tax,
        charge=charged,
        charge_tax=charge_tax,
        charge_total=charged + charge_tax,
        net=charged - credited,
        next_bill=full_new + charged - credited,
    )


def used_until(moment: date, policy: ProrationPolicy) -> date:
    """Where the used part of a period ends when something changes or stops at `moment`."""
    if policy.precision is not Precision.DAY:
        return moment
    day = local_date(moment, zone_of(policy.time_zone))
    return day + DAY if policy.change_day_belongs_to is ChangeDay.OLD else day


def _units(period: Moments, moment: date, policy: ProrationPolicy) -> tuple[int, int, int]:
    length = period_length(policy, *period)
    if length == 0:
        raise PolicyError("the period is empty")
    used = min(length, length_of(policy, period[0], used_until(moment, policy)))
    return used, length - used, length


def _credit(change: Change, share: Fraction, policy: ProrationPolicy) -> Fraction:
    full, adjusted = change.old.full_price, Fraction(change.already_adjusted)
    if policy.adjustment_rule is AdjustmentRule.REDUCE_BASE:
        return _rest(max(Fraction(), full - adjusted), share, policy)
    if policy.adjustment_rule is AdjustmentRule.CAP:
        return max(Fraction(), min(_rest(full, share, policy), full - adjusted))
    return _rest(full, share, policy)


def _rest(price: Fraction, share: Fraction, policy: ProrationPolicy) -> Fraction:
    """The unused part of a price."""
    if policy.round_on is not RoundOn.USED_PART:
        return price * share
    return Fraction(policy.rounding.apply(price) - policy.rounding.apply(price * (1 - share)))


def _charge(change: Change, share: Fraction, policy: ProrationPolicy) -> Fraction:
    if change.new_charge is NewCharge.FULL:
        return change.new.full_price
    if change.new_period is not None:
        _, remaining, length = _units(change.new_period, change.moment, policy)
        share = Fraction(remaining, length)
    return change.new.full_price * share
