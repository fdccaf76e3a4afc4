"""A percentage of an amount, rounded."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from domain.kernel.money import Rounding


def percent_of(value: Decimal, percent: Decimal, rounding: Rounding) -> Decimal:
    """`percent` per cent of `value`, rounded."""
    return rounding.apply(Fraction(value) * Fraction(percent) / 100)
