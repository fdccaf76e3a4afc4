"""Ending a prepaid term early: what is given back in money, what as a credit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from domain.assets.dates import Span
from domain.assets.errors import PolicyError
from domain.assets.proration_policy import ProrationPolicy
from domain.kernel.base import Carried
from domain.kernel.money import Rounding
from domain.kernel.zones import zone_of
from tests.oracles.dialects.moments import local_date
from tests.oracles.dialects.prepaid_changes import used_until

ZERO = Decimal(0)


class OnTermination(StrEnum):
    CREDIT = "credit"
    """all of it as a credit"""
    REFUND = "refund"
    """what was paid for and not used in money, the rest as a credit"""
    OFFSET = "offset"
    """as before, the rest against the open invoice"""


class DiscountRule(StrEnum):
    KEEP = "keep"
    """a fixed discount stays as long as it covers the months that are kept"""
    PRORATE = "prorate"


@dataclass(frozen=True, slots=True)
class Termination:
    """A prepaid fee and its end. `fee_coupon` and `prior_credit_net` are net, `invoice_total` and `paid` gross."""

    price: Decimal
    period: Span
    terminated: date
    invoice_total: Decimal
    paid: Decimal
    chargeable_from: date | None = None
    tax_percent: Decimal = ZERO
    fee_coupon: Decimal = ZERO
    prior_credit_net: Decimal = ZERO


class RefundSplit(Carried):
    """`item` and `tax` make the credit note; `creditable` = `refund` + `credit` + `offset`, all gross."""

    item: Decimal
    tax: Decimal
    creditable: Decimal
    used: Decimal
    refund: Decimal
    credit: Decimal
    offset: Decimal


class ShortenedTerm(Carried):
    charge_credit: Decimal
    discount_credit: Decimal
    customer_credit: Decimal


def split_refund(ending: Termination, policy: ProrationPolicy, on_termination: OnTermination) -> RefundSplit:
    """Split the unused part of a prepaid fee by what was paid.

    Raises:
        PolicyError: The period is empty.
    """
    period = ending.period
    if period.days <= 0:
        raise PolicyError("the period is empty")
    first = max(period.start, ending.chargeable_from or period.start)
    cut = min(max(local_date(used_until(ending.terminated, policy), zone_of(policy.time_zone)), first), period.end)
    daily = Fraction(ending.price) / period.days
    fee = daily * max(0, Span(first, period.end).days)
    unused = daily * max(0, Span(cut, period.end).days)
    after_coupon = 1 - (Fraction(ending.fee_coupon) / fee if fee else Fraction())
    tax = Fraction(ending.tax_percent) / 100

    item = max(ZERO, policy.rounding.apply(unused) - ending.prior_credit_net)
    net = Fraction(item) * after_coupon
    creditable = policy.rounding.apply(net * (1 + tax))
    used = policy.rounding.apply((fee - unused) * after_coupon * (1 + tax))
    paid = _paid_share(ending, fee * after_coupon * (1 + tax), policy.rounding)
    refund = ZERO if on_termination is OnTermination.CREDIT else min(creditable, max(ZERO, paid - used))
    rest, nothing = creditable - refund, policy.rounding.apply(ZERO)
    offset = on_termination is OnTermination.OFFSET
    return RefundSplit(
        item=item,
        tax=policy.rounding.apply(net * tax),
        creditable=creditable,
        used=used,
        refund=refund,
        credit=nothing if offset else rest,
        offset=rest if offset else nothing,
    )


def _paid_share(ending: Termination, gross_fee: Fraction, rounding: Rounding) -> Decimal:
    if ending.invoice_total == 0:
        return ZERO
    return rounding.apply(Fraction(ending.paid) * gross_fee / Fraction(ending.invoice_total))


def shorten_term(
    charge: Decimal,
    fixed_discount: Decimal,
    original_months: int,
    new_months: int,
    rule: DiscountRule,
    rounding: Rounding,
) -> ShortenedTerm:
    """The credit for a prepaid term that ends after `new_months` of its months and had a fixed discount."""
    if not 0 <= new_months <= original_months or original_months == 0:
        raise PolicyError(f"a term of {original_months} months cannot be shortened to {new_months}")
    removed = Fraction(original_months - new_months, original_months)
    back = Fraction(charge) * removed
    if rule is DiscountRule.KEEP:
        discount = max(Fraction(), Fraction(fixed_discount) - (Fraction(charge) - back))
    else:
        discount = Fraction(fixed_discount) * removed
    charge_credit, discount_credit = rounding.apply(back), rounding.apply(discount)
    return ShortenedTerm(
        charge_credit=charge_credit,
        discount_credit=discount_credit,
        customer_credit=charge_credit - discount_credit,
    )
