"""Renewal prices: flat uplifts, uplifts by an index, and what they make of a unit price."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from enum import StrEnum

from domain.assets.errors import IndexRateMissingError
from domain.kernel.base import Carried
from domain.kernel.money import Rounding, by_one_month, for_months, is_divided, rounding_of

HUNDRED = Decimal(100)


class Combination(StrEnum):
    ADDITIVE = "additive"
    """index + spread"""
    COMPOUND = "compound"
    """the spread on top of the indexed price"""


class IndexRate(Carried):
    """The change of a price index in per cent, for a region, from a date to the next rate of that region."""

    region: str
    valid_from: date
    valid_to: date | None = None
    """first date on which the rate no longer holds"""
    percent: Decimal


def index_percent(rates: Iterable[IndexRate], region: str, on: date) -> Decimal:
    """The rate of `region` that holds on a date; the latest to begin wins.

    Raises:
        IndexRateMissingError: The region has no rate for the date.
    """
    holding = [
        rate
        for rate in rates
        if rate.region == region and rate.valid_from <= on and (rate.valid_to is None or on < rate.valid_to)
    ]
    if not holding:
        raise IndexRateMissingError(f"no index rate for {region} on {on}; enter one before renewing by index")
    return max(holding, key=lambda rate: rate.valid_from).percent


def uplift_percent(index: Decimal, spread: Decimal, combination: Combination = Combination.ADDITIVE) -> Decimal:
    """Index and spread, both in per cent, as one uplift in per cent."""
    both = index + spread
    return both if combination is Combination.ADDITIVE else both + index * spread / HUNDRED


def uplifted(unit_price: Decimal, percent: Decimal, rounding: Rounding) -> Decimal:
    """`unit_price` raised by `percent` per cent."""
    price, of = unit_price.as_integer_ratio()
    more, per = percent.as_integer_ratio()
    return rounding.quotient(price * (100 * per + more), of * 100 * per)


def raised(unit_price: Decimal, percent: Decimal, currency: str, months: int = 1) -> Decimal:
    """A price for one month, agreed as one for `months`, raised by `percent` per cent: what was agreed is at the minor unit then.

    A price by the year is raised as such and only then divided, so that no cent is lost. Without a raise it stays as it is.
    """
    if percent == 0:
        return unit_price
    if is_divided(unit_price):
        months = 12
    if months == 1:
        return uplifted(unit_price, percent, rounding_of(currency))
    return by_one_month(uplifted(for_months(unit_price, months), percent, rounding_of(currency)), months)
